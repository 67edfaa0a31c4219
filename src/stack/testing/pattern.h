// What scripts are written with: words for failures, and the octets that stand in each stream.
#pragma once

#include <cstdint>
#include <ostream>
#include <source_location>
#include <vector>

#include "estab/error.h"
#include "estab/segment.h"
#include "estab/state.h"
#include "estab/trace.h"
#include "estab/verdict.h"

namespace estab {

inline void PrintTo(State state, std::ostream* out) {
  *out << name(state);
}
inline void PrintTo(Verdict verdict, std::ostream* out) {
  *out << name(verdict);
}
inline void PrintTo(Error error, std::ostream* out) {
  *out << name(error);
}
inline void PrintTo(SendReason reason, std::ostream* out) {
  *out << name(reason);
}
inline void PrintTo(SeqNum number, std::ostream* out) {
  *out << number.value();
}

}  // namespace estab

namespace estab::script {

using std::chrono_literals::operator""h, std::chrono_literals::operator""min,
    std::chrono_literals::operator""s, std::chrono_literals::operator""ms,
    std::chrono_literals::operator""us, std::chrono_literals::operator""ns;
using Location = std::source_location;
using OctetVector = std::vector<std::uint8_t>;

/// The octet at a place in a stream (1: the first octet of data). The two streams differ.
enum class Stream : std::uint32_t { from_stack = 0x5bd1, from_remote = 0x9e37 };
inline std::uint8_t pattern(Stream stream, std::uint32_t place) {
  std::uint32_t x = place * 2654435761u ^ static_cast<std::uint32_t>(stream) * 40503u;
  return static_cast<std::uint8_t>((x ^ x >> 15) >> 3);
}
inline OctetVector pattern(Stream stream, std::uint32_t first, std::size_t length) {
  OctetVector octets(length);
  for (std::size_t i = 0; i < length; ++i)
    octets[i] = pattern(stream, first + static_cast<std::uint32_t>(i));
  return octets;
}

}  // namespace estab::script
