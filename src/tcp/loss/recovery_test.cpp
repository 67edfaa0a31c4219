// How losses are found and repaired, as a peer sees it: from the record of what was sent, with SACK
// (RFC 2018, 6675, 8985), without; how fast meanwhile (RFC 9937); and what is undone when nothing
// had been lost (RFC 3522, 3708, 4015). After a timeout: frto_test.cpp.

#include "tcp/loss/testing/recovery.h"

#include <vector>

namespace estab::script {
namespace {

// Only what is missing goes again.
// [RFC 2018 5-1, 5.1-1] [RFC 6675 4-5, 4-6, 5-8, 5-10]
TEST_F(Recovery, RetransmitsEachHoleAndNothingElse) {
  sack(1, "1001:2001 3001:10001");
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.out(". 2001:3001(1000) ack 1").reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  while (const auto sent = peer.next()) EXPECT_EQ(sent->reason, SendReason::data);
  EXPECT_EQ(peer.info().ca_state, CaState::recovery);
  peer.ack(10001);
  EXPECT_EQ(peer.info().ca_state, CaState::open);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(peer.info().total_retrans, 2u);
}

// RFC 8985 §6.2: before three segments are SACKed a quarter of the round trip is waited.
// [RFC 6675 5-4] [RFC 8985 1-1, 6.2-2]
TEST_F(Recovery, WaitsTheReorderingWindowForOneSack) {
  peer.mark();
  sack(1, "1001:2001");
  peer.out(". 10001:11001(1000) ack 1");  // what has left makes room (RFC 6675's pipe)
  peer.quiet();
  EXPECT_EQ(peer.info().ca_state, CaState::disorder);
  peer.after(24ms);
  peer.quiet();
  peer.after(1ms);
  EXPECT_EQ(peer.out_at(25ms, ". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.info().ca_state, CaState::recovery);
}

// Segments that overtake each other are no loss.
TEST_F(Recovery, RepeatsNothingThatIsOnlyLate) {
  sack(1, "1001:2001");
  peer.ack(2001);
  peer.forget_output();
  peer.after(50ms);
  peer.quiet();
  const TcpInfo info = peer.info();
  EXPECT_EQ(info.total_retrans, 0u);
  EXPECT_EQ(info.snd_ssthresh, 0xffffffffu);
  EXPECT_EQ(info.ca_state, CaState::open);
}

// A retransmission that is lost is found by what was sent after it, with no timeout and no second
// reduction.
// [RFC 8985 4-2]
TEST_F(Recovery, FindsALostRetransmission) {
  sack(1, "1001:10001");
  peer.out(". 1:1001(1000) ack 1");
  int next = 10001;
  while (const auto sent = peer.next()) next += static_cast<int>(sent->segment->payload.size());
  ASSERT_GT(next, 10001);
  const std::uint32_t ssthresh = peer.info().snd_ssthresh;
  peer.after(100ms);
  sack(1, "1001:" + std::to_string(next));
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.info().snd_ssthresh, ssthresh);
  EXPECT_EQ(peer.info().timeouts, 0u);
}

// What is lost waits for its turn: ssthresh is 10 of 20, and a segment goes for every other that is
// delivered (RFC 9937).
// [RFC 8985 9.3-1, 9.3-2]
TEST(ProportionalRate, SendsInProportionToWhatIsDelivered) {
  TcpConfig tcp = reno();
  tcp.initial_window_segments = 20;
  Opened peer({.tcp = tcp, .options = "mss 1000,sackOK"});
  peer.send(60000);
  peer.out_run(1, 20001);
  peer.after(100ms);
  Recovery::sack(peer, 1, "1001:4001");
  peer.out(". 1:1001(1000) ack 1");
  std::size_t out = 0;
  for (int end = 5001; end <= 20001; end += 1000) {
    Recovery::sack(peer, 1, "1001:" + std::to_string(end));
    while (peer.next()) ++out;
    EXPECT_LE(peer.info().in_flight_bytes, 20000u);
  }
  EXPECT_GE(out, 8u);
  EXPECT_LE(out, 10u);
  EXPECT_EQ(peer.info().in_flight_bytes, 10000u);
}

// [RFC 3042 2-3]
TEST_F(Recovery, SendsNothingForADuplicateThatSacksNothingNew) {
  sack(1, "1001:2001");
  peer.out(". 10001:11001(1000) ack 1");
  for (int i = 0; i < 5; ++i) {
    sack(1, "1001:2001");
    peer.ack(1);
    peer.quiet();
  }
}

// [RFC 2018 5-3, 8-5]
TEST_F(Recovery, SurvivesAPeerThatDropsWhatItHadSacked) {  // RFC 2018 §8
  sack(1, "1001:10001");
  peer.forget_output();
  peer.ack(1001);  // and not 10001
  peer.forget_output();
  peer.after(1s);
  bool again = false;
  while (const auto sent = peer.next())
    again |= sent->reason == SendReason::retransmit_timeout &&
             sent->segment->seq - peer.stack_isn() == 1001;
  EXPECT_TRUE(again);
}

// ---- RFC 6675 and 8985, rule by rule

// [RFC 6675 4-10]
TEST_F(Recovery, SendsNothingWhenNothingIsLostOrNew) {
  Opened other({.tcp = reno(), .options = "mss 1000,sackOK"});
  other.send(10000);
  other.forget_output();
  sack(other, 1, "1001:10001");
  other.out(". 1:1001(1000) ack 1");
  other.quiet();
}

// [RFC 6675 5-1]
TEST_F(Recovery, LearnsFromAnAckThatComesLate) {
  peer.ack(2001);
  sack(1001, "4001:5001");
  EXPECT_EQ(peer.info().sacked_bytes, 1000u);
  EXPECT_EQ(peer.info().snd_wnd, 65535u);
}

// [RFC 6675 5-6]
TEST_F(Recovery, EndsWhenWhatWasSentAtItsBeginningIsAcknowledged) {
  sack(1, "1001:10001");
  peer.forget_output();
  peer.ack(9001);
  EXPECT_EQ(peer.info().ca_state, CaState::recovery);
  peer.ack(10001);
  EXPECT_EQ(peer.info().ca_state, CaState::open);
}

// [RFC 6675 5-7]
TEST_F(Recovery, LeavesWhatIsSackedBehindItsEnd) {
  sack(1, "1001:10001");
  peer.forget_output();
  peer.after(100ms);
  sack(10001, "11001:12001");
  EXPECT_EQ(peer.info().ca_state, CaState::disorder);
  EXPECT_EQ(peer.info().sacked_bytes, 1000u);
  peer.after(100ms);
  peer.ack(10001);
  peer.forget_output();
  EXPECT_EQ(peer.info().sacked_bytes, 1000u);
}

// [RFC 6675 5.1-3, 5.1-7, 5.1-8]
TEST_F(Recovery, RepeatsNothingThatIsSackedAfterATimeout) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.out_run(10001, 12001);
  peer.after(100ms);
  std::vector<int> again;
  for (int una = 1001; una <= 5001; una += 1000) {
    sack(una == 5001 ? 7001 : una, "5001:7001 10001:12001");
    while (const auto sent = peer.next())
      if (sent->reason != SendReason::data) again.push_back(sent->segment->seq - peer.stack_isn());
    peer.after(10ms);
  }
  EXPECT_EQ(again, (std::vector{1001, 2001, 3001, 4001, 7001, 8001, 9001}));
}

// [RFC 6675 5.1-4, 5.1-5, 5.1-6]
TEST_F(Recovery, IsOverWithATimeoutAndDoesNotBeginAgainBeforeAllIsAcknowledged) {
  sack(1, "1001:4001");
  peer.forget_output();
  const int sent = static_cast<int>(peer.info().bytes_sent - peer.info().bytes_retrans);
  peer.after(350ms);
  peer.out(". 1:1001(1000) ack 1");
  EXPECT_EQ(peer.info().ca_state, CaState::loss);
  const std::uint32_t ssthresh = peer.info().snd_ssthresh;
  peer.after(100ms);
  sack(4001, "5001:" + std::to_string(sent + 1));
  peer.forget_output();
  peer.ack(sent);
  EXPECT_EQ(peer.info().ca_state, CaState::loss);
  EXPECT_EQ(peer.info().recoveries, 1u);
  EXPECT_EQ(peer.info().snd_ssthresh, ssthresh);
  peer.ack(sent + 1);
  EXPECT_EQ(peer.info().ca_state, CaState::open);
}

// Three duplicates are a loss by RFC 6675, but not where segments are seen to overtake each other.
// [RFC 8985 9.2-1]
TEST_F(Recovery, CountsNoDuplicatesWhereReorderingWasSeen) {
  sack(1, "1001:2001");
  peer.ack(2001);
  ASSERT_TRUE(peer.info().reord_seen);
  peer.forget_output();
  sack(2001, "3001:8001");
  while (const auto sent = peer.next()) EXPECT_EQ(sent->reason, SendReason::data);
  peer.after(30ms);
  EXPECT_EQ(peer.out(". 2001:3001(1000) ack 1").reason, SendReason::retransmit_fast);
}

// [RFC 8985 4-1]
TEST(WithoutSack, NothingIsLostByItsTime) {
  Opened peer({.tcp = reno()});
  peer.send(10000);
  peer.out_run(1, 10001, 1000, "P.");
  peer.after(100ms);
  peer.acks(2, 1);
  peer.after(150ms);
  peer.quiet();
}

// A path of 100 ms has become one of 400.
// [RFC 8985 6.2-1]
TEST(RoundTrips, OfAnotherPathAreForgotten) {
  Opened peer({.tcp = reno(), .options = "mss 1000,sackOK"});
  for (int i = 0; i < 10; ++i) {
    peer.after(60s);
    peer.send(100);
    peer.out("P. " + Opened::range(1 + i * 100, 101 + i * 100) + " ack 1");
    peer.after(400ms);
    if (i == 1) {
      EXPECT_EQ(peer.info().min_rtt, 100ms);
    }
    peer.ack(101 + i * 100);
    peer.forget_output();
  }
  EXPECT_EQ(peer.info().min_rtt, 400ms);
}

// ---- nothing had been lost

// RFC 3522: the ACK echoes the original, sent before the retransmission.
TEST(Undo, GivesTheWindowBackWhenATimestampProvesTheOriginal) {
  Opened peer({.tcp = reno(), .options = kSackAndTimestamps});
  peer.send(20000);
  const auto first = peer.out(". 1:1001(1000) ack 1");
  peer.forget_output();
  const auto echo = std::to_string(first.segment->options.timestamps->value - peer.stack_clock());
  peer.after(100ms);
  peer.in(". 1:1(0) ack 1 win 65535 <TS val 200 ecr " + echo + ",nop,nop,sack 1001:4001>");
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  peer.after(2ms);
  peer.in(". 1:1(0) ack 4001 win 65535 <TS val 202 ecr " + echo + ">");
  const TcpInfo info = peer.info();
  EXPECT_EQ(info.ca_state, CaState::open);
  EXPECT_GE(info.snd_cwnd, 10000u);
  EXPECT_EQ(info.snd_ssthresh, 0xffffffffu);
  EXPECT_EQ(info.undone, 1u);
  EXPECT_TRUE(info.reord_seen);
}

// [RFC 2883 5-1]
// RFC 3708: every retransmission is reported as a duplicate.
TEST_F(Recovery, IsUndoneByDuplicatesThatAreReported) {
  sack(1, "1001:10001");
  peer.out(". 1:1001(1000) ack 1");
  peer.forget_output();
  peer.ack(10001);  // the original was only late
  peer.forget_output();
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  sack(10001, "1:1001");
  EXPECT_GE(peer.info().snd_cwnd, 10000u);
  EXPECT_EQ(peer.info().snd_ssthresh, 0xffffffffu);
  EXPECT_EQ(peer.info().undone, 1u);
  EXPECT_EQ(peer.info().dsack_dups, 1u);
}

TEST_F(Recovery, IsNotUndoneForALossThatWasOne) {
  sack(1, "1001:10001");
  peer.forget_output();
  peer.after(100ms);
  peer.ack(10001);
  peer.forget_output();
  peer.after(100ms);
  peer.ack(11001);
  EXPECT_EQ(peer.info().undone, 0u);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

// ---- pace, limits, and what can be seen

// [RFC 7661 4.4.2-1] [RFC 9937 6.4-1]
TEST(Pacing, SpreadsTheSecondFlightOverTheRoundTrip) {
  TcpConfig tcp = reno();
  Opened peer({.tcp = tcp, .options = "mss 1000,sackOK", .paced = true});
  peer.send(60000);
  peer.out_run(1, 10001);  // the initial window goes at once
  peer.after(100ms);
  peer.ack(10001);
  std::size_t at_once = 0;
  while (peer.next()) ++at_once;
  EXPECT_LE(at_once, 11u);
  peer.after(50ms);
  std::size_t later = 0;
  while (peer.next()) ++later;
  EXPECT_GE(later, 5u);
}

TEST(Transmissions, AreNoMoreThanTheLimitAllows) {
  TcpConfig tcp = reno();
  tcp.initial_window_segments = 40;
  StackLimits limits;
  limits.transmissions = 16;
  Opened peer({.tcp = tcp, .options = "mss 1000,sackOK", .limits = limits});
  peer.send(60000);
  peer.out_run(1, 16001);
  peer.quiet();
  peer.ack(2001);
  peer.out_run(16001, 18001);
  peer.quiet();
}

TEST(BlackHole, IsLeftBySmallerSegments) {  // RFC 4821 §7.7
  Opened peer({.tcp = reno(), .options = "mss 1460,sackOK"});
  peer.send(2920);
  peer.forget_output();
  peer.after(5s);
  bool smaller = false;
  while (const auto sent = peer.next()) smaller = sent->segment->payload.size() == 1024;
  EXPECT_TRUE(smaller);
  EXPECT_EQ(peer.info().snd_mss, 1024u);
}

TEST(BlackHole, IsNotLookedForUnlessSet) {
  TcpConfig tcp = reno();
  tcp.detect_black_holes = false;
  Opened peer({.tcp = tcp, .options = "mss 1460,sackOK"});
  peer.send(2920);
  peer.after(30s);
  EXPECT_EQ(peer.info().snd_mss, 1460u);
}

TEST(LossEvents, NameTheRule) {
  struct Watch : Observer {
    void on_trace(Instant, const TraceEvent& event) override {
      if (const auto* lost = std::get_if<SegmentLost>(&event)) rules.push_back(lost->rule);
      if (const auto* undone = std::get_if<RecoveryUndone>(&event)) proofs.push_back(undone->proof);
    }
    std::vector<LossRule> rules;
    std::vector<UndoProof> proofs;
  } watch;
  Opened peer({.tcp = reno(), .options = "mss 1000,sackOK"});
  peer.send(10000);
  peer.forget_output();
  peer.stack().set_observer(&watch);
  peer.after(100ms);
  Recovery::sack(peer, 1, "1001:4001");
  Recovery::sack(peer, 4001, "1:1001");
  EXPECT_EQ(watch.rules, std::vector{LossRule::rack});
  EXPECT_EQ(watch.proofs, std::vector{UndoProof::duplicates});
  peer.after(1s);
  ASSERT_GT(watch.rules.size(), 1u);
  EXPECT_EQ(watch.rules.back(), LossRule::timeout);
  peer.stack().set_observer(nullptr);
}

// [RFC 9293 MAY-18]
TEST(CongestionControls, AreChosenForEachConnection) {
  for (const auto control : {CongestionControl::new_reno, CongestionControl::cubic,
                             CongestionControl::bbr, CongestionControl::dctcp}) {
    TcpConfig tcp;
    tcp.congestion_control = control;
    Opened peer({.tcp = tcp, .options = "mss 1000,sackOK"});
    peer.send(30000);
    peer.after(100ms);
    peer.forget_output();
    EXPECT_EQ(peer.info().congestion_control, control);
    EXPECT_GE(peer.info().snd_cwnd, 10000u);
  }
}

}  // namespace
}  // namespace estab::script
