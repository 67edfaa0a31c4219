// The inner loops of the internet checksum. Law: a sum here is a one's complement sum (modulo
// 2^64-1) of native 64-bit words, the last one padded with zero octets in memory order. Folded to
// 16 bits it is the sum of the 16-bit words in native order; it is 0 only if every octet is 0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace estab::wire {

/// Addition with end-around carry.
constexpr std::uint64_t ones_add(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum + (sum < a ? 1 : 0);
}

/// From this length on the loops out of line pay for the call.
inline constexpr std::size_t kWideFrom = 128;

/// For `length` >= kWideFrom, by the widest means the processor has.
std::uint64_t sum_octets_wide(const std::uint8_t* from, std::size_t length);
std::uint64_t copy_and_sum_octets_wide(std::uint8_t* to, const std::uint8_t* from,
                                       std::size_t length);

/// The loops without any vector instruction, for comparison.
std::uint64_t sum_octets_portable(const std::uint8_t* from, std::size_t length);
std::uint64_t copy_and_sum_octets_portable(std::uint8_t* to, const std::uint8_t* from,
                                           std::size_t length);

/// Fewer than eight octets as a word in memory order, zeros behind them. Built in a register: to
/// write them to memory and read them back as a word costs a stall.
inline std::uint64_t load_few(const std::uint8_t* from, std::size_t length) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t place = std::endian::native == std::endian::little ? i : 7 - i;
    word |= std::uint64_t{from[i]} << 8 * place;
  }
  return word;
}

/// The same for the last `length` octets, 1 to 7, before `end`, at least eight of which are there.
inline std::uint64_t load_last(const std::uint8_t* end, std::size_t length) {
  std::uint64_t word;
  std::memcpy(&word, end - 8, 8);
  const std::size_t others = 8 * (8 - length);
  return std::endian::native == std::endian::little ? word >> others : word << others;
}

inline std::uint64_t sum_octets_short(const std::uint8_t* from, std::size_t length) {
  if (length < 8) return load_few(from, length);
  std::uint64_t sum = 0;
  for (; length >= 8; from += 8, length -= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    sum = ones_add(sum, word);
  }
  return length ? ones_add(sum, load_last(from + length, length)) : sum;
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
