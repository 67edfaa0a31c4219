#include "tools/http.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace estab::tools {
namespace {

using HeaderList = std::vector<std::pair<std::string_view, std::string>>;

enum class Content { sent, head_only, none };

Persistence persistence_for(const Request& request, const Occasion& occasion) {
  if (request.has_content() || !request.keep_alive()) return Persistence::close;
  return occasion.allowed;
}

std::uint64_t octets_of(const std::vector<BodyPiece>& pieces) {
  std::uint64_t total = 0;
  for (const BodyPiece& piece : pieces) {
    const auto* text = std::get_if<std::string>(&piece);
    total += text ? text->size() : std::get<OctetRange>(piece).length;
  }
  return total;
}

// Puts the head before the body. HEAD gets the head GET would have had (RFC 9110 §9.3.2).
Response assemble(Status status, const HeaderList& headers, std::vector<BodyPiece> body,
                  Content content, Persistence persistence, const Occasion& occasion) {
  Response response{.status = status, .head = {}, .body = {}, .persistence = persistence};
  std::uint64_t length = octets_of(body);
  auto out = std::back_inserter(response.head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\nServer: estab\r\n", static_cast<int>(status),
                 reason(status), format_http_date(occasion.now));
  for (const auto& [name, value] : headers) fmt::format_to(out, "{}: {}\r\n", name, value);
  if (content != Content::none) fmt::format_to(out, "Content-Length: {}\r\n", length);
  fmt::format_to(out, "Connection: {}\r\n\r\n",
                 persistence == Persistence::close ? "close" : "keep-alive");
  if (content == Content::sent) {
    response.body = std::move(body);
    response.body_octets = length;
  }
  return response;
}

Content content_for(const Request& request) {
  return request.method == "HEAD" ? Content::head_only : Content::sent;
}

HeaderList describe(const FileFacts& file, const Occasion& occasion) {
  // Never later than the message itself (RFC 9110 §8.8.2.1).
  return {{"Last-Modified", format_http_date(std::min(file.modified, occasion.now))},
          {"ETag", file.etag},
          {"Accept-Ranges", "bytes"}};
}

// Weak comparison ignores the W/ (RFC 9110 §8.8.3.2); ours are all strong.
enum class Comparison { weak, strong };

bool names_etag(std::string_view list, std::string_view etag, Comparison comparison) {
  while (auto element = next_element(list)) {
    if (*element == "*") return true;
    if (comparison == Comparison::weak && element->starts_with("W/")) element->remove_prefix(2);
    if (*element == etag) return true;
  }
  return false;
}

// The order of RFC 9110 §13.2.2. Nothing: go on and answer.
std::optional<Status> check_preconditions(const Fields& fields, const FileFacts& file) {
  auto date = [&](const char* name) -> std::optional<UnixTime> {
    auto value = fields.find(name);
    return value ? parse_http_date(*value) : std::nullopt;
  };
  if (auto match = fields.find("If-Match")) {
    if (!names_etag(*match, file.etag, Comparison::strong)) return Status::precondition_failed;
  } else if (auto since = date("If-Unmodified-Since")) {
    if (file.modified > *since) return Status::precondition_failed;
  }
  if (auto none = fields.find("If-None-Match")) {
    if (names_etag(*none, file.etag, Comparison::weak)) return Status::not_modified;
  } else if (auto since = date("If-Modified-Since")) {
    if (file.modified <= *since) return Status::not_modified;
  }
  return std::nullopt;
}

// If-Range: the ranges count only if the client's copy is of this very file (RFC 9110 §13.1.5).
bool is_same_file(const Fields& fields, const FileFacts& file) {
  auto validator = fields.find("If-Range");
  if (!validator) return true;
  if (validator->starts_with('"')) return *validator == file.etag;
  auto modified = parse_http_date(*validator);
  return modified && *modified == file.modified;
}

Response answer_with_parts(const FileFacts& file, const std::vector<OctetRange>& ranges,
                           HeaderList headers, Persistence persistence, const Occasion& occasion) {
  if (ranges.size() == 1) {
    headers.emplace_back("Content-Type", file.content_type);
    headers.emplace_back("Content-Range", content_range(ranges.front(), file.size));
    return assemble(Status::partial_content, headers, {ranges.front()}, Content::sent, persistence,
                    occasion);
  }
  std::vector<BodyPiece> body;
  for (const OctetRange& range : ranges) {
    body.emplace_back(fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                                  body.empty() ? "" : "\r\n", occasion.boundary, file.content_type,
                                  content_range(range, file.size)));
    body.emplace_back(range);
  }
  body.emplace_back(fmt::format("\r\n--{}--\r\n", occasion.boundary));
  headers.emplace_back("Content-Type", "multipart/byteranges; boundary=" + occasion.boundary);
  return assemble(Status::partial_content, headers, std::move(body), Content::sent, persistence,
                  occasion);
}

