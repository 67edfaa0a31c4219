// estab perf: how fast the stack is. `memory` needs nothing but a processor.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/options.h"
#include "tools/perf_memory.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

struct PerfOptions {
  PerfMemoryOptions memory{};
  ReportFormat format = ReportFormat::text;
};

Read<std::uint16_t> parse_perf_mtu(std::string_view text) {
  const auto mtu = parse_whole(text, {.what = "an MTU in octets", .least = 576, .most = 65535});
  if (!mtu) return std::unexpected(mtu.error());
  return static_cast<std::uint16_t>(*mtu);
}

Read<Duration> parse_bulk_time(std::string_view text) {
  const auto time = parse_duration(text);
  if (time && (*time < std::chrono::milliseconds(100) || *time > std::chrono::hours(1)))
    return std::unexpected("must be from 100ms to 1h");
  return time;
}

Read<Duration> parse_bulk_seconds(std::string_view text) {
  return parse_bulk_time(std::string(text) + "s");
}

Read<std::uint32_t> parse_idle(std::string_view text) {
  const auto number = parse_whole(text, {.most = 400'000});
  if (!number) return std::unexpected(number.error());
  return static_cast<std::uint32_t>(*number);
}

void print_text(const PerfOptions& options, const PerfMemoryReport& report) {
  print("two stacks, one thread, memory link, MTU {}, {}\n", options.memory.mtu,
        options.memory.super_segments ? "super-segments, checksums left out"
                                      : "checksums computed and verified");
  print("rates are per second of processor time; octets are copied in, out, and compared\n\n");
  print("bulk                  {:10.2f} Gbit/s\n", report.bulk_gbit_s);
  print("a segment             {:10.0f} cycles, both ends\n", report.cycles_per_segment);
  print("                      {:10.4f} allocations\n", report.allocations_per_segment);
  print("a round trip          {:10.0f} ns\n", report.round_trip_ns);
  print("connections           {:10.0f} /s opened, accepted and closed\n",
        report.connections_per_s_without_idle);
  if (report.idle_connections == 0) return;
  print("  beside {:7} idle {:10.0f} /s\n", report.idle_connections, report.connections_per_s);
  print("an idle connection    {:10.0f} octets at each end, all told\n",
        report.idle_connection_octets);
}

void print_document(const PerfOptions& options, const PerfMemoryReport& report) {
  print_json(Channel::output,
             {{"schema", "estab.perf.memory/1"},
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

void measure(const PerfOptions& options, ExitCode& exit_code) {
  const PerfMemoryReport report = measure_memory(options.memory);
  options.format == ReportFormat::json ? print_document(options, report)
                                       : print_text(options, report);
  if (report.verified) return;
  log_line("perf memory: octets were changed on the way; please report this");
  exit_code = ExitCode::found_wrong;
}

void add_perf(CLI::App& program, ExitCode& exit_code) {
  auto* perf = program.add_subcommand("perf", "Measure how fast the stack is");
  perf->require_subcommand(1);
  auto* memory = perf->add_subcommand(
      "memory", "Both ends in this process, one thread, joined by a memory link");
  auto options = std::make_shared<PerfOptions>();
  add_value(*memory, "--mtu", "OCTETS", parse_perf_mtu, options->memory.mtu,
            "Largest IP datagram (default: 1500)");
  add_value(*memory, "--time", "DURATION", parse_bulk_time, options->memory.bulk_time,
            "How long to send in bulk (default: 3s)");
  // As it was called before durations had units.
  add_value(*memory, "--seconds", "NUMBER", parse_bulk_seconds, options->memory.bulk_time, "")
      ->group("");
  add_value(*memory, "--idle", "NUMBER", parse_idle, options->memory.idle_connections,
            "Idle connections to hold beside those measured (default: 10000)");
  memory->add_flag("--super-segments", options->memory.super_segments,
                   "Let the link take segments of up to 64 KiB, without checksums");
  add_json_flag(*memory, options->format);
  memory->callback([options, &exit_code] { measure(*options, exit_code); });
}

const Registration kPerf{{"perf", Order::measure, add_perf}};

}  // namespace
}  // namespace estab::tools
