// estab drill: runs packetdrill scripts against the stack, in this process and in virtual time.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/drill_files.h"
#include "tools/drill_oracle.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/report.h"
#include "tools/trace_file.h"

namespace estab::tools {
namespace {

using drill::DrillVerdict;

struct DrillCommand {
  std::vector<std::string> paths;
  drill::DrillOptions options;
  std::uint64_t jobs = 0;  // 0: as many as there are processors
  std::string junit, trace;
  ReportFormat format = ReportFormat::text;
  bool against_kernel = false;
  OracleCommand oracle{};
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
  texts.reserve(files.size());
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
    for (const std::string& line : result.log) print("{}: {}\n", run.file, line);
    for (const std::string& note : result.notes) print("{}: note: {}\n", run.file, note);
  }
  switch (result.verdict) {
    case DrillVerdict::passed:
      if (is_verbose) print("{} {}\n", paint(Channel::output, Colour::green, "passed"), run.file);
      return;
    case DrillVerdict::failed:
      print("{} {}\n", paint(Channel::output, Colour::red, "failed"), result.detail);
      return;
    case DrillVerdict::skipped:
      print("{} {}\n", paint(Channel::output, Colour::yellow, "skipped"), result.detail);
      return;
  }
}

void write_junit(const std::string& path, const std::vector<DrillRun>& runs) {
  const auto fail = [&](ExitCode code, const std::string& why) {
    throw Failure(code, fmt::format("drill: --junit '{}': {}", path, why));
  };
  auto file = Output::file(path);
  if (!file) fail(ExitCode::bad_input, file.error());
  auto written = file->write_all(as_octets(drill_junit(runs)));
  if (written) written = file->close();
  if (!written) fail(ExitCode::found_wrong, written.error());
}

ExitCode run_against_kernel(const DrillCommand& command) {
  OracleCommand oracle = command.oracle;
  oracle.paths = command.paths;
  oracle.defines = command.options.defines;
  oracle.format = command.format;
  if (command.options.ip_version == drill::IpVersion::v6) oracle.family = Family::ipv6;
  return drill_against_kernel(oracle);
}

// One file, one script.
std::optional<TraceFile> open_trace(DrillCommand& command) {
  if (command.trace.empty()) return std::nullopt;
  if (command.against_kernel || find_scripts(command.paths).size() != 1)
    throw Failure(ExitCode::bad_input,
                  "drill: --trace follows one script against the stack; name that one alone");
  return std::optional<TraceFile>(std::in_place, command.trace, "estab drill");
}

ExitCode run_drill(DrillCommand command) {
  if (!command.against_kernel && command.oracle.random > 0)
    throw Failure(ExitCode::bad_input, "drill: --random works with --against-kernel only");
  if (command.paths.empty() && command.oracle.random == 0)
    throw Failure(ExitCode::bad_input,
                  "drill: no script: name a file or a directory (or --against-kernel --random N)");
  auto trace = open_trace(command);
  if (trace) command.options.recorded = [&](const Recording& all) { trace->writer().write(all); };
  if (command.against_kernel) return run_against_kernel(command);
  const std::vector<DrillRun> runs = run_scripts(find_scripts(command.paths), command);
  const DrillCount count = count_results(runs);
  if (!command.junit.empty()) write_junit(command.junit, runs);
  if (command.format == ReportFormat::json) {
    print_json(Channel::output, drill_json(runs));
  } else {
    for (const DrillRun& run : runs) print_run(run, command.options.log);
    print("{} passed, {} failed, {} skipped\n", count.passed, count.failed, count.skipped);
  }
  const ExitCode code = count.passed == runs.size() ? ExitCode::ok : ExitCode::found_wrong;
  return trace ? trace->judge(code) : code;
}

void add_script_options(CLI::App& command, drill::DrillOptions& options) {
  add_value(command, "--profile", "NAME", parse_profile, options.profile,
            "What to do where the RFCs leave a choice: rfc, linux or freebsd "
            "(default: as the script's settings suggest)");
  add_value(command, "--isn", "NUMBER", parse_sequence_number, options.isn,
            "Our initial sequence number on every connection (default: random)");
  add_value(command, "--peer-isn", "NUMBER", parse_sequence_number, options.peer_isn,
            "Added to the sequence numbers on the script's side");
  add_value(command, "--ip-version", "NAME", parse_ip_version, options.ip_version,
            "ipv4, ipv6 or ipv4-mapped-ipv6, where the script does not say (default: ipv4)");
  add_value(command, "--mtu", "OCTETS", parse_mtu, options.mtu,
            "MTU of the interface (default: as the script says, or 1500)");
  add_value(command, "--tolerance", "DURATION", parse_duration, options.tolerance,
            "How far an event may be from its time (default: as the script says, or 4ms)");
  add_parsed<std::pair<std::string, std::string>>(
      command, "-D,--define", "NAME=VALUE", parse_define,
      [&options](const std::pair<std::string, std::string>& define) {
        options.defines.insert_or_assign(define.first, define.second);
      },
      "Replace the word NAME in the scripts by VALUE; may be repeated");
}

void add_oracle_options(CLI::App& command, DrillCommand& options) {
  command.add_flag("--against-kernel", options.against_kernel,
                   "Run the scripts' packets and calls against this machine's TCP as well, in a "
                   "separate network namespace, and compare the answers");
  add_value(command, "--random", "NUMBER", parse_count, options.oracle.random,
            "With --against-kernel: run so many random sequences instead of scripts");
  add_value(command, "--seed", "NUMBER", parse_count, options.oracle.seed,
            "Seed of the random sequences (default: 1)");
  add_value(command, "--first", "NUMBER", parse_count, options.oracle.first,
            "Number of the first random sequence (default: 0)");
}

void add_drill(CLI::App& program, ExitCode& exit_code) {
  auto* command = program.add_subcommand("drill", "Run packetdrill scripts against the stack");
  auto options = std::make_shared<DrillCommand>();
  command->add_option("PATH", options->paths, "Scripts, and directories of scripts (*.pkt)")
      ->type_name("FILE|DIR...");
  add_script_options(*command, options->options);
  command->add_option("--junit", options->junit, "Write the results to FILE as JUnit XML")
      ->type_name("FILE");
  add_value(*command, "--jobs", "NUMBER", parse_count, options->jobs,
            "Scripts to run at once (default: as many as there are processors)");
  add_oracle_options(*command, *options);
  add_trace_option(*command, options->trace);
  add_json_flag(*command, options->format);
  command->add_flag_callback(
      "-v,--verbose", [options] { options->options.log = drill::DrillOptions::Log::on; },
      "Print each event as it runs, and what the scripts ask for that has no effect here");
  command->callback([options, &exit_code] { exit_code = run_drill(*options); });
}

const Registration kDrill{{"drill", Order::measure, add_drill}};

}  // namespace
}  // namespace estab::tools
