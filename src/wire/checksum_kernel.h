// The inner loops of the internet checksum. Law: a sum here is a one's complement sum (modulo
// 2^64-1) of native 64-bit words, the last one padded with zero octets in memory order. Folded to
// 16 bits it is the sum of the 16-bit words in native order; it is 0 only if every octet is 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace estab::wire {

/// Addition with end-around carry.
constexpr std::uint64_t ones_add(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum + (sum < a ? 1 : 0);
}

/// Lengths from which the wide loops pay for the call.
inline constexpr std::size_t kWideFrom = 128;

/// For `length` >= kWideFrom, by the widest means the processor has.
std::uint64_t sum_octets_wide(const std::uint8_t* from, std::size_t length);
std::uint64_t copy_and_sum_octets_wide(std::uint8_t* to, const std::uint8_t* from,
                                       std::size_t length);

/// The loops without any vector instruction, for comparison.
std::uint64_t sum_octets_portable(const std::uint8_t* from, std::size_t length);
std::uint64_t copy_and_sum_octets_portable(std::uint8_t* to, const std::uint8_t* from,
                                           std::size_t length);

/// At most seven octets as a word, zeros behind them in memory order.
inline std::uint64_t load_tail(const std::uint8_t* from, std::size_t length) {
  std::uint64_t word = 0;
  auto* to = reinterpret_cast<std::uint8_t*>(&word);
  if (length & 4) std::memcpy(to, from, 4), to += 4, from += 4;
  if (length & 2) std::memcpy(to, from, 2), to += 2, from += 2;
  if (length & 1) *to = *from;
  return word;
}

inline std::uint64_t sum_octets_short(const std::uint8_t* from, std::size_t length) {
  std::uint64_t sum = 0;
  for (; length >= 8; from += 8, length -= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    sum = ones_add(sum, word);
  }
  return length ? ones_add(sum, load_tail(from, length)) : sum;
}

inline std::uint64_t sum_octets(const std::uint8_t* from, std::size_t length) {
  return length < kWideFrom ? sum_octets_short(from, length) : sum_octets_wide(from, length);
}

inline std::uint64_t copy_and_sum_octets(std::uint8_t* to, const std::uint8_t* from,
                                         std::size_t length) {
  if (length >= kWideFrom) return copy_and_sum_octets_wide(to, from, length);
  if (length != 0) std::memcpy(to, from, length);
  return sum_octets_short(from, length);
}

}  // namespace estab::wire
