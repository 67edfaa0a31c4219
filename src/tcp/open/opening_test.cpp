// Opening a connection (RFC 9293 §3.5): the handshake both ways, simultaneous and half-open ones,
// and the ways in which an opening fails.

#include <set>

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class Opening : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, Opening, both_families(), family_name);

// RFC 9293 figure 6, seen from B.
TEST_P(Opening, AnswersASynWithASynAckAndIsEstablishedByTheThirdSegment) {
  const std::string mss = GetParam() == Family::ipv4 ? "1460" : "1440";
  peer.listen();
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 win 65535 <mss " + mss + ">");
  EXPECT_EQ(peer.state(), State::syn_received);
  EXPECT_EQ(peer.accept().error(), Error::would_block);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
  EXPECT_EQ(peer.state(), State::established);
  peer.quiet();
  EXPECT_EQ(peer.other_events(), std::vector<Event>{AcceptEvent{peer.listener()}});
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.stack().endpoints(peer.stream()), peer.tuple());
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.in("P. 1:21(20) ack 11 win 65535");
  EXPECT_EQ(peer.recv(), 20u);
}

// RFC 9293 figure 6, seen from A.
// [RFC 9293 MUST-65] [RFC 2018 2-1]
TEST_P(Opening, SendsASynAndAnswersTheSynAckWithAnAck) {
  const std::string mss = GetParam() == Family::ipv4 ? "1460" : "1440";
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) win 65535 <mss " + mss + ",sackOK,TS val 0 ecr 0,wscale 12>");
  EXPECT_EQ(peer.state(), State::syn_sent);
  EXPECT_EQ(peer.in("S. 0:0(0) ack 1 win 5000 <mss 1400>"), Verdict::handshake_completed);
  peer.out(". 1:1(0) ack 1 <>");
  EXPECT_EQ(peer.state(), State::established);
  peer.quiet();
  const StreamEvent told = peer.told();
  EXPECT_TRUE(told.connected);
  EXPECT_FALSE(told.failure);
  EXPECT_EQ(peer.info().snd_wnd, 5000u);
  EXPECT_EQ(peer.info().snd_mss, 1400u);
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
}

TEST_P(Opening, ReachesEveryStateFromEitherSide) {
  for (int i = 0; i <= static_cast<int>(State::time_wait); ++i) {
    const State state = static_cast<State>(i);
    for (Open::Side side : {kPassive, kActive}) {
      for (std::string_view options : {"mss 1460", "mss 1460,sackOK,TS val 5 ecr 0,wscale 7"}) {
        Peer each(TcpConfig{}, GetParam());
        each.reach(state, {.side = side, .options = options});
        EXPECT_EQ(each.state(), state) << each.story();
      }
    }
  }
}

TEST_P(Opening, TakesDataAndFinOfTheThirdSegment) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("FP. 1:101(100) ack 1 win 65535"), Verdict::handshake_completed);
  peer.out(". 1:1(0) ack 102");
  EXPECT_EQ(peer.state(), State::close_wait);
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
}

TEST_P(Opening, TakesDataAndFinOfASynAck) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("SFP. 0:50(50) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 52");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::close_wait);
  EXPECT_EQ(peer.recv(), 50u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
}

// The SYN cache keeps no text: only the SYN is acknowledged, and the peer sends the rest again.
TEST_P(Opening, AcknowledgesOfASynWithDataOnlyTheSyn) {
  peer.listen();
  peer.in("S 0:100(100) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("P. 1:101(100) ack 1 win 65535"), Verdict::handshake_completed);
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 100u);
}

TEST_P(Opening, RepeatsTheSynAckWhenTheSynComesAgain) {
  peer.reach(State::syn_received);
  peer.after(300ms);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::established);
}

// Karn's rule (RFC 6298 §3): it is not known which of two was answered.
// [RFC 6298 3-2]
TEST_P(Opening, TakesNoRoundTripTimeFromASynAckSentTwice) {
  peer.reach(State::syn_received);
  peer.after(300ms);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.after(10ms);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().rtt, 0s);
  Peer once(TcpConfig{}, GetParam());
  once.reach(State::syn_received);
  once.after(300ms);
  once.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(once.accept());
  EXPECT_EQ(once.info().rtt, 300ms);
}

