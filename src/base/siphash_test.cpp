#include "base/siphash.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::base {
namespace {

// The key of the paper's appendix: octets 00 01 .. 0f.
constexpr SipKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i);
  return octets;
}

TEST(SipHash, GivesThePublishedValues) {
  EXPECT_EQ(siphash24(kKey, counting(0)), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(siphash24(kKey, counting(15)), 0xa129ca6149be45e5U);
}

TEST(SipHash, DependsOnEveryOctetTheLengthAndTheKey) {
  std::vector<std::uint64_t> seen;
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<std::uint8_t> message(size);
    seen.push_back(siphash13(kKey, message));
    for (std::uint8_t& octet : message) {
      octet = 1;
      seen.push_back(siphash13(kKey, message));
      octet = 0;
    }
  }
  seen.push_back(siphash13({kKey[0] ^ 1, kKey[1]}, counting(0)));
  seen.push_back(siphash13({kKey[0], kKey[1] ^ 1}, counting(0)));
  seen.push_back(siphash24(kKey, counting(0)));
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(SipHash, HashesWordsAsTheirOctets) {
  for (std::size_t count = 0; count < 10; ++count) {
    std::vector<std::uint64_t> words(count);
    std::vector<std::uint8_t> octets(count * 8);
    Prng prng(count);
    for (std::size_t i = 0; i < count; ++i) store_le64(&octets[8 * i], words[i] = prng.next());
    EXPECT_EQ(siphash13_words(kKey, words), siphash13(kKey, octets));
  }
}

}  // namespace
}  // namespace estab::base
