// Responses as they arrive (RFC 9112 §4, §6, §7): first the head, then the body without its
// framing. No I/O: octets go in, views of body octets come out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "tools/http_text.h"

namespace estab::tools {

struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  std::string reason;
  Fields fields;
};

/// How the end of a body is known.
enum class Framing { none, length, chunked, until_close };

enum class Method { get, head };

struct ResponsePlan {
  ResponseHead head;
  Framing framing = Framing::none;
  std::uint64_t length = 0;  ///< for Framing::length
};

class ResponseReader {
 public:
  static constexpr std::size_t kMaxHead = 64 << 10;

  explicit ResponseReader(Method method) : method_(method) {}

  /// What there is to do with the octets now at hand.
  struct Step {
    std::size_t framing = 0;  ///< first, so many octets that were framing: consume them
    std::string_view body;    ///< then these, of the body: consume what you could take, and say so
  };
  /// The error is a clause that says what the server did wrong.
  std::expected<Step, std::string> next(std::string_view octets);
  /// So many octets of Step::body were taken.
  void took(std::size_t octets);
  /// The server has ended its direction. An error if that was too soon.
  std::expected<void, std::string> end();

  /// The head, once it has been read (interim 1xx responses are passed over).
  const std::optional<ResponsePlan>& plan() const { return plan_; }
  /// All of the body has been taken.
  bool complete() const;

 private:
  enum class Chunk { size, data, data_end, trailer, done };
  std::expected<std::size_t, std::string> read_head(std::string_view octets);
  std::expected<Step, std::string> next_of_chunks(std::string_view octets);
  std::expected<void, std::string> on_chunk_line();

  Method method_;
  std::optional<ResponsePlan> plan_;
  std::string pending_;     // of the head, or of a line between chunks
  std::uint64_t left_ = 0;  // of the body, or of this chunk
  std::size_t trailer_octets_ = 0;
  Chunk chunk_ = Chunk::size;
  bool ended_ = false;
};

/// Reads a whole head and decides on the framing of what follows (RFC 9112 §6.3).
std::expected<ResponsePlan, std::string> parse_response(std::string_view head, Method method);

}  // namespace estab::tools
