// NewReno, number by number: RFC 5681, RFC 3465, RFC 6928, RFC 7661.

#include "tcp/congestion/new_reno.h"

#include <gtest/gtest.h>

#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr Settings kSettings{.mss = kMss};

/// A sender in whose way stands nothing but the window.
struct Sender {
  NewReno reno{kSettings};
  testing::Acks acks;

  void ack(std::uint32_t octets) { reno.on_ack(acks.next(octets, reno.congestion_window())); }
  void lose(Cause cause, Repeat repeat = Repeat::first) {
    reno.on_congestion(
        cause, {.now = acks.now(), .in_flight = reno.congestion_window(), .repeat = repeat});
  }
};

/// In congestion avoidance, with cwnd = ssthresh = `segments` of kMss.
Sender avoiding(std::uint32_t segments) {
  Sender sender;
  while (sender.reno.congestion_window() < 2 * segments * kMss)
    sender.ack(std::min(sender.reno.congestion_window(),
                        2 * segments * kMss - sender.reno.congestion_window()));
  sender.lose(Cause::recovery);
  sender.reno.on_recovered();
  return sender;
}

// [RFC 6928 2-1]
TEST(NewReno, BeginsWithTenSegmentsButAtMost14600OctetsAndAtLeastTwoSegments) {  // RFC 6928 §2 (1)
  const auto initial = [](std::uint32_t mss) { return NewReno({.mss = mss}).congestion_window(); };
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
  EXPECT_EQ(NewReno({.mss = kMss, .initial_window_segments = 3}).congestion_window(), 3000u);
  EXPECT_EQ(NewReno({.mss = kMss, .initial_window_segments = 0}).congestion_window(), 1000u);
  EXPECT_LE(NewReno({.mss = 65483, .initial_window_segments = 65535}).congestion_window(),
            1u << 30);
}

// [RFC 5681 3.1-8]
TEST(NewReno, KnowsNoThresholdBeforeTheFirstLoss) {
  EXPECT_EQ(NewReno(kSettings).ssthresh(), kNoThreshold);
}

TEST(NewReno, GrowsInSlowStartByWhatIsAcknowledged) {
  Sender sender;
  sender.ack(kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 11000u);
  sender.ack(300);
  EXPECT_EQ(sender.reno.congestion_window(), 11300u);
  sender.ack(11300);
  EXPECT_EQ(sender.reno.congestion_window(), 22600u) << "a window acknowledged doubles it";
}

TEST(NewReno, EndsSlowStartAtTheThresholdWithoutLosingWhatIsLeftOfTheAck) {
  Sender sender = avoiding(10);
  sender.lose(Cause::timeout);
  ASSERT_EQ(sender.reno.ssthresh(), 5000u);
  sender.ack(1000);
  sender.ack(2000);
  sender.ack(4000);
  EXPECT_EQ(sender.reno.congestion_window(), 5000u) << "one to the threshold, three count on";
  sender.ack(2000);
  EXPECT_EQ(sender.reno.congestion_window(), 6000u);
}

// [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
TEST(NewReno, GrowsByOneSegmentAWindowInCongestionAvoidance) {
  Sender sender = avoiding(10);
  ASSERT_EQ(sender.reno.congestion_window(), 10000u);
  for (int i = 0; i < 9; ++i) sender.ack(kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 10000u);
  sender.ack(kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 11000u);
  for (int i = 0; i < 10; ++i) sender.ack(kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 11000u);
  sender.ack(kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 12000u);
}

// [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
TEST(NewReno, GrowsByAtMostOneSegmentForAnAckHoweverLarge) {
  Sender sender = avoiding(10);
  sender.ack(10 * kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 11000u);
  sender.ack(100 * kMss);
  EXPECT_EQ(sender.reno.congestion_window(), 12000u);
}

// [RFC 5681 3.1-8]
TEST(NewReno, HalvesWhatIsInUseOnALoss) {
  Sender sender = avoiding(20);
  sender.lose(Cause::recovery);
  EXPECT_EQ(sender.reno.ssthresh(), 10000u);
  EXPECT_EQ(sender.reno.congestion_window(), 10000u) << "no three segments added";
  sender.reno.on_recovered();
  EXPECT_EQ(sender.reno.congestion_window(), 10000u);
}

// [RFC 7661 4.4.1-3]
TEST(NewReno, HasAThresholdOfAtLeastTwoSegments) {
  Sender sender = avoiding(10);
  for (const std::uint32_t expected : {5000u, 2500u, 2000u, 2000u}) {
    sender.lose(Cause::recovery);
    EXPECT_EQ(sender.reno.ssthresh(), expected);
  }
}

TEST(NewReno, DoesNotGrowWhileLossesAreRepaired) {
  Sender sender = avoiding(20);
  sender.lose(Cause::recovery);
  AckEvent event = sender.acks.next(5000, 10000);
  event.repairing = Repairing::losses;
  for (int i = 0; i < 10; ++i) sender.reno.on_ack(event);
  EXPECT_EQ(sender.reno.congestion_window(), 10000u);
}

