#include "tools/http_range.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "tools/http_text.h"

namespace estab::tools {
namespace {

// A position of any number of digits; one that does not fit is as good as the largest that does.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return parse_decimal(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

// `0-99`, `100-`, `-50`. Nothing if malformed; a length of 0 if it cannot be satisfied.
std::optional<OctetRange> parse_range(std::string_view text, std::uint64_t size) {
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view before = text.substr(0, dash), after = text.substr(dash + 1);
  if (before.empty()) {
    auto suffix = parse_position(after);
    if (!suffix) return std::nullopt;
    std::uint64_t length = std::min(*suffix, size);
    return OctetRange{size - length, length};
  }
  auto first = parse_position(before);
  if (!first) return std::nullopt;
  auto last = after.empty() ? std::numeric_limits<std::uint64_t>::max() : parse_position(after);
  if (!last || *last < *first) return std::nullopt;
  if (*first >= size) return OctetRange{*first, 0};
  return OctetRange{*first, std::min(*last, size - 1) - *first + 1};
}

}  // namespace

std::optional<std::vector<OctetRange>> select_ranges(std::string_view field, std::uint64_t size) {
  std::size_t equals = field.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equals_ignoring_case(trim(field.substr(0, equals)), "bytes")) return std::nullopt;
  // There is no Content-Range for a part of nothing.
  if (size == 0) return std::nullopt;

  std::vector<OctetRange> selected;
  std::uint64_t total = 0;
  std::size_t asked = 0;
  std::string_view rest = field.substr(equals + 1);
  while (auto element = next_element(rest)) {
    auto range = parse_range(*element, size);
    if (!range || ++asked > kMaxRanges) return std::nullopt;
    if (range->length == 0) continue;
    if (range->length > size - total) return std::nullopt;
    total += range->length;
    selected.push_back(*range);
  }
  if (asked == 0) return std::nullopt;
  return selected;
}

std::string content_range(const OctetRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size);
}

}  // namespace estab::tools
