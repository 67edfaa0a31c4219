// PortRange: the ports to choose from where the application leaves the choice (RFC 6056 §3.2). Law:
// port 0 is none of them, whatever the settings say, for it stands for "any" everywhere.
#pragma once

#include <algorithm>
#include <cstdint>

namespace estab::base {

class PortRange {
 public:
  /// Both ends belong to it; empty if the last is before the first.
  constexpr PortRange(std::uint16_t first, std::uint16_t last)
      : first_(std::max<std::uint16_t>(first, 1)),
        size_(last < first_ ? 0 : std::uint32_t{last} - first_ + 1) {}

  constexpr std::uint32_t size() const { return size_; }
  /// The number counts round and round. Not of an empty range.
  constexpr std::uint16_t at(std::uint32_t number) const {
    return static_cast<std::uint16_t>(first_ + number % size_);
  }
  friend bool operator==(const PortRange&, const PortRange&) = default;

 private:
  std::uint32_t first_;
  std::uint32_t size_;
};

}  // namespace estab::base
