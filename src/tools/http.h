// What to answer, decided from the request and the facts of the file, without any I/O: a head, and
// a body in pieces that are text or parts of the file (RFC 9110 §13 preconditions, §14 ranges).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tools/http_range.h"
#include "tools/http_request.h"

namespace estab::tools {

struct FileFacts {
  std::uint64_t size = 0;
  UnixTime modified = 0;
  std::string etag;  ///< quoted, strong
  std::string_view content_type;
};

/// A piece of a body: text, or a part of the file.
using BodyPiece = std::variant<std::string, OctetRange>;

enum class Persistence { keep_alive, close };

struct Response {
  Status status = Status::ok;
  std::string head;
  std::vector<BodyPiece> body;    ///< empty for HEAD and 304
  std::uint64_t body_octets = 0;  ///< of all pieces
  Persistence persistence = Persistence::close;
};

/// What a response needs to know that is in neither the request nor the file.
struct Occasion {
  UnixTime now = 0;
  std::string boundary;  ///< between parts; must not occur in the file (RFC 2046 §5.1.1)
  Persistence allowed = Persistence::keep_alive;  ///< close: the server is about to end
};

/// 405 or 501 if the method is not GET or HEAD.
std::optional<Status> check_method(const Request& request);

/// 200, 206, 304, 412 or 416.
Response answer_with_file(const Request& request, const FileFacts& file, const Occasion& occasion);
/// 200 with a page made for the occasion (a directory's listing).
Response answer_with_page(const Request& request, std::string html, const Occasion& occasion);
/// 301 to a path given as it should stand in the Location field.
Response answer_with_redirect(const Request& request, std::string_view location,
                              const Occasion& occasion);
/// Any error of a request that was understood.
Response answer_with_error(const Request& request, Status status, const Occasion& occasion);
/// An error of something that was no request; closes.
Response answer_to_garbage(Status status, const Occasion& occasion);

/// By the ending of a file's name; `application/octet-stream` if it is not known.
std::string_view content_type_of(std::string_view file_name);

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

/// A page that links to each entry, sorted, directories with a slash.
std::string listing(std::string_view path, std::vector<DirectoryEntry> entries);

}  // namespace estab::tools
