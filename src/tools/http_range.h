// Range requests (RFC 9110 §14): which parts of a representation a Range field selects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estab::tools {

struct OctetRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  ///< never 0 in what select_ranges gives
  friend bool operator==(const OctetRange&, const OctetRange&) = default;
};

/// More ranges than this, or ranges that together exceed the whole, get the whole (§14.2).
inline constexpr std::size_t kMaxRanges = 64;

/// The parts of `size` octets that `field` asks for, in its order. Nothing if the field is to be
/// ignored (malformed, another unit, not worth it); empty if it cannot be satisfied (416).
std::optional<std::vector<OctetRange>> select_ranges(std::string_view field, std::uint64_t size);

/// `bytes 0-99/1234`.
std::string content_range(const OctetRange& range, std::uint64_t size);

}  // namespace estab::tools
