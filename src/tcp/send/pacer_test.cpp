#include "tcp/send/pacer.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};
Instant at(int ms) {
  return Instant(std::chrono::seconds(5) + milliseconds(ms));
}

TEST(Pacer, SpacesPiecesByTheRate) {
  Pacer pacer;
  EXPECT_TRUE(pacer.may_send(at(0)));
  pacer.on_sent(at(0), 10'000, 1'000'000);  // 10 ms
  EXPECT_FALSE(pacer.may_send(at(0)));
  EXPECT_EQ(pacer.next(), at(9)) << "a millisecond was saved up";
  EXPECT_FALSE(pacer.may_send(at(7)));
  EXPECT_TRUE(pacer.may_send(at(8))) << "less than a millisecond is not waited for";
  pacer.on_sent(at(8), 10'000, 1'000'000);
  EXPECT_EQ(pacer.next(), at(19));
}

TEST(Pacer, KeepsTheRateAlthoughPiecesAreSmallAndTimersLate) {
  Pacer pacer;
  std::uint64_t sent = 0;
  for (Instant now = at(0); now < at(1000);) {
    while (pacer.may_send(now)) {
      pacer.on_sent(now, 1000, 10'000'000);
      sent += 1000;
    }
    ASSERT_GT(pacer.next(), now + Pacer::kGrain);
    now = pacer.next() + microseconds(700);  // late
  }
  EXPECT_NEAR(static_cast<double>(sent), 10e6, 50e3);
}

TEST(Pacer, DoesNotMakeUpForAPause) {
  Pacer pacer;
  pacer.on_sent(at(0), 1000, 1'000'000);
  int sent = 0;
  for (; pacer.may_send(at(5000)); ++sent) pacer.on_sent(at(5000), 1000, 1'000'000);
  EXPECT_EQ(sent, 3) << "a millisecond saved up, a millisecond ahead, and one";
}

TEST(Pacer, NeverHoldsUpAnUnlimitedRate) {
  Pacer pacer;
  for (int i = 0; i < 100000; ++i) {
    ASSERT_TRUE(pacer.may_send(at(0)));
    pacer.on_sent(at(0), 65536, kUnlimited);
  }
}

TEST(Pacer, LetsOutABurstThatIsAllowed) {
  Pacer pacer;
  pacer.allow_burst(10'000);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pacer.may_send(at(0)));
    EXPECT_LT(pacer.next(), at(0));
    pacer.on_sent(at(0), 1000, 100'000);  // 10 ms each
  }
  pacer.on_sent(at(0), 1000, 100'000);
  EXPECT_FALSE(pacer.may_send(at(0)));
  EXPECT_EQ(pacer.next(), at(10));
  pacer.allow_burst(1);
  pacer.end_burst();
  EXPECT_FALSE(pacer.may_send(at(0)));
}

TEST(Pacer, HashesAPastDepartureAsNone) {
  const auto hash = [](const Pacer& pacer, Instant now) {
    base::Hasher hasher = base::Hasher::of_future(now);
    pacer.hash_into(hasher);
    return hasher.finish();
  };
  Pacer early, late;
  early.on_sent(at(0), 1000, 1'000'000);
  late.on_sent(at(100), 1000, 1'000'000);
  EXPECT_EQ(hash(early, at(500)), hash(late, at(500)));
  EXPECT_NE(hash(early, at(100)), hash(late, at(100)));
}

}  // namespace
}  // namespace estab::tcp
