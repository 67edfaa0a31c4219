// HyStart++: RFC 9406, and where this one sees a queue sooner.

#include "tcp/congestion/hystart.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Phase = HyStart::Phase;

constexpr std::uint32_t kMss = 1000;
constexpr Settings kPaced{.mss = kMss}, kUnpaced{.mss = kMss, .paced = false};

struct Start {
  HyStart hystart;
  testing::Acks acks;
  std::uint32_t cwnd = 10 * kMss;

  Phase ack(Duration rtt, RoundTrip round = RoundTrip::goes_on, std::uint32_t octets = kMss) {
    AckEvent event = acks.next(octets, cwnd);
    event.rtt = rtt;
    const Phase phase = hystart.on_ack(event, round, cwnd, kMss);
    cwnd += hystart.growth(octets, kPaced);
    acks.pass(microseconds(100));
    return phase;
  }
  /// A window of segments is acknowledged; their RTTs grow from the one to the other.
  Phase round(Duration first, Duration last) {
    const int segments = static_cast<int>(cwnd / kMss);
    Phase phase{};
    for (int i = 0; i < segments; ++i)
      phase = ack(first + (last - first) * i / segments,
                  i + 1 == segments ? RoundTrip::ended : RoundTrip::goes_on);
    return phase;
  }
  Phase round(Duration rtt) { return round(rtt, rtt); }
};

TEST(HyStart, LetsTheWindowDoubleWhileRoundTripsStayShort) {
  Start start;
  for (int i = 0; i < 8; ++i) EXPECT_EQ(start.round(milliseconds(60)), Phase::slow_start);
  EXPECT_EQ(start.cwnd, 2560u * kMss);
}

TEST(HyStart, SlowsDownWhenARoundIsLongerByAnEighth) {
  Start start;
  start.round(milliseconds(80));
  start.round(milliseconds(80), milliseconds(90) - Duration(1));
  EXPECT_EQ(start.hystart.phase(), Phase::slow_start);
  start.round(milliseconds(80));
  const std::uint32_t before = start.cwnd;
  EXPECT_EQ(start.round(milliseconds(90)), Phase::conservative);
  EXPECT_LT(start.cwnd, before + before / 2);
}

TEST(HyStart, TakesAThresholdOf4To16Milliseconds) {
  const auto slows = [](Duration base, Duration rtt) {
    Start start;
    start.round(base);
    return start.round(rtt) == Phase::conservative;
  };
  EXPECT_FALSE(slows(milliseconds(8), milliseconds(12) - Duration(1)));
  EXPECT_TRUE(slows(milliseconds(8), milliseconds(12)));
  EXPECT_FALSE(slows(milliseconds(400), milliseconds(416) - Duration(1)));
  EXPECT_TRUE(slows(milliseconds(400), milliseconds(416)));
}

TEST(HyStart, WantsEightSamples) {
  Start start;
  start.round(milliseconds(60));
  for (int i = 0; i < 8; ++i) start.ack(milliseconds(100));
  EXPECT_EQ(start.hystart.phase(), Phase::slow_start) << "the eighth has just begun to count";
  start.ack(milliseconds(100));
  EXPECT_EQ(start.hystart.phase(), Phase::conservative);
}

TEST(HyStart, IsNotMisledByOneShortOrManyLongSamples) {
  Start start;
  base::Prng prng(7);
  for (int round = 0; round < 7; ++round) {
    const int segments = static_cast<int>(start.cwnd / kMss);
    for (int i = 0; i < segments; ++i) {
      const Duration late = i % 4 == 0 ? Duration{} : milliseconds(prng.below(40));
      ASSERT_EQ(start.ack(milliseconds(60) + late,
                          i + 1 == segments ? RoundTrip::ended : RoundTrip::goes_on),
                Phase::slow_start);
    }
  }
}

TEST(HyStart, SeesTheQueueOfTheFlightThatBuildsIt) {
  Start start;
  for (int i = 0; i < 4; ++i) start.round(milliseconds(60));
  EXPECT_EQ(start.round(milliseconds(60), milliseconds(90)), Phase::conservative)
      << "the least RTT of the whole round is 60 ms still";
}

// [RFC 9406 4.3-3]
TEST(HyStart, GrowsByAQuarterInConservativeSlowStart) {
  Start start;
  start.round(milliseconds(60));
  start.round(milliseconds(80));
  ASSERT_EQ(start.hystart.phase(), Phase::conservative);
  EXPECT_EQ(start.hystart.growth(4000, kPaced), 1000u);
}

TEST(HyStart, ReturnsToSlowStartWhenARoundIsShortAgain) {
  Start start;
  start.round(milliseconds(60));
  start.round(milliseconds(80));
  ASSERT_EQ(start.hystart.phase(), Phase::conservative);
  EXPECT_EQ(start.round(milliseconds(61)), Phase::slow_start);
  EXPECT_EQ(start.hystart.growth(4000, kPaced), 4000u);
}

TEST(HyStart, EndsWhenAnotherRoundConfirmsTheQueue) {
  Start start;
  start.round(milliseconds(60));
  start.round(milliseconds(80));
  EXPECT_EQ(start.round(milliseconds(82)), Phase::done);
}

TEST(HyStart, CountsSegmentsWhereAcksAreFew) {
  Start start;
  const auto bundled = [&](Duration rtt) {  // three ACKs a round trip
    const std::uint32_t third = start.cwnd / 3;
    start.ack(rtt, RoundTrip::goes_on, third);
    start.ack(rtt, RoundTrip::goes_on, third);
    return start.ack(rtt, RoundTrip::ended, third);
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(bundled(milliseconds(60)), Phase::slow_start);
  EXPECT_EQ(bundled(milliseconds(80)), Phase::conservative);
  EXPECT_EQ(bundled(milliseconds(90)), Phase::done);
}

TEST(HyStart, TakesAcksOfOneInstantForOneSample) {
  Start start;
  const auto held = [&] {  // ACKs leave at multiples of 20 ms, the last of each bundle at once
    for (int bundle = 0; bundle < 3; ++bundle) {
      const int segments = static_cast<int>(start.cwnd / kMss / 3);
      for (int i = 0; i < segments; ++i) {
        AckEvent event = start.acks.next(kMss, start.cwnd);
        event.rtt = milliseconds(60) + milliseconds(20) * (segments - 1 - i) / segments;
        const bool last = bundle == 2 && i + 1 == segments;
        start.hystart.on_ack(event, last ? RoundTrip::ended : RoundTrip::goes_on, start.cwnd, kMss);
      }
      start.acks.pass(milliseconds(20));
    }
    start.cwnd *= 2;
  };
  for (int round = 0; round < 7; ++round) held();
  EXPECT_EQ(start.hystart.phase(), Phase::slow_start);
}

// [RFC 9406 4.3-4]
TEST(HyStart, LimitsAnUnpacedAckToEightSegments) {  // RFC 9406 §4.3: L
  HyStart hystart;
  EXPECT_EQ(hystart.growth(50'000, kUnpaced), 8000u);
  EXPECT_EQ(hystart.growth(50'000, kPaced), 50'000u);
}

}  // namespace
}  // namespace estab::tcp::congestion
