// A host that does not run for a while (stopped, suspended, starved) and then goes on: its clock
// has moved, its peers are there, and what they have said waits to be read. Nothing is given up
// before what was repeated has gone unanswered while the host was awake, and the RTO does not
// believe that the path has become so slow.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

// ---- giving up

TEST(Standstill, SendsASegmentAgainBeforeItIsGivenUp) {
  for (const bool user_timeout : {false, true}) {
    Opened peer(
        {.tcp = {.user_timeout = user_timeout ? std::optional<Duration>(30s) : std::nullopt}});
    peer.send(500);
    peer.out("P. 1:501(500) ack 1");
    peer.stand_still(1h);
    peer.out("P. 1:501(500) ack 1");
    peer.after(100ms);
    peer.ack(501);
    peer.after(1h);
    peer.quiet();
    EXPECT_EQ(peer.state(), State::established);
  }
}

TEST(Standstill, SendsASegmentAgainThatHadBeenSentTwice) {
  Opened peer({.tcp = {.user_timeout = 30s}});
  peer.send(500);
  peer.after(400ms);
  peer.forget_output();
  peer.stand_still(1h);
  peer.out("P. 1:501(500) ack 1");
  peer.after(1ms);
  peer.ack(501);
  EXPECT_EQ(peer.state(), State::established);
}

TEST(Standstill, GivesUpIfThereIsStillNoAnswer) {
  Opened peer({.tcp = {.user_timeout = 30s}});
  peer.send(500);
  peer.stand_still(1h);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(600ms);  // twice the RTO
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

TEST(Standstill, SendsAFinAgain) {
  Opened peer;
  ASSERT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 1");
  peer.stand_still(1h);
  peer.out("F. 1:1(0) ack 1");
  peer.ack(2);
  EXPECT_EQ(peer.state(), State::fin_wait_2);
}

TEST(Standstill, ProbesAShutWindowBeforeItIsGivenUp) {
  for (const bool probed : {false, true}) {
    Opened peer({.tcp = {.user_timeout = 30s}});
    peer.in(". 1:1(0) ack 1 win 0");
    peer.send(500);
    if (probed) {
      peer.after(300ms);
      peer.out(". 1:2(1) ack 1");
    }
    peer.stand_still(1h);
    peer.out(". 1:2(1) ack 1");
    peer.in(". 1:1(0) ack 2 win 65535");
    peer.out("P. 2:501(499) ack 1");
    EXPECT_EQ(peer.state(), State::established);
  }
}

TEST(Standstill, ProbesForAnApplicationThatHasLetGo) {
  Opened peer({.tcp = {.r2 = 30s}});
  peer.in(". 1:1(0) ack 1 win 0");
  peer.send(500);
  ASSERT_TRUE(peer.close());
  peer.stand_still(1h);
  peer.out(". 1:2(1) ack 1");
  peer.in(". 1:1(0) ack 2 win 65535");
  peer.out("FP. 2:501(499) ack 1");
}

TEST(Standstill, SendsAKeepAliveBeforeAnIdleConnectionIsGivenUp) {
  Opened peer({.tcp = {.keep_alive = {.enabled = true, .idle = 10s, .interval = 1s, .probes = 2}}});
  peer.after(11s);
  peer.forget_output();  // both
  peer.stand_still(1h);
  peer.out(". 0:0(0) ack 1");
  peer.ack(1);
  peer.after(9s);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

TEST(Standstill, SendsASynAgainBeforeTheOpeningIsGivenUp) {
  for (const bool repeated : {false, true}) {
    Peer peer;
    ASSERT_TRUE(peer.connect());
    if (repeated) peer.after(1s);
    peer.forget_output();
    peer.stand_still(1h);
    peer.out("S 0:0(0) <*>");
    peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
    peer.out(". 1:1(0) ack 1");
    EXPECT_EQ(peer.state(), State::established);
  }
}

TEST(Standstill, SendsASynAckAgainBeforeTheOpeningIsGivenUp) {
  for (const bool repeated : {false, true}) {
    Peer peer;
    peer.reach(State::syn_received);
    if (repeated) peer.after(1s);
    peer.forget_output();
    peer.stand_still(1h);
    peer.out("S. 0:0(0) ack 1 <*>");
    peer.in(". 1:1(0) ack 1 win 65535");
    EXPECT_TRUE(peer.accept());
  }
}

// ---- the RTO

TEST(Standstill, LeavesTheRtoNearTheRoundTrip) {
  for (const char* options : {"mss 1000", kTimestampsToo}) {
    Opened peer({.options = options});
    peer.send(3000);
    peer.forget_output();
    peer.sleep(60s);  // the ACKs wait in the device, and are read before any timer fires
    for (int acked : {1001, 2001, 3001}) peer.ack(acked);
    EXPECT_LT(peer.info().rto, 2s) << options;
    EXPECT_EQ(peer.state(), State::established);
  }
}

TEST(Standstill, OfThePathLeavesTheRtoNearTheRoundTrip) {
  Opened peer({.options = kTimestampsToo});
  peer.send(5000);
  const auto first = peer.out(". 1:1001(1000) ack 1").segment->options.timestamps->value;
  peer.after(30s);  // it is sent again and again, and then the first sending is answered
  peer.forget_output();
  for (int acked : {1001, 2001, 3001}) {
    const std::uint32_t echo = first - peer.stack_clock();
    peer.in(". 1:1(0) ack " + std::to_string(acked) + peer.window() + " <TS val 31000 ecr " +
            std::to_string(echo) + ">");
  }
  EXPECT_LT(peer.info().rto, 2s);
}

TEST(Standstill, WhileASynIsAnsweredIsNoRoundTrip) {
  for (const Open::Side side : {kPassive, kActive}) {
    Peer peer;
    if (side == kActive) {
      ASSERT_TRUE(peer.connect());
      peer.sleep(60s);
      peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
    } else {
      peer.reach(State::syn_received);
      peer.sleep(60s);
      peer.in(". 1:1(0) ack 1 win 65535");
      ASSERT_TRUE(peer.accept());
    }
    EXPECT_EQ(peer.info().rto, 1s);
  }
}

}  // namespace
}  // namespace estab::script
