// How much is in flight: slow start, congestion avoidance, fast retransmit and NewReno recovery, as
// a peer sees them (RFC 5681, RFC 6582, RFC 3042, RFC 6928). The numbers alone are in
// tcp/congestion/new_reno_test.cpp.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr std::uint32_t kUnknown = 0xffffffff;

TcpConfig reno() {
  TcpConfig tcp;
  tcp.congestion_control = CongestionControl::new_reno;
  return tcp;
}

/// A window of ten segments in flight and ten more waiting.
struct FastRecovery : testing::Test {
  FastRecovery() {
    peer.send(20000);
    peer.out_run(1, 10001);
    peer.quiet();
  }
  Opened peer{{.tcp = reno()}};
};

// ---- the initial window

// [RFC 5681 2-1, 3-1, 3.1-4]
TEST(Congestion, BeginsWithTenSegments) {  // RFC 6928
  Opened peer{{.tcp = reno()}};
  peer.send(50000);
  peer.out_run(1, 10001);
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 10000u);
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
}

TEST(Congestion, BeginsWithFewerSegmentsIfTheyAreLarge) {
  const InterfaceConfig jumbo{.name = "jumbo", .mtu = 9000};
  Opened middling({.options = "mss 2000", .interface = jumbo});
  middling.send(50000);
  middling.out_run(1, 14001, 2000);
  middling.quiet();
  Opened large({.options = "mss 8000", .interface = jumbo});
  large.send(50000);
  large.out_run(1, 16001, 8000);
  large.quiet();
}

// [RFC 5681 3.1-5]
TEST(Congestion, BeginsWithOneSegmentAfterALostSyn) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out(". 1:1(0) ack 1");
  peer.send(5000);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
}

// [RFC 5681 3.1-5]
TEST(Congestion, BeginsWithOneSegmentAfterALostSynAck) {
  Peer peer;
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.after(1s);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.forget_output();
  peer.send(5000);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
}

// [RFC 7323 2.4-4] [RFC 5681 2-1, 3-1] [RFC 9937 3-1]
TEST(Congestion, NeverSendsBeyondTheWindowOfThePeer) {
  Opened peer({.window = 2500});
  peer.send(50000);
  peer.out_run(1, 2001);
  peer.quiet();
}

// ---- growth

// RFC 5681 §3.2: each stands for a segment that has left the network.
TEST(Congestion, TakesNoMoreDuplicatesForLossesThanSegmentsWereSent) {
  Opened peer{{.tcp = reno()}};
  peer.send(10000);
  peer.forget_output();
  for (int i = 0; i < 1000; ++i) peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_LE(peer.info().snd_cwnd, 5000u + 10000u + 1000u);
}

// [RFC 9293 MUST-19] [RFC 5681 2-1, 3-1] [RFC 9937 3-2]
TEST(Congestion, SendsTwoSegmentsForEachAcknowledgedInSlowStart) {
  Opened peer{{.tcp = reno()}};
  peer.send(200000);
  peer.out_run(1, 10001);
  for (int i = 0; i < 5; ++i) {
    peer.ack(1001 + i * 1000);
    peer.out_run(10001 + i * 2000, 12001 + i * 2000);
    peer.quiet();
  }
  EXPECT_EQ(peer.info().snd_cwnd, 15000u);
}

TEST(Congestion, GrowsBySoManyOctetsAsOneAckCovers) {
  Opened peer{{.tcp = reno()}};
  peer.send(200000);
  peer.out_run(1, 10001);
  peer.ack(10001);
  peer.out_run(10001, 30001);
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 20000u);
}

// [RFC 9293 MUST-19]
TEST(Congestion, GrowsByASegmentARoundTripInAvoidance) {
  Opened peer({.tcp = reno(), .options = "mss 1000,wscale 7", .window = 10000});
  peer.send(400000);
  peer.out_run(1, 10001);
  peer.after(300ms);  // a timeout: ssthresh 5000
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1);     // a duplicate: the timeout was true (RFC 5682 §2.1 (2a))
  peer.ack(4001);  // slow start just up to the threshold
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  int acked = 4001;
  for (std::uint32_t cwnd = 5000; cwnd < 12000; cwnd += 1000) {
    for (std::uint32_t i = 0; i < cwnd / 1000; ++i) {
      EXPECT_EQ(peer.info().snd_cwnd, cwnd);
      acked += 1000;
      peer.ack(acked);
    }
    EXPECT_EQ(peer.info().snd_cwnd, cwnd + 1000);
  }
}

