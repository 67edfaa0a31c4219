// estab drill: runs packetdrill scripts against the stack, in this process and in virtual time.
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/drill_files.h"
#include "tools/options.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

using drill::DrillVerdict;

struct DrillCommand {
  std::vector<std::string> paths;
  drill::DrillOptions options;
  std::uint64_t jobs = 0;  // 0: as many as there are processors
  std::string junit;
  ReportFormat format = ReportFormat::text;
};

Read<posix::Profile> parse_profile(std::string_view text) {
  if (text == "rfc") return posix::Profile::rfc;
  if (text == "linux") return posix::Profile::linux_;
  if (text == "freebsd") return posix::Profile::freebsd;
  return std::unexpected("must be rfc, linux or freebsd");
}

Read<drill::IpVersion> parse_ip_version(std::string_view text) {
  if (text == "ipv4") return drill::IpVersion::v4;
  if (text == "ipv6") return drill::IpVersion::v6;
  if (text == "ipv4-mapped-ipv6") return drill::IpVersion::mapped;
  return std::unexpected("must be ipv4, ipv6 or ipv4-mapped-ipv6");
}

/// Decimal or, with 0x, hexadecimal.
Read<std::uint32_t> parse_sequence_number(std::string_view text) {
  const std::string digits(text);
  const char first = digits.empty() ? ' ' : digits[0];
  char* end = nullptr;
  errno = 0;
  const unsigned long long number = std::strtoull(digits.c_str(), &end, 0);
  if (first < '0' || first > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
    return std::unexpected("must be 0 to 4294967295 (0xffffffff)");
  return static_cast<std::uint32_t>(number);
}

Read<std::pair<std::string, std::string>> parse_define(std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == 0 || sign == text.npos) return std::unexpected("must be NAME=VALUE");
  return std::pair(std::string(text.substr(0, sign)), std::string(text.substr(sign + 1)));
}

/// Results stand in the scripts' order, whoever finishes first.
std::vector<DrillRun> run_scripts(const std::vector<std::string>& files,
                                  const DrillCommand& command) {
  std::vector<std::string> texts;
  for (const std::string& file : files) texts.push_back(read_script(file));
  std::vector<DrillRun> runs(files.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++)
      runs[i] = {files[i], drill::drill(files[i], texts[i], command.options)};
  };
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t jobs = std::min(command.jobs == 0 ? processors : command.jobs, files.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < jobs; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return runs;
}

void print_run(const DrillRun& run, drill::DrillOptions::Log log) {
  const drill::DrillResult& result = run.result;
  const bool is_verbose = log == drill::DrillOptions::Log::on;
  if (is_verbose) {
    for (const std::string& line : result.log) fmt::print("{}: {}\n", run.file, line);
    for (const std::string& note : result.notes) fmt::print("{}: note: {}\n", run.file, note);
  }
  switch (result.verdict) {
    case DrillVerdict::passed:
      if (is_verbose) fmt::print("{} {}\n", paint(stdout, Colour::green, "passed"), run.file);
      return;
    case DrillVerdict::failed:
      fmt::print("{} {}\n", paint(stdout, Colour::red, "failed"), result.detail);
      return;
    case DrillVerdict::skipped:
      fmt::print("{} {}\n", paint(stdout, Colour::yellow, "skipped"), result.detail);
      return;
  }
}

void write_junit(const std::string& path, const std::vector<DrillRun>& runs) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  const std::string text = drill_junit(runs);
  const bool written =
      file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file == nullptr || std::fclose(file) != 0 || !written)
    throw Failure(ExitCode::bad_input, fmt::format("drill: --junit '{}': cannot be written", path));
}

ExitCode run_drill(const DrillCommand& command) {
  const std::vector<DrillRun> runs = run_scripts(find_scripts(command.paths), command);
  const DrillCount count = count_results(runs);
  if (!command.junit.empty()) write_junit(command.junit, runs);
  if (command.format == ReportFormat::json) {
    print_json(stdout, drill_json(runs));
  } else {
    for (const DrillRun& run : runs) print_run(run, command.options.log);
    fmt::print("{} passed, {} failed, {} skipped\n", count.passed, count.failed, count.skipped);
  }
  return count.passed == runs.size() ? ExitCode::ok : ExitCode::found_wrong;
}

void add_script_options(CLI::App& command, drill::DrillOptions& options) {
  add_value(command, "--profile", "NAME", parse_profile, options.profile,
            "Whose manners: rfc, linux or freebsd (default: as the script's settings suggest)");
  add_value(command, "--isn", "NUMBER", parse_sequence_number, options.isn,
            "Our initial sequence number, for every connection (default: drawn)");
  add_value(command, "--peer-isn", "NUMBER", parse_sequence_number, options.peer_isn,
            "Move the numbers of the script's side by that much");
  add_value(command, "--ip-version", "NAME", parse_ip_version, options.ip_version,
            "ipv4, ipv6 or ipv4-mapped-ipv6, where the script does not say (default: ipv4)");
  add_value(command, "--mtu", "OCTETS", parse_mtu, options.mtu,
            "Largest datagram of the interface (default: as the script says, or 1500)");
  add_value(command, "--tolerance", "DURATION", parse_duration, options.tolerance,
            "How far from its time an event may be (default: as the script says, or 4ms)");
  add_parsed<std::pair<std::string, std::string>>(
      command, "-D,--define", "NAME=VALUE", parse_define,
      [&options](const std::pair<std::string, std::string>& define) {
        options.defines.insert_or_assign(define.first, define.second);
      },
      "Replace a word of the scripts; may be given several times");
}

void add_drill(CLI::App& program, ExitCode& exit_code) {
  auto* command = program.add_subcommand("drill", "Run packetdrill scripts against the stack");
  auto options = std::make_shared<DrillCommand>();
  command->add_option("PATH", options->paths, "Scripts, and directories of scripts (*.pkt)")
      ->required()
      ->type_name("FILE|DIR...");
  add_script_options(*command, options->options);
  command->add_option("--junit", options->junit, "Write the results as JUnit's XML")
      ->type_name("FILE");
  add_value(*command, "--jobs", "NUMBER", parse_count, options->jobs,
            "Scripts run at once (default: as many as there are processors)");
  add_json_flag(*command, options->format);
  command->add_flag_callback(
      "-v,--verbose", [options] { options->options.log = drill::DrillOptions::Log::on; },
      "Print each event as it is run, and what was asked for in vain");
  command->callback([options, &exit_code] { exit_code = run_drill(*options); });
}

const Registration kDrill{{"drill", Order::measure, add_drill}};

}  // namespace
}  // namespace estab::tools
