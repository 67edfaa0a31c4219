// RFC 6298: what the retransmission timeout is after each sample.

#include "tcp/loss/rtt.h"

#include "base/hasher.h"
#include "tcp/testing/octets.h"

namespace estab::tcp {
namespace {

// [RFC 6298 2-1]
TEST(RttEstimator, BeginsWithOneSecond) {  // (2.1)
  const TcpConfig config;
  const RttEstimator rtt(config);
  EXPECT_EQ(rtt.rto(config), 1s);
  EXPECT_FALSE(rtt.has_sample());
}

// [RFC 6298 2-2]
TEST(RttEstimator, BeginsWithTheConfiguredTimeout) {
  const TcpConfig config{.rto_initial = 2500ms};
  EXPECT_EQ(RttEstimator(config).rto(config), 2500ms);
}

// [RFC 9293 MUST-18] [RFC 6298 2-3, 2-7, 4-1]
TEST(RttEstimator, TakesTheFirstSampleWholeAndHalfOfItAsVariation) {  // (2.2)
  const TcpConfig config;
  RttEstimator rtt(config);
  rtt.on_sample(400ms, config);
  EXPECT_EQ(rtt.srtt(), 400ms);
  EXPECT_EQ(rtt.rttvar(), 200ms);
  EXPECT_EQ(rtt.rto(config), 400ms + 4 * 200ms);
}

// [RFC 9293 MUST-18] [RFC 6298 2-4, 2-5, 2-6]
TEST(RttEstimator, SmoothsLaterSamplesByAnEighthAndAQuarter) {  // (2.3)
  const TcpConfig config;
  RttEstimator rtt(config);
  rtt.on_sample(400ms, config);
  rtt.on_sample(800ms, config);
  // The variation is taken against the old SRTT: 3/4 * 200 + 1/4 * |400 - 800|.
  EXPECT_EQ(rtt.rttvar(), 250ms);
  EXPECT_EQ(rtt.srtt(), 450ms);
  EXPECT_EQ(rtt.rto(config), 1450ms);
  rtt.on_sample(50ms, config);
  EXPECT_EQ(rtt.rttvar(), 287500us);
  EXPECT_EQ(rtt.srtt(), 400ms);
  EXPECT_EQ(rtt.rto(config), 1550ms);
}

// [RFC 6298 2-7, 4-1]
TEST(RttEstimator, ConvergesOnASteadyRoundTripWithTheMinimumAsItsMargin) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (int i = 0; i < 200; ++i) rtt.on_sample(50ms, config);
  EXPECT_EQ(rtt.srtt(), 50ms);
  EXPECT_LT(rtt.rttvar(), 1us);
  EXPECT_EQ(rtt.rto(config), 50ms + config.rto_min);
}

TEST(RttEstimator, NeverGoesBelowTheMinimum) {  // (2.4)
  const TcpConfig config{.rto_min = 1s};
  RttEstimator rtt(config);
  rtt.on_sample(0ns, config);
  EXPECT_GE(rtt.rto(config), 1s);
  EXPECT_TRUE(rtt.has_sample()) << "a round trip of nothing is a sample, too";
}

// [RFC 6298 2-9]
TEST(RttEstimator, NeverGoesAboveTheMaximum) {  // (2.5)
  const TcpConfig config{.rto_max = 60s};
  RttEstimator rtt(config);
  for (int i = 0; i < 2; ++i) rtt.on_sample(59s, config);
  EXPECT_EQ(rtt.rto(config), 60s);
}

// [RFC 6298 5-3]
TEST(RttEstimator, DoublesWithEachTimeoutUpToTheMaximum) {  // (5.5)
  const TcpConfig config;
  RttEstimator rtt(config);
  rtt.on_sample(400ms, config);
  for (const Duration expected : {2400ms, 4800ms, 9600ms, 19200ms, 38400ms, 76800ms}) {
    rtt.back_off(config);
    EXPECT_EQ(rtt.rto(config), expected);
  }
  for (int i = 0; i < 300; ++i) rtt.back_off(config);
  EXPECT_EQ(rtt.rto(config), config.rto_max);
  EXPECT_EQ(rtt.backoff(), 7);
}

TEST(RttEstimator, CollapsesToTheComputedTimeoutWithANewSample) {
  const TcpConfig config;
  RttEstimator rtt(config);
  rtt.on_sample(400ms, config);
  rtt.back_off(config);
  rtt.back_off(config);
  rtt.on_sample(400ms, config);
  EXPECT_EQ(rtt.backoff(), 0);
  EXPECT_EQ(rtt.rto(config), 400ms + 4 * 150ms);
}

// [RFC 6298 5-4]
TEST(RttEstimator, UsesThreeSecondsForDataAfterALostSyn) {  // (5.7)
  const TcpConfig config;
  RttEstimator rtt(config);
  rtt.on_syn_retransmitted(config);
  EXPECT_EQ(rtt.rto(config), 3s);
  rtt.on_sample(100ms, config);
  EXPECT_EQ(rtt.rto(config), 300ms);
}

// One round trip of a minute among many of 50 ms is a standstill.
TEST(RttEstimator, LetsOneAbsurdSampleHardlyMoreThanDoubleTheTimeout) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (int i = 0; i < 200; ++i) rtt.on_sample(50ms, config);
  rtt.on_sample(60s, config);
  EXPECT_LT(rtt.rto(config), 3 * 250ms);
  for (int i = 0; i < 20; ++i) rtt.on_sample(50ms, config);
  EXPECT_LT(rtt.rto(config), 300ms);
}