TEST(Congestion, DoesNotGrowWhileTheApplicationSendsLess) {
  Opened peer{{.tcp = reno()}};
  for (int i = 0; i < 20; ++i) {
    peer.send(2000);
    peer.out_run(1 + i * 2000, 2001 + i * 2000, 1000, "P.");
    peer.after(50ms);
    peer.ack(2001 + i * 2000);
  }
  EXPECT_EQ(peer.info().snd_cwnd, 10000u);
}

TEST(Congestion, GrowsToTwiceWhatWasInFlightIfTheApplicationSendsLess) {
  for (const std::uint32_t segments : {5u, 6u, 9u}) {
    Opened peer{{.tcp = reno()}};
    peer.send(segments * 1000);
    peer.out_run(1, segments * 1000 + 1, 1000, "P.");
    peer.after(50ms);
    for (std::uint32_t acked = 2; acked < segments; acked += 2) peer.ack(acked * 1000 + 1);
    peer.ack(segments * 1000 + 1);
    EXPECT_EQ(peer.info().snd_cwnd, segments * 2000);
  }
}

// [RFC 5681 4.1-1]
TEST(Congestion, BeginsAgainSlowlyAfterAPause) {  // RFC 5681 §4.1
  for (const bool slowly : {true, false}) {
    TcpConfig tcp = reno();
    tcp.slow_start_after_idle = slowly;
    Opened peer({.tcp = tcp});
    peer.send(10000);
    peer.out_run(1, 10001, 1000, "P.");
    peer.ack(10001);
    ASSERT_EQ(peer.info().snd_cwnd, 20000u);
    peer.after(peer.info().rto + 1ns);
    peer.send(50000);
    peer.out_run(10001, slowly ? 20001 : 30001);
    peer.quiet();
  }
}

TEST(Congestion, KeepsItsWindowOverAPauseShorterThanTheTimeout) {
  Opened peer{{.tcp = reno()}};
  peer.send(10000);
  peer.out_run(1, 10001, 1000, "P.");
  peer.ack(10001);
  peer.after(peer.info().rto);
  peer.send(50000);
  peer.out_run(10001, 30001);
  peer.quiet();
}

// ---- timeout

// [RFC 5681 3.1-16, 3.1-17]
TEST(Congestion, FallsToOneSegmentOnATimeoutAndHalvesTheThreshold) {
  Opened peer{{.tcp = reno()}};
  peer.send(20000);
  peer.out_run(1, 10001);
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 1000u);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  peer.after(600ms);
  peer.out(". 1:1001(1000) ack 1");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u) << "one loss is one loss, however often it times out";
  peer.ack(1);     // a duplicate: the timeout was true (RFC 5682 §2.1 (2a))
  peer.ack(1001);  // slow start through what was in flight
  peer.out_run(1001, 3001);
  peer.quiet();
  peer.ack(3001);
  peer.out_run(3001, 7001);
  peer.quiet();
}

// [RFC 6582 6-2]
TEST(Congestion, DoesNotTakeTheEchoesOfItsRetransmissionsForALoss) {  // RFC 6582 §4.1
  Opened peer{{.tcp = reno()}};
  peer.send(20000);
  peer.out_run(1, 10001);
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.acks(9, 1);  // the nine that were late, not lost
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 1000u);
  peer.ack(10001);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

// ---- fast retransmit

// [RFC 3042 2-1, 2-2]
TEST_F(FastRecovery, SendsANewSegmentForEachOfTheFirstTwoDuplicates) {  // RFC 3042
  peer.ack(1);
  peer.out(". 10001:11001(1000) ack 1");
  peer.ack(1);
  peer.out(". 11001:12001(1000) ack 1");
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 10000u);
}

