#include "tools/report.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace estab::tools {

void add_json_flag(CLI::App& command, ReportFormat& format) {
  command.add_flag_callback(
      "--json", [&format] { format = ReportFormat::json; }, "Report as one JSON document");
}

void print_json(Channel channel, const nlohmann::ordered_json& document) {
  using nlohmann::ordered_json;
  write_result(channel,
               document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace estab::tools
