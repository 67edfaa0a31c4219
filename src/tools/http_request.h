// Requests as they arrive, read from however many pieces the stream gave (RFC 9112 §2, §3, §5).
// Memory is bounded: what is buffered stays below the limit for a head and one push.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "tools/http_text.h"

namespace estab::tools {

enum class Status : int {
  ok = 200,
  partial_content = 206,
  moved_permanently = 301,
  not_modified = 304,
  bad_request = 400,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  request_timeout = 408,
  precondition_failed = 412,
  uri_too_long = 414,
  range_not_satisfiable = 416,
  head_too_large = 431,
  internal_error = 500,
  not_implemented = 501,
  unavailable = 503,
  version_not_supported = 505,
};

/// The reason phrase, as in `Not Found`.
std::string_view reason(Status status);

struct Request {
  std::string method;
  std::string target;     ///< as it was sent
  int minor_version = 1;  ///< of HTTP/1.x
  Fields fields;

  /// The client wants the connection to stay open (RFC 9112 §9.3).
  bool keep_alive() const;
  /// Content follows the head. The server closes after answering, instead of reading it.
  bool has_content() const;
};

struct RequestLimits {
  std::size_t line = 8 << 10;   ///< the request line; beyond it 414
  std::size_t head = 32 << 10;  ///< all of a head; beyond it 431
  std::size_t fields = 100;     ///< beyond it 431
};

class RequestReader {
 public:
  explicit RequestReader(const RequestLimits& limits = {}) : limits_(limits) {}

  /// What came from the stream. Call next() until it has nothing more before pushing again.
  void push(std::string_view octets);
  /// The next request; nothing if its end has not come yet. What cannot become a request is an
  /// error at its first octet. After an error the stream cannot be read on: answer with the status
  /// and close.
  std::expected<std::optional<Request>, Status> next();
  /// Nothing of a request has come yet.
  bool idle() const { return start_ == buffer_.size(); }

 private:
  void skip_empty_lines();
  bool can_become_a_method() const;
  std::optional<std::size_t> find_end_of_head();

  RequestLimits limits_;
  std::string buffer_;
  std::size_t start_ = 0;  // of the request being read
  std::size_t seen_ = 0;   // the end of the head is not before here
};

/// Reads one whole head, from its request line to the last field.
std::expected<Request, Status> parse_request(std::string_view head, const RequestLimits& limits);

/// The path a target names: decoded, without query, dot segments resolved, beginning with a slash.
/// Bad request if it is malformed or leads above the root.
std::expected<std::string, Status> path_of(std::string_view target);

}  // namespace estab::tools
