// An HTTP/1.1 file server on a Host: GET and HEAD, keep-alive, pipelining, ranges. It reads the
// next request when the answer to the one before is in the send buffer, so a client that only sends
// is held back by its window. Files are read into blocks that are lent to the connection until the
// client has acknowledged them. Memory a connection: a head (32 KiB at most), and what is
// unacknowledged, of which all connections share HttpServerOptions::memory.
//
// How a connection ends: the server sends FIN after its last answer and reads on until the client's
// FIN, so that no RST overtakes the answer. A client that has ended its direction first still gets
// every answer it asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "estab/host.h"

#include "tools/http.h"
#include "tools/read_blocks.h"
#include "tools/served_files.h"

namespace estab::tools {

/// One line of the access log.
struct AccessRecord {
  Endpoint client;
  std::string request;  ///< method, target and version, or "" if there was none
  Status status = Status::ok;
  std::uint64_t body_octets = 0;  ///< put into the send buffer
  Duration time{};                ///< from the request's end to then
  bool whole = true;              ///< false: the connection failed before
};

struct HttpServerOptions {
  RequestLimits request{};
  Duration head_limit = std::chrono::seconds(20);   ///< from a request's first octet to its end
  Duration idle_limit = std::chrono::seconds(60);   ///< for the next request to begin
  Duration stall_limit = std::chrono::seconds(60);  ///< without any octet acknowledged
  Duration close_limit = std::chrono::seconds(5);   ///< for the client's FIN after ours
  std::size_t max_connections = 10'000;             ///< more get 503
  std::uint32_t piece = 256 << 10;                  ///< octets of an answer queued at a time
  /// Octets of answers that may be unacknowledged in all connections together. Each may have
  /// `least_share` and a piece whatever the others have, and never more than the send buffer.
  std::uint64_t memory = 256 << 20;
  std::uint32_t least_share = 32 << 10;
  std::function<void(const AccessRecord&)> on_answer{};
};

struct HttpServerTotals {
  std::uint64_t connections = 0, requests = 0, body_octets = 0, cut_off = 0;
};

class HttpServer {
 public:
  HttpServer(Host& host, ServedFiles files, HttpServerOptions options = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Spawns the task that accepts. The server must outlive the host's tasks.
  void serve(TcpListener listener);
  /// Stops accepting, closes idle connections, and each other one after its answer. What is not
  /// over after `limit` is aborted.
  void stop(Duration limit);
  /// Resets every connection.
  void abort();

  std::size_t connections() const { return open_.size(); }
  const HttpServerTotals& totals() const { return totals_; }

 private:
  struct Connection {
    TcpStream stream;
    Endpoint client;
    RequestReader reader;
    std::uint32_t share = 0;  // the send buffer it has been given
    bool waiting = false;     // for a request to begin
    bool ended = false;       // the client's direction
  };
  using Place = std::list<Connection>::iterator;
  /// A request, or the status that says why there is none; nothing: the connection is over.
  using Incoming = std::optional<std::expected<Request, Status>>;

  Task<> accept_all();
  Task<> refuse(TcpStream stream);
  Task<> converse(Place place);
  Task<Incoming> next_request(Connection& connection);
  Task<bool> answer(Connection& connection, const std::expected<Request, Status>& request);
  Task<bool> send(Connection& connection, const Response& response, const ServedFile* file,
                  std::uint64_t& sent);
  Task<bool> lend(Connection& connection, Octets octets, ReadBlocks::Block owner, SendMode mode);
  Task<bool> copy(Connection& connection, Octets octets, SendMode mode);
  Task<> end(Connection& connection);
  Task<> abort_after(Duration limit);

  std::pair<Response, std::optional<ServedFile>> respond(
      const std::expected<Request, Status>& request);
  Occasion occasion();
  std::uint32_t share() const;

  Host& host_;
  ServedFiles files_;
  HttpServerOptions options_;
  ReadBlocks blocks_;
  TcpListener listener_;
  std::list<Connection> open_;
  HttpServerTotals totals_;
  std::size_t refusing_ = 0;
  bool stopping_ = false;
};

}  // namespace estab::tools
