// estab serve: an HTTP file server whose TCP is ours.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/http_server.h"
#include "tools/interrupts.h"
#include "tools/listening.h"
#include "tools/live.h"
#include "tools/options.h"
#include "tools/report.h"

namespace estab::tools {
namespace {

enum class AccessLog { on, off };

struct ServeOptions {
  LiveOptions live;
  std::string directory;
  std::uint16_t port = 80;
  Duration grace = std::chrono::seconds(5);
  AccessLog log = AccessLog::on;
  FastOpening fast_open = FastOpening::off;
  ReportFormat format = ReportFormat::text;
};

void log_access(const AccessRecord& record) {
  log_text(fmt::format("{} \"{}\" {} {} {}{}\n", to_string(record.client),
                       escape_control(record.request), static_cast<int>(record.status),
                       record.body_octets, format_duration(record.time),
                       record.whole ? "" : " cut off"));
}

std::string url_of(const IpAddress& address, std::uint16_t port) {
  std::string text = to_string(address);
  if (!address.is_v4()) text = "[" + text + "]";
  return port == 80 ? "http://" + text + "/" : fmt::format("http://{}:{}/", text, port);
}

void announce(const ServeOptions& options, const Live& live) {
  std::string urls;
  for (const Cidr& cidr : live.addresses())
    urls += (urls.empty() ? "" : " and ") + url_of(cidr.address, options.port);
  log_line(fmt::format("serving {} at {} (link {}; Ctrl-C to stop)", options.directory, urls,
                       live.link_name()));
}

std::string answered(const HttpServerTotals& totals) {
  return fmt::format("answered {} requests on {} connections, {}", totals.requests,
                     totals.connections, format_size(totals.body_octets));
}

std::string status(const HttpServer& server) {
  return fmt::format("{}; {} connections open", answered(server.totals()), server.connections());
}

void report(const ServeOptions& options, const HttpServer& server) {
  const HttpServerTotals& totals = server.totals();
  if (options.format == ReportFormat::json) {
    print_json(Channel::output, {{"schema", "estab.serve/1"},
                                 {"connections", totals.connections},
                                 {"requests", totals.requests},
                                 {"body_octets", totals.body_octets},
                                 {"connections_cut_off", totals.cut_off},
                                 {"log_lines_dropped", log_lines_dropped()}});
    return;
  }
  log_line(answered(totals));
}

ExitCode serve(const ServeOptions& options, ServedFiles files, Live& live) {
  Host& host = live.host();
  HttpServerOptions server_options;
  if (options.log == AccessLog::on) server_options.on_answer = log_access;
  HttpServer server(host, std::move(files), std::move(server_options));
  Interrupts interrupts(host,
                        {.ask =
                             [&] {
                               log_line(
                                   "ending: no new connections; responses in progress are finished "
                                   "(Ctrl-C again aborts them)");
                               server.stop(options.grace);
                             },
                         .insist = [&] { server.abort(); },
                         .status = [&] { return status(server); }});
  auto listener = host.listen(listen_options(host, options.port, options.fast_open));
  if (!listener)
    throw Failure(ExitCode::found_wrong, fmt::format("cannot listen on port {}: {}", options.port,
                                                     message(listener.error())));
  server.serve(*std::move(listener));
  announce(options, live);
  host.run();
  report(options, server);
  return server.totals().cut_off > 0 ? interrupts.exit_code() : ExitCode::ok;
}

ExitCode run_serve(const ServeOptions& options) {
  auto files = ServedFiles::open(options.directory);
  if (!files)
    throw Failure(ExitCode::bad_input,
                  fmt::format("cannot serve '{}': {}; name a directory that can be read",
                              options.directory, files.error()));
  return on_link(options.live, [&](Live& live) { return serve(options, *std::move(files), live); });
}

void add_serve(CLI::App& program, ExitCode& exit_code) {
  auto* command = program.add_subcommand("serve", "Serve a directory over HTTP/1.1");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("DIR", options->directory, "The directory")->required();
  add_value(*command, "-p,--port", "PORT", parse_port, options->port, "TCP port (default: 80)");
  add_value(*command, "--grace", "DURATION", parse_limit, options->grace,
            "How long responses in progress may take to finish after Ctrl-C, or forever "
            "(default: 5s)");
  command->add_flag_callback(
      "-q,--quiet", [options] { options->log = AccessLog::off; }, "Do not log requests");
  add_fast_open_flag(*command, options->fast_open);
  add_json_flag(*command, options->format);
  add_live_options(*command, options->live);
  command->callback([options, &exit_code] { exit_code = run_serve(*options); });
}

const Registration kServe{{"serve", Order::live, add_serve}};

}  // namespace
}  // namespace estab::tools
