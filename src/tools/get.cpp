// estab get: fetches one URL over a connection of ours.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/http_client.h"
#include "tools/interrupts.h"
#include "tools/live.h"
#include "tools/open_connection.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/sha256.h"
#include "tools/url.h"

namespace estab::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long a server is given to close when it has sent everything.
constexpr Duration kGoodbye = seconds(2);

enum class Digest { none, sha256 };
enum class Opening { plain, fast };

struct GetOptions {
  LiveOptions live;
  Url url;
  std::string url_text;
  std::string output = "-";
  Fields headers;
  std::string range;
  Method method = Method::get;
  Digest digest = Digest::none;
  Opening opening = Opening::plain;
  Duration limit = kForever;
  ReportFormat format = ReportFormat::text;
};

// What a transfer has come to; kept outside the coroutine, for when it is ended from outside.
struct Transfer {
  std::optional<ResponsePlan> response;
  std::uint64_t octets = 0;
  Instant began, connected, ended;
  FastOpenOutcome fast_open = FastOpenOutcome::unused;
  Sha256 hash;
};

std::string request_text(const GetOptions& options) {
  std::string text = fmt::format(
      "{} {} HTTP/1.1\r\n", options.method == Method::head ? "HEAD" : "GET", options.url.target);
  auto add_unless_given = [&](const char* name, const std::string& value) {
    if (options.headers.count(name) == 0) text += fmt::format("{}: {}\r\n", name, value);
  };
  add_unless_given("Host", options.url.authority);
  add_unless_given("User-Agent", "estab");
  add_unless_given("Accept", "*/*");
  add_unless_given("Connection", "close");
  if (!options.range.empty()) add_unless_given("Range", "bytes=" + options.range);
  for (const Field& field : options.headers)
    text += fmt::format("{}: {}\r\n", field.name, field.value);
  return text + "\r\n";
}

void print_head(const ResponseHead& head) {
  print("HTTP/1.{} {} {}\n", head.minor_version, head.status, head.reason);
  for (const Field& field : head.fields) print("{}: {}\n", field.name, field.value);
}

class Get {
 public:
  Get(Host& host, const GetOptions& options, Transfer& transfer)
      : host_(host), options_(options), transfer_(transfer), reader_(options.method) {}

  /// Throws Failure.
  Task<> run();
  void end_progress() { meter_.finish(progress()); }
  /// How far it is, in words.
  std::string status() const { return fmt::format("{}: {}", options_.url_text, reached()); }
  std::string reached() const;

 private:
  Task<TcpStream> open(const std::string& request);
  Task<TcpStream> open_fast(const std::string& request);
  Task<> read_all(TcpStream& stream);
  void on_head(const ResponsePlan& plan);
  std::size_t write_body(std::string_view body);
  void close_output();
  [[noreturn]] void fail_to_write(std::string_view why);
  Progress progress() const;
  [[noreturn]] void fail(std::string_view why);

  Host& host_;
  const GetOptions& options_;
  Transfer& transfer_;
  ResponseReader reader_;
  std::optional<Output> output_;
  ProgressMeter meter_{terminal_width(Channel::error)};
};

void Get::fail(std::string_view why) {
  end_progress();
  throw Failure(ExitCode::found_wrong, fmt::format("{}: {}", options_.url_text, why));
}

Progress Get::progress() const {
  std::optional<std::uint64_t> total;
  if (transfer_.response && transfer_.response->framing == Framing::length)
    total = transfer_.response->length;
  return {transfer_.octets, total, host_.now() - transfer_.began};
}

std::string Get::reached() const {
  const Progress now = progress();
  if (!now.total) return format_size(now.done);
  return fmt::format("{} of {}", format_size(now.done), format_size(*now.total));
}

Task<> Get::run() {
  transfer_.began = host_.now();
  const std::string request = request_text(options_);
  // Not co_await in each branch: findings/gcc12_conditional_co_await.sh.
  Task<TcpStream> opening = options_.opening == Opening::fast ? open_fast(request) : open(request);
  TcpStream stream = co_await std::move(opening);
  co_await read_all(stream);
  close_output();
  transfer_.ended = host_.now();
  end_progress();
  static_cast<void>(stream.shutdown());
  // The server was asked to close; one that does not is not waited for.
  static_cast<void>(co_await stream.closed().within(kGoodbye));
}

