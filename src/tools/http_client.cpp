#include "tools/http_client.h"

#include <algorithm>
#include <charconv>

namespace estab::tools {
namespace {

constexpr std::size_t kMaxChunkLine = 4096;

std::unexpected<std::string> wrong(const char* reason) {
  return std::unexpected<std::string>(reason);
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// `HTTP/1.1 404 Not Found`; the reason may be empty, and its space missing.
std::expected<ResponseHead, std::string> parse_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/")) return wrong("the answer is not HTTP");
  bool is_version_1 = line.starts_with("HTTP/1.") && line.size() >= 12 && line[8] == ' ';
  if (!is_version_1) return wrong("the answer is not HTTP/1.x");
  auto status = parse_decimal(line.substr(9, 3));
  bool ends_well = line.size() == 12 || line[12] == ' ';
  if (!status || *status < 100 || !ends_well) return wrong("the status line is malformed");
  ResponseHead head;
  head.status = static_cast<int>(*status);
  head.minor_version = line[7] - '0';
  if (line.size() > 13) head.reason = line.substr(13);
  return head;
}

// Several equal values are one value (RFC 9110 §8.6).
std::optional<std::uint64_t> parse_content_length(std::string_view list) {
  std::optional<std::uint64_t> length;
  while (auto element = next_element(list)) {
    auto number = parse_decimal(*element);
    if (!number || (length && *length != *number)) return std::nullopt;
    length = number;
  }
  return length;
}

}  // namespace

std::expected<ResponsePlan, std::string> parse_response(std::string_view head, Method method) {
  std::size_t line_end = std::min(head.find('\n'), head.size() - 1) + 1;
  auto parsed = parse_status_line(without_line_end(head.substr(0, line_end)));
  if (!parsed) return std::unexpected(parsed.error());
  for (head.remove_prefix(line_end); !head.empty(); head.remove_prefix(line_end)) {
    line_end = std::min(head.find('\n'), head.size() - 1) + 1;
    std::string_view line = without_line_end(head.substr(0, line_end));
    if (line.empty()) break;
    auto field = parse_field(line);
    if (!field) return wrong("a header field is malformed");
    parsed->fields.add(std::move(field->name), std::move(field->value));
  }

  ResponsePlan plan{*std::move(parsed), Framing::none, 0};
  int status = plan.head.status;
  if (method == Method::head || status < 200 || status == 204 || status == 304) return plan;
  if (auto coding = plan.head.fields.find("Transfer-Encoding")) {
    if (!equals_ignoring_case(*coding, "chunked"))
      return wrong("the server uses a transfer coding other than chunked");
    plan.framing = Framing::chunked;
    return plan;
  }
  plan.framing = Framing::until_close;
  if (auto field = plan.head.fields.find("Content-Length")) {
    auto length = parse_content_length(*field);
    if (!length) return wrong("the Content-Length is malformed");
    plan.framing = Framing::length;
    plan.length = *length;
  }
  return plan;
}

// Takes octets up to the end of the head; returns how many.
std::expected<std::size_t, std::string> ResponseReader::read_head(std::string_view octets) {
  std::size_t used = 0;
  while (used < octets.size()) {
    std::size_t line_end = octets.find('\n', used);
    std::size_t end = line_end == std::string_view::npos ? octets.size() : line_end + 1;
    pending_.append(octets.substr(used, end - used));
    used = end;
    if (pending_.size() > kMaxHead) return wrong("the header is longer than 64 KiB");
    if (!pending_.ends_with("\n\r\n") && !pending_.ends_with("\n\n")) continue;
    auto plan = parse_response(pending_, method_);
    pending_.clear();
    if (!plan) return std::unexpected(plan.error());
    if (plan->head.status == 101)
      return wrong("the server switches to a protocol that was not asked for");
    if (plan->head.status < 200) continue;
    left_ = plan->length;
    plan_ = *std::move(plan);
    break;
  }
  return used;
}

std::expected<void, std::string> ResponseReader::on_chunk_line() {
  std::string_view line = without_line_end(pending_);
  switch (chunk_) {
    case Chunk::size: {
      std::string_view digits = trim(line.substr(0, line.find(';')));  // extensions are ignored
      const char* end = digits.data() + digits.size();
      auto [rest, problem] = std::from_chars(digits.data(), end, left_, 16);
      if (problem != std::errc{} || rest != end) return wrong("a chunk's size is malformed");
      chunk_ = left_ == 0 ? Chunk::trailer : Chunk::data;
      break;
    }
    case Chunk::data_end:
      if (!line.empty()) return wrong("a chunk is longer than its size says");
      chunk_ = Chunk::size;
      break;
    case Chunk::trailer:
      trailer_octets_ += pending_.size();
      if (trailer_octets_ > kMaxHead) return wrong("the trailer is longer than 64 KiB");
      if (line.empty()) chunk_ = Chunk::done;
      break;
    case Chunk::data:
    case Chunk::done:
      break;
  }
  pending_.clear();
  return {};
}

std::expected<ResponseReader::Step, std::string> ResponseReader::next_of_chunks(
    std::string_view octets) {
  Step step;
  while (chunk_ != Chunk::done && step.framing < octets.size()) {
    std::string_view rest = octets.substr(step.framing);
    if (chunk_ == Chunk::data) {
      step.body = rest.substr(0, std::min<std::uint64_t>(left_, rest.size()));
      return step;
    }
    std::size_t line_end = rest.find('\n');
    std::size_t taken = line_end == std::string_view::npos ? rest.size() : line_end + 1;
    pending_.append(rest.substr(0, taken));
    step.framing += taken;
    if (pending_.size() > kMaxChunkLine) return wrong("a line between chunks is too long");
    if (line_end == std::string_view::npos) break;
    if (auto fine = on_chunk_line(); !fine) return std::unexpected(fine.error());
  }
  return step;
}

std::expected<ResponseReader::Step, std::string> ResponseReader::next(std::string_view octets) {
  Step step;
  if (!plan_) {
    auto used = read_head(octets);
    if (!used) return std::unexpected(used.error());
    step.framing = *used;
    if (!plan_) return step;
    octets.remove_prefix(*used);
  }
  switch (plan_->framing) {
    case Framing::none:
      break;
    case Framing::until_close:
      step.body = octets;
      break;
    case Framing::length:
      step.body = octets.substr(0, std::min<std::uint64_t>(left_, octets.size()));
      break;
    case Framing::chunked: {
      auto chunks = next_of_chunks(octets);
      if (!chunks) return chunks;
      step.framing += chunks->framing;
      step.body = chunks->body;
      break;
    }
  }
  return step;
}

void ResponseReader::took(std::size_t octets) {
  if (plan_->framing == Framing::until_close) return;
  left_ -= octets;
  if (plan_->framing == Framing::chunked && left_ == 0 && chunk_ == Chunk::data)
    chunk_ = Chunk::data_end;
}

std::expected<void, std::string> ResponseReader::end() {
  if (!plan_) return wrong("the server closed the connection before the end of the header");
  ended_ = true;
  if (!complete()) return wrong("the server closed the connection before the end of the body");
  return {};
}

bool ResponseReader::complete() const {
  if (!plan_) return false;
  switch (plan_->framing) {
    case Framing::none:
      return true;
    case Framing::length:
      return left_ == 0;
    case Framing::chunked:
      return chunk_ == Chunk::done;
    case Framing::until_close:
      return ended_;
  }
  return false;
}

}  // namespace estab::tools