TEST_P(Opening, TakesNoRoundTripTimeFromASimultaneousOpen) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.after(100ms);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.after(1ms);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(peer.info().rtt, 0s);
  EXPECT_GT(peer.info().snd_cwnd, 10000u);  // nothing was lost, though
}

// ---- wrong acknowledgement numbers: RFC 9293 §3.5.2, group 2

TEST_P(Opening, AnswersAWrongAcknowledgementInSynSentWithAReset) {
  peer.reach(State::syn_sent);
  for (const char* number : {"0", "2", "1000", "4294967295"}) {
    const std::string n(number);
    EXPECT_EQ(peer.in("S. 0:0(0) ack " + n + " win 65535 <mss 1460>"), Verdict::ack_unacceptable);
    peer.out("R " + n + ":" + n + "(0) win 0");
    EXPECT_EQ(peer.in(". 0:0(0) ack " + n + " win 65535"), Verdict::ack_unacceptable);
    peer.out("R " + n + ":" + n + "(0) win 0");
    EXPECT_EQ(peer.in("R. 0:0(0) ack " + n + " win 0"), Verdict::reset_ignored);
    peer.quiet();
    EXPECT_EQ(peer.state(), State::syn_sent);
  }
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 1 <>");
}

TEST_P(Opening, AnswersAWrongAcknowledgementInSynReceivedWithAReset) {
  peer.reach(State::syn_received);
  for (const char* number : {"0", "2", "1000", "4294967295"}) {
    const std::string n(number);
    EXPECT_EQ(peer.in(". 1:1(0) ack " + n + " win 65535"), Verdict::ack_unacceptable);
    peer.out("R " + n + ":" + n + "(0) win 0");
    peer.quiet();
    EXPECT_EQ(peer.state(), State::syn_received);
  }
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::established);
}

TEST_P(Opening, AnswersAnyAcknowledgementInListenWithAReset) {
  peer.listen();
  EXPECT_EQ(peer.in(". 1:1(0) ack 77 win 65535"), Verdict::answered_reset);
  peer.out("R 77:77(0) win 0");
  EXPECT_EQ(peer.in("S. 1:1(0) ack 78 win 65535"), Verdict::answered_reset);
  peer.out("R 78:78(0) win 0");
  EXPECT_EQ(peer.in("F. 1:11(10) ack 79 win 65535"), Verdict::answered_reset);
  peer.out("R 79:79(0) win 0");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::listen);
}

// ---- simultaneous open

// RFC 9293 figure 7.
// [RFC 9293 MUST-10]
TEST_P(Opening, OpensSimultaneously) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  EXPECT_EQ(peer.state(), State::syn_received);
  peer.out("S. 0:0(0) ack 1 win 65535 <mss " +
           std::string(GetParam() == Family::ipv4 ? "1460" : "1440") + ">");
  peer.quiet();
  EXPECT_FALSE(peer.told().connected);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_TRUE(peer.told().connected);
  peer.out(". 1:1(0) ack 1");
  peer.in("P. 1:11(10) ack 1 win 65535");
  EXPECT_EQ(peer.recv(), 10u);
}

// [RFC 9293 MUST-10]
TEST_P(Opening, EndsASimultaneousOpenWithAPlainAckToo) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535"), Verdict::handshake_completed);
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.recv(), 10u);
}

TEST_P(Opening, RepeatsTheSynAckOfASimultaneousOpenUntilItIsAnswered) {
  ASSERT_TRUE(peer.connect());
  peer.out_at(0s, "S 0:0(0) <*>");
  peer.after(500ms);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out_at(500ms, "S. 0:0(0) ack 1 <*>");
  peer.after(10s);
  peer.out_at(1500ms, "S. 0:0(0) ack 1 <*>");
  peer.out_at(3500ms, "S. 0:0(0) ack 1 <*>");
  peer.out_at(7500ms, "S. 0:0(0) ack 1 <*>");
  peer.quiet();
}

// MUST-11: an active OPEN that is refused tells the user, and does not go back to LISTEN.
// [RFC 9293 MUST-11]
TEST_P(Opening, RefusesASimultaneousOpenThatIsReset) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("R 1:1(0) win 0"), Verdict::reset_accepted);
  EXPECT_EQ(peer.state(), State::closed);
  EXPECT_EQ(peer.told().failure, Error::connection_refused);
  peer.after(300s);
  peer.quiet();
}

