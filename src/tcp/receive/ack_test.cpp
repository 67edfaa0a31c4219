// When the stack acknowledges: delayed ACKs, every second segment, at once where a loss may be
// (RFC 9293 §3.8.6.3, RFC 5681 §4.2), and once for a burst.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

/// Without the quick ACKs of the beginning.
Start settled() {
  return {.tcp = {.quick_acks = 0}};
}

// [RFC 9293 SHLD-18, MUST-40]
TEST(Ack, IsDelayedFor40Milliseconds) {  // SHLD-18, MUST-40
  Opened peer(settled());
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.quiet();
  peer.after(1s);
  EXPECT_EQ(peer.out_at(40ms, ". 1:1(0) ack 101").reason, SendReason::ack_delayed);
  peer.quiet();
}

TEST(Ack, IsDelayedNoLongerByFurtherSegments) {
  Opened peer(settled());
  for (int i = 0; i < 4; ++i) {
    peer.in("P. " + Opened::range(1 + i * 10, 11 + i * 10) + " ack 1 win 65535");
    peer.after(10ms);
  }
  peer.out_at(40ms, ". 1:1(0) ack 41");
  peer.quiet();
}

TEST(Ack, FollowsTheConfiguredDelay) {
  Opened later({.tcp = {.delayed_ack = 100ms, .quick_acks = 0}});
  later.in("P. 1:101(100) ack 1 win 65535");
  later.after(1s);
  later.out_at(100ms, ". 1:1(0) ack 101");
  Opened never({.tcp = {.delayed_ack = 0s, .quick_acks = 0}});
  never.in("P. 1:101(100) ack 1 win 65535");
  never.out(". 1:1(0) ack 101");
}

// [RFC 9293 MUST-40]
TEST(Ack, IsNeverDelayedForHalfASecond) {
  Opened peer({.tcp = {.delayed_ack = 10s, .quick_acks = 0}});
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.after(500ms - 1ns);
  peer.out(". 1:1(0) ack 101");
}

// [RFC 9293 SHLD-19]
TEST(Ack, AnswersEverySecondFullSegmentAtOnce) {  // SHLD-19
  Opened peer(settled());
  for (int i = 0; i < 4; ++i) {
    peer.in_run(1 + i * 2000, 1001 + i * 2000);
    peer.quiet();
    peer.in_run(1001 + i * 2000, 2001 + i * 2000);
    EXPECT_EQ(peer.out(". 1:1(0) ack " + std::to_string(2001 + i * 2000)).reason,
              SendReason::ack_immediate);
  }
}

TEST(Ack, KnowsThatTimestampsMakeAFullSegmentShorter) {
  Start start = settled();
  start.options = "mss 1460,TS val 5 ecr 0";
  Opened peer(start);
  peer.in_run(1, 1449, 1448);
  peer.quiet();
  peer.in_run(1449, 2897, 1448);
  peer.out(". 1:1(0) ack 2897");
}

TEST(Ack, LearnsThatSegmentsAreLargerThanThePeersOwnMss) {
  Start start = settled();
  start.options = "mss 536";
  Opened peer(start);
  for (int i = 0; i < 3; ++i) {
    peer.in_run(1 + i * 2920, 1461 + i * 2920, 1460);
    peer.quiet();
    peer.in_run(1461 + i * 2920, 2921 + i * 2920, 1460);
    peer.out(". 1:1(0) ack " + std::to_string(2921 + i * 2920));
  }
}

TEST(Ack, AnswersSeveralMergedSegmentsAtOnce) {
  Start start = settled();
  start.interface.segmentation_v4 = true;
  Opened peer(start);
  for (int i = 0; i < 5; ++i) {
    peer.in_run(1 + i * 4000, 4001 + i * 4000, 4000);  // four of 1000, merged by the device
    peer.out(". 1:1(0) ack " + std::to_string(4001 + i * 4000));
  }
}

TEST(Ack, RidesOnDataThatGoesOutAnyway) {
  Opened peer(settled());
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.send(50);
  peer.out("P. 1:51(50) ack 101");
  peer.after(1s);
  peer.out_at(300ms, "P. 1:51(50) ack 101");  // the retransmission; no ACK of its own
}

TEST(Ack, IsQuickAtTheBeginning) {
  Opened peer({.tcp = {.quick_acks = 3}});
  for (int i = 0; i < 3; ++i) {
    peer.in("P. " + Opened::range(1 + i * 10, 11 + i * 10) + " ack 1 win 65535");
    peer.out(". 1:1(0) ack " + std::to_string(11 + i * 10));
  }
  peer.in("P. 31:41(10) ack 1 win 65535");
  peer.quiet();
  peer.after(40ms);
  peer.out_at(40ms, ". 1:1(0) ack 41");
}

