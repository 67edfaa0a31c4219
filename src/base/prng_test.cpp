#include "base/prng.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace estab::base {
namespace {

TEST(SplitMix64, GivesThePublishedValues) {
  std::uint64_t state = 0;
  EXPECT_EQ(splitmix64(state), 0xe220a8397b1dcdafU);
  EXPECT_EQ(splitmix64(state), 0x6e789e6aa1b965f4U);
  EXPECT_EQ(splitmix64(state), 0x06c45d188009454fU);
}

TEST(Prng, GivesThePublishedValuesOfXoshiro256StarStar) {
  Prng prng = Prng::from_state({1, 2, 3, 4});
  for (std::uint64_t expected : std::initializer_list<std::uint64_t>{
           11520U, 0U, 1509978240U, 1215971899390074240U, 1216172134540287360U, 607988272756665600U,
           16172922978634559625U, 8476171486693032832U, 10595114339597558777U,
           2904607092377533576U})
    EXPECT_EQ(prng.next(), expected);
}

TEST(Prng, GivesOtherNumbersForAnotherSeed) {
  EXPECT_EQ(Prng(5).next(), Prng(5).next());
  EXPECT_NE(Prng(5).next(), Prng(6).next());
  const std::uint64_t both = Prng({1, 2}).next();
  EXPECT_NE(both, Prng({1, 3}).next());
  EXPECT_NE(both, Prng({2, 2}).next());
  EXPECT_NE(both, Prng({2, 1}).next());
}

TEST(Prng, IsAValue) {
  Prng prng(7);
  prng.next();
  Prng copy = prng;
  EXPECT_EQ(copy, prng);
  EXPECT_EQ(copy.next(), prng.next());
  copy.next();
  EXPECT_NE(copy, prng);
  EXPECT_EQ(Prng::from_state(copy.state()), copy);
}

TEST(Prng, StaysBelowItsBoundAndReachesAllOfIt) {
  Prng prng(8);
  for (std::uint64_t n : {1, 2, 3, 7, 8, 9, 100}) {
    std::vector<int> seen(n);
    for (std::uint64_t i = 0; i < n * 1000; ++i) {
      const std::uint64_t drawn = prng.below(n);
      ASSERT_LT(drawn, n);
      ++seen[drawn];
    }
    for (int times : seen) {
      EXPECT_GT(times, 800) << n;  // 1000 expected, six standard deviations
      EXPECT_LT(times, 1200) << n;
    }
  }
}

TEST(Prng, TakesTheLargestBound) {
  Prng prng(9);
  Prng same = prng;
  EXPECT_EQ(prng.below(~0ULL), same.next());
}

TEST(Prng, KeepsToAProbability) {
  Prng prng(10);
  int never = 0;
  int always = 0;
  int seldom = 0;
  for (int i = 0; i < 100000; ++i) {
    never += prng.chance(0.0);
    always += prng.chance(1.0);
    seldom += prng.chance(0.01);
  }
  EXPECT_EQ(never, 0);
  EXPECT_EQ(always, 100000);
  EXPECT_GT(seldom, 800);
  EXPECT_LT(seldom, 1200);
}

TEST(PrngDeathTest, RefusesABoundOfZeroAndTheOneBadState) {
  Prng prng(1);
  EXPECT_DEATH(prng.below(0), "");
  EXPECT_DEATH(Prng::from_state({}), "");
}

}  // namespace
}  // namespace estab::base
