// SipHash (Aumasson and Bernstein, 2012): a 64-bit hash that nobody without the key can steer. For
// the flow table and for everything RFC 6528 and RFC 6056 ask of a keyed function.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "estab/octets.h"

#include "base/byte_order.h"

namespace estab::base {

using SipKey = std::array<std::uint64_t, 2>;

/// Takes the message word by word. A word holds eight octets, the first of them lowest.
template <int kCompressionRounds, int kFinalRounds>
class SipHash {
 public:
  explicit constexpr SipHash(const SipKey& key)
      : v0_(key[0] ^ 0x736f6d6570736575),
        v1_(key[1] ^ 0x646f72616e646f6d),
        v2_(key[0] ^ 0x6c7967656e657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  constexpr void add(std::uint64_t word) {
    v3_ ^= word;
    for (int i = 0; i < kCompressionRounds; ++i) round();
    v0_ ^= word;
  }

  /// `rest` holds the last 0 to 7 octets; `size` is that of the whole message.
  constexpr std::uint64_t finish(std::uint64_t rest, std::size_t size) {
    add(rest | static_cast<std::uint64_t>(size) << 56);
    v2_ ^= 0xff;
    for (int i = 0; i < kFinalRounds; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  constexpr void round() {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

template <class Sip>
inline std::uint64_t siphash(const SipKey& key, Octets message) {
  Sip sip(key);
  const std::size_t whole = message.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) sip.add(load_le64(&message[at]));
  std::uint64_t rest = 0;
  int shift = 0;
  for (std::uint8_t octet : message.subspan(whole)) {
    rest |= std::uint64_t{octet} << (shift & 63);
    shift += 8;
  }
  return sip.finish(rest, message.size());
}

inline std::uint64_t siphash13(const SipKey& key, Octets message) {
  return siphash<SipHash<1, 3>>(key, message);
}
inline std::uint64_t siphash24(const SipKey& key, Octets message) {
  return siphash<SipHash<2, 4>>(key, message);
}

/// The same as siphash13 of the words' octets, each word's lowest octet first.
constexpr std::uint64_t siphash13_words(const SipKey& key, std::span<const std::uint64_t> words) {
  SipHash<1, 3> sip(key);
  for (std::uint64_t word : words) sip.add(word);
  return sip.finish(0, words.size() * 8);
}

}  // namespace estab::base
