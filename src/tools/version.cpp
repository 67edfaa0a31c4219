// estab version: which build this is.
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

// cmake/program.cmake defines these three for this file only.
constexpr std::string_view kVersion = ESTAB_VERSION;
constexpr std::string_view kBuildType = ESTAB_BUILD_TYPE;
constexpr std::string_view kDescribed = ESTAB_DESCRIBED;

#ifdef __clang__
std::string compiler() {
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
}
#else
std::string compiler() {
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
}
#endif

void print_version(ReportFormat format) {
  if (format == ReportFormat::text) {
    print("estab {}{}\nbuilt with {}, {}\n", kVersion,
          kDescribed.empty() ? "" : fmt::format(" ({})", kDescribed), compiler(),
          kBuildType.empty() ? "no build type" : kBuildType);
    return;
  }
  nlohmann::ordered_json document{{"schema", "estab.version/1"},
                                  {"version", kVersion},
                                  {"commit", nullptr},
                                  {"compiler", compiler()},
                                  {"build_type", kBuildType}};
  if (!kDescribed.empty()) document["commit"] = kDescribed;
  print_json(Channel::output, document);
}

void add_version(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("version", "Print the version and how it was built");
  auto format = std::make_shared<ReportFormat>(ReportFormat::text);
  add_json_flag(*command, *format);
  command->callback([format] { print_version(*format); });
}

const Registration kVersionCommand{{"version", Order::about, add_version}};

}  // namespace
}  // namespace estab::tools
