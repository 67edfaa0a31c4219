// BBR, step by step: draft-ietf-ccwg-bbr, and where this one departs from it.

#include "tcp/congestion/bbr.h"

#include <set>

#include <gtest/gtest.h>

#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Bbr::State;

constexpr std::uint32_t kMss = 1000;
constexpr Duration kRtt = testing::kRtt;

/// BBR on a path of 60 ms that delivers as much a second as it is told.
struct Path {
  explicit Path(std::uint32_t seed = 1) : bbr({.mss = kMss, .seed = seed}) {}

  Bbr bbr;
  testing::Acks acks;
  std::uint64_t bandwidth = 1'000'000;  // octets a second; a BDP of 60,000
  Duration rtt = kRtt;
  std::uint32_t in_flight = 60'000;
  Limit limit = Limit::pacing;
  bool app_limited = false;

  AckEvent event(std::uint32_t octets) {
    AckEvent event = acks.next(octets, in_flight);
    event.rtt = event.srtt = event.min_rtt = rtt;
    event.in_flight = in_flight;
    event.limit = limit;
    event.rate.rate = bandwidth;
    event.rate.delivered = in_flight;
    event.rate.tx_in_flight = in_flight;
    event.rate.app_limited = app_limited;
    return event;
  }
  /// A round trip with one ACK for all of it.
  void round(std::uint32_t lost = 0) {
    acks.pass(rtt);
    AckEvent now = event(in_flight);
    now.lost = lost;
    now.rate.lost = lost;
    if (lost > 0) {
      bbr.on_lost({.now = acks.now(),
                   .octets = lost,
                   .tx_in_flight = in_flight,
                   .lost = lost,
                   .app_limited = app_limited,
                   .total_delivered = acks.delivered()});
    }
    bbr.on_ack(now);
  }
  void run_until(State state, int most_rounds = 400) {
    for (int i = 0; i < most_rounds && bbr.state() != state; ++i) round();
    ASSERT_EQ(bbr.state(), state);
  }
};

TEST(Bbr, BeginsWithTheInitialWindowAtTwoPointSevenSevenTimesItsRate) {  // §5.6.2
  const Bbr bbr({.mss = kMss});
  EXPECT_EQ(bbr.state(), State::startup);
  EXPECT_EQ(bbr.congestion_window(), 10'000u);
  EXPECT_EQ(bbr.pacing_rate(milliseconds(100)), 277'000u);
  EXPECT_EQ(bbr.pacing_rate(Duration::zero()), 27'700'000u) << "a millisecond for an unknown RTT";
  EXPECT_EQ(bbr.send_quantum(milliseconds(100)), 2000u);
  EXPECT_EQ(bbr.ssthresh(), kNoThreshold);
}

TEST(Bbr, PacesOnePercentBelowItsGain) {
  Path path;
  path.bandwidth = 5'000'000;
  path.round();
  EXPECT_EQ(path.bbr.bw(), 5'000'000u);
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 5'000'000u * 277 / 100 * 99 / 100);
}

TEST(Bbr, LeavesStartupAfterThreeRoundsWithoutAQuarterMore) {  // §5.3.1.2
  Path path;
  for (int i = 0; i < 6; ++i) {
    path.round();
    path.bandwidth += path.bandwidth / 4 + 4;
  }
  EXPECT_EQ(path.bbr.state(), State::startup);
  path.bandwidth = path.bbr.max_bw();
  path.in_flight = static_cast<std::uint32_t>(path.bandwidth * 2 * 60 / 1000);
  path.round();
  path.round();
  EXPECT_FALSE(path.bbr.full_bw_reached());
  path.round();
  EXPECT_TRUE(path.bbr.full_bw_reached());
  EXPECT_EQ(path.bbr.state(), State::drain);
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), path.bandwidth * 50 / 100 * 99 / 100);
}

TEST(Bbr, StaysInStartupWhileTheApplicationLimits) {
  Path path;
  path.app_limited = true;
  for (int i = 0; i < 20; ++i) path.round();
  EXPECT_EQ(path.bbr.state(), State::startup);
}

TEST(Bbr, DrainsUntilABdpIsInFlight) {  // §5.3.2
  Path path;
  path.in_flight = 100'000;
  path.run_until(State::drain);
  path.round();
  EXPECT_EQ(path.bbr.state(), State::drain);
  path.in_flight = 60'000;
  path.round();
  EXPECT_EQ(path.bbr.state(), State::probe_bw_cruise)
      << "through DOWN, where nothing is left to do";
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 990'000u);
}

