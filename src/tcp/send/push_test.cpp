// PSH (RFC 9293 §3.9.1): where it is set, and that data does not wait for it.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

// [RFC 9293 MUST-61]
TEST(Push, IsSetWhereTheQueueEmpties) {  // MUST-61
  Opened peer;
  peer.send(2500);
  peer.out_run(1, 2001);
  peer.ack(2001);
  peer.out("P. 2001:2501(500) ack 1");
}

// [RFC 9293 MUST-61]
TEST(Push, IsSetOnAFullSegmentThatEndsTheQueue) {
  Opened peer;
  peer.send(2000);
  peer.out(". 1:1001(1000) ack 1");
  peer.out("P. 1001:2001(1000) ack 1");
}

TEST(Push, IsNotSetWhileMoreIsQueuedThanMayGo) {
  Opened peer({.window = 2000});
  peer.send(2001);
  peer.out_run(1, 2001);
  peer.quiet();
}

TEST(Push, IsSetAtTheEndOfABurstIfSo) {
  TcpConfig tcp;
  tcp.quirks.push_bursts = true;
  Opened peer({.tcp = tcp, .window = 2500});
  peer.send(20000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.ack(1001);  // one segment is no burst
  peer.out(". 2001:3001(1000) ack 1");
  peer.ack(3001);
  peer.out_run(3001, 5001, 1000, "P.");
  peer.quiet();
}

TEST(Push, CountsHalfACongestionWindowAsABurstAtMost) {
  StackConfig stack;
  stack.tcp.quirks.push_bursts = true;
  Peer peer(PeerOptions{.stack = stack});
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");  // at once: the pace would be much more
  peer.out(". 1:1(0) ack 1");
  peer.send(20000);
  for (int from = 1; from < 10001; from += 1000)
    peer.out((from % 5000 == 4001 ? "P. " : ". ") + std::to_string(from) + ":" +
             std::to_string(from + 1000) + "(1000) ack 1");
  peer.quiet();
}

TEST(Push, CountsAsManySegmentsAsOneSaysAsABurstAtLeast) {
  TcpConfig tcp;
  tcp.quirks.push_bursts = true;
  tcp.quirks.least_burst = 4;  // at a round trip of 100 ms two is what the pace gives
  Opened peer({.tcp = tcp});
  peer.send(20000);
  peer.out_run(1, 4001, 1000, "P.");
  peer.out_run(4001, 8001, 1000, "P.");
  peer.out_run(8001, 10001, 1000, "P.");
  peer.quiet();
}

TEST(Push, IsNotSetAtTheEndOfWhatIsSentAgain) {
  TcpConfig tcp;
  tcp.quirks.push_bursts = true;
  Opened peer({.tcp = tcp, .window = 4000});
  peer.send(20000);
  peer.forget_output();
  peer.after(400ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1);  // a duplicate: the timeout was true (RFC 5682 §2.1 (2a))
  peer.ack(1001);
  peer.out_run(1001, 3001);
}

// [RFC 9293 MAY-15]
TEST(Push, IsSetWhereTheApplicationAskedForItInTheMidstOfTheQueue) {  // MAY-15
  Opened peer;
  peer.together([&] {
    peer.send(1500, SendMode::push);
    peer.send(1500);
  });
  peer.out(". 1:1001(1000) ack 1");
  peer.out("P. 1001:2001(1000) ack 1");
  peer.out("P. 2001:3001(1000) ack 1");
}

TEST(Push, DoesNotWaitForAnAck) {
  Opened peer;
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.send(10, SendMode::push);
  peer.out("P. 11:21(10) ack 1");
  peer.send(10);
  peer.quiet();
}

TEST(Push, TakesAlongWhatHadToWait) {
  Opened peer;
  peer.send(10);
  peer.send(10);
  peer.send(10, SendMode::push);
  peer.out("P. 1:11(10) ack 1");
  peer.out("P. 11:31(20) ack 1");
}

// [RFC 9293 SHLD-27]
TEST(Push, OfSeveralCallsIsOneIfTheyFitIntoOneSegment) {  // SHLD-27
  Opened peer;
  peer.in(". 1:1(0) ack 1 win 0");
  for (int i = 0; i < 5; ++i) peer.send(100, SendMode::push);
  peer.quiet();
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out("P. 1:501(500) ack 1");
  peer.quiet();
}

TEST(Push, GoesWithTheFin) {
  Opened peer;
  peer.together([&] {
    peer.send(100);
    ASSERT_TRUE(peer.shutdown());
  });
  peer.out("FP. 1:101(100) ack 1");
}

TEST(Push, IsNotSetOnAFinWithoutData) {
  Opened peer;
  ASSERT_TRUE(peer.shutdown());
  peer.out("F. 1:1(0) ack 1");
}

TEST(Push, IsSetOnARetransmission) {
  Opened peer;
  peer.send(1500);
  peer.forget_output();
  peer.ack(1001);
  peer.out("P. 1001:1501(500) ack 1");
  peer.after(1s);
  peer.out("P. 1001:1501(500) ack 1");
}

TEST(Push, OfAPartlyTakenSendIsNotSetInItsMidst) {
  Opened peer({.tcp = {.send_buffer = 1500}});
  EXPECT_EQ(peer.send(2000, SendMode::push), 1500u);
  peer.out(". 1:1001(1000) ack 1");
  peer.quiet();
}

TEST(Push, ReceivedOrNotDataIsToldAndReadAtOnce) {
  for (const std::string flags : {".", "P."}) {
    Opened peer({.tcp = {.quick_acks = 0}});
    peer.in(flags + " 1:11(10) ack 1 win 65535");
    EXPECT_TRUE(peer.told().readable);
    EXPECT_EQ(peer.stack().readable(peer.stream()), 10u);
    EXPECT_EQ(peer.recv(), 10u);
  }
}

}  // namespace
}  // namespace estab::script
