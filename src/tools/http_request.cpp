#include "tools/http_request.h"

#include <vector>

namespace estab::tools {

std::string_view reason(Status status) {
  switch (status) {
    case Status::ok:
      return "OK";
    case Status::partial_content:
      return "Partial Content";
    case Status::moved_permanently:
      return "Moved Permanently";
    case Status::not_modified:
      return "Not Modified";
    case Status::bad_request:
      return "Bad Request";
    case Status::forbidden:
      return "Forbidden";
    case Status::not_found:
      return "Not Found";
    case Status::method_not_allowed:
      return "Method Not Allowed";
    case Status::request_timeout:
      return "Request Timeout";
    case Status::precondition_failed:
      return "Precondition Failed";
    case Status::uri_too_long:
      return "URI Too Long";
    case Status::range_not_satisfiable:
      return "Range Not Satisfiable";
    case Status::head_too_large:
      return "Request Header Fields Too Large";
    case Status::internal_error:
      return "Internal Server Error";
    case Status::not_implemented:
      return "Not Implemented";
    case Status::unavailable:
      return "Service Unavailable";
    case Status::version_not_supported:
      return "HTTP Version Not Supported";
  }
  return "Unknown";
}

bool Request::keep_alive() const {
  if (fields.lists("Connection", "close")) return false;
  return minor_version >= 1 || fields.lists("Connection", "keep-alive");
}

bool Request::has_content() const {
  if (fields.find("Transfer-Encoding")) return true;
  auto length = fields.find("Content-Length");
  return length && *length != "0";
}

namespace {

// A line without its end, taken off `rest`. A lone LF ends a line too (RFC 9112 §2.2).
std::string_view take_line(std::string_view& rest) {
  std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_visible(std::string_view text) {
  for (char c : text)
    if (c <= ' ' || c == 0x7f) return false;  // octets above 0x7f are negative: refused as well
  return !text.empty();
}

// `HTTP/1.1`: one digit, a dot, one digit (RFC 9112 §2.3).
std::expected<int, Status> parse_version(std::string_view text) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                     text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return std::unexpected(Status::bad_request);
  if (text[5] != '1') return std::unexpected(Status::version_not_supported);
  return text[7] - '0';
}

std::expected<Request, Status> parse_request_line(std::string_view line) {
  std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::unexpected(Status::bad_request);
  std::string_view method = line.substr(0, first),
                   target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || !is_visible(target)) return std::unexpected(Status::bad_request);
  auto minor = parse_version(line.substr(last + 1));
  if (!minor) return std::unexpected(minor.error());
  return Request{std::string(method), std::string(target), *minor, {}};
}

// What smuggles requests past a proxy is refused, not guessed at (RFC 9112 §6.1, §6.3, §3.2).
std::optional<Status> check_framing(const Request& request) {
  const Fields& fields = request.fields;
  std::size_t hosts = fields.count("Host");
  if (hosts > 1 || (hosts == 0 && request.minor_version >= 1)) return Status::bad_request;
  auto length = fields.find("Content-Length");
  if (length && !parse_decimal(*length)) return Status::bad_request;
  auto coding = fields.find("Transfer-Encoding");
  if (!coding) return std::nullopt;
  if (length || request.minor_version == 0) return Status::bad_request;
  if (!equals_ignoring_case(*coding, "chunked")) return Status::not_implemented;
  return std::nullopt;
}

}  // namespace

std::expected<Request, Status> parse_request(std::string_view head, const RequestLimits& limits) {
  std::string_view rest = head;
  auto request = parse_request_line(take_line(rest));
  if (!request) return request;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    if (line.empty()) break;
    auto field = parse_field(line);  // refuses obsolete line folding too (RFC 9112 §5.2)
    if (!field) return std::unexpected(Status::bad_request);
    if (request->fields.size() == limits.fields) return std::unexpected(Status::head_too_large);
    request->fields.add(std::move(field->name), std::move(field->value));
  }
  if (auto wrong = check_framing(*request)) return std::unexpected(*wrong);
  return request;
}

void RequestReader::push(std::string_view octets) {
  buffer_.erase(0, start_);
  seen_ -= start_;
  start_ = 0;
  buffer_.append(octets);
}

// A client may send an empty line before a request (RFC 9112 §2.2).
void RequestReader::skip_empty_lines() {
  while (start_ < buffer_.size() && (buffer_[start_] == '\r' || buffer_[start_] == '\n')) ++start_;
  seen_ = std::max(seen_, start_);
}

// Whoever speaks another protocol (TLS, SSH) is told so at once, instead of being waited for. Only
// the beginning is looked at, so that it costs nothing however slowly a long line comes.
bool RequestReader::can_become_a_method() const {
  constexpr std::size_t kLooked = 32;
  const std::string_view begin = std::string_view(buffer_).substr(start_, kLooked);
  const std::size_t space = begin.find(' ');
  return begin.empty() || is_token(begin.substr(0, space));
}

// One past the empty line that ends the head. Looks at each octet once, however they trickle in.
std::optional<std::size_t> RequestReader::find_end_of_head() {
  while (true) {
    std::size_t line_end = buffer_.find('\n', seen_);
    if (line_end == std::string::npos) {
      seen_ = buffer_.size();
      return std::nullopt;
    }
    seen_ = line_end;
    std::string_view after = std::string_view(buffer_).substr(line_end + 1, 2);
    if (after.starts_with('\n')) return line_end + 2;
    if (after == "\r\n") return line_end + 3;
    if (after.empty() || after == "\r") return std::nullopt;
    ++seen_;
  }
}

std::expected<std::optional<Request>, Status> RequestReader::next() {
  if (start_ == seen_) skip_empty_lines();
  if (!can_become_a_method()) return std::unexpected(Status::bad_request);
  auto end = find_end_of_head();
  std::string_view head =
      std::string_view(buffer_).substr(start_, end ? *end - start_ : std::string::npos);
  if (std::min(head.find('\n'), head.size()) > limits_.line)
    return std::unexpected(Status::uri_too_long);
  if (head.size() > limits_.head) return std::unexpected(Status::head_too_large);
  if (!end) return std::nullopt;
  auto request = parse_request(head, limits_);
  start_ = seen_ = *end;
  if (!request) return std::unexpected(request.error());
  return *std::move(request);
}

namespace {

// Absolute-form (RFC 9112 §3.2.2): a server must accept it, and the Host field is then moot.
std::string_view without_authority(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (!equals_ignoring_case(target.substr(0, kScheme.size()), kScheme)) return target;
  std::size_t path = target.find_first_of("/?", kScheme.size());
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

std::expected<std::string, Status> path_of(std::string_view target) {
  target = without_authority(target);
  target = target.substr(0, target.find_first_of("?#"));
  auto decoded = percent_decode(target);
  if (!decoded || decoded->find('\0') != std::string::npos)
    return std::unexpected(Status::bad_request);
  if (target.empty()) return "/";
  if (!decoded->starts_with('/')) return std::unexpected(Status::bad_request);

  std::vector<std::string_view> segments;
  std::string_view rest = *decoded;
  bool ends_in_slash = true;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    ends_in_slash = segment.empty() || segment == "." || segment == "..";
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      segments.push_back(segment);
      continue;
    }
    if (segments.empty()) return std::unexpected(Status::bad_request);
    segments.pop_back();
  }
  std::string path;
  for (std::string_view segment : segments) path.append("/").append(segment);
  if (ends_in_slash) path += '/';
  return path;
}

}  // namespace estab::tools
