// CUBIC, number by number: RFC 9438, its tables of average windows, and a period measured of Linux.

#include "tcp/congestion/cubic.h"

#include <gtest/gtest.h>

#include "tcp/congestion/cube.h"
#include "tcp/congestion/new_reno.h"
#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMss = 1000;

/// A sender in whose way stands nothing but the window, on a path of 60 ms.
struct Sender {
  explicit Sender(std::uint16_t segments = 10)
      : cubic({.mss = kMss, .initial_window_segments = segments}) {}

  std::uint32_t cwnd() const { return cubic.congestion_window() / kMss; }
  /// A window of octets is acknowledged, segment by segment, within a round trip.
  void round_trip(Duration rtt = testing::kRtt) {
    const std::uint32_t segments = std::max(cwnd(), 1u);
    for (std::uint32_t i = 0; i < segments; ++i) {
      acks.pass(rtt / segments);
      ack(kMss);
    }
  }
  void run(Duration time) {
    for (const Instant end = acks.now() + time; acks.now() < end;) round_trip();
  }
  void ack(std::uint32_t octets) {
    cubic.on_ack(acks.next(octets, std::max(cubic.congestion_window(), kMss)));
  }
  void lose(Cause cause, Repeat repeat = Repeat::first) {
    cubic.on_congestion(
        cause, {.now = acks.now(), .in_flight = cubic.congestion_window(), .repeat = repeat});
  }

  Cubic cubic;
  testing::Acks acks;
};

/// In congestion avoidance behind a loss at this window.
Sender after_loss_at(std::uint16_t segments) {
  Sender sender(segments);
  sender.lose(Cause::recovery);
  sender.cubic.on_recovered();
  return sender;
}

double in_seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

TEST(CubeRoot, IsTheGreatestWholeOne) {
  EXPECT_EQ(cube_root(0), 0u);
  for (const std::uint64_t root : {1ull, 2ull, 3ull, 1000ull, 123456ull, 2642245ull}) {
    const std::uint64_t cube = root * root * root;
    EXPECT_EQ(cube_root(cube - 1), root - 1);
    EXPECT_EQ(cube_root(cube), root);
    EXPECT_EQ(cube_root(cube + 1), root);
  }
  EXPECT_EQ(cube_root(~0ull), 2642245u);
}

