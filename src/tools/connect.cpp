// estab connect: one connection, to standard input and output or to a sink, source or echo.
#include <memory>

#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/exchange_options.h"
#include "tools/interrupts.h"
#include "tools/open_connection.h"
#include "tools/options.h"

namespace estab::tools {
namespace {

struct ConnectCommand {
  ExchangeOptions exchange;
  Endpoint remote;
  Duration limit = std::chrono::minutes(4);
};

constexpr const char* kSchema = "estab.connect/1";

ExitCode converse(Host& host, const ConnectCommand& command, TcpStream stream,
                  PipeSession*& session) {
  PipeSession pipe(host, std::move(stream));
  session = &pipe;
  Instant began = host.now();
  auto totals = pipe.run();
  session = nullptr;
  if (!totals)
    throw Failure(ExitCode::found_wrong,
                  fmt::format("{}: {}", to_string(command.remote), totals.error()));
  report_pipe(kSchema, command.exchange, *totals, host.now() - began);
  return ExitCode::ok;
}

ExitCode exchange(Host& host, const ConnectCommand& command, TcpStream stream, Traffic& traffic) {
  traffic.take(std::move(stream));
  host.run();
  const TrafficTotals& totals = traffic.totals();
  report_traffic(kSchema, command.exchange, totals, host.stack().census());
  if (totals.failed > 0)
    throw Failure(ExitCode::found_wrong,
                  fmt::format("{}: {}", to_string(command.remote), message(*totals.last_error)));
  return ExitCode::ok;
}

ExitCode run_connect(const ConnectCommand& command, Host& host) {
  const ExchangeOptions& options = command.exchange;
  Traffic traffic(host, options.traffic.value_or(TrafficKind::sink), options.source_octets);
  PipeSession* session = nullptr;
  Interrupts interrupts(
      host, {.ask =
                 [&] {
                   if (session != nullptr)
                     session->stop();
                   else if (traffic.totals().connections > 0)
                     traffic.stop(PipeSession::kGrace);
                   else
                     host.stop();
                 },
             .insist =
                 [&] {
                   if (session != nullptr) session->abort();
                   traffic.abort();
                 },
             .status = [&] { return session != nullptr ? session->status() : traffic.status(); }});
  // A task, because Ctrl-C ends it: the opening is then aborted.
  auto opened = host.block_on(open_connection(host, command.remote, command.limit));
  if (!opened) return interrupts.exit_code();
  if (!*opened)
    throw Failure(ExitCode::found_wrong,
                  fmt::format("{}: {}", to_string(command.remote), opened->error()));
  ExitCode code = options.traffic ? exchange(host, command, **std::move(opened), traffic)
                                  : converse(host, command, **std::move(opened), session);
  host.finish(PipeSession::kGrace);
  return interrupts.signal() ? interrupts.exit_code() : code;
}

void add_connect(CLI::App& program, ExitCode& exit_code) {
  auto* app = program.add_subcommand(
      "connect", "Open a connection and join it to standard input and output, as netcat does");
  auto command = std::make_shared<ConnectCommand>();
  add_value(*app, "HOST", "ADDRESS", parse_address, command->remote.address,
            "The peer's IP address; names are not resolved")
      ->required();
  add_value(*app, "PORT", "PORT", parse_port, command->remote.port, "The peer's TCP port")
      ->required();
  add_value(*app, "--timeout", "DURATION", parse_limit, command->limit,
            "Give up opening after this long, or none (default: 4m)");
  add_exchange_options(*app, command->exchange);
  app->callback([command, &exit_code] {
    exit_code = on_link(command->exchange.live,
                        [&](Live& live) { return run_connect(*command, live.host()); });
  });
}

const Registration kConnect{{"connect", Order::live, add_connect}};

}  // namespace
}  // namespace estab::tools
