// Any octets as what a client sends to `estab serve`, and as what a server answers to `estab get`.
// Laws: how the octets were cut on their way makes no difference; memory stays bounded; no path
// leads out of the folder; an answer to whatever was understood is one, with the length it names.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "estab/octets.h"

#include "tools/http.h"
#include "tools/http_client.h"
#include "tools/http_request.h"
#include "tools/http_text.h"

namespace {

using namespace estab::tools;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr RequestLimits kLimits{.line = 200, .head = 600, .fields = 8};

/// What was read, each request as a line; `!` and the status where it ended.
std::vector<std::string> read_requests(std::string_view octets, std::size_t piece,
                                       std::vector<Request>* kept = nullptr) {
  RequestReader reader(kLimits);
  std::vector<std::string> told;
  while (true) {
    const auto next = reader.next();
    if (!next) {
      told.push_back("!" + std::to_string(static_cast<int>(next.error())));
      return told;
    }
    if (*next) {
      const Request& request = **next;
      std::string line = request.method + " " + request.target;
      for (const Field& field : request.fields) line += "|" + field.name + ":" + field.value;
      told.push_back(line);
      if (kept) kept->push_back(request);
      continue;
    }
    if (octets.empty()) return told;
    reader.push(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
  }
}

std::uint64_t length_of(const Response& response) {
  std::uint64_t octets = 0;
  for (const BodyPiece& piece : response.body) {
    if (const auto* text = std::get_if<std::string>(&piece)) octets += text->size();
    if (const auto* range = std::get_if<OctetRange>(&piece)) octets += range->length;
  }
  return octets;
}

void check_answer(const Response& response, std::uint64_t file) {
  require(response.head.starts_with("HTTP/1.1 ") && response.head.ends_with("\r\n\r\n"));
  require(response.head.find("\r\n\r\n") == response.head.size() - 4);
  for (const BodyPiece& piece : response.body)
    if (const auto* range = std::get_if<OctetRange>(&piece))
      require(range->first <= file && range->length <= file - range->first);
  require(length_of(response) == response.body_octets);
  const auto plan = parse_response(std::string_view(response.head), Method::get);
  require(plan.has_value());
}

void check_request(const Request& request) {
  const Occasion occasion{.now = 784111777, .boundary = "estab-boundary"};
  const FileFacts file{10'000, 784111777, "\"tag\"", "text/plain"};
  (void)request.keep_alive();
  (void)request.has_content();
  if (const auto refused = check_method(request))
    check_answer(answer_with_error(request, *refused, occasion), 0);
  check_answer(answer_with_file(request, file, occasion), file.size);
  check_answer(answer_with_page(request, "<p>", occasion), 0);
  const auto path = path_of(request.target);
  if (!path) return check_answer(answer_with_error(request, path.error(), occasion), 0);
  require(path->starts_with("/"));
  require((*path + "/").find("/../") == std::string::npos);
  require(path->find('\0') == std::string::npos);
}

/// Reads a response, taking of its body what there is, in pieces of this size.
std::string read_response(std::string_view octets, std::size_t piece) {
  ResponseReader reader(Method::get);
  std::string body, held;
  while (true) {
    const auto step = reader.next(held);
    if (!step) return "!" + body;
    require(step->framing + step->body.size() <= held.size());
    body += step->body;
    if (!step->body.empty()) reader.took(step->body.size());
    const std::size_t used = step->framing + step->body.size();
    held.erase(0, used);
    if (reader.complete()) return "." + body;
    if (used > 0) continue;
    if (octets.empty()) return (reader.end() ? "." : "!") + body;
    held += octets.substr(0, piece);
    octets.remove_prefix(std::min(piece, octets.size()));
  }
}

void check_text(std::string_view text) {
  if (const auto decoded = percent_decode(text)) {
    require(percent_decode(percent_encode(*decoded)) == decoded);
  }
  if (const auto time = parse_http_date(text); time && *time >= 0 && *time < 253402300800)
    require(parse_http_date(format_http_date(*time)) == time);
  (void)parse_decimal(text);
  require(escape_html(text).find('<') == std::string::npos);
  for (std::string_view list = text; const auto element = next_element(list);)
    require(element->size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = estab::as_text({data, size});
  std::vector<Request> requests;
  const auto whole = read_requests(text, std::string_view::npos, &requests);
  require(read_requests(text, 1) == whole);
  require(read_requests(text, 7) == whole);
  for (const Request& request : requests) check_request(request);
  require(read_response(text, 1) == read_response(text, 64));
  check_text(text);
  return 0;
}
