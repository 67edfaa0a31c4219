// The internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit
// words. Law: the sum of a whole equals the sum of its pieces in order, whatever their lengths and
// alignment; the work is done on native 64-bit words and put into network order only at the end.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

#include "estab/address.h"
#include "estab/octets.h"

#include "wire/checksum_kernel.h"

namespace estab::wire {

/// A one's complement sum in the making.
class OnesSum {
 public:
  /// Adds the next piece. After a piece of odd length the following ones stand at odd places, as
  /// if all pieces had been joined first.
  void add(Octets piece) { add_words(sum_octets(piece.data(), piece.size()), piece.size()); }

  /// Adds octets as if at an even place, wherever the pieces stand; they move no later piece. For
  /// a pseudo-header that is added when the length has become known.
  void add_aligned(Octets words) { sum_ = ones_add(sum_, sum_octets(words.data(), words.size())); }

  /// Adds a number as the word or words it would be at an even place, wherever the pieces stand.
  void add16(std::uint16_t host_order) { sum_ = ones_add(sum_, to_native(host_order)); }
  void add32(std::uint32_t host_order) { sum_ = ones_add(sum_, to_native(host_order)); }

  /// Copies the next piece to `to` while summing it; the two must not overlap. Returns the sum of
  /// this piece alone, as folded() would give it.
  std::uint16_t add_copy(std::uint8_t* to, Octets from) {
    const std::uint64_t piece = copy_and_sum_octets(to, from.data(), from.size());
    add_words(piece, from.size());
    return fold(piece);
  }

  /// The sum in host order, not inverted.
  std::uint16_t folded() const { return fold(sum_); }
  /// What belongs into a checksum field, in host order.
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  template <std::unsigned_integral T>
  static constexpr T to_native(T host_order) {
    return std::endian::native == std::endian::big ? host_order : std::byteswap(host_order);
  }
  // A sum and itself with its halves exchanged: the upper half is then the sum of both, and the
  // carry of the lower one is the carry to be added.
  static constexpr std::uint16_t fold(std::uint64_t sum) {
    const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
    return to_native(static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16));
  }
  // A shift by one octet swaps the octets of every word (RFC 1071 §2(B)).
  void add_words(std::uint64_t words, std::size_t octets) {
    sum_ = ones_add(sum_, odd_ ? std::rotl(words, 8) : words);
    odd_ ^= (octets & 1) != 0;
  }

  std::uint64_t sum_ = 0;
  bool odd_ = false;
};

/// Adds the pseudo-header of either family (RFC 9293 §3.1, RFC 8200 §8.1). `length` is that of the
/// transport header and its payload. May come before or after their octets.
///
/// An IPv4 address is added in its mapped form: the prefix ::ffff adds 0xffff, which is zero in
/// one's complement, and so both families take the same way without a branch.
inline void add_pseudo_header(OnesSum& sum, const IpAddress& source, const IpAddress& destination,
                              std::uint8_t protocol, std::uint32_t length) {
  sum.add_aligned(source.octets());
  sum.add_aligned(destination.octets());
  sum.add16(protocol);
  sum.add32(length);
}

/// The checksum of one piece.
inline std::uint16_t checksum(Octets octets) {
  OnesSum sum;
  sum.add(octets);
  return sum.checksum();
}

}  // namespace estab::wire
