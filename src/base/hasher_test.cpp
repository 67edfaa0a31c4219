#include "base/hasher.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

using namespace std::chrono_literals;

enum class Colour : std::uint8_t { red, green };

template <class... Ts>
std::uint64_t hash_of(const Ts&... values) {
  Hasher hasher;
  hasher.add_all(values...);
  return hasher.finish();
}

TEST(Hasher, GivesTheSameForTheSamePieces) {
  Hasher one_by_one;
  one_by_one.add(std::uint64_t{1});
  one_by_one.add(Colour::green);
  one_by_one.add(5ms);
  EXPECT_EQ(one_by_one.finish(), hash_of(std::uint64_t{1}, Colour::green, Duration(5ms)));
}

TEST(Hasher, TellsOrderNumberAndBordersApart) {
  EXPECT_NE(hash_of(1, 2), hash_of(2, 1));
  EXPECT_NE(hash_of(0), hash_of());
  EXPECT_NE(hash_of(0), hash_of(0, 0));
  EXPECT_NE(hash_of(as_octets("ab"), as_octets("c")), hash_of(as_octets("a"), as_octets("bc")));
  EXPECT_NE(hash_of(as_octets("")), hash_of());
}

TEST(Hasher, DependsOnEveryOctet) {
  std::vector<std::uint64_t> seen;
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<std::uint8_t> octets(size);
    seen.push_back(hash_of(Octets(octets)));
    for (std::uint8_t& octet : octets) {
      octet = 1;
      seen.push_back(hash_of(Octets(octets)));
      octet = 0;
    }
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(Hasher, TellsTheKindsOfPiecesApartByValue) {
  EXPECT_NE(hash_of(Colour::red), hash_of(Colour::green));
  EXPECT_NE(hash_of(true), hash_of(false));
  EXPECT_NE(hash_of(Instant(1ms)), hash_of(Instant(2ms)));
  EXPECT_NE(hash_of(std::optional<int>()), hash_of(std::optional<int>(0)));
  EXPECT_NE(hash_of(std::optional<int>(1)), hash_of(std::optional<int>(0)));
  EXPECT_NE(hash_of(IpAddress::v4(1, 2, 3, 4)), hash_of(IpAddress::v4(1, 2, 3, 5)));
  EXPECT_NE(hash_of(Endpoint{IpAddress(), 1}), hash_of(Endpoint{IpAddress(), 2}));
  EXPECT_NE(hash_of(1.5), hash_of(2.5));
  EXPECT_EQ(hash_of(0.0), hash_of(-0.0));
}

// Each bit of a small number should turn about half the bits of the hash.
TEST(Hasher, SpreadsSmallDifferences) {
  for (int bit = 0; bit < 64; ++bit) {
    int turned = 0;
    for (std::uint64_t i = 0; i < 64; ++i)
      turned += std::popcount(hash_of(i) ^ hash_of(i ^ std::uint64_t{1} << bit));
    EXPECT_GT(turned, 64 * 28) << bit;
    EXPECT_LT(turned, 64 * 36) << bit;
  }
}

}  // namespace
}  // namespace estab::base