TEST(Bbr, DrainsForThreeRoundsAtMost) {
  Path path;
  path.in_flight = 100'000;
  path.run_until(State::drain);
  for (int i = 0; i < 4; ++i) path.round();
  EXPECT_EQ(path.bbr.state(), State::probe_bw_down);
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 1'000'000u * 90 / 100 * 99 / 100);
}

TEST(Bbr, CyclesThroughProbing) {  // §5.3.3
  Path path;
  path.run_until(State::probe_bw_cruise);
  path.run_until(State::probe_bw_refill);
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 990'000u);
  path.run_until(State::probe_bw_up);
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 1'000'000u * 125 / 100 * 99 / 100);
  path.in_flight = 75'000;
  path.run_until(State::probe_bw_down);
  path.in_flight = 60'000;
  path.run_until(State::probe_bw_cruise, 1);
}

TEST(Bbr, WaitsTwoToThreeSecondsBetweenProbesAsTheSeedSays) {  // §5.3.3.8
  const auto wait = [](std::uint32_t seed) {
    Path path(seed);
    path.bandwidth = 10'000'000;  // so large that Reno would take longer
    path.in_flight = 600'000;
    path.run_until(State::probe_bw_cruise);
    const Instant from = path.acks.now();
    path.run_until(State::probe_bw_refill);
    return path.acks.now() - from;
  };
  std::set<Duration> waits;
  for (std::uint32_t seed = 1; seed < 30; ++seed) {
    waits.insert(wait(seed));
    EXPECT_GT(*waits.rbegin(), seconds(2) - 3 * kRtt);
    EXPECT_LT(*waits.rbegin(), seconds(3) + 3 * kRtt);
  }
  EXPECT_GT(waits.size(), 5u);
  EXPECT_EQ(wait(5), wait(5));
}

TEST(Bbr, ProbesAsOftenAsRenoWouldReduceOnASmallPath) {
  Path path;
  path.bandwidth = 200'000;  // a BDP of 12 segments
  path.in_flight = 12'000;
  path.run_until(State::probe_bw_cruise);
  const Instant from = path.acks.now();
  path.run_until(State::probe_bw_refill);
  EXPECT_LE(path.acks.now() - from, 14 * kRtt);
}

TEST(Bbr, BoundsInFlightWhereProbingLosesMoreThanTwoPercent) {  // §5.5.10.2
  Path path;
  path.run_until(State::probe_bw_up);
  path.in_flight = 70'000;
  path.round(1000);
  EXPECT_EQ(path.bbr.state(), State::probe_bw_up) << "1.4 %";
  path.rtt = milliseconds(70);
  path.round(2000);
  EXPECT_EQ(path.bbr.state(), State::probe_bw_down);
  // InflightAtLoss: 68000 before this packet, and (68000 / 50 - 0) / 0.98 of it.
  EXPECT_EQ(path.bbr.inflight_longterm(), 68'000u + 68'000 / 49);
  path.round();
  EXPECT_LE(path.bbr.congestion_window(), path.bbr.inflight_longterm());
}

