// Reports: one JSON document with --json, on the stream that the command's data does not have.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tools/console.h"

namespace CLI {
class App;
}

namespace estab::tools {

enum class ReportFormat { text, json };

/// `--json`.
void add_json_flag(CLI::App& command, ReportFormat& format);
/// Indented, with a line end; a text that is not UTF-8 has its bad octets replaced. Throws Failure
/// if it cannot be written.
void print_json(Channel channel, const nlohmann::ordered_json& document);

}  // namespace estab::tools