// RFC 9293 §3.10.4: CLOSE in SYN-RECEIVED does not lose the connection.
TEST_P(Opening, FinishesASimultaneousOpenThatIsClosedMeanwhile) {
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_TRUE(peer.close());
  peer.quiet();
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out("F. 1:1(0) ack 1");
  peer.in("F. 1:1(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(peer.state(), State::time_wait);
}

// RFC 9293 figure 8: we are A, which an old duplicate of our SYN would have misled B about.
TEST_P(Opening, RecoversFromAnOldDuplicateOfItsSynAsActiveSide) {
  peer.reach(State::syn_sent);
  peer.in("S. 300:300(0) ack 4294967287 win 65535 <mss 1460>");  // acknowledges our SYN - 10
  peer.out("R 4294967287:4294967287(0) win 0");
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.start_over(peer.remote_isn());  // B's next ISN
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 1 <>");
  EXPECT_EQ(peer.state(), State::established);
}

// Figures 8 and 11: we are B, which the old duplicate reaches.
// [RFC 9293 MUST-11]
TEST_P(Opening, ReturnsToListenWhenAnOldDuplicateSynTurnsOutToBeOne) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("R 1:1(0) win 0"), Verdict::reset_accepted);
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
  EXPECT_TRUE(peer.other_events().empty());  // the user need not be informed
  peer.start_over(SeqNum(500));
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::established);
}

// ---- half-open connections: RFC 9293 §3.5.1

// Figure 9, seen from B: the peer forgot the connection and opens anew.
// [RFC 5961 4.2-4]
TEST_P(Opening, FindsOutByTheResetAfterItsAckThatThePeerRebooted) {
  for (std::string_view options : {"mss 1460", "mss 1460,sackOK,TS val 5 ecr 0,wscale 7"}) {
    for (const char* syn :
         {"S 900000:900000(0) win 65535 <mss 1460>", "S 50:50(0) win 65535 <mss 1460>",
          "S 900000:900000(0) win 65535 <mss 1460,TS val 3 ecr 0>"}) {
      Peer b(TcpConfig{}, GetParam());
      b.establish({.options = options});
      b.in(syn);
      b.out(". 1:1(0) ack 1");
      EXPECT_EQ(b.state(), State::established);
      b.in("R 1:1(0) win 0");
      EXPECT_EQ(b.told().failure, Error::connection_reset);
      b.start_over(SeqNum(0x1000));
      b.in("S 0:0(0) win 65535 <mss 1460>");
      b.out("S. 0:0(0) ack 1 <*>");
    }
  }
}

// Figure 9, seen from A: we forgot, and what we open anew the peer still believes open.
TEST_P(Opening, ResetsThePeersHalfOpenConnectionAndGoesOnOpening) {
  peer.reach(State::syn_sent);
  EXPECT_EQ(peer.in(". 100:100(0) ack 77 win 65535"), Verdict::ack_unacceptable);
  peer.out("R 77:77(0) win 0");
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 1:1(0) ack 1 <>");
}

// Figure 10, from either side.
TEST_P(Opening, ResetsDataForAConnectionItDoesNotKnow) {
  EXPECT_EQ(peer.in("P. 300:310(10) ack 100 win 65535"), Verdict::answered_reset);
  peer.out("R 100:100(0) win 0");
}
TEST_P(Opening, AbortsWhenThePeerDoesNotKnowItsConnection) {
  peer.establish();
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.in("R 1:1(0) win 0");
  EXPECT_EQ(peer.stack().state(peer.stream()), State::closed);
  EXPECT_EQ(peer.told().failure, Error::connection_reset);
}

// Figure 11, seen from A.
TEST_P(Opening, ResetsASynAckThatNobodyAskedFor) {
  peer.listen();
  EXPECT_EQ(peer.in("S. 300:300(0) ack 201 win 65535 <mss 1460>"), Verdict::answered_reset);
  peer.out("R 201:201(0) win 0");
  EXPECT_EQ(peer.state(), State::listen);
}

}  // namespace
}  // namespace estab::script
