#include "ip/icmp_limit.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "ip/hash_of.h"

namespace estab::ip {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Instant kStart{seconds(100)};

int taken_at_once(RateLimit& limit, Instant now, int attempts) {
  int taken = 0;
  for (int i = 0; i < attempts; ++i) taken += limit.take(now) ? 1 : 0;
  return taken;
}

TEST(RateLimit, AllowsABurstThenNothing) {
  RateLimit limit(10, 5);
  EXPECT_EQ(taken_at_once(limit, kStart, 100), 5);
}

TEST(RateLimit, GivesTokensBackAtItsRate) {
  RateLimit limit(10, 5);
  taken_at_once(limit, kStart, 5);
  EXPECT_FALSE(limit.take(kStart + milliseconds(99)));
  EXPECT_TRUE(limit.take(kStart + milliseconds(100)));
  EXPECT_FALSE(limit.take(kStart + milliseconds(199)));
  EXPECT_TRUE(limit.take(kStart + milliseconds(200)));
}

TEST(RateLimit, LosesNoFractionHoweverOftenItIsAsked) {
  RateLimit limit(3, 1);  // a token takes a third of a second, which no number of ns is
  int taken = 0;
  for (int ms = 0; ms < 100'000; ++ms) taken += limit.take(kStart + milliseconds(ms)) ? 1 : 0;
  // One at once, then one whenever a third of a second is full: 3 a second.
  EXPECT_EQ(taken, 300);
}

TEST(RateLimit, NeverSavesUpMoreThanABurst) {
  RateLimit limit(1000, 5);
  taken_at_once(limit, kStart, 5);
  EXPECT_EQ(taken_at_once(limit, kStart + hours(24), 100), 5);
}

TEST(RateLimit, SurvivesTheLongestTimeAndTheHighestRate) {
  RateLimit limit(0xffffffff, 0xffffffff);
  EXPECT_TRUE(limit.take(kNever));
  EXPECT_EQ(taken_at_once(limit, kNever, 1000), 1000);
}

TEST(RateLimit, LetsACostBeLeftToChanceAndKeepsItsRate) {
  RateLimit limit(1000, 100);
  taken_at_once(limit, kStart, 100);
  std::uint32_t taken = 0;
  base::Prng prng({1, 2});
  for (int i = 0; i < 100'000; ++i) {  // ten seconds; one on average
    const auto cost = static_cast<std::uint32_t>(prng.below(3));
    taken += limit.take(kStart + i * std::chrono::microseconds(100), cost) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 10'000, 300);
}

TEST(RateLimit, GivesNothingBackAtRateZero) {
  RateLimit limit(0, 1);
  EXPECT_TRUE(limit.take(kStart));
  EXPECT_FALSE(limit.take(kStart + hours(1000)));
}

TEST(RateLimit, GivesNothingWithoutABurst) {
  RateLimit limit(1000, 0);
  EXPECT_FALSE(limit.take(kStart + seconds(10)));
}

TEST(RateLimit, IsAValue) {
  RateLimit limit(10, 5);
  RateLimit copy = limit;
  EXPECT_EQ(copy, limit);
  EXPECT_EQ(hash_of(copy), hash_of(limit));
  copy.take(kStart);
  EXPECT_NE(copy, limit);
  EXPECT_NE(hash_of(copy), hash_of(limit));
  limit.take(kStart);
  EXPECT_EQ(copy, limit);
  EXPECT_EQ(hash_of(copy), hash_of(limit));
}

}  // namespace
}  // namespace estab::ip
