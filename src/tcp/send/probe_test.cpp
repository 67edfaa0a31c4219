// Zero-window probes (RFC 9293 §3.8.6.1), sent and answered.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

/// The remote has shut its window, and something is queued.
struct ZeroWindow : testing::Test {
  explicit ZeroWindow(const TcpConfig& tcp = {}) : peer({.tcp = tcp}) {
    peer.in(". 1:1(0) ack 1 win 0");
    peer.send(5000);
    peer.quiet();
  }
  Opened peer;
};

// [RFC 9293 MUST-36, SHLD-29, SHLD-30]
TEST_F(ZeroWindow, IsProbedAfterTheTimeoutAndThenAfterTwiceAsLongEachTime) {  // SHLD-29, SHLD-30
  Duration due = 0s, wait = 300ms;
  for (int i = 0; i < 15; ++i) {
    due += wait;
    peer.after(wait);
    EXPECT_EQ(peer.out_at(due, ". 1:2(1) ack 1").reason, SendReason::zero_window_probe);
    peer.in(". 1:1(0) ack 1 win 0");
    peer.quiet();
    wait = std::min<Duration>(2 * wait, 120s);
  }
}

// [RFC 9293 MUST-37]
TEST_F(ZeroWindow, IsProbedForEverWhileThePeerAnswers) {  // MUST-37
  for (int i = 0; i < 1000; ++i) {
    peer.after(120s);
    peer.forget_output();
    peer.in(". 1:1(0) ack 1 win 0");
  }
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.told().failure, std::nullopt);
}

TEST_F(ZeroWindow, IsGivenUpWhenNobodyAnswersUntilR2) {
  peer.after(900s);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(240s);  // the probe that would be the next
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
  peer.forget_output();
  peer.after(1h);
  peer.quiet();
}

TEST_F(ZeroWindow, EndsAndTheProbedOctetIsSentWithTheOthers) {
  peer.after(300ms);
  peer.out(". 1:2(1) ack 1");
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out_run(1, 5001, 1000, "P.");
  peer.ack(5001);
  peer.after(1h);
  peer.quiet();
}

TEST_F(ZeroWindow, EndsAndTheProbedOctetHasBeenTaken) {
  peer.after(300ms);
  peer.out(". 1:2(1) ack 1");
  peer.in(". 1:1(0) ack 2 win 65535");
  peer.out_run(2, 4002);
  peer.ack(4002);
  peer.out("P. 4002:5001(999) ack 1");
}

TEST_F(ZeroWindow, IsNoTimeThatCountsAgainstWhatIsSentAfterIt) {
  for (int i = 0; i < 20; ++i) {
    peer.after(60s);
    peer.forget_output();
    peer.in(". 1:1(0) ack 1 win 0");
  }
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out_run(1, 5001, 1000, "P.");
  peer.mark();
  peer.after(899s);
  EXPECT_EQ(peer.state(), State::established);
  peer.out_at(300ms, ". 1:1001(1000) ack 1");
  peer.after(1s);
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
}

TEST_F(ZeroWindow, IsProbedWithTheNextOctetWhenTheLastWasTaken) {
  for (int i = 1; i < 5; ++i) {
    peer.after(300ms);
    peer.out(". " + Opened::range(i, i + 1) + " ack 1");
    peer.in(". 1:1(0) ack " + std::to_string(i + 1) + " win 0");
  }
}

TEST_F(ZeroWindow, IsNoLossAndItsAnswersAreNoDuplicates) {
  for (int i = 0; i < 10; ++i) {
    peer.after(120s);
    peer.forget_output();
    peer.in(". 1:1(0) ack 1 win 0");
    peer.quiet();
  }
  EXPECT_EQ(peer.info().snd_cwnd, 10000u);
  EXPECT_EQ(peer.info().snd_ssthresh, 0xffffffffu);
  EXPECT_EQ(peer.info().backoff, 0);
}

// While its window is shut, the peer accepts one number only: the one it waits for. What the probe
// took beyond it does not count.
TEST_F(ZeroWindow, LeavesOurAcksAcceptableToThePeer) {
  peer.after(300ms);
  peer.out(". 1:2(1) ack 1");
  peer.in("P. 1:101(100) ack 1 win 0");
  peer.out(". 1:1(0) ack 101 win *");
}

TEST_F(ZeroWindow, LeavesOurResetAcceptableToThePeer) {
  peer.after(300ms);
  peer.out(". 1:2(1) ack 1");
  ASSERT_TRUE(peer.abort());
  peer.out("R. 1:1(0) ack 1 win 0");
}

TEST(Probe, IsSentOnlyWhileSomethingWaits) {
  Opened late;
  late.in(". 1:1(0) ack 1 win 0");
  late.after(1h);
  late.quiet();  // nothing to send: nothing to probe for
  late.mark();
  late.send(10);
  late.after(1s);
  late.out_at(300ms, ". 1:2(1) ack 1");
}

