// estab impair: two TUN interfaces with a bad path between them, for machines without netem.
#include "tools/impair.h"

#include <csignal>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/signalfd.h>

#include "device/file_descriptor.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/live.h"
#include "tools/options.h"
#include "tools/path_spec.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

struct ImpairOptions {
  std::array<std::string, 2> links;
  std::vector<std::string> words;  // of both ways
  std::optional<PathSpec> there{}, back{};
  std::uint64_t seed = 1;
  ReportFormat format = ReportFormat::text;
};

/// `tun:NAME`, or the name alone.
std::string interface_of(std::string_view link) {
  if (link.starts_with("tun:")) link.remove_prefix(4);
  if (!device::is_interface_name(std::string(link)) || link.empty())
    throw Failure(ExitCode::bad_input,
                  fmt::format("impair: '{}' is no link: write tun:NAME, as in tun:left", link));
  return std::string(link);
}

device::TunQueue open(std::string_view link) {
  auto queue =
      device::TunQueue::attach({.name = interface_of(link), .offloads = TunOffloads::none});
  if (!queue) throw Failure(exit_code_of(queue.error().kind), "impair: " + queue.error().what);
  return std::move(*queue);
}

PathSpec common_path(const ImpairOptions& options) {
  std::string text;
  for (const std::string& word : options.words) text += word + " ";
  auto path = parse_path(text);
  if (!path) throw Failure(ExitCode::bad_input, "impair: " + path.error());
  return *path;
}

/// The signals that end it, as a descriptor.
device::FileDescriptor watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return device::FileDescriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

nlohmann::ordered_json describe(const ImpairedWay& way) {
  const sim::PipeCounters& counters = way.pipe.counters();
  return {{"packets", counters.entered},
          {"delivered", counters.delivered},
          {"octets_delivered", counters.octets_delivered},
          {"lost", counters.lost},
          {"queue_dropped", counters.queue_dropped},
          {"marked", counters.marked},
          {"duplicated", counters.duplicated},
          {"reordered", counters.reordered},
          {"corrupted", counters.corrupted},
          {"most_waiting", counters.most_waiting},
          {"refused", way.refused}};
}

void print_way(const ImpairOptions& options, const ImpairedWay& way, const char* arrow) {
  const sim::PipeCounters& counters = way.pipe.counters();
  print(
      "{} {} {}: {} packets, {} delivered, {} lost, {} dropped by the queue ({} waited at most)\n",
      options.links[0], arrow, options.links[1], counters.entered, counters.delivered,
      counters.lost, counters.queue_dropped, counters.most_waiting);
}

void impair(const ImpairOptions& options, ExitCode& exit_code) {
  const PathSpec common = common_path(options);
  const PathSpec there = options.there.value_or(common), back = options.back.value_or(common);
  const Duration rtt = there.link.delay + back.link.delay;
  const device::FileDescriptor signals = watch_signals();
  const device::TunQueue left = open(options.links[0]), right = open(options.links[1]);
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const Instant made(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  std::array<ImpairedWay, 2> ways{
      {{left, right, sim::Pipe(there.resolved(rtt), options.seed * 2, made)},
       {right, left, sim::Pipe(back.resolved(rtt), options.seed * 2 + 1, made)}}};
  log_line(fmt::format("impair: {} and {} are joined (Ctrl-C to stop)", left.name(), right.name()));
  const ImpairEnd end = carry(ways, signals.number());
  if (options.format == ReportFormat::json) {
    print_json(Channel::output, {{"schema", "estab.impair/1"},
                                 {"seed", options.seed},
                                 {"there", describe(ways[0])},
                                 {"back", describe(ways[1])}});
  } else {
    print_way(options, ways[0], "->");
    print_way(options, ways[1], "<-");
  }
  if (end == ImpairEnd::signal) return;
  log_line("impair: an interface is gone");
  exit_code = ExitCode::found_wrong;
}

Read<PathSpec> parse_way(std::string_view text) {
  return parse_path(text);
}

void add_impair(CLI::App& program, ExitCode& exit_code) {
  auto* impair_command =
      program.add_subcommand("impair", "Join two TUN interfaces by a bad path, in real time");
  auto options = std::make_shared<ImpairOptions>();
  impair_command->add_option("LINK_A", options->links[0], "tun:NAME; made if there is none")
      ->required();
  impair_command->add_option("LINK_B", options->links[1], "The other end")->required();
  impair_command->add_option("SPEC", options->words, "Words of the path, both ways");
  add_value(*impair_command, "--a-to-b", "WORDS", parse_way, options->there,
            "What A sends, instead of SPEC");
  add_value(*impair_command, "--b-to-a", "WORDS", parse_way, options->back,
            "What B sends, instead of SPEC");
  add_value(*impair_command, "--seed", "NUMBER", parse_count, options->seed,
            "Every chance follows from it (default: 1)");
  add_json_flag(*impair_command, options->format);
  std::string words = "Words of a path:\n";
  for (const PathWord& word : path_words())
    words += fmt::format("  {:<26} {}\n", word.example, word.meaning);
  impair_command->footer(words);
  impair_command->callback([options, &exit_code] { impair(*options, exit_code); });
}

const Registration kImpair{{"impair", Order::live, add_impair}};

}  // namespace
}  // namespace estab::tools
