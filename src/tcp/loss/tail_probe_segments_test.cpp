// The tail loss probe (RFC 8985 §7): when it goes, what it is, and what its answer means.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

TcpConfig probing() {
  TcpConfig tcp;
  tcp.tail_loss_probe = true;
  tcp.rto_min = 1s;  // so that the timeout is far away
  tcp.nagle = false;
  return tcp;
}

struct TailProbe : testing::Test {
  Opened peer{{.tcp = probing(), .options = "mss 1000,sackOK"}};
};

// [RFC 8985 7.2-4, 7.3-4]
TEST_F(TailProbe, RepeatsTheLastSegmentAfterTwoRoundTrips) {
  peer.send(3500);
  peer.out_run(1, 3501, 1000, "P.");
  peer.after(190ms);
  peer.quiet();
  peer.after(10ms);
  EXPECT_EQ(peer.out("P. 3001:3501(500) ack 1").reason, SendReason::retransmit_tail);
  peer.after(500ms);
  peer.quiet();  // one probe at a time
}

// [RFC 8985 7.2-3, 7.2-4]
TEST_F(TailProbe, OfOneSegmentWaitsForADelayedAck) {
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(399ms);
  peer.quiet();
  peer.after(1ms);
  peer.out("P. 1:501(500) ack 1");
}

// §7.2: "If Now() + PTO > TCP_RTO_expiration()".
// [RFC 8985 7.2-4]
TEST(TailProbeAndTimeout, TheProbeComesInPlaceOfASoonerTimeout) {
  TcpConfig tcp = probing();
  tcp.rto_min = 200ms;
  Opened peer({.tcp = tcp, .options = "mss 1000,sackOK"});
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(300ms);
  EXPECT_EQ(peer.out("P. 1:501(500) ack 1").reason, SendReason::retransmit_tail);
}

// [RFC 8985 7.2-2]
TEST(TailProbeWithoutARoundTrip, ComesAfterASecond) {
  Peer peer(probing());
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000,sackOK>");
  peer.after(1s);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.forget_output();
  peer.send(1000);
  peer.out("P. 1:1001(1000) ack 1");
  peer.after(999ms);
  peer.quiet();
  peer.after(1ms);
  EXPECT_EQ(peer.out("P. 1:1001(1000) ack 1").reason, SendReason::retransmit_tail);
}

// While the window comes down for a mark nothing else would find a lost tail either.
// [RFC 8985 7.2-1]
TEST(TailProbeAndMarks, GoesThoughTheWindowComesDown) {
  TcpConfig tcp = probing();
  tcp.ecn = Ecn::accept;
  tcp.congestion_control = CongestionControl::new_reno;
  tcp.pacing = false;
  Peer peer(tcp);
  peer.listen();
  peer.in("SEW 0:0(0) win 65535 <mss 1000,sackOK>");
  peer.forget_output();
  peer.after(100ms);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.send(5000);
  peer.forget_output();
  peer.after(100ms);
  peer.in("E. 1:1(0) ack 2001 win 65535");
  EXPECT_EQ(peer.info().ca_state, CaState::cwr);
  peer.after(200ms);
  EXPECT_EQ(peer.out("P. 4001:5001(1000) ack 1").reason, SendReason::retransmit_tail);
}

// [RFC 8985 7.3-3]
TEST_F(TailProbe, IsNewOctetsIfThereAreAny) {
  peer.send(12000);
  peer.out_run(1, 10001);
  peer.after(200ms);
  EXPECT_EQ(peer.out(". 10001:11001(1000) ack 1").reason, SendReason::data);
}

TEST_F(TailProbe, RepeatsAFinThatStandsAlone) {
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  ASSERT_TRUE(peer.shutdown());
  peer.out("F. 2001:2001(0) ack 1");
  peer.after(200ms);
  peer.out("F. 2001:2001(0) ack 1");
}

// [RFC 8985 7.2-1]
TEST_F(TailProbe, IsPutOffByAnAckAndByNewData) {
  peer.send(3000);
  peer.out_run(1, 3001, 1000, "P.");
  peer.after(100ms);
  peer.ack(1001);
  peer.after(150ms);
  peer.quiet();
  peer.send(1000);
  peer.out("P. 3001:4001(1000) ack 1");
  peer.after(150ms);
  peer.quiet();
  peer.after(100ms);
  peer.out("P. 3001:4001(1000) ack 1");
}