TEST(Bbr, SlowsDownToWhatIsDeliveredWhenAQueueLoses) {  // §5.5.10.3
  Path path;
  path.run_until(State::probe_bw_cruise);
  path.rtt = milliseconds(80);
  path.bandwidth = 900'000;
  for (int i = 0; i < 4; ++i) path.round(1000);
  EXPECT_EQ(path.bbr.bw(), 900'000u);
  EXPECT_EQ(path.bbr.max_bw(), 1'000'000u);
  path.bandwidth = 100'000;
  for (int i = 0; i < 4; ++i) path.round(1000);
  EXPECT_EQ(path.bbr.bw(), 900'000u * 7 / 10) << "by 0.7 at a time at most";
}

TEST(Bbr, DoesNotSlowDownForLossesWithoutAQueue) {
  Path path;
  path.run_until(State::probe_bw_cruise);
  for (int i = 0; i < 100 && path.bbr.state() != State::probe_bw_up; ++i) {
    path.round(3000);
    ASSERT_EQ(path.bbr.bw(), path.bbr.max_bw());
  }
  path.round(3000);
  EXPECT_EQ(path.bbr.state(), State::probe_bw_up) << "5 % are always lost here";
}

TEST(Bbr, AnswersAMarkLikeALoss) {
  Path path;
  path.run_until(State::probe_bw_up);
  path.bbr.on_congestion(
      Cause::ecn,
      {.now = path.acks.now(), .in_flight = 66'000, .total_delivered = path.acks.delivered()});
  EXPECT_EQ(path.bbr.state(), State::probe_bw_down);
  EXPECT_EQ(path.bbr.inflight_longterm(), 66'000u);
}

TEST(Bbr, EntersProbeRttAfterFiveSecondsWithoutAShorterRtt) {  // §5.3.4
  Path path;
  path.run_until(State::probe_rtt);
  EXPECT_GT(path.acks.now(), Instant(seconds(5)));
  EXPECT_LT(path.acks.now(), Instant(seconds(6)));
  EXPECT_EQ(path.bbr.congestion_window(), 30'000u) << "half a BDP";
  path.in_flight = 30'000;
  const Instant from = path.acks.now();
  path.run_until(State::probe_bw_cruise);
  EXPECT_GE(path.acks.now() - from, milliseconds(200));
  EXPECT_LE(path.acks.now() - from, milliseconds(200) + 3 * kRtt);
  EXPECT_GT(path.bbr.congestion_window(), 60'000u);
}

TEST(Bbr, NeedsNoProbeRttWhileLittleIsInFlight) {
  Path path;
  path.run_until(State::probe_bw_cruise);
  path.in_flight = 20'000;
  path.app_limited = true;
  for (const Instant end = path.acks.now() + seconds(20); path.acks.now() < end;) {
    path.round();
    ASSERT_NE(path.bbr.state(), State::probe_rtt);
  }
}

TEST(Bbr, ResumesAtTheBandwidthAfterAPauseAndForARoundTripInStartupToo) {  // §5.4.1
  Path path;
  path.bandwidth = 5'000'000;
  path.round();
  ASSERT_EQ(path.bbr.state(), State::startup);
  path.acks.pass(seconds(3));
  path.bbr.on_sent({.now = path.acks.now(), .octets = 10'000, .app_limited = true});
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 4'950'000u);
  path.round();
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 5'000'000u * 277 / 100 * 99 / 100);
  path.run_until(State::probe_bw_down);
  path.acks.pass(seconds(1));
  path.bbr.on_sent({.now = path.acks.now(), .octets = 10'000, .app_limited = true});
  EXPECT_EQ(path.bbr.pacing_rate(kRtt), 4'950'000u);
}

TEST(Bbr, FallsToOneSegmentOnATimeoutAndRestoresTheWindowWhenAllIsRepaired) {  // §5.6.4.4
  Path path;
  path.run_until(State::probe_bw_cruise);
  const std::uint32_t before = path.bbr.congestion_window();
  path.bbr.on_congestion(Cause::timeout,
                         {.now = path.acks.now(), .in_flight = 60'000, .lost = 60'000});
  EXPECT_EQ(path.bbr.congestion_window(), kMss);
  path.bbr.on_recovered();
  EXPECT_EQ(path.bbr.congestion_window(), before);
}

TEST(Bbr, KeepsItsWindowInFastRecovery) {
  Path path;
  path.run_until(State::probe_bw_cruise);
  const std::uint32_t before = path.bbr.congestion_window();
  path.bbr.on_congestion(Cause::recovery,
                         {.now = path.acks.now(), .in_flight = 60'000, .lost = 1000});
  EXPECT_EQ(path.bbr.congestion_window(), before);
}

TEST(Bbr, ReturnsToProbingWhenALossWasSpurious) {  // §5.5.11
  Path path;
  path.run_until(State::probe_bw_up);
  path.rtt = milliseconds(70);
  const std::uint32_t longterm = path.bbr.inflight_longterm();
  path.bbr.on_lost({.now = path.acks.now(),
                    .octets = 6000,
                    .tx_in_flight = 60'000,
                    .lost = 6000,
                    .total_delivered = path.acks.delivered()});
  path.bbr.on_congestion(Cause::recovery,
                         {.now = path.acks.now(), .in_flight = 60'000, .lost = 6000});
  ASSERT_EQ(path.bbr.state(), State::probe_bw_down);
  ASSERT_LT(path.bbr.inflight_longterm(), longterm);
  path.bbr.on_spurious();
  EXPECT_EQ(path.bbr.inflight_longterm(), longterm);
  path.round();
  EXPECT_EQ(path.bbr.state(), State::probe_bw_refill);
}

TEST(Bbr, IgnoresAnAckThatDeliversNothing) {
  Path path;
  path.round();
  const Bbr before = path.bbr;
  path.bbr.on_ack({.now = path.acks.now() + seconds(10), .in_flight_before = 1000});
  EXPECT_EQ(path.bbr, before);
}

}  // namespace
}  // namespace estab::tcp::congestion
