// estab listen: waits for connections; one to standard input and output, or any number to a sink,
// source or echo.
#include <memory>

#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/exchange_options.h"
#include "tools/interrupts.h"
#include "tools/listening.h"
#include "tools/options.h"

namespace estab::tools {
namespace {

enum class Repeat { once, keep };

struct ListenCommand {
  ExchangeOptions exchange;
  std::uint16_t port = 0;
  Repeat repeat = Repeat::once;
  FastOpening fast_open = FastOpening::off;
};

constexpr const char* kSchema = "estab.listen/1";

Task<Result<TcpStream>> accept_one(TcpListener& listener) {
  co_return co_await listener.accept();
}

// One connection after the other. Standard input goes to the first; the end of it ends our
// direction of each later one at once.
class PipeServer {
 public:
  PipeServer(Host& host, const ListenCommand& command, TcpListener listener)
      : host_(host), command_(command), listener_(std::move(listener)) {}

  ExitCode run() {
    ExitCode code = ExitCode::ok;
    do {
      auto accepted = host_.block_on(accept_one(listener_));
      if (!accepted || !*accepted) break;
      if (command_.repeat == Repeat::once) listener_.close();
      if (!converse(**std::move(accepted))) code = ExitCode::found_wrong;
    } while (command_.repeat == Repeat::keep && !stopping_);
    return code;
  }
  void stop() {
    stopping_ = true;
    listener_.close();
    if (session_)
      session_->stop();
    else
      host_.stop();
  }
  void abort() {
    if (session_) session_->abort();
  }
  std::string status() const { return session_ ? session_->status() : "no connection yet"; }

 private:
  bool converse(TcpStream stream) {
    Endpoint client = stream.remote_endpoint().value_or(Endpoint{});
    Instant began = host_.now();
    session_.emplace(host_, std::move(stream));
    auto totals = session_->run();
    session_.reset();
    if (totals)
      report_pipe(kSchema, command_.exchange, *totals, host_.now() - began);
    else
      log_line(fmt::format("{}: {}", to_string(client), totals.error()));
    return totals.has_value();
  }

  Host& host_;
  const ListenCommand& command_;
  TcpListener listener_;
  std::optional<PipeSession> session_;
  bool stopping_ = false;
};

TcpListener open_listener(Host& host, const ListenCommand& command) {
  auto listener = host.listen(listen_options(host, command.port, command.fast_open));
  if (!listener)
    throw Failure(ExitCode::found_wrong, fmt::format("cannot listen on port {}: {}", command.port,
                                                     message(listener.error())));
  return *std::move(listener);
}

ExitCode serve_traffic(Host& host, const ListenCommand& command) {
  const ExchangeOptions& options = command.exchange;
  Traffic traffic(host, *options.traffic, options.source_octets);
  Interrupts interrupts(host, {.ask = [&] { traffic.stop(PipeSession::kGrace); },
                               .insist = [&] { traffic.abort(); },
                               .status = [&] { return traffic.status(); }});
  traffic.serve(open_listener(host, command));
  host.run();
  report_traffic(kSchema, options, traffic.totals(), host.stack().census());
  return interrupts.insisted() ? interrupts.exit_code() : ExitCode::ok;
}

ExitCode serve_pipe(Host& host, const ListenCommand& command) {
  PipeServer server(host, command, open_listener(host, command));
  Interrupts interrupts(host, {.ask = [&] { server.stop(); },
                               .insist = [&] { server.abort(); },
                               .status = [&] { return server.status(); }});
  ExitCode code = server.run();
  host.finish(PipeSession::kGrace);
  return interrupts.signal() ? interrupts.exit_code() : code;
}

ExitCode run_listen(const ListenCommand& command, Live& live) {
  log_line(fmt::format("listening on port {} of link {}", command.port, live.link_name()));
  return command.exchange.traffic ? serve_traffic(live.host(), command)
                                  : serve_pipe(live.host(), command);
}

void add_listen(CLI::App& program, ExitCode& exit_code) {
  auto* app = program.add_subcommand(
      "listen", "Accept a connection and join it to standard input and output, as netcat -l does");
  auto command = std::make_shared<ListenCommand>();
  add_value(*app, "PORT", "PORT", parse_port, command->port, "The TCP port")->required();
  app->add_flag_callback(
      "--keep", [command] { command->repeat = Repeat::keep; },
      "Accept another connection when one ends (a sink, source or echo always does)");
  add_fast_open_flag(*app, command->fast_open);
  add_exchange_options(*app, command->exchange);
  app->callback([command, &exit_code] {
    exit_code =
        on_link(command->exchange.live, [&](Live& live) { return run_listen(*command, live); });
  });
}

const Registration kListen{{"listen", Order::live, add_listen}};

}  // namespace
}  // namespace estab::tools
