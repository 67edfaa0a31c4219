#include "tools/http_server.h"

#include <algorithm>
#include <ctime>
#include <random>

#include <fmt/format.h>

#include "tools/answer_octets.h"

namespace estab::tools {
namespace {

// Read from the stream at a time; bounds what RequestReader holds beyond its limit.
constexpr std::size_t kReadAtOnce = 16 << 10;
// Less than this is copied into the send buffer: a block that is lent is held whole, however little
// of it is used.
constexpr std::uint32_t kCopyBelow = 16 << 10;
// So many are told at a time that there are too many; others are reset.
constexpr std::size_t kRefusals = 256;

std::uint64_t acknowledged(const TcpStream& stream) {
  auto info = stream.info();
  return info ? info->bytes_acked : 0;
}

bool has_unacknowledged(const TcpStream& stream) {
  auto info = stream.info();
  return info && info->unacked_bytes + info->notsent_bytes > 0;
}

std::string encode_path(std::string_view path) {
  std::string encoded;
  while (!path.empty()) {
    std::string_view segment = path.substr(0, path.find('/'));
    encoded += percent_encode(segment);
    path.remove_prefix(segment.size());
    if (path.empty()) break;
    encoded += '/';
    path.remove_prefix(1);
  }
  return encoded;
}

std::string random_boundary() {
  std::random_device random;
  return fmt::format("estab-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

std::string request_line(const Request& request) {
  return fmt::format("{} {} HTTP/1.{}", request.method, request.target, request.minor_version);
}

}  // namespace

HttpServer::HttpServer(Host& host, ServedFiles files, HttpServerOptions options)
    : host_(host),
      files_(std::move(files)),
      options_(std::move(options)),
      blocks_(options_.piece) {}

HttpServer::~HttpServer() = default;

void HttpServer::serve(TcpListener listener) {
  listener_ = std::move(listener);
  host_.spawn(accept_all());
}

void HttpServer::stop(Duration limit) {
  stopping_ = true;
  listener_.close();
  for (Connection& connection : open_)
    if (connection.waiting) static_cast<void>(connection.stream.shutdown());
  host_.spawn(abort_after(limit), TaskKind::background);
}

void HttpServer::abort() {
  stopping_ = true;
  totals_.cut_off += open_.size();
  for (Connection& connection : open_) connection.stream.abort();
}

Task<> HttpServer::abort_after(Duration limit) {
  co_await host_.sleep(limit);
  abort();
}

Task<> HttpServer::accept_all() {
  while (auto stream = co_await listener_.accept()) {
    (void)stream->reconfigure([&](TcpConfig& config) {
      config.nagle = false;  // answers are put together here, and none is to wait for an ACK
      config.user_timeout = options_.stall_limit;
    });
    if (open_.size() >= options_.max_connections) {
      if (refusing_ < kRefusals) host_.spawn(refuse(*std::move(stream)));
      continue;
    }
    ++totals_.connections;
    Endpoint client = stream->remote_endpoint().value_or(Endpoint{});
    open_.push_back({*std::move(stream), client, RequestReader(options_.request)});
    host_.spawn(converse(std::prev(open_.end())));
  }
}

// Closed at once, with the request unread, the connection would be reset, and the answer with it.
Task<> HttpServer::refuse(TcpStream stream) {
  ++refusing_;
  Connection connection{std::move(stream), {}, RequestReader(options_.request)};
  const std::string head = answer_to_garbage(Status::unavailable, occasion()).head;
  static_cast<void>(co_await connection.stream.write(as_octets(head)).within(Duration::zero()));
  co_await end(connection);
  --refusing_;
}

Task<> HttpServer::converse(Place place) {
  Connection& connection = *place;
  bool goes_on = true, sound = true;
  while (goes_on) {
    Incoming request = co_await next_request(connection);
    if (!request) break;
    goes_on = sound = co_await answer(connection, *request);
    goes_on =
        goes_on && *request && (*request)->keep_alive() && !(*request)->has_content() && !stopping_;
  }
  if (sound)
    co_await end(connection);
  else
    connection.stream.abort();
  open_.erase(place);
}

Task<HttpServer::Incoming> HttpServer::next_request(Connection& connection) {
  Instant deadline = kNever;
  while (true) {
    auto request = connection.reader.next();
    if (!request) co_return std::unexpected(request.error());
    if (*request) co_return **std::move(request);

    connection.waiting = connection.reader.idle();
    if (connection.waiting)
      deadline = kNever;
    else if (deadline == kNever)
      deadline = host_.now() + options_.head_limit;
    Duration left = connection.waiting ? options_.idle_limit : deadline - host_.now();
    auto views = co_await connection.stream.peek().within(std::max(left, Duration::zero()));
    bool was_waiting = std::exchange(connection.waiting, false);
    if (stopping_ && was_waiting) co_return std::nullopt;
    if (!views && views.error() == Error::timed_out && !was_waiting)
      co_return std::unexpected(Status::request_timeout);
    if (!views) {
      connection.ended = views.error() == Error::end_of_stream;
      co_return std::nullopt;
    }
    Octets some = views->front().first(std::min(views->front().size(), kReadAtOnce));
    connection.reader.push(as_text(some));
    static_cast<void>(connection.stream.consume(some.size()));
  }
}

Occasion HttpServer::occasion() {
  return {.now = std::time(nullptr),
          .boundary = {},
          .allowed = stopping_ ? Persistence::close : Persistence::keep_alive};
}

std::pair<Response, std::optional<ServedFile>> HttpServer::respond(
    const std::expected<Request, Status>& incoming) {
  Occasion now = occasion();
  if (!incoming) return {answer_to_garbage(incoming.error(), now), std::nullopt};
  const Request& request = *incoming;
  if (auto refused = check_method(request))
    return {answer_with_error(request, *refused, now), std::nullopt};
  auto path = path_of(request.target);
  if (!path) return {answer_with_error(request, path.error(), now), std::nullopt};
  auto found = files_.find(*path);
  if (!found) return {answer_with_error(request, found.error(), now), std::nullopt};
  if (auto* file = std::get_if<ServedFile>(&*found)) {
    if (request.fields.find("Range")) now.boundary = random_boundary();
    return {answer_with_file(request, file->facts, now), std::move(*file)};
  }
  if (!path->ends_with('/'))
    return {answer_with_redirect(request, encode_path(*path) + "/", now), std::nullopt};
  auto& entries = std::get<ServedDirectory>(*found).entries;
  return {answer_with_page(request, listing(*path, std::move(entries)), now), std::nullopt};
}

// False if the connection cannot go on.
Task<bool> HttpServer::answer(Connection& connection,
                              const std::expected<Request, Status>& request) {
  auto began = std::chrono::steady_clock::now();  // finer than the host's rounds
  auto [response, file] = respond(request);
  AccessRecord record{.client = connection.client,
                      .request = request ? request_line(*request) : "",
                      .status = response.status};
  record.whole = co_await send(connection, response, file ? &*file : nullptr, record.body_octets);
  record.time = std::chrono::steady_clock::now() - began;
  ++totals_.requests;
  totals_.body_octets += record.body_octets;
  if (options_.on_answer) options_.on_answer(record);
  co_return record.whole;
}

Task<bool> HttpServer::send(Connection& connection, const Response& response,
                            const ServedFile* file, std::uint64_t& sent) {
  AnswerOctets answer(response, file);
  std::uint64_t queued = 0;
  while (answer.left() > 0) {
    const std::uint32_t share = this->share();
    if (share != connection.share)
      (void)connection.stream.reconfigure([&](TcpConfig& config) {
        const BufferSize& usual = host_.stack().config().tcp.send_buffer;
        config.send_buffer = BufferSize::growing(std::min(usual.initial, share), share);
      });
    connection.share = share;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(
        answer.left(), std::min(options_.piece, std::max(share / 2, kCopyBelow))));
    ReadBlocks::Block block = blocks_.take(size);
    const auto filled = answer.read({block.get(), size});
    if (!filled) co_return false;
    const Octets octets(block.get(), *filled);
    const SendMode mode = answer.left() > 0 ? SendMode::more : SendMode::normal;
    bool sound = false;
    if (octets.size() < kCopyBelow)
      sound = co_await copy(connection, octets, mode);
    else
      sound = co_await lend(connection, octets, std::move(block), mode);
    if (!sound) co_return false;
    queued += octets.size();
    sent = queued - std::min<std::uint64_t>(queued, response.head.size());
  }
  co_return true;
}

// As much as all others leave free: a few may have all they want, many come to have equal shares,
// and all together never have more than there is (as the output queues of a switch share its
// memory: Choudhury and Hahne, Dynamic queue length thresholds, 1998).
std::uint32_t HttpServer::share() const {
  const std::uint64_t held = blocks_.held();
  const std::uint64_t left = options_.memory - std::min<std::uint64_t>(held, options_.memory);
  const std::uint32_t most = host_.stack().config().tcp.send_buffer.most;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(left, options_.least_share), most));
}