std::string error_page(Status status) {
  return fmt::format("{} {}\n", static_cast<int>(status), reason(status));
}

}  // namespace

std::optional<Status> check_method(const Request& request) {
  constexpr std::array<std::string_view, 7> kKnown{"POST",    "PUT",   "DELETE", "OPTIONS",
                                                   "CONNECT", "TRACE", "PATCH"};
  if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
  bool known = std::ranges::find(kKnown, request.method) != kKnown.end();
  return known ? Status::method_not_allowed : Status::not_implemented;
}

Response answer_with_file(const Request& request, const FileFacts& file, const Occasion& occasion) {
  Persistence persistence = persistence_for(request, occasion);
  HeaderList headers = describe(file, occasion);
  auto failed = check_preconditions(request.fields, file);
  if (failed == Status::not_modified)
    return assemble(*failed, headers, {}, Content::none, persistence, occasion);
  if (failed) return answer_with_error(request, *failed, occasion);

  auto range_field = request.fields.find("Range");
  // Range has a meaning for GET only (RFC 9110 §14.2).
  if (range_field && request.method == "GET" && is_same_file(request.fields, file)) {
    auto ranges = select_ranges(*range_field, file.size);
    if (ranges && ranges->empty()) {
      HeaderList whole{{"Content-Type", "text/plain; charset=utf-8"},
                       {"Content-Range", fmt::format("bytes */{}", file.size)}};
      return assemble(Status::range_not_satisfiable, whole,
                      {error_page(Status::range_not_satisfiable)}, Content::sent, persistence,
                      occasion);
    }
    if (ranges) return answer_with_parts(file, *ranges, headers, persistence, occasion);
  }
  headers.emplace_back("Content-Type", file.content_type);
  return assemble(Status::ok, headers, {OctetRange{0, file.size}}, content_for(request),
                  persistence, occasion);
}

Response answer_with_page(const Request& request, std::string html, const Occasion& occasion) {
  return assemble(Status::ok, {{"Content-Type", "text/html; charset=utf-8"}}, {std::move(html)},
                  content_for(request), persistence_for(request, occasion), occasion);
}

Response answer_with_redirect(const Request& request, std::string_view location,
                              const Occasion& occasion) {
  HeaderList headers{{"Location", std::string(location)},
                     {"Content-Type", "text/plain; charset=utf-8"}};
  return assemble(Status::moved_permanently, headers, {fmt::format("Moved to {}\n", location)},
                  content_for(request), persistence_for(request, occasion), occasion);
}

Response answer_with_error(const Request& request, Status status, const Occasion& occasion) {
  HeaderList headers{{"Content-Type", "text/plain; charset=utf-8"}};
  if (status == Status::method_not_allowed) headers.emplace_back("Allow", "GET, HEAD");
  return assemble(status, headers, {error_page(status)}, content_for(request),
                  persistence_for(request, occasion), occasion);
}

Response answer_to_garbage(Status status, const Occasion& occasion) {
  return assemble(status, {{"Content-Type", "text/plain; charset=utf-8"}}, {error_page(status)},
                  Content::sent, Persistence::close, occasion);
}

std::string_view content_type_of(std::string_view file_name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kTypes{{
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"xml", "application/xml"},
      {"pdf", "application/pdf"},
      {"wasm", "application/wasm"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"svg", "image/svg+xml"},
      {"webp", "image/webp"},
      {"ico", "image/vnd.microsoft.icon"},
      {"mp3", "audio/mpeg"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
  }};
  std::string_view name = file_name.substr(file_name.rfind('/') + 1);
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "application/octet-stream";
  for (const auto& [ending, type] : kTypes)
    if (equals_ignoring_case(ending, name.substr(dot + 1))) return type;
  return "application/octet-stream";
}

std::string listing(std::string_view path, std::vector<DirectoryEntry> entries) {
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  std::string title = escape_html(path), page;
  auto out = std::back_inserter(page);
  fmt::format_to(out,
                 "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\n"
                 "<body><h1>{}</h1>\n<ul>\n",
                 title, title);
  if (path != "/") page += "<li><a href=\"../\">../</a></li>\n";
  for (const DirectoryEntry& entry : entries) {
    std::string_view slash = entry.is_directory ? "/" : "";
    // "./" keeps a name with a colon from being read as a scheme.
    fmt::format_to(out, "<li><a href=\"./{}{}\">{}{}</a>", percent_encode(entry.name), slash,
                   escape_html(entry.name), slash);
    if (!entry.is_directory) fmt::format_to(out, " {} octets", entry.size);
    page += "</li>\n";
  }
  page += "</ul>\n</body></html>\n";
  return page;
}

}  // namespace estab::tools
