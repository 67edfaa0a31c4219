// NewReno, number by number: RFC 5681, RFC 6582, RFC 6928.

#include "tcp/legacy/new_reno.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr std::uint32_t kUnknown = 0xffffffff;

/// In congestion avoidance, with cwnd = ssthresh = `segments` of kMss.
NewReno avoiding(std::uint32_t segments) {
  NewReno reno(kMss, {});
  reno.on_enter_recovery(2 * segments * kMss, kMss);
  reno.on_exit_recovery(segments * kMss, kMss);
  return reno;
}

// [RFC 6928 2-1]
TEST(NewReno, BeginsWithTenSegmentsButAtMost14600OctetsAndAtLeastTwoSegments) {  // RFC 6928 §2 (1)
  const auto initial = [](std::uint32_t mss) { return NewReno(mss, {}).cwnd(); };
  EXPECT_EQ(initial(536), 5360u);
  EXPECT_EQ(initial(1), 10u);
  EXPECT_EQ(initial(1220), 12200u);
  EXPECT_EQ(initial(1448), 14480u);
  EXPECT_EQ(initial(1460), 14600u);
  EXPECT_EQ(initial(1461), 14600u);
  EXPECT_EQ(initial(7300), 14600u);
  EXPECT_EQ(initial(7301), 14602u);
  EXPECT_EQ(initial(8948), 17896u);
  EXPECT_EQ(initial(65483), 130966u);
}

// [RFC 6928 2-1]
TEST(NewReno, TakesAnotherInitialWindowFromTheSettings) {
  EXPECT_EQ(NewReno(kMss, {.initial_window_segments = 3}).cwnd(), 3000u);
  EXPECT_EQ(NewReno(kMss, {.initial_window_segments = 0}).cwnd(), 1000u);
}

// [RFC 5681 3.1-8]
TEST(NewReno, KnowsNoThresholdBeforeTheFirstLoss) {
  EXPECT_EQ(NewReno(kMss, {}).ssthresh(), kUnknown);
}

