#include "tools/drill_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/exit_code.h"

namespace estab::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw Failure(ExitCode::bad_input, fmt::format("drill: {}: {}", file, why));
}

std::vector<std::string> scripts_below(const std::string& directory) {
  std::vector<std::string> found;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(directory))
      if (entry.is_regular_file() && entry.path().extension() == ".pkt")
        found.push_back(entry.path().string());
  } catch (const fs::filesystem_error& error) {
    refuse(directory, error.code().message());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string escaped(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    switch (c) {
      case '<':
        plain += "&lt;";
        break;
      case '>':
        plain += "&gt;";
        break;
      case '&':
        plain += "&amp;";
        break;
      case '"':
        plain += "&quot;";
        break;
      // Of the control characters XML 1.0 knows three.
      default:
        plain += static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t' ? c : '?';
    }
  }
  return plain;
}

}  // namespace

std::vector<std::string> find_scripts(const std::vector<std::string>& arguments) {
  std::vector<std::string> scripts;
  for (const std::string& argument : arguments) {
    std::error_code error;
    const fs::file_status status = fs::status(argument, error);
    if (!fs::exists(status)) refuse(argument, "there is no such file or directory");
    if (!fs::is_directory(status)) {
      scripts.push_back(argument);
      continue;
    }
    const std::vector<std::string> found = scripts_below(argument);
    if (found.empty()) refuse(argument, "there is no script (*.pkt) below it");
    scripts.insert(scripts.end(), found.begin(), found.end());
  }
  return scripts;
}

std::string read_script(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) refuse(file, std::strerror(errno));
  return text;
}

DrillCount count_results(const std::vector<DrillRun>& runs) {
  DrillCount count;
  for (const DrillRun& run : runs) {
    count.passed += run.result.verdict == drill::DrillVerdict::passed;
    count.failed += run.result.verdict == drill::DrillVerdict::failed;
    count.skipped += run.result.verdict == drill::DrillVerdict::skipped;
  }
  return count;
}

nlohmann::ordered_json drill_json(const std::vector<DrillRun>& runs) {
  const DrillCount count = count_results(runs);
  nlohmann::ordered_json document{{"schema", "estab.drill/1"},
                                  {"passed", count.passed},
                                  {"failed", count.failed},
                                  {"skipped", count.skipped},
                                  {"scripts", nlohmann::ordered_json::array()}};
  for (const DrillRun& run : runs)
    document["scripts"].push_back({{"file", run.file},
                                   {"result", name(run.result.verdict)},
                                   {"line", run.result.line},
                                   {"reason", run.result.reason}});
  return document;
}

std::string drill_junit(const std::vector<DrillRun>& runs) {
  const DrillCount count = count_results(runs);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"estab drill\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
      runs.size(), count.failed, count.skipped);
  for (const DrillRun& run : runs) {
    text += fmt::format("  <testcase classname=\"drill\" name=\"{}\">", escaped(run.file));
    if (run.result.verdict == drill::DrillVerdict::failed)
      text += fmt::format("<failure message=\"line {}: {}\">{}</failure>", run.result.line,
                          escaped(run.result.reason), escaped(run.result.detail));
    if (run.result.verdict == drill::DrillVerdict::skipped)
      text += fmt::format("<skipped message=\"line {}: {}\"/>", run.result.line,
                          escaped(run.result.reason));
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n";
}

}  // namespace estab::tools