TEST(RttEstimator, BelievesASecondSampleBeyondTheTimeout) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (int i = 0; i < 200; ++i) rtt.on_sample(50ms, config);
  for (int i = 0; i < 2; ++i) rtt.on_sample(3s, config);
  EXPECT_GT(rtt.rto(config), 3s);
}

TEST(RttEstimator, DoubtsASampleBeyondTheTimeoutAnewAfterAGoodOne) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (int i = 0; i < 200; ++i) rtt.on_sample(50ms, config);
  for (const Duration sample : {Duration(60s), Duration(50ms), Duration(60s)})
    rtt.on_sample(sample, config);
  EXPECT_LT(rtt.rto(config), 2s);
}

TEST(RttEstimator, RemembersTheSmallestSample) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (const Duration sample : {70ms, 30ms, 90ms}) rtt.on_sample(sample, config);
  EXPECT_EQ(rtt.min_rtt(), 30ms);
}

// [RFC 8985 6.2-1]
TEST(RecentRtt, IsTheLeastOfAPeriod) {
  RecentRtt recent;
  const Instant start{1000s};
  EXPECT_FALSE(recent.on_round_trip(start, 60ms));
  EXPECT_FALSE(recent.on_round_trip(start + 149s, 50ms));
  EXPECT_EQ(recent.on_round_trip(start + 150s, 70ms), 50ms);
  EXPECT_FALSE(recent.on_round_trip(start + 151s, 80ms));
  EXPECT_EQ(recent.on_round_trip(start + 301s, 90ms), 80ms);
}

TEST(RttEstimator, SurvivesSamplesOfAnySize) {
  const TcpConfig config;
  RttEstimator rtt(config);
  for (const Duration sample : {Duration(24h), Duration(0), Duration(1), Duration(24h)}) {
    rtt.on_sample(sample, config);
    EXPECT_GE(rtt.rto(config), config.rto_min);
    EXPECT_LE(rtt.rto(config), config.rto_max);
  }
}

TEST(RttEstimator, IsEqualAndHashesEquallyOnlyAfterTheSameSamples) {
  const TcpConfig config;
  RttEstimator a(config), b(config);
  const auto hash = [](const RttEstimator& rtt) {
    base::Hasher hasher;
    rtt.hash_into(hasher);
    return hasher.finish();
  };
  a.on_sample(10ms, config);
  EXPECT_NE(a, b);
  EXPECT_NE(hash(a), hash(b));
  b.on_sample(10ms, config);
  EXPECT_EQ(a, b);
  EXPECT_EQ(hash(a), hash(b));
  b.back_off(config);
  EXPECT_NE(a, b);
  EXPECT_NE(hash(a), hash(b));
}

}  // namespace
}  // namespace estab::tcp
