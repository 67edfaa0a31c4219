// estab perf: how fast the stack is. `memory` needs nothing but a processor.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/perf_memory.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

struct PerfOptions {
  PerfMemoryOptions memory{};
  double seconds = 3;
  ReportFormat format = ReportFormat::text;
};

void print_text(const PerfOptions& options, const PerfMemoryReport& report) {
  fmt::print("two stacks, one thread, memory link, MTU {}, {}\n", options.memory.mtu,
             options.memory.super_segments ? "super-segments, checksums left out"
                                           : "checksums computed and verified");
  fmt::print("rates are per second of processor time; octets are copied in, out, and compared\n\n");
  fmt::print("bulk                  {:10.2f} Gbit/s\n", report.bulk_gbit_s);
  fmt::print("a segment             {:10.0f} cycles, both ends\n", report.cycles_per_segment);
  fmt::print("                      {:10.4f} allocations\n", report.allocations_per_segment);
  fmt::print("a round trip          {:10.0f} ns\n", report.round_trip_ns);
  fmt::print("connections           {:10.0f} /s opened, accepted and closed\n",
             report.connections_per_s_without_idle);
  if (report.idle_connections == 0) return;
  fmt::print("  beside {:7} idle {:10.0f} /s\n", report.idle_connections, report.connections_per_s);
  fmt::print("an idle connection    {:10.0f} octets at each end, all told\n",
             report.idle_connection_octets);
}

void print_document(const PerfOptions& options, const PerfMemoryReport& report) {
  print_json(stdout, {{"schema", "estab.perf.memory/1"},
                      {"mtu", options.memory.mtu},
                      {"super_segments", options.memory.super_segments},
                      {"bulk_gbit_s", report.bulk_gbit_s},
                      {"cycles_per_segment", report.cycles_per_segment},
                      {"round_trip_ns", report.round_trip_ns},
                      {"connections_per_s", report.connections_per_s},
                      {"connections_per_s_without_idle", report.connections_per_s_without_idle},
                      {"idle_connections", report.idle_connections},
                      {"idle_connection_octets", report.idle_connection_octets},
                      {"allocations_per_segment", report.allocations_per_segment},
                      {"verified", report.verified}});
}

void measure(PerfOptions options, ExitCode& exit_code) {
  options.memory.bulk_time =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.seconds));
  const PerfMemoryReport report = measure_memory(options.memory);
  options.format == ReportFormat::json ? print_document(options, report)
                                       : print_text(options, report);
  if (report.verified) return;
  log_line("perf memory: octets came out that were not the ones put in: please report this");
  exit_code = ExitCode::found_wrong;
}

void add_perf(CLI::App& program, ExitCode& exit_code) {
  auto* perf = program.add_subcommand("perf", "Measure how fast the stack is");
  perf->require_subcommand(1);
  auto* memory = perf->add_subcommand(
      "memory", "Both ends in this process, one thread, joined by a memory link");
  auto options = std::make_shared<PerfOptions>();
  memory->add_option("--mtu", options->memory.mtu, "Largest IP datagram, octets")
      ->check(CLI::Range(576, 65535))
      ->capture_default_str();
  memory->add_option("--seconds", options->seconds, "How long to send in bulk")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  memory->add_option("--idle", options->memory.idle_connections, "Idle connections to hold beside")
      ->check(CLI::Range(0, 400000))
      ->capture_default_str();
  memory->add_flag("--super-segments", options->memory.super_segments,
                   "Let the link take segments of up to 64 KiB and leave checksums out");
  add_json_flag(*memory, options->format);
  memory->callback([options, &exit_code] { measure(*options, exit_code); });
}

const Registration kPerf{{"perf", Order::measure, add_perf}};

}  // namespace
}  // namespace estab::tools
