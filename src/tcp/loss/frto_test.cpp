// After a timeout: whether anything was lost at all (F-RTO, RFC 5682).

#include "tcp/loss/testing/recovery.h"

namespace estab::script {
namespace {

/// Ten segments in flight, a peer with SACK; their timer runs out 200 ms from now.
struct FRto : Recovery {};

// RFC 5682 §3.1: what was never sent again is acknowledged after a timeout.
TEST_F(FRto, UndoesATimeoutWhenWhatWasNotSentAgainIsAcknowledged) {
  peer.after(200ms);
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
  EXPECT_EQ(peer.info().snd_cwnd, 1000u);
  peer.ack(1001);  // it may be the original's
  for (int fresh = 0; fresh < 2; ++fresh)
    EXPECT_EQ(peer.out(". " + Opened::range(10001 + fresh * 1000, 11001 + fresh * 1000) + " ack 1")
                  .reason,
              SendReason::data);
  peer.quiet();
  peer.ack(2001);  // and this one can only be
  EXPECT_EQ(peer.info().undone, 1u);
  EXPECT_GE(peer.info().snd_cwnd, 10000u);
  EXPECT_EQ(peer.info().lost_bytes, 0u);
  while (const auto sent = peer.next()) EXPECT_EQ(sent->reason, SendReason::data);
}

// ---- RFC 5682 §2.1

/// A peer without SACK, whose ten segments have timed out; the first of them has gone again.
struct TimedOut : testing::Test {
  TimedOut() {
    peer.send(20000);
    peer.out_run(1, 10001);
    peer.after(300ms);
    EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
    peer.quiet();
  }
  Opened peer{{.tcp = reno()}};
};

// Steps 2b and 3b: two new segments and no more, whatever the first ACK covers; the second decides.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, SendsTwoNewSegmentsAndIsProvedSpuriousByTheSecondAck) {
  peer.ack(4001);
  peer.out_run(10001, 12001);
  peer.quiet();
  EXPECT_EQ(peer.info().undone, 0u);
  peer.ack(5001);
  EXPECT_EQ(peer.info().undone, 1u);
}

// Step 2a.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, IsTrueIfTheFirstAnswerIsADuplicate) {
  peer.ack(1);
  peer.ack(1001);
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
  peer.ack(2001);
  EXPECT_EQ(peer.info().undone, 0u);
}

// Step 2a: else a peer that acknowledges in pieces could make a timeout look spurious.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, IsTrueIfTheFirstAckCoversOnlyAPartOfTheRetransmission) {
  peer.ack(501);
  peer.forget_output();
  peer.ack(2001);
  EXPECT_EQ(peer.info().undone, 0u);
}

// Step 3a.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, IsTrueIfTheSecondAnswerIsADuplicate) {
  peer.ack(1001);
  peer.out_run(10001, 12001);
  peer.ack(1001);
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
  EXPECT_EQ(peer.info().undone, 0u);
  EXPECT_LE(peer.info().snd_cwnd, 3000u);
}

// [RFC 5682 2.1-4]
TEST_F(TimedOut, IgnoresWhatIsNeitherNewNorADuplicate) {
  peer.in(". 1:1(0) ack 1 win 60000");
  peer.ack(1001);
  peer.out_run(10001, 12001);
  peer.in(". 1:1(0) ack 1001 win 60000");
  peer.quiet();
  peer.ack(2001);
  EXPECT_EQ(peer.info().undone, 1u);
}

// [RFC 5682 2.1-2]
TEST_F(TimedOut, BeginsTheStepsAgainIfTheTimerRunsOutAgain) {
  peer.after(600ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.out_run(10001, 12001);
  peer.ack(2001);
  EXPECT_EQ(peer.info().undone, 1u);
  EXPECT_GE(peer.info().snd_cwnd, 10000u);
}

// Step 1: what was sent again before may be what is acknowledged.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, IsNotDoubtedTwiceWithinOneRecovery) {
  peer.ack(1001);
  peer.out_run(10001, 12001);
  peer.after(1s);
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
  peer.ack(2001);
  EXPECT_EQ(peer.out(". 2001:3001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

// Step 3b: "recover" is SND.UNA then.
// [RFC 5682 2.1-1]
TEST_F(TimedOut, MayRetransmitFastAfterASpuriousTimeout) {
  peer.ack(1001);
  peer.ack(2001);
  EXPECT_EQ(peer.info().undone, 1u);
  peer.forget_output();
  peer.acks(3, 2001);
  bool again = false;
  while (const auto sent = peer.next()) again |= sent->reason == SendReason::retransmit_fast;
  EXPECT_TRUE(again);
}

// [RFC 5682 3.1-4]
TEST_F(FRto, BeginsFRtoAgainIfTheTimerRunsOutAgain) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.after(600ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.out_run(10001, 12001);
  sack(1001, "4001:5001");
  EXPECT_EQ(peer.info().undone, 1u);
}

// RFC 5682 §3.1, step 2: a duplicate decides nothing yet.
TEST_F(FRto, WaitsForTheFirstAckOfFRtoWhateverIsDuplicated) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1);
  peer.quiet();
  peer.ack(1001);
  peer.out_run(10001, 12001);
}

// RFC 5682 §3.1, step 3a: it may be the new segment that was answered.
TEST_F(FRto, TakesATimeoutForTrueWhenNewOctetsAreSackedToo) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.out_run(10001, 12001);
  sack(1001, "4001:5001 10001:11001");
  EXPECT_EQ(peer.info().undone, 0u);
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

// Octets that arrive only after the timeout, before anything that went again was answered.
// [RFC 5682 3.1-1]
TEST_F(FRto, UndoesATimeoutAsSoonAsAnOriginalIsSacked) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  sack(1, "1001:2001");
  EXPECT_EQ(peer.info().undone, 1u);
}

// [RFC 5682 2.1-3, 3.1-3]
TEST_F(FRto, DoesNotDoubtATimeoutWhileLossesAreRepaired) {
  sack(1, "1001:4001");
  peer.out(". 1:1001(1000) ack 1");
  peer.forget_output();
  peer.after(350ms);
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_timeout);
  peer.ack(4001);
  EXPECT_EQ(peer.out(". 4001:5001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

TEST_F(FRto, RepairsAfterATimeoutThatWasTrue) {
  peer.after(200ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(1001);
  peer.out_run(10001, 12001);  // F-RTO looks first
  sack(1001, "10001:11001");
  EXPECT_EQ(peer.info().undone, 0u);
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
}

TEST(Undo, KeepsTheThresholdOfATimeoutThatTimestampsDoNotDoubt) {
  Opened peer({.tcp = reno(), .options = kSackAndTimestamps});
  peer.send(20000);
  peer.forget_output();
  peer.after(400ms);
  const auto repeated = peer.out(". 1:1001(1000) ack 1");
  const auto echo =
      std::to_string(repeated.segment->options.timestamps->value - peer.stack_clock());
  peer.in(". 1:1(0) ack 1001 win 65535 <TS val 900 ecr " + echo + ">");
  EXPECT_EQ(peer.out(". 1001:2001(1000) ack 1").reason, SendReason::retransmit_timeout);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

}  // namespace
}  // namespace estab::script
