// Octets for the unit tests of queues: the octet at an offset of a stream is always the same, so
// that what comes out can be verified without keeping what went in.
#pragma once

#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "estab/block.h"
#include "estab/octets.h"

#include "tcp/sequence.h"

namespace estab::tcp {

using std::chrono_literals::operator""h, std::chrono_literals::operator""min,
    std::chrono_literals::operator""s, std::chrono_literals::operator""ms,
    std::chrono_literals::operator""us, std::chrono_literals::operator""ns;
using OctetVector = std::vector<std::uint8_t>;

inline void PrintTo(StreamOffset offset, std::ostream* out) {
  *out << offset.value();
}

constexpr StreamOffset at(std::int64_t offset) {
  return StreamOffset(offset);
}

inline std::uint8_t octet_of(std::int64_t offset) {
  const auto x = static_cast<std::uint64_t>(offset) * 0x9e3779b97f4a7c15u;
  return static_cast<std::uint8_t>(x >> 40);
}

/// The octets [from, to) of the stream.
inline OctetVector stream(std::int64_t from, std::int64_t to) {
  OctetVector octets;
  for (std::int64_t i = from; i < to; ++i) octets.push_back(octet_of(i));
  return octets;
}

/// Octets that differ from the stream's everywhere.
inline OctetVector forged(std::int64_t from, std::int64_t to) {
  OctetVector octets = stream(from, to);
  for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(~octet);
  return octets;
}

inline OctetVector joined(std::span<const Octets> views) {
  OctetVector octets;
  for (Octets view : views) octets.insert(octets.end(), view.begin(), view.end());
  return octets;
}

/// A block of `capacity` octets whose first ones are `octets`.
inline Block block_with(Octets octets, std::size_t capacity) {
  Block block(capacity);
  std::copy(octets.begin(), octets.end(), block.data());
  return block;
}

}  // namespace estab::tcp