// [RFC 9438 4.6-1, 4.6-2]
TEST(Cubic, ReducesBySevenTenths) {  // §4.6
  Sender sender = after_loss_at(100);
  EXPECT_EQ(sender.cubic.congestion_window(), 70'000u);
  EXPECT_EQ(sender.cubic.ssthresh(), 70'000u);
  EXPECT_EQ(sender.cubic.w_max(), 100'000u);
}

// [RFC 9438 4.6-5]
TEST(Cubic, KeepsTwoSegmentsAfterALossAndOneAfterAMark) {  // §4.6
  Sender sender = after_loss_at(2);
  EXPECT_EQ(sender.cubic.congestion_window(), 2000u);
  sender.lose(Cause::ecn);
  EXPECT_EQ(sender.cubic.congestion_window(), 1400u);
  sender.lose(Cause::ecn);
  EXPECT_EQ(sender.cubic.congestion_window(), 1000u);
  EXPECT_EQ(sender.cubic.ssthresh(), 2000u);
}

// [RFC 9438 5.1-1, 5.1-2]
TEST(Cubic, TakesKForTheWayBackToWMax) {  // §4.2
  Sender sender = after_loss_at(401);
  // Linux had 279 where 0.7 gives 280.7: K = cbrt((401 - 280.7) / 0.4).
  sender.round_trip();
  EXPECT_NEAR(in_seconds(sender.cubic.k()), 6.70, 0.01);
}

// Linux 6.18, 50 Mbit/s and 60 ms, one loss at 401 segments: 90 % of W_max after 2.2 s, 95 % after
// 3.2 s, 399 after 6 to 8 s, 401 itself after 8.5 s and 433 after 11.1 s.
// [RFC 9438 4.4-1, 4.5-1]
TEST(Cubic, GrowsAsLinuxDoesAfterALossAt401Segments) {
  Sender sender = after_loss_at(401);
  const Instant from = sender.acks.now();
  const auto at = [&](double time) {
    sender.run(from + Duration(static_cast<std::int64_t>(time * 1e9)) - sender.acks.now());
    return sender.cwnd();
  };
  EXPECT_NEAR(at(2.2), 361, 4);
  EXPECT_NEAR(at(3.2), 381, 4);
  EXPECT_NEAR(at(6.0), 399, 2);
  EXPECT_NEAR(at(8.5), 402, 2);
  EXPECT_NEAR(at(11.1), 433, 4);
}

// [RFC 9438 4.3-1, 4.3-2]
TEST(Cubic, IsNoSlowerThanRenoWhereWindowsAreSmall) {  // §4.3
  Sender sender = after_loss_at(20);
  ASSERT_EQ(sender.cwnd(), 14u);
  // 9/17 of a segment a round trip, up to the window before the loss...
  for (int round = 0; round < 11; ++round) sender.round_trip();
  EXPECT_NEAR(sender.cubic.w_est(), 14'000 + 11 * 529, 300);
  // ... then a whole one.
  sender.round_trip();
  const std::uint32_t before = sender.cubic.w_est();
  ASSERT_GE(before, 20'000u);
  for (int round = 0; round < 10; ++round) sender.round_trip();
  EXPECT_NEAR(sender.cubic.w_est() - before, 10'000, 400);
  EXPECT_EQ(sender.cubic.congestion_window(), sender.cubic.w_est());
}

TEST(Cubic, GrowsByAtMostHalfAWindowARoundTrip) {  // §4.2
  Sender sender = after_loss_at(10'000);
  ASSERT_EQ(sender.cwnd(), 7000u);
  sender.round_trip(seconds(60));
  EXPECT_LE(sender.cwnd(), 7000u * 1.66) << "cwnd/2 a window, compounded";
}

// [RFC 9438 4.7-1]
TEST(Cubic, RemembersLessThanItHadWhenThePathIsFullEarlier) {  // §4.7
  Sender sender = after_loss_at(100);
  sender.lose(Cause::recovery);
  EXPECT_EQ(sender.cubic.w_max(), 59'500u) << "0.85 of 70";
  sender.cubic.on_recovered();
  sender.run(seconds(30));
  ASSERT_GT(sender.cwnd(), 60u);
  const std::uint32_t cwnd = sender.cubic.congestion_window();
  sender.lose(Cause::recovery);
  EXPECT_EQ(sender.cubic.w_max(), cwnd);
}

// [RFC 9438 4.8-1, 4.10-1] [RFC 9406 4.3-5]
TEST(Cubic, BeginsTheCurveWhereSlowStartEndsAfterATimeout) {  // §4.8
  Sender sender = after_loss_at(100);
  sender.lose(Cause::timeout);
  EXPECT_EQ(sender.cwnd(), 1u);
  EXPECT_EQ(sender.cubic.ssthresh(), 49'000u);
  while (sender.cubic.congestion_window() < 49'000) sender.ack(kMss);
  sender.ack(kMss);
  EXPECT_EQ(sender.cubic.k(), Duration::zero());
  EXPECT_EQ(sender.cubic.w_max(), 49'000u);
  EXPECT_NEAR(sender.cubic.w_est(), 49'000, 20) << "one ACK later";
}

TEST(Cubic, KeepsTheThresholdWhenTheSameOctetsTimeOutAgain) {
  Sender sender = after_loss_at(100);
  sender.lose(Cause::timeout);
  sender.lose(Cause::timeout, Repeat::again);
  EXPECT_EQ(sender.cubic.ssthresh(), 49'000u);
}

// [RFC 9438 4.2-1]
TEST(Cubic, LeavesOutOfTTheTimeInWhichSomethingElseLimits) {  // §4.2, §5.8
  Sender busy = after_loss_at(400), limited = after_loss_at(400);
  busy.run(seconds(2));
  limited.run(seconds(1));
  for (int i = 0; i < 100; ++i) {
    limited.acks.pass(seconds(1));
    AckEvent event = limited.acks.next(kMss, 100 * kMss);
    event.limit = Limit::application;
    limited.cubic.on_ack(event);
  }
  limited.run(seconds(1));
  EXPECT_NEAR(limited.cwnd(), busy.cwnd(), 1);
}

// [RFC 9438 4.2-1]
TEST(Cubic, LeavesOutOfTThePausesWithNothingInFlight) {
  Sender busy = after_loss_at(400), pausing = after_loss_at(400);
  busy.run(seconds(2));
  pausing.run(seconds(1));
  pausing.acks.pass(seconds(100));
  pausing.cubic.on_sent({.now = pausing.acks.now(), .octets = kMss});
  pausing.run(seconds(1));
  EXPECT_NEAR(pausing.cwnd(), busy.cwnd(), 1);
}

// [RFC 9438 4.9.1-2, 4.9.2-2, 4.9.2-3]
TEST(Cubic, GivesBackWMaxAndThePlaceOnTheCurveAfterASpuriousLoss) {  // §4.9
  for (const Cause cause : {Cause::recovery, Cause::timeout, Cause::tail_probe}) {
    Sender sender = after_loss_at(400), undisturbed = after_loss_at(400);
    sender.run(seconds(3));
    undisturbed.run(seconds(3));
    sender.lose(cause);
    sender.acks.pass(seconds(1));
    sender.cubic.on_spurious();
    EXPECT_EQ(sender.cubic.congestion_window(), undisturbed.cubic.congestion_window());
    EXPECT_EQ(sender.cubic.ssthresh(), undisturbed.cubic.ssthresh());
    EXPECT_EQ(sender.cubic.w_max(), undisturbed.cubic.w_max());
    sender.run(seconds(3));
    undisturbed.run(seconds(3));
    EXPECT_NEAR(sender.cwnd(), undisturbed.cwnd(), 1) << "no growth without end behind it";
  }
}

// [RFC 9438 4.9.2-4]
TEST(Cubic, KeepsWhatItHasFoundWhenASpuriousLossIsProvedLate) {
  Sender sender(100);
  sender.lose(Cause::recovery);
  sender.run(seconds(20));
  ASSERT_GT(sender.cwnd(), 100u);
  const Cubic before = sender.cubic;
  sender.cubic.on_spurious();
  EXPECT_EQ(sender.cubic.congestion_window(), before.congestion_window());
  EXPECT_EQ(sender.cubic.ssthresh(), before.ssthresh());
  EXPECT_EQ(sender.cubic.w_max(), before.w_max());
}

// HyStart++ in the first slow start.
// [RFC 9438 4.10-1, 4.10-2] [RFC 9406 4.3-5]
TEST(Cubic, LeavesTheFirstSlowStartWhenRoundTripsGrowLonger) {
  Sender sender;
  const auto round = [&sender](Duration rtt) {
    for (std::uint32_t left = sender.cwnd(), all = left; left > 0; --left) {
      sender.acks.pass(rtt / all);
      AckEvent event = sender.acks.next(kMss, sender.cubic.congestion_window());
      event.rtt = rtt;
      // All of a window was sent as the round began.
      event.rate.has_data = left == 1;
      sender.cubic.on_ack(event);
    }
  };
  for (int i = 0; i < 3; ++i) round(milliseconds(60));
  EXPECT_EQ(sender.cwnd(), 80u);
  EXPECT_EQ(sender.cubic.ssthresh(), kNoThreshold);
  for (int i = 0; i < 3; ++i) round(milliseconds(80));
  EXPECT_NE(sender.cubic.ssthresh(), kNoThreshold);
  EXPECT_LT(sender.cwnd(), 200u);
}

// RFC 7661 in place of FlightSize: a window that is not used neither grows nor counts.
// [RFC 9438 4.6-3]
TEST(Cubic, ReducesWhatWasInUseAndLetsNothingGrowThatWasNot) {
  Sender sender = after_loss_at(200);
  ASSERT_EQ(sender.cwnd(), 140u);
  for (int i = 0; i < 5; ++i) {
    sender.acks.pass(seconds(10));
    sender.cubic.on_ack(sender.acks.next(kMss, 40 * kMss));
  }
  EXPECT_EQ(sender.cwnd(), 140u);
  sender.cubic.on_congestion(Cause::recovery, {.now = sender.acks.now(), .in_flight = kMss});
  EXPECT_EQ(sender.cubic.ssthresh(), 28'000u);
}

// [RFC 7661 4.4-2, 4.4.3-1, 4.4.3-2]
TEST(Cubic, HalvesAWindowThatWasNotUsedForFiveMinutes) {
  Sender sender;
  while (sender.cwnd() < 320) sender.round_trip();
  sender.lose(Cause::recovery);
  sender.cubic.on_recovered();
  const std::uint32_t before = sender.cubic.congestion_window();
  const auto second = [&sender] {
    sender.acks.pass(seconds(1));
    sender.cubic.on_ack(sender.acks.next(kMss, 20 * kMss));
  };
  for (int i = 0; i < 300; ++i) second();
  EXPECT_NEAR(sender.cubic.congestion_window(), before, 100);
  for (int i = 0; i < 10; ++i) second();
  EXPECT_NEAR(sender.cubic.congestion_window(), before / 2, 100);
  EXPECT_EQ(sender.cubic.ssthresh(), before);
}

TEST(Cubic, GoesOnWithSlowStartAfterASpuriousTimeoutInIt) {
  Sender sender;
  sender.round_trip();
  sender.lose(Cause::timeout);
  sender.cubic.on_spurious();
  EXPECT_EQ(sender.cubic.ssthresh(), kNoThreshold);
  EXPECT_EQ(sender.cwnd(), 20u);
}

TEST(Cubic, GivesNothingBackForAMark) {
  Sender sender = after_loss_at(100);
  sender.lose(Cause::ecn);
  sender.cubic.on_spurious();
  EXPECT_EQ(sender.cwnd(), 49u);
}

TEST(Cubic, ReturnsQuicklyToItsCurveAfterAPause) {
  Sender sender;
  while (sender.cwnd() < 640) sender.round_trip();
  sender.lose(Cause::recovery);
  sender.cubic.on_recovered();
  sender.run(seconds(5));
  const std::uint32_t before = sender.cwnd();
  sender.cubic.on_restart_after_idle({.window = 10000});
  EXPECT_EQ(sender.cwnd(), 10u);
  EXPECT_GE(sender.cubic.ssthresh(), before * (kMss / 4 * 3)) << "quickly as far as was in use";
  sender.acks.pass(seconds(60));
  sender.cubic.on_sent({.now = sender.acks.now(), .octets = kMss});
  for (int round = 0; round < 8; ++round) sender.round_trip();
  EXPECT_NEAR(sender.cwnd(), before, before / 40);
}

TEST(Cubic, StaysBelowAGibioctet) {
  Sender sender = after_loss_at(65535);
  for (int i = 0; i < 300; ++i) {
    sender.acks.pass(seconds(10));
    sender.ack(1u << 30);
  }
  EXPECT_EQ(sender.cubic.congestion_window(), 1u << 30);
}

// ---- the average windows of RFC 9438 §5.1

/// Segments: with one loss in `period` of them, over the second half of 30 losses.
template <class Algorithm>
double average_window(std::uint64_t period, Duration rtt) {
  Algorithm algorithm({.mss = kMss});
  testing::Acks acks;
  double sum = 0;
  int rounds = 0;
  std::uint64_t sent = 0;
  for (int losses = 0; losses < 30;) {
    const std::uint32_t window = std::max(algorithm.congestion_window() / kMss, 1u);
    bool lost = false;
    for (std::uint32_t i = 0; i < window && !lost; ++i) {
      acks.pass(rtt / window);
      AckEvent event = acks.next(kMss, window * kMss);
      event.rtt = event.srtt = event.min_rtt = rtt;
      algorithm.on_ack(event);
      lost = ++sent % period == 0;
    }
    if (lost) {
      algorithm.on_congestion(Cause::recovery, {.now = acks.now(), .in_flight = window * kMss});
      algorithm.on_recovered();
      ++losses;
    }
    if (losses < 15) continue;
    sum += window;
    ++rounds;
  }
  return sum / rounds;
}

TEST(Cubic, HasTheAverageWindowsOfTheRfcsTables) {
  struct Row {
    Duration rtt;
    std::uint64_t period;
    double reno, cubic;
  };
  const Row rows[] = {
      {milliseconds(100), 100, 12, 12},      {milliseconds(100), 1000, 38, 38},
      {milliseconds(100), 10'000, 120, 187}, {milliseconds(100), 100'000, 379, 1054},
      {milliseconds(10), 100, 12, 12},       {milliseconds(10), 1000, 38, 38},
      {milliseconds(10), 10'000, 120, 120},  {milliseconds(10), 100'000, 379, 379},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.period);
    EXPECT_NEAR(average_window<NewReno>(row.period, row.rtt) / row.reno, 1, 0.05);
    EXPECT_NEAR(average_window<Cubic>(row.period, row.rtt) / row.cubic, 1, 0.10);
  }
}

}  // namespace
}  // namespace estab::tcp::congestion