// [RFC 9293 MUST-58, MUST-59]
TEST(Ack, IsOneForABurst) {  // MUST-58, MUST-59
  Opened peer(settled());
  peer.together([&] { peer.in_run(1, 20001); });
  peer.out(". 1:1(0) ack 20001");
  peer.quiet();
}

// [RFC 9293 MUST-58, MUST-59]
TEST(Ack, OfABurstRidesOnTheAnswerOfTheApplication) {
  Opened peer(settled());
  peer.together([&] {
    peer.in_run(1, 4001);
    EXPECT_EQ(peer.recv(), 4000u);
    peer.send(100);
  });
  peer.out("P. 1:101(100) ack 4001");
  peer.quiet();
}

// [RFC 9293 MAY-13] [RFC 5681 3.2-1]
TEST(Ack, IsSentAtOnceForEachSegmentBeyondAGap) {  // RFC 5681 §4.2, §3.2
  Opened peer(settled());
  for (int i = 1; i <= 4; ++i) {
    peer.in_run(1 + i * 1000, 1001 + i * 1000);
    EXPECT_EQ(peer.out(". 1:1(0) ack 1").reason, SendReason::ack_duplicate);
  }
  peer.quiet();
}

// [RFC 5681 4.2-11]
TEST(Ack, IsSentForEachSegmentBeyondAGapEvenInABurst) {
  Opened peer(settled());
  peer.together([&] { peer.in_run(1001, 5001); });
  for (int i = 0; i < 4; ++i) peer.out(". 1:1(0) ack 1");
  peer.quiet();
}

// [RFC 5681 3.2-2]
TEST(Ack, IsSentAtOnceWhenAGapIsFilledInPartOrWhole) {
  Opened peer(settled());
  peer.in_run(1001, 2001);
  peer.in_run(3001, 4001);
  peer.forget_output();
  peer.in("P. 1:11(10) ack 1 win 65535");
  EXPECT_EQ(peer.out(". 1:1(0) ack 11").reason, SendReason::ack_gap_filled);
  peer.in_run(11, 1001);
  EXPECT_EQ(peer.out(". 1:1(0) ack 2001").reason, SendReason::ack_gap_filled);
  peer.in_run(2001, 3001);
  EXPECT_EQ(peer.out(". 1:1(0) ack 4001").reason, SendReason::ack_gap_filled);
  peer.in("P. 4001:4011(10) ack 1 win 65535");
  peer.quiet();  // everything is in order again
}

TEST(Ack, AnswersWhatCameBefore) {  // the first check: our ACK may have been lost
  Opened peer(settled());
  peer.in_run(1, 2001);
  peer.out(". 1:1(0) ack 2001");
  EXPECT_EQ(peer.in("P. 1:1001(1000) ack 1 win 65535"), Verdict::out_of_window);
  EXPECT_EQ(peer.out(". 1:1(0) ack 2001").reason, SendReason::ack_unacceptable);
}

TEST(Ack, AnswersWhatLiesBeyondTheWindow) {
  Opened peer(settled());
  EXPECT_EQ(peer.in(". 65536:65636(100) ack 1 win 65535"), Verdict::out_of_window);
  peer.out(". 1:1(0) ack 1");
  EXPECT_EQ(peer.info().reord_bytes, 0u);
}

TEST(Ack, TakesTheNewPartOfASegmentThatCameInPartBefore) {
  Opened peer(settled());
  peer.in_run(1, 1001);
  peer.in_run(501, 1501);
  EXPECT_EQ(peer.recv(), 1500u);
}

TEST(Ack, TakesThePartOfASegmentThatLiesInsideTheWindow) {
  Opened peer({.tcp = {.receive_buffer = 2500, .quick_acks = 0}});
  peer.in_run(1, 2001);
  peer.out(". 1:1(0) ack 2001 win 500");
  peer.in(". 2001:3001(1000) ack 1 win 65535");
  peer.after(40ms);
  peer.out(". 1:1(0) ack 2501 win 0");
  EXPECT_EQ(peer.recv(), 2500u);
}

TEST(Ack, IsNeverSentForAnAck) {
  Opened peer(settled());
  peer.acks(10, 1);
  peer.after(1h);
  peer.quiet();
}

}  // namespace
}  // namespace estab::script