TEST_F(TailProbe, DoesNotGoIfTheAckComesBeforeItCould) {
  for (const int acked : {2001, 1001}) {
    Opened other({.tcp = probing(), .options = "mss 1000,sackOK"});
    other.send(2000);
    other.out_run(1, 2001, 1000, "P.");
    other.after(199ms);
    other.stack().handle_deadline(other.now() + 1ms);  // it is due, and the device is busy
    other.ack(acked);
    other.quiet();
  }
}

// There is no time for a probe, only for what must go again before anything is given up.
TEST(TailProbeAndUserTimeout, TheTimeoutComesBeforeTheProbe) {
  TcpConfig tcp = probing();
  tcp.user_timeout = 150ms;
  Opened peer({.tcp = tcp, .options = "mss 1000,sackOK"});
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(150ms);
  EXPECT_EQ(peer.out_at(150ms, ". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
  peer.after(1s);  // the RTO is 1.1 s, and has doubled
  EXPECT_EQ(peer.state(), State::established);
  peer.after(2s);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

// [RFC 8985 7.3-6]
TEST_F(TailProbe, IsFollowedByTheTimeout) {
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(200ms);
  peer.out("P. 1001:2001(1000) ack 1");
  peer.after(1099ms);
  peer.quiet();
  peer.after(1ms);
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

// [RFC 8985 7.3-1, 7.3-2]
TEST_F(TailProbe, LeavesTheNextLossToTheTimeoutIfNoRoundTripWasMeasuredMeanwhile) {
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(200ms);
  peer.out("P. 1001:2001(1000) ack 1");
  peer.after(100ms);
  peer.ack(2001);
  peer.send(500);
  peer.out("P. 2001:2501(500) ack 1");
  peer.after(1099ms);
  peer.quiet();
  peer.after(1ms);
  EXPECT_EQ(peer.out("P. 2001:2501(500) ack 1").reason, SendReason::retransmit_timeout);
}

// [RFC 8985 7.3-5]
TEST_F(TailProbe, BringsTheSackThatStartsRecovery) {
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.after(200ms);
  peer.out("P. 4001:5001(1000) ack 1");
  peer.after(100ms);
  // What was sent before the probe has had its round trip and the reordering window (§6.2).
  peer.in(". 1:1(0) ack 1 win 65535 <nop,nop,sack 4001:5001>");
  for (int begin = 1; begin < 3001; begin += 1000)  // ssthresh is 3500
    EXPECT_EQ(peer.out(". " + Opened::range(begin, begin + 1000) + " ack 1").reason,
              SendReason::retransmit_fast);
}

// §7.4: if the peer never says that the octets came twice, the probe has repaired a loss. The
// window is then half of what was in flight, two segments at least (RFC 5681 §3.1 (4)).
// [RFC 8985 7.4.2-1, 7.4.2-2]
TEST_F(TailProbe, ThatRepairedALossReducesTheWindow) {
  peer.send(2000);
  peer.forget_output();
  peer.after(200ms);
  peer.out("P. 1001:2001(1000) ack 1");
  peer.ack(2001);
  peer.send(1000);
  peer.out("P. 2001:3001(1000) ack 1");
  peer.ack(3001);
  EXPECT_EQ(peer.info().snd_ssthresh, 2000u);
  EXPECT_EQ(peer.info().snd_cwnd, 2000u);
}

TEST_F(TailProbe, ThatWasForNothingChangesNothing) {
  for (const char* answer : {" <nop,nop,sack 1001:2001>", ""}) {
    Opened other({.tcp = probing(), .options = "mss 1000,sackOK"});
    other.send(2000);
    other.forget_output();
    other.after(200ms);
    other.out("P. 1001:2001(1000) ack 1");
    other.ack(2001);
    const std::uint32_t before = other.info().snd_cwnd;
    other.in(". 1:1(0) ack 2001 win 65535" + std::string(answer));
    other.send(1000);
    other.out("P. 2001:3001(1000) ack 1");
    other.ack(3001);
    EXPECT_GE(other.info().snd_cwnd, before) << answer;
  }
}

TEST(NoTailProbe, WithoutSackOrUnlessSet) {
  Opened no_sack({.tcp = probing()});
  TcpConfig off = probing();
  off.tail_loss_probe = false;
  Opened not_set({.tcp = off, .options = "mss 1000,sackOK"});
  for (Opened* peer : {&no_sack, &not_set}) {
    peer->send(2000);
    peer->out_run(1, 2001, 1000, "P.");
    peer->after(500ms);
    peer->quiet();
  }
}

}  // namespace
}  // namespace estab::script
