#include "tools/exchange_options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/options.h"
#include "tools/units.h"

namespace estab::tools {
namespace {

double in_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

double mbit_per_s(std::uint64_t octets, Duration took) {
  return took.count() > 0 ? static_cast<double>(octets) * 8 / in_seconds(took) / 1e6 : 0;
}

}  // namespace

void add_exchange_options(CLI::App& command, ExchangeOptions& options) {
  auto* sink = command.add_flag_callback(
      "--sink", [&options] { options.traffic = TrafficKind::sink; },
      "Discard what arrives instead of printing it");
  auto* echo = command.add_flag_callback(
      "--echo", [&options] { options.traffic = TrafficKind::echo; }, "Send back what arrives");
  auto read_source = [&options](const std::vector<std::string>& values) {
    options.traffic = TrafficKind::source;
    for (const std::string& value : values) {
      if (value.empty() || value == "{}") continue;  // no size given
      auto size = parse_size(value);
      if (!size) refuse_option("--source", value, size.error());
      options.source_octets = *size;
    }
    return true;
  };
  auto* source = command
                     .add_option("--source", CLI::callback_t(read_source),
                                 "Send SIZE octets, or without end until the peer resets")
                     ->type_name("[SIZE]")
                     ->expected(0, 1);
  sink->excludes(echo)->excludes(source);
  echo->excludes(source);
  add_json_flag(command, options.format);
  add_live_options(command, options.live);
}

void report_traffic(const char* schema, const ExchangeOptions& options, const TrafficTotals& totals,
                    const Stack::Census& left) {
  Duration took = totals.last_ended - totals.first_began;
  if (options.format == ReportFormat::json) {
    nlohmann::ordered_json document{
        {"schema", schema},
        {"connections", totals.connections},
        {"connections_failed", totals.failed},
        {"received_octets", totals.received_octets},
        {"sent_octets", totals.sent_octets},
        {"seconds", in_seconds(took)},
        {"received_mbit_per_s", mbit_per_s(totals.received_octets, took)},
        {"sent_mbit_per_s", mbit_per_s(totals.sent_octets, took)},
        {"left",
         {{"streams", left.streams},
          {"syn_cache", left.syn_cache},
          {"time_wait", left.time_wait},
          {"timers", left.timers}}}};
    if (totals.last_error) document["last_error"] = name(*totals.last_error);
    print_json(Channel::output, document);
    return;
  }
  log_line(fmt::format("{} connections ({} failed), received {} ({}), sent {} ({})",
                       totals.connections, totals.failed, format_size(totals.received_octets),
                       format_rate(mbit_per_s(totals.received_octets, took) * 1e6),
                       format_size(totals.sent_octets),
                       format_rate(mbit_per_s(totals.sent_octets, took) * 1e6)));
}

void report_pipe(const char* schema, const ExchangeOptions& options, const PipeTotals& totals,
                 Duration took) {
  if (options.format == ReportFormat::text) return;
  print_json(Channel::error, {{"schema", schema},
                              {"received_octets", totals.received_octets},
                              {"sent_octets", totals.sent_octets},
                              {"seconds", in_seconds(took)}});
}

}  // namespace estab::tools