// [RFC 5681 3.1-8, 3.1-16, 3.1-17]
TEST(NewReno, FallsToOneSegmentOnATimeout) {  // RFC 5681 §3.1: the loss window
  Sender sender = avoiding(16);
  sender.lose(Cause::timeout);
  EXPECT_EQ(sender.reno.congestion_window(), 1000u);
  EXPECT_EQ(sender.reno.ssthresh(), 8000u);
}

// [RFC 5681 3.1-16, 3.1-17]
TEST(NewReno, KeepsTheThresholdWhenTheSameOctetsTimeOutAgain) {
  Sender sender = avoiding(16);
  sender.lose(Cause::timeout);
  sender.lose(Cause::timeout, Repeat::again);
  EXPECT_EQ(sender.reno.congestion_window(), 1000u);
  EXPECT_EQ(sender.reno.ssthresh(), 8000u);
}

TEST(NewReno, GrowsSlowlyAgainWhileATimeoutIsRepaired) {
  Sender sender = avoiding(16);
  sender.lose(Cause::timeout);
  AckEvent event = sender.acks.next(1000, 1000);
  event.repairing = Repairing::timeout;
  sender.reno.on_ack(event);
  EXPECT_EQ(sender.reno.congestion_window(), 2000u);
}

// [RFC 3168 5-2]
TEST(NewReno, AnswersAMarkLikeALossButGoesDownToOneSegment) {  // RFC 3168 §6.1.2
  Sender sender = avoiding(10);
  sender.lose(Cause::ecn);
  EXPECT_EQ(sender.reno.congestion_window(), 5000u);
  EXPECT_EQ(sender.reno.ssthresh(), 5000u);
  for (int i = 0; i < 3; ++i) sender.lose(Cause::ecn);
  EXPECT_EQ(sender.reno.congestion_window(), 1000u);
  EXPECT_EQ(sender.reno.ssthresh(), 2000u);
}

TEST(NewReno, GivesBackWhatASpuriousLossTook) {
  Sender sender = avoiding(10);
  const NewReno before = sender.reno;
  for (const Cause cause : {Cause::recovery, Cause::timeout, Cause::tail_probe}) {
    sender.lose(cause);
    EXPECT_LT(sender.reno.congestion_window(), before.congestion_window());
    sender.reno.on_spurious();
    EXPECT_EQ(sender.reno.congestion_window(), before.congestion_window());
    EXPECT_EQ(sender.reno.ssthresh(), before.ssthresh());
  }
  Sender fresh;
  fresh.lose(Cause::timeout);
  fresh.reno.on_spurious();
  EXPECT_EQ(fresh.reno.ssthresh(), kNoThreshold) << "slow start goes on";
  EXPECT_EQ(fresh.reno.congestion_window(), 10000u);
}

TEST(NewReno, GivesBackWhatTheWholeEpisodeTook) {
  Sender sender = avoiding(40);
  sender.lose(Cause::recovery);
  sender.lose(Cause::timeout);
  sender.lose(Cause::timeout, Repeat::again);
  sender.reno.on_spurious();
  EXPECT_EQ(sender.reno.congestion_window(), 40000u);
}

TEST(NewReno, GivesBackNothingOfAnEarlierEpisode) {
  Sender sender = avoiding(40);
  sender.lose(Cause::recovery);
  sender.reno.on_recovered();
  sender.lose(Cause::recovery);
  sender.reno.on_spurious();
  EXPECT_EQ(sender.reno.congestion_window(), 20000u);
  sender.reno.on_spurious();
  EXPECT_EQ(sender.reno.congestion_window(), 20000u);
}

TEST(NewReno, GivesBackNothingForAMark) {
  Sender sender = avoiding(40);
  sender.lose(Cause::ecn);
  sender.reno.on_spurious();
  EXPECT_EQ(sender.reno.congestion_window(), 20000u);
}

// [RFC 7661 4.4-1, 4.4-3, 4.4-4, 4.4-7, 4.4-8]
TEST(NewReno, DoesNotGrowInSlowStartBeyondTwiceWhatWasInFlight) {  // RFC 7661 §4.3
  Sender sender;
  sender.reno.on_ack(sender.acks.next(1000, 5000));
  EXPECT_EQ(sender.reno.congestion_window(), 10000u) << "half of the window was not in use";
  sender.reno.on_ack(sender.acks.next(1000, 5001));
  EXPECT_EQ(sender.reno.congestion_window(), 11000u);
}

TEST(NewReno, DoesNotGrowWhileSomethingElseLimits) {
  for (const Limit limit : {Limit::application, Limit::receiver}) {
    Sender sender = avoiding(10);
    sender.ack(1000);
    for (int i = 0; i < 40; ++i) {
      AckEvent event = sender.acks.next(1000, 9000);
      event.limit = limit;
      sender.reno.on_ack(event);
    }
    EXPECT_EQ(sender.reno.congestion_window(), 10000u);
  }
}