// Both wait as long as the client takes something now and then.
Task<bool> HttpServer::lend(Connection& connection, Octets octets, ReadBlocks::Block owner,
                            SendMode mode) {
  while (true) {
    std::uint64_t before = acknowledged(connection.stream);
    auto queued =
        co_await connection.stream.write_owned(octets, owner, mode).within(options_.stall_limit);
    if (queued) co_return true;
    if (queued.error() != Error::timed_out) co_return false;
    if (acknowledged(connection.stream) == before) co_return false;
  }
}

Task<bool> HttpServer::copy(Connection& connection, Octets octets, SendMode mode) {
  while (!octets.empty()) {
    std::uint64_t before = acknowledged(connection.stream);
    auto queued = co_await connection.stream.write(octets, mode).within(options_.stall_limit);
    if (queued) {
      octets = octets.subspan(*queued);
      continue;
    }
    if (queued.error() != Error::timed_out) co_return false;
    if (acknowledged(connection.stream) == before) co_return false;
  }
  co_return true;
}

Task<> HttpServer::end(Connection& connection) {
  TcpStream& stream = connection.stream;
  static_cast<void>(stream.shutdown());
  // Reading on until the client's FIN keeps octets it sent meanwhile from causing an RST, which
  // could destroy the answer before the client has read it (RFC 9112 §9.6).
  Instant until = host_.now() + options_.close_limit;
  while (!connection.ended && host_.now() < until) {
    auto views = co_await stream.peek().within(until - host_.now());
    if (!views) break;
    std::size_t octets = 0;
    for (Octets view : *views) octets += view.size();
    static_cast<void>(stream.consume(octets));
  }
  // The connection is not let go while it holds octets: nobody else would notice a client that
  // keeps its window shut for ever.
  while (has_unacknowledged(stream)) {
    std::uint64_t before = acknowledged(stream);
    auto closed = co_await stream.closed().within(options_.stall_limit);
    if (closed || closed.error() != Error::timed_out) break;
    if (acknowledged(stream) == before) {
      stream.abort();
      co_return;
    }
  }
  stream.close();
}

}  // namespace estab::tools
