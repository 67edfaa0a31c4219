#include "tools/report.h"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

namespace estab::tools {

void add_json_flag(CLI::App& command, ReportFormat& format) {
  command.add_flag_callback(
      "--json", [&format] { format = ReportFormat::json; }, "Report as one JSON document");
}

void print_json(std::FILE* out, const nlohmann::ordered_json& document) {
  fmt::print(out, "{}\n",
             document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int terminal_width(std::FILE* file) {
  if (isatty(fileno(file)) == 0) return 0;
  winsize size{};
  if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string paint(std::FILE* out, Colour colour, std::string_view text) {
  // https://no-color.org: set and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  bool wanted = isatty(fileno(out)) != 0 && (no_color == nullptr || *no_color == '\0');
  if (!wanted || colour == Colour::plain) return std::string(text);
  const char* code = "0";
  switch (colour) {
    case Colour::plain:
      break;
    case Colour::green:
      code = "32";
      break;
    case Colour::yellow:
      code = "33";
      break;
    case Colour::red:
      code = "31";
      break;
    case Colour::dim:
      code = "2";
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void log_line(std::string_view text) {
  fmt::print(stderr, "estab: {}\n", text);
}

}  // namespace estab::tools