Task<TcpStream> Get::open(const std::string& request) {
  auto stream = co_await open_connection(host_, options_.url.server);
  if (!stream) fail(stream.error());
  transfer_.connected = host_.now();
  auto sent = co_await stream->write_all(as_octets(request));
  if (!sent) fail(message(sent.error()));
  co_return *std::move(stream);
}

// The first connection brings the cookie (RFC 7413 §4.2.1), and nothing else.
Task<TcpStream> Get::open_fast(const std::string& request) {
  ConnectOptions to{.remote = options_.url.server, .tcp = host_.stack().config().tcp};
  to.tcp->fast_open.connect = true;
  auto first = co_await open_connection(host_, to);
  if (!first) fail(first.error());
  first->close();
  transfer_.began = host_.now();
  to.first_octets = as_octets(request);
  auto stream = co_await open_connection(host_, to);
  if (!stream) fail(stream.error());
  transfer_.connected = host_.now();
  if (const auto info = stream->info()) transfer_.fast_open = info->fast_open;
  co_return *std::move(stream);
}

// Octets go from the stack's own memory to the output.
Task<> Get::read_all(TcpStream& stream) {
  while (true) {
    auto views = co_await stream.peek();
    if (!views && views.error() != Error::end_of_stream) fail(message(views.error()));
    if (!views) {
      auto fine = reader_.end();
      if (!fine) fail(fine.error());
      co_return;
    }
    auto step = reader_.next(as_text(views->front()));
    if (!step) fail(step.error());
    if (reader_.plan() && !transfer_.response) on_head(*reader_.plan());
    std::size_t taken = step->body.empty() ? 0 : write_body(step->body);
    bool is_full = taken == 0 && !step->body.empty();
    reader_.took(taken);
    static_cast<void>(stream.consume(step->framing + taken));
    transfer_.octets += taken;
    if (reader_.complete()) co_return;
    meter_.show(progress());
    if (is_full) static_cast<void>(co_await host_.writable(output_->descriptor()));
  }
}

void Get::on_head(const ResponsePlan& plan) {
  transfer_.response = plan;
  int status = plan.head.status;
  if (status >= 300) {
    std::string what = fmt::format("{} {}", status, plan.head.reason);
    if (auto location = plan.head.fields.find("Location"))
      what += fmt::format(", at {} (redirects are not followed)", *location);
    fail(escape_control(what));
  }
  if (options_.method == Method::head) {
    print_head(plan.head);
    return;
  }
  if (options_.output == "-") {
    output_ = Output::standard();
  } else {
    auto file = Output::file(options_.output);
    if (!file)
      throw Failure(ExitCode::bad_input, fmt::format("-o '{}': {}", options_.output, file.error()));
    output_ = *std::move(file);
  }
}

std::size_t Get::write_body(std::string_view body) {
  Octets octets = as_octets(body);
  auto written = output_->try_write({&octets, 1});
  if (!written) fail_to_write(written.error());
  if (options_.digest == Digest::sha256) transfer_.hash.update(octets.first(*written));
  return *written;
}

void Get::close_output() {
  if (!output_) return;
  if (auto closed = output_->close(); !closed) fail_to_write(closed.error());
}

void Get::fail_to_write(std::string_view why) {
  fail(fmt::format("cannot write to {}: {}",
                   options_.output == "-" ? "standard output" : options_.output, why));
}

double in_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

void report(const GetOptions& options, const Transfer& transfer) {
  double took = in_seconds(transfer.ended - transfer.began);
  double mbit_per_s = took > 0 ? static_cast<double>(transfer.octets) * 8 / took / 1e6 : 0;
  if (options.format == ReportFormat::text) {
    if (options.digest == Digest::sha256)
      write_result(Channel::error, fmt::format("{}  {}\n", transfer.hash.hex(), options.url_text));
    return;
  }
  nlohmann::ordered_json document{
      {"schema", "estab.get/1"},
      {"url", options.url_text},
      {"status", transfer.response->head.status},
      {"octets", transfer.octets},
      {"connect_seconds", in_seconds(transfer.connected - transfer.began)},
      {"seconds", took},
      {"mbit_per_s", mbit_per_s}};
  if (options.opening == Opening::fast) document["fast_open"] = name(transfer.fast_open);
  if (options.digest == Digest::sha256) document["sha256"] = transfer.hash.hex();
  // Standard output is the document's, unless the body has it.
  print_json(options.output == "-" ? Channel::error : Channel::output, document);
}