// [RFC 7661 4.2-2, 4.2-3, 4.2-4, 4.4-5, 4.4.1-1]
TEST(NewReno, ReducesWhatWasInUseNotAWindowNobodyUsed) {
  Sender sender = avoiding(100);
  for (int round = 0; round < 3; ++round) sender.reno.on_ack(sender.acks.next(1000, 10000));
  sender.reno.on_congestion(Cause::recovery, {.in_flight = 3000});
  EXPECT_EQ(sender.reno.ssthresh(), 5000u) << "10000 were in flight, 3000 of them just now";
}

// What was in flight before a loss, and while it was repaired, says nothing later.
// [RFC 7661 4.2-5, 4.4.1-4]
TEST(NewReno, MeasuresWhatIsInUseAnewAfterLossesWereRepaired) {
  Sender sender = avoiding(100);
  sender.ack(1000);
  AckEvent event = sender.acks.next(1000, 90000);
  event.repairing = Repairing::losses;
  sender.reno.on_ack(event);
  sender.reno.on_ack(sender.acks.next(1000, 10000));
  sender.reno.on_congestion(Cause::recovery, {.in_flight = 3000});
  EXPECT_EQ(sender.reno.ssthresh(), 5000u);
}

// [RFC 7661 4.4-6]
TEST(NewReno, ResumesFromATimeoutWithAWindowThatWasNotUsed) {
  Sender sender = avoiding(100);
  for (int round = 0; round < 3; ++round) sender.reno.on_ack(sender.acks.next(1000, 10000));
  sender.lose(Cause::timeout);
  EXPECT_EQ(sender.reno.congestion_window(), 1000u);
  sender.reno.on_ack(sender.acks.next(1000, 1000));
  EXPECT_EQ(sender.reno.congestion_window(), 2000u);
}

// [RFC 7661 4.4-2, 4.4.3-1, 4.4.3-2]
TEST(NewReno, HalvesAWindowThatWasNotUsedForFiveMinutes) {
  Sender sender = avoiding(100);
  const auto minute = [&sender] {
    for (int i = 0; i < 60; ++i) {
      sender.acks.pass(std::chrono::seconds(1));
      sender.reno.on_ack(sender.acks.next(1000, 10000));
    }
  };
  for (int i = 0; i < 5; ++i) minute();
  EXPECT_EQ(sender.reno.congestion_window(), 100000u);
  minute();
  EXPECT_EQ(sender.reno.congestion_window(), 50000u);
  EXPECT_EQ(sender.reno.ssthresh(), 100000u) << "as far as that it may grow quickly";
  for (int i = 0; i < 20; ++i) minute();
  EXPECT_LT(sender.reno.congestion_window(), 21000u) << "half of that is in use";
}

// [RFC 5681 4.1-1] [RFC 6928 2-4]
TEST(NewReno, RestartsAfterAPauseWithTheInitialWindow) {  // RFC 5681 §4.1
  Sender sender;
  sender.ack(10000);
  sender.ack(20000);
  sender.reno.on_restart_after_idle({.window = 10000});
  EXPECT_EQ(sender.reno.congestion_window(), 10000u);
  EXPECT_EQ(sender.reno.ssthresh(), kNoThreshold);
  sender = avoiding(40);
  sender.reno.on_restart_after_idle({.window = 10000});
  EXPECT_EQ(sender.reno.congestion_window(), 10000u);
  EXPECT_EQ(sender.reno.ssthresh(), 40000u) << "as far as that it may grow quickly";
  sender = avoiding(4);
  sender.lose(Cause::timeout);
  sender.reno.on_restart_after_idle({.window = 10000});
  EXPECT_EQ(sender.reno.congestion_window(), 1000u) << "a pause does not open the window";
}

TEST(NewReno, StaysBelowAGibioctet) {
  Sender sender;
  for (int i = 0; i < 30; ++i) sender.ack(0xffffffff);
  EXPECT_EQ(sender.reno.congestion_window(), 1u << 30);
}

TEST(NewReno, PacesTwiceTheWindowARoundTripInSlowStartAndAFifthMoreLater) {
  Sender sender;
  EXPECT_EQ(sender.reno.pacing_rate(Duration::zero()), kUnpaced);
  EXPECT_EQ(sender.reno.pacing_rate(std::chrono::milliseconds(100)), 200'000u);
  sender = avoiding(10);
  EXPECT_EQ(sender.reno.pacing_rate(std::chrono::milliseconds(100)), 120'000u);
}

TEST(NewReno, SendsPiecesOfAMillisecondAtTheRateOfItsPace) {
  Sender sender;
  EXPECT_EQ(sender.reno.send_quantum(std::chrono::milliseconds(100)), 2000u);
  EXPECT_EQ(sender.reno.send_quantum(std::chrono::milliseconds(4)), 5000u);
  EXPECT_EQ(sender.reno.send_quantum(std::chrono::microseconds(10)), 65536u);
  EXPECT_EQ(sender.reno.send_quantum(Duration::zero()), 65536u);
}

}  // namespace
}  // namespace estab::tcp::congestion
