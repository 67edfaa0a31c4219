#include "tools/drill_oracle.h"

#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "drill/parser.h"
#include "oracle/differences/known.h"
#include "oracle/estab_subject.h"
#include "oracle/from_script.h"
#include "oracle/generator.h"
#include "oracle/kernel_subject.h"
#include "tools/drill_files.h"

namespace estab::tools {

namespace {

// More of them would only be read by nobody.
constexpr std::size_t kMostShown = 10;

struct Tally {
  std::uint64_t sequences = 0, unexplained = 0;
  std::map<std::string_view, std::uint64_t> settled;
  std::vector<std::pair<std::string, std::string>> shown;  // whose, and the description

  void add(const oracle::Comparison& comparison) {
    ++sequences;
    for (const oracle::KnownDifference* known : comparison.known) ++settled[known->name];
  }
};

Family family_of(const drill::Script& script, Family otherwise) {
  for (const auto& [name, value] : script.options)
    if (name == "ip_version") return value == "ipv6" ? Family::ipv6 : Family::ipv4;
  return otherwise;
}

// The difference in its shortest form. Nothing if it does not come again: a timer of the kernel's,
// on a machine that was busy.
void shrink(oracle::Oracle& oracle, const oracle::Difference& difference, const std::string& whose,
            Tally& tally) {
  if (tally.shown.size() >= kMostShown) {
    ++tally.unexplained;
    return;
  }
  const auto small = oracle.shrink(difference);
  if (!small) return;
  ++tally.unexplained;
  tally.shown.emplace_back(whose, oracle::describe(*small));
}

void run_random(oracle::Oracle& oracle, const OracleCommand& command, Tally& tally) {
  for (std::uint64_t n = command.first; n - command.first < command.random; ++n) {
    oracle::Comparison comparison = oracle.compare(oracle::generate(command.seed, n));
    tally.add(comparison);
    if (comparison.unexplained)
      shrink(oracle, *comparison.unexplained,
             fmt::format("--seed {} --first {} --random 1", command.seed, n), tally);
  }
}

// A script's difference is shown as it is: its steps have been chosen by somebody.
void run_script(oracle::Oracle& oracle, const OracleCommand& command, const std::string& file,
                Tally& tally) {
  const auto script = drill::parse_script(read_script(file), command.defines);
  if (!script)
    throw Failure(ExitCode::bad_input,
                  fmt::format("drill: {}:{}: {}", file, script.error().line, script.error().what));
  const oracle::ScriptedSequence scripted =
      oracle::sequence_of(*script, family_of(*script, command.family));
  for (const std::string& what : scripted.left_out)
    log_line(fmt::format("{}: left out: {}", file, what));
  const oracle::Comparison comparison = oracle.compare(scripted.sequence);
  tally.add(comparison);
  if (!comparison.unexplained) return;
  ++tally.unexplained;
  tally.shown.emplace_back(file, oracle::describe(*comparison.unexplained));
}

void print_tally(const Tally& tally, ReportFormat format) {
  if (format == ReportFormat::json) {
    nlohmann::ordered_json document{{"schema", "estab.oracle/1"},
                                    {"sequences", tally.sequences},
                                    {"unexplained", tally.unexplained},
                                    {"settled", nlohmann::ordered_json::object()},
                                    {"differences", nlohmann::ordered_json::array()}};
    for (const auto& [name, count] : tally.settled) document["settled"][std::string(name)] = count;
    for (const auto& [whose, text] : tally.shown)
      document["differences"].push_back({{"of", whose}, {"description", text}});
    return print_json(Channel::output, document);
  }
  for (const auto& [whose, text] : tally.shown)
    print("{} {}\n{}", paint(Channel::output, Colour::red, "differs"), whose, text);
  for (const auto& [name, count] : tally.settled) print("{:8} of a known kind: {}\n", count, name);
  print("{} sequences, {} unexplained differences\n", tally.sequences, tally.unexplained);
}

}  // namespace

ExitCode drill_against_kernel(const OracleCommand& command) {
  const std::vector<std::string> files =
      command.random > 0 ? std::vector<std::string>{} : find_scripts(command.paths);
  auto in = oracle::enter_kernel_namespace();
  if (!in)
    throw Failure(ExitCode::missing,
                  fmt::format("drill: {}: run it as root, or allow user namespaces "
                              "(sysctl -w kernel.unprivileged_userns_clone=1)",
                              in.error()));
  oracle::KernelSubject kernel(std::move(*in));
  oracle::EstabSubject stack;
  oracle::Oracle oracle(kernel, stack, oracle::known_differences());
  Tally tally;
  run_random(oracle, command, tally);
  for (const std::string& file : files) run_script(oracle, command, file, tally);
  print_tally(tally, command.format);
  return tally.unexplained == 0 ? ExitCode::ok : ExitCode::found_wrong;
}

}  // namespace estab::tools