Task<> stop_after(Host& host, Duration limit, bool& too_late) {
  co_await host.sleep(limit);
  too_late = true;
  host.stop();
}

ExitCode get(const GetOptions& options, Host& host) {
  Transfer transfer;
  bool too_late = false;
  Get fetch(host, options, transfer);
  Interrupts interrupts(
      host,
      {.ask = [&] { host.stop(); }, .insist = [] {}, .status = [&] { return fetch.status(); }});
  if (options.limit != kForever)
    host.spawn(stop_after(host, options.limit, too_late), TaskKind::background);
  auto finished = host.block_on(fetch.run());
  fetch.end_progress();
  // What was ended before its time is gone with its task: the connection is closed, and the server
  // gets RST if it was still sending.
  host.finish(interrupts.signal() ? Duration(milliseconds(250)) : kGoodbye);
  if (finished) {
    report(options, transfer);
    return ExitCode::ok;
  }
  if (interrupts.signal()) {
    log_line(fmt::format("{}: interrupted after {}", options.url_text, fetch.reached()));
    return interrupts.exit_code();
  }
  throw Failure(ExitCode::deadline,
                fmt::format("{}: not finished within {}, after {}", options.url_text,
                            format_duration(options.limit), fetch.reached()));
}

Read<Field> parse_header_option(std::string_view text) {
  auto field = parse_field(text);
  if (!field) return std::unexpected("not a header field; write it as 'Name: value'");
  return *std::move(field);
}

Read<std::string> parse_range_option(std::string_view text) {
  bool fine = !text.empty() && text.find('-') != std::string_view::npos &&
              text.find_first_not_of("0123456789-,") == std::string_view::npos;
  if (!fine) return std::unexpected("not a range of octets; write it as 0-99, 100- or -50");
  return std::string(text);
}

void add_get(CLI::App& program, ExitCode& exit_code) {
  auto* command = program.add_subcommand("get", "Fetch a URL over HTTP/1.1");
  auto options = std::make_shared<GetOptions>();
  command
      ->add_option_function<std::string>(
          "URL",
          [options](const std::string& text) {
            auto url = parse_url(text);
            if (!url) refuse_option("URL", text, url.error());
            options->url = *url;
            options->url_text = text;
          },
          "http://ADDRESS[:PORT]/PATH, an IPv6 address in brackets; names are not resolved")
      ->required();
  command
      ->add_option("-o,--output", options->output,
                   "Where to write the body (default: -, standard output)")
      ->type_name("FILE");
  add_parsed<Field>(
      *command, "-H,--header", "'NAME: VALUE'", parse_header_option,
      [options](const Field& field) { options->headers.add(field.name, field.value); },
      "Add a header field to the request; may be repeated");
  add_value(*command, "--range", "FIRST-LAST", parse_range_option, options->range,
            "Request these octets only");
  command->add_flag_callback(
      "-I,--head", [options] { options->method = Method::head; },
      "Request the header only, and print it");
  command->add_flag_callback(
      "--sha256", [options] { options->digest = Digest::sha256; }, "Report the body's SHA-256");
  command->add_flag_callback(
      "--fast-open", [options] { options->opening = Opening::fast; },
      "Send the request in the SYN (TCP Fast Open); a first connection fetches the cookie for it");
  add_value(*command, "--timeout", "DURATION", parse_limit, options->limit,
            "Give up after this long, with exit code 124 (default: none)");
  add_json_flag(*command, options->format);
  add_live_options(*command, options->live);
  command->callback([options, &exit_code] {
    exit_code = on_link(options->live, [&](Live& live) { return get(*options, live.host()); });
  });
}

const Registration kGet{{"get", Order::live, add_get}};

}  // namespace
}  // namespace estab::tools