// [RFC 5681 3.2-3, 3.2-7, 3.2-8, 3.2-9, 4.3-1]
TEST_F(FastRecovery, RetransmitsAtTheThirdDuplicate) {  // RFC 5681 §3.2
  peer.acks(2, 1);
  peer.out_run(10001, 12001);
  peer.ack(1);
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  peer.quiet();
  // Half of the ten segments; the two of limited transmit do not count (step 2).
  // The window is not inflated: what goes meanwhile is up to RFC 9937.
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
}

TEST_F(FastRecovery, RetransmitsWithoutWaitingAndLeavesTheTimerAsItWas) {
  peer.after(100ms);
  peer.acks(3, 1);
  peer.out_run(10001, 12001);
  peer.out(". 1:1001(1000) ack 1");
  peer.after(200ms);
  EXPECT_EQ(peer.out_at(300ms, ". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

// [RFC 5681 3.2-10, 3.2-12]
// Five segments for each twelve that have left the network: from 12 in flight to ssthresh.
TEST_F(FastRecovery, SendsNewSegmentsInProportionToFurtherDuplicates) {  // RFC 9937 §6
  peer.acks(3, 1);
  peer.forget_output();  // 12,000 in flight, one of them sent again
  peer.ack(1);
  peer.quiet();
  peer.ack(1);
  peer.out(". 12001:13001(1000) ack 1");
  peer.ack(1);
  peer.quiet();
  peer.ack(1);
  peer.out(". 13001:14001(1000) ack 1");
  peer.quiet();
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
}

// [RFC 5681 3.2-13, 4.3-3] [RFC 6582 2-1, 6-1, 6-3]
TEST_F(FastRecovery, EndsWithTheThresholdWhenEverythingIsAcknowledged) {
  peer.acks(8, 1);
  peer.forget_output();  // two new ones after the retransmission: recover is 12,001
  peer.ack(12001);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  peer.out_run(14001, 17001);  // 2,000 are in flight
  peer.quiet();
}

// [RFC 6582 2-1]
TEST_F(FastRecovery, RetransmitsTheNextHoleOnAPartialAck) {  // RFC 6582 §3.2 step 3
  peer.acks(9, 1);
  peer.forget_output();
  peer.ack(4001);  // the second hole
  EXPECT_EQ(peer.out(". 4001:5001(1000) ack 1").reason, SendReason::retransmit_partial);
  // 10,000 were sent; six duplicates more stand for segments that have left: 3,000 are in flight,
  // and ssthresh leaves room for one beside the retransmission.
  peer.out(". 14001:15001(1000) ack 1");
  peer.quiet();
  peer.ack(6001);
  EXPECT_EQ(peer.out(". 6001:7001(1000) ack 1").reason, SendReason::retransmit_partial);
}

TEST_F(FastRecovery, RestartsTheTimerForTheFirstPartialAckOnly) {
  peer.after(100ms);
  peer.acks(3, 1);
  peer.forget_output();
  peer.after(100ms);
  peer.ack(2001);  // at 200 ms: the timeout is now at 500 ms
  peer.out(". 2001:3001(1000) ack 1");
  peer.after(100ms);
  peer.ack(3001);
  peer.out(". 3001:4001(1000) ack 1");
  peer.quiet();
  peer.after(1s);
  EXPECT_EQ(peer.out_at(500ms, ". 3001:4001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

// [RFC 6582 6-2]
TEST_F(FastRecovery, DoesNotBeginAgainBelowWhatWasInFlight) {  // RFC 6582 §3.2 step 2
  peer.acks(3, 1);
  peer.forget_output();
  peer.after(1s);  // the retransmission was lost too: a timeout, recover stays 12,001
  peer.forget_output();
  peer.ack(5001);
  peer.forget_output();
  const auto ssthresh = peer.info().snd_ssthresh;
  peer.acks(5, 5001);
  while (const auto sent = peer.next()) EXPECT_NE(sent->reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.info().snd_ssthresh, ssthresh);
}

TEST_F(FastRecovery, BeginsAgainForALossBehindIt) {
  peer.acks(3, 1);
  peer.forget_output();
  peer.ack(12001);
  peer.forget_output();
  peer.ack(13001);
  peer.forget_output();
  peer.acks(3, 13001);
  bool again = false;
  while (const auto sent = peer.next()) again |= sent->reason == SendReason::retransmit_fast;
  EXPECT_TRUE(again);
}

// ---- what a duplicate acknowledgement is: the five conditions of RFC 5681 §2, each broken once

TEST_F(FastRecovery, DoesNotCountAcksThatCarryData) {  // (b)
  peer.acks(2, 1);
  peer.forget_output();
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.in("P. 201:301(100) ack 1 win 65535");  // nor where it is not predicted
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
  peer.in(". 101:101(0) ack 1 win 65535");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

TEST_F(FastRecovery, DoesNotCountAFin) {  // (c)
  peer.acks(2, 1);
  peer.in("F. 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
  peer.in(". 2:2(0) ack 1 win 65535");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

TEST_F(FastRecovery, DoesNotCountASyn) {  // (c)
  peer.acks(2, 1);
  EXPECT_EQ(peer.in("S. 1:1(0) ack 1 win 65535"), Verdict::syn_challenged);
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
}

TEST_F(FastRecovery, DoesNotCountAcksOfOlderNumbers) {  // (d)
  peer.ack(2001);
  peer.forget_output();
  peer.acks(2, 2001);
  peer.acks(3, 1001);
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
  peer.ack(2001);
  EXPECT_NE(peer.info().snd_ssthresh, kUnknown);
}

TEST_F(FastRecovery, DoesNotCountWindowUpdates) {  // (e)
  peer.acks(2, 1);
  peer.in(". 1:1(0) ack 1 win 65000");
  peer.in(". 1:1(0) ack 1 win 65100");
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
  peer.in(". 1:1(0) ack 1 win 65100");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

TEST(Congestion, DoesNotCountAcksWhileNothingIsInFlight) {  // (a)
  Opened peer{{.tcp = reno()}};
  peer.acks(10, 1);
  peer.send(20000);
  peer.out_run(1, 10001);
  peer.quiet();
  peer.acks(2, 1);
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
}

TEST_F(FastRecovery, StartsCountingAnewWhenTheAckMoves) {
  peer.acks(2, 1);
  peer.ack(1001);
  peer.acks(2, 1001);
  EXPECT_EQ(peer.info().snd_ssthresh, kUnknown);
  peer.ack(1001);
  EXPECT_NE(peer.info().snd_ssthresh, kUnknown);
}

TEST_F(FastRecovery, SendsNothingNewForADuplicateBeyondThePeersWindow) {  // RFC 3042
  Opened small({.window = 10000});
  small.send(20000);
  small.out_run(1, 10001);
  small.acks(2, 1);
  small.quiet();
}

TEST_F(FastRecovery, WorksTheSameWhenAllDuplicatesComeInOneBurst) {
  peer.together([&] { peer.acks(3, 1); });
  peer.out(". 1:1001(1000) ack 1");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  peer.quiet();
}

TEST(Congestion, TellsAnObserverEveryChange) {
  struct Watch : Observer {
    void on_trace(Instant, const TraceEvent& event) override {
      if (const auto* changed = std::get_if<CongestionChanged>(&event))
        changes.emplace_back(changed->cwnd, changed->phase);
    }
    std::vector<std::pair<std::uint32_t, std::string>> changes;
  } watch;
  Opened peer{{.tcp = reno()}};
  peer.stack().set_observer(&watch);
  peer.send(20000);
  peer.ack(1001);
  peer.acks(3, 1001);
  peer.after(1s);
  peer.stack().set_observer(nullptr);
  const std::vector<std::pair<std::uint32_t, std::string>> expected = {
      {11000, "slow start"}, {5500, "recovery"}, {1000, "loss"}};
  EXPECT_EQ(watch.changes, expected);
}

}  // namespace
}  // namespace estab::script