TEST(Probe, IsAFinIfThatIsAllThereIs) {
  Opened idle;
  idle.in(". 1:1(0) ack 1 win 0");
  ASSERT_TRUE(idle.shutdown());
  idle.quiet();
  idle.after(300ms);
  idle.out_at(300ms, "F. 1:1(0) ack 1");
  idle.in(". 1:1(0) ack 2 win 0");
  EXPECT_EQ(idle.state(), State::fin_wait_2);
}

// Nobody could abort it any more, and a peer that answers every probe would hold it for ever.
TEST_F(ZeroWindow, IsWaitedForUntilR2OnceTheApplicationHasLetGo) {
  ASSERT_TRUE(peer.close());
  for (int i = 0; i < 14; ++i) {
    peer.after(60s);
    peer.forget_output();
    peer.in(". 1:1(0) ack 1 win 0");
    ASSERT_EQ(peer.stack().census().streams, 1u) << i;
  }
  peer.after(180s);
  EXPECT_EQ(peer.stack().census().streams, 0u);
}

TEST_F(ZeroWindow, IsGivenUpAtAUserTimeoutSetWhileItIsProbed) {
  peer.after(100s);
  peer.in(". 1:1(0) ack 1 win 0");
  peer.reconfigure([](TcpConfig& c) { c.user_timeout = 101s; });
  peer.after(1s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

struct ZeroWindowAndUserTimeout : ZeroWindow {
  ZeroWindowAndUserTimeout() : ZeroWindow({.user_timeout = 10s}) {}
};

TEST_F(ZeroWindowAndUserTimeout, IsGivenUpEvenIfThePeerAnswers) {  // RFC 5482, RFC 6429
  for (int i = 0; i < 9; ++i) {
    peer.after(1s);
    peer.forget_output();
    peer.in(". 1:1(0) ack 1 win 0");
  }
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1s);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

TEST(Probe, IsNotMadeOfAFinThatFindsNoRoomBehindTheData) {
  Opened peer({.window = 1000});
  peer.together([&] {
    peer.send(1000);
    ASSERT_TRUE(peer.shutdown());
  });
  peer.out("P. 1:1001(1000) ack 1");
  peer.quiet();  // the FIN takes a number, and there is none left
  peer.in(". 1:1(0) ack 1001 win 0");
  peer.quiet();
  peer.in(". 1:1(0) ack 1001 win 1");
  peer.out("F. 1001:1001(0) ack 1");
}

// ---- answering

/// Our window is shut.
struct ShutBuffer : testing::Test {
  ShutBuffer() {
    peer.in_run(1, 1001);
    peer.out(". 1:1(0) ack 1001 win 0");
  }
  Opened peer{{.tcp = {.receive_buffer = 1000}}};
};

TEST_F(ShutBuffer, AnswersAProbeWithWhatItExpectsAndAShutWindow) {
  for (int i = 0; i < 20; ++i) {
    peer.in(". 1001:1002(1) ack 1 win 65535");
    peer.out(". 1:1(0) ack 1001 win 0");
  }
  EXPECT_EQ(peer.recv(), 1000u);
}

TEST_F(ShutBuffer, AnswersAProbeWithoutData) {
  peer.in(". 1000:1000(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1001 win 0");
  peer.in(". 1000:1001(1) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1001 win 0");
}

TEST_F(ShutBuffer, ActsOnAcks) {
  peer.send(500);
  peer.out("P. 1:501(500) ack 1001 win 0");
  peer.in(". 1001:1001(0) ack 501 win 65535");
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
}

TEST_F(ShutBuffer, ActsOnTheAckOfASegmentThatItHasNoRoomFor) {
  peer.send(500);
  peer.out("P. 1:501(500) ack 1001 win 0");
  peer.in(". 1001:1101(100) ack 501 win 65535");
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_EQ(peer.recv(), 1000u);
}

// [RFC 9293 MUST-66]
TEST_F(ShutBuffer, ActsOnUrgentData) {  // MUST-66
  peer.in("U. 1001:1001(0) ack 1 win 65535 urg 5");
  EXPECT_TRUE(peer.told().urgent);
}

// [RFC 9293 MUST-66]
TEST_F(ShutBuffer, ActsOnAReset) {  // MUST-66
  EXPECT_EQ(peer.in("R. 1001:1001(0) ack 1"), Verdict::reset_accepted);
  EXPECT_EQ(peer.told().failure, Error::connection_reset);
}

// [RFC 9293 MAY-8]
TEST_F(ShutBuffer, StaysShutAsLongAsTheApplicationLikes) {  // MAY-8
  peer.after(24h);
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.recv(), 1000u);
  peer.out(". 1:1(0) ack 1001 win 1000");
}

}  // namespace
}  // namespace estab::script
