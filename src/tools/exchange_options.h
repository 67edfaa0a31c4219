// What `connect` and `listen` have in common: what to do with a connection once it is there, and
// how to tell of it afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "estab/stack.h"

#include "tools/live.h"
#include "tools/pipe_session.h"
#include "tools/report.h"
#include "tools/traffic.h"

namespace CLI {
class App;
}

namespace estab::tools {

struct ExchangeOptions {
  LiveOptions live;
  std::optional<TrafficKind> traffic;  ///< nothing: standard input and output
  std::optional<std::uint64_t> source_octets;
  ReportFormat format = ReportFormat::text;
};

/// Adds `--sink --source [SIZE] --echo --json` and the live options.
void add_exchange_options(CLI::App& command, ExchangeOptions& options);

/// On standard output, as `--json` wants it or in words. `left` is what the stack still holds.
void report_traffic(const char* schema, const ExchangeOptions& options, const TrafficTotals& totals,
                    const Stack::Census& left);
/// On stderr, because standard output carried the data; nothing without `--json`.
void report_pipe(const char* schema, const ExchangeOptions& options, const PipeTotals& totals,
                 Duration took);

}  // namespace estab::tools