TEST(NewReno, GrowsInSlowStartByWhatIsAcknowledged) {
  NewReno reno(kMss, {});
  reno.on_ack(kMss, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
  reno.on_ack(300, kMss);
  EXPECT_EQ(reno.cwnd(), 11300u);
  reno.on_ack(11300, kMss);
  EXPECT_EQ(reno.cwnd(), 22600u) << "a window acknowledged doubles it";
}

// [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
TEST(NewReno, GrowsByOneSegmentAWindowInCongestionAvoidance) {
  NewReno reno = avoiding(10);
  ASSERT_EQ(reno.cwnd(), 10000u);
  ASSERT_EQ(reno.ssthresh(), 10000u);
  for (int i = 0; i < 9; ++i) reno.on_ack(kMss, kMss);
  EXPECT_EQ(reno.cwnd(), 10000u);
  reno.on_ack(kMss, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
  for (int i = 0; i < 10; ++i) reno.on_ack(kMss, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
  reno.on_ack(kMss, kMss);
  EXPECT_EQ(reno.cwnd(), 12000u);
}

// [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
TEST(NewReno, CountsOctetsNotAcksInCongestionAvoidance) {  // RFC 3465: no gain by splitting ACKs
  NewReno reno = avoiding(10);
  for (int i = 0; i < 99; ++i) reno.on_ack(100, kMss);
  EXPECT_EQ(reno.cwnd(), 10000u);
  reno.on_ack(100, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
}

// [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
TEST(NewReno, GrowsByAtMostOneSegmentForAnAckHoweverLarge) {
  NewReno reno = avoiding(10);
  reno.on_ack(1000000, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
}

TEST(NewReno, LeavesSlowStartExactlyAtTheThreshold) {
  NewReno reno(kMss, {});
  reno.on_timeout(20000, kMss, Repeat::first);
  ASSERT_EQ(reno.ssthresh(), 10000u);
  reno.on_ack(8900, kMss);
  EXPECT_EQ(reno.cwnd(), 9900u);
  reno.on_ack(1000, kMss);
  EXPECT_EQ(reno.cwnd(), 10000u) << "100 octets up to the threshold, 900 count as avoidance";
  reno.on_ack(9100, kMss);
  EXPECT_EQ(reno.cwnd(), 11000u);
}

// [RFC 5681 3.1-8]
TEST(NewReno, HalvesWhatIsInFlightOnEnteringRecovery) {  // RFC 5681 §3.2 steps 2 and 3
  NewReno reno(kMss, {});
  reno.on_enter_recovery(10000, kMss);
  EXPECT_EQ(reno.ssthresh(), 5000u);
  EXPECT_EQ(reno.cwnd(), 8000u);
}

TEST(NewReno, NeverLowersTheThresholdBelowTwoSegments) {  // RFC 5681 (4)
  NewReno fast(kMss, {}), slow(kMss, {});
  fast.on_enter_recovery(3000, kMss);
  EXPECT_EQ(fast.ssthresh(), 2000u);
  slow.on_timeout(1, kMss, Repeat::first);
  EXPECT_EQ(slow.ssthresh(), 2000u);
}

// [RFC 5681 3.2-10, 3.2-12]
TEST(NewReno, InflatesByOneSegmentForEachFurtherDuplicate) {  // step 4
  NewReno reno(kMss, {});
  reno.on_enter_recovery(10000, kMss);
  reno.on_duplicate_in_recovery(kMss);
  reno.on_duplicate_in_recovery(kMss);
  EXPECT_EQ(reno.cwnd(), 10000u);
  EXPECT_EQ(reno.ssthresh(), 5000u);
}

TEST(NewReno, DeflatesByWhatAPartialAckTookAndAddsOneSegmentBack) {  // RFC 6582 §3.2
  NewReno reno(kMss, {});
  reno.on_enter_recovery(10000, kMss);
  reno.on_partial_ack(3000, kMss);
  EXPECT_EQ(reno.cwnd(), 8000u - 3000 + 1000);
}

TEST(NewReno, AddsNothingBackForAPartialAckOfLessThanASegment) {
  NewReno reno(kMss, {});
  reno.on_enter_recovery(10000, kMss);
  reno.on_partial_ack(999, kMss);
  EXPECT_EQ(reno.cwnd(), 7001u);
}

TEST(NewReno, DeflatesNoFurtherThanOneSegment) {
  NewReno reno(kMss, {});
  reno.on_enter_recovery(10000, kMss);
  reno.on_partial_ack(1000000, kMss);
  EXPECT_EQ(reno.cwnd(), 2000u) << "one, and the one added back";
}

// [RFC 5681 3.2-13, 4.3-3] [RFC 6582 6-1, 6-3]
TEST(NewReno, LeavesRecoveryWithTheThresholdButNoBurst) {  // RFC 6582 §3.2 (1)
  NewReno full(kMss, {}), drained(kMss, {}), empty(kMss, {});
  full.on_enter_recovery(10000, kMss);
  full.on_exit_recovery(9000, kMss);
  EXPECT_EQ(full.cwnd(), 5000u);
  drained.on_enter_recovery(10000, kMss);
  drained.on_exit_recovery(2500, kMss);
  EXPECT_EQ(drained.cwnd(), 3500u);
  empty.on_enter_recovery(10000, kMss);
  empty.on_exit_recovery(0, kMss);
  EXPECT_EQ(empty.cwnd(), 2000u);
}

// [RFC 5681 3.1-8, 3.1-16, 3.1-17]
TEST(NewReno, FallsToOneSegmentOnATimeout) {  // RFC 5681 §3.1: the loss window
  NewReno reno(kMss, {});
  reno.on_timeout(16000, kMss, Repeat::first);
  EXPECT_EQ(reno.cwnd(), 1000u);
  EXPECT_EQ(reno.ssthresh(), 8000u);
}

// [RFC 5681 3.1-16, 3.1-17]
TEST(NewReno, KeepsTheThresholdWhenTheSameOctetsTimeOutAgain) {
  NewReno reno(kMss, {});
  reno.on_timeout(16000, kMss, Repeat::first);
  reno.on_timeout(1000, kMss, Repeat::again);
  EXPECT_EQ(reno.cwnd(), 1000u);
  EXPECT_EQ(reno.ssthresh(), 8000u);
}

// [RFC 5681 3.1-5]
TEST(NewReno, BeginsWithOneSegmentAfterALostSyn) {  // RFC 6928 §2
  NewReno reno(kMss, {});
  reno.on_syn_lost(kMss);
  EXPECT_EQ(reno.cwnd(), 1000u);
  EXPECT_EQ(reno.ssthresh(), kUnknown);
}

// [RFC 5681 4.1-1] [RFC 6928 2-4]
TEST(NewReno, RestartsAfterAPauseWithAtMostTheInitialWindow) {  // RFC 5681 §4.1
  NewReno large(kMss, {}), small(kMss, {});
  large.on_ack(50000, kMss);
  large.on_idle(kMss, {});
  EXPECT_EQ(large.cwnd(), 10000u);
  EXPECT_EQ(large.ssthresh(), kUnknown);
  small.on_timeout(8000, kMss, Repeat::first);
  small.on_idle(kMss, {});
  EXPECT_EQ(small.cwnd(), 1000u) << "a pause does not open the window";
}

TEST(NewReno, StaysBelowAGibioctet) {
  NewReno reno(kMss, {});
  for (int i = 0; i < 10; ++i) reno.on_ack(0xffffffff, kMss);
  EXPECT_EQ(reno.cwnd(), 1u << 30);
  reno.on_duplicate_in_recovery(kMss);
  EXPECT_EQ(reno.cwnd(), 1u << 30);
}

}  // namespace
}  // namespace estab::tcp
