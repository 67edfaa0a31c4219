// Timestamps (RFC 7323): carried by every segment once agreed on, protection against wrapped
// sequence numbers, and which timestamp is echoed.

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

/// The remote's clock stands at 2,000,000 since it sent an octet.
struct Paws : testing::Test {
  Paws() {
    peer.in(". 1:2(1) ack 1 win 65535 <TS val 2000000 ecr 0>");
    peer.out(". 1:1(0) ack 2 <TS val * ecr 2000000>");
  }
  static std::string ts(std::uint32_t value) {
    return " win 65535 <TS val " + std::to_string(value) + " ecr 0>";
  }
  Opened peer{{.options = kTimestampsToo}};
};

// [RFC 7323 3.2-7]
TEST(Timestamps, AreUsedOnlyIfBothOffer) {
  for (const bool ours : {true, false}) {
    for (const bool theirs : {true, false}) {
      Opened peer(
          {.tcp = {.use_timestamps = ours}, .options = theirs ? kTimestampsToo : "mss 1000"});
      EXPECT_EQ(peer.info().timestamps, ours && theirs);
      peer.send(10);
      peer.out(ours && theirs ? "P. 1:11(10) ack 1 <TS val * ecr *>" : "P. 1:11(10) ack 1");
    }
  }
}

// [RFC 7323 3.2-1, 3.2-5]
TEST(Timestamps, AreOfferedWithoutAnEcho) {  // TSecr is valid only with ACK
  Peer peer;
  ASSERT_TRUE(peer.connect());
  const auto syn = peer.out("S 0:0(0) <*>");
  ASSERT_TRUE(syn.segment->options.timestamps);
  EXPECT_EQ(syn.segment->options.timestamps->echo, 0u);
}

// [RFC 7323 3.2-4]
TEST(Timestamps, EchoOfASynMeansNothing) {
  Peer peer;
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000,TS val 7 ecr 987654>");
  peer.out("S. 0:0(0) ack 1 <mss *,TS val 0 ecr 7>");
  peer.use_timestamps();
  peer.after(40ms);
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().rtt, 40ms);
}

// [RFC 7323 3.2-6]
TEST_F(Paws, EverySegmentCarriesTheClockInMilliseconds) {
  const auto before = peer.stack_clock();
  peer.send(10);
  const auto sent = peer.out("P. 1:11(10) ack 2 <TS val * ecr 2000000>");
  EXPECT_EQ(sent.segment->options.timestamps->value - before, 100u) << "100 ms since the SYN-ACK";
  peer.after(250ms);
  peer.send(10);
  peer.reconfigure([](TcpConfig& c) { c.nagle = false; });
  EXPECT_EQ(
      peer.out("P. 11:21(10) ack 2 <TS val * ecr 2000000>").segment->options.timestamps->value -
          before,
      350u);
}

// Forged by somebody who has guessed the number, but not the acknowledgement (RFC 5961 §5): taken,
// it would make every true segment look old.
TEST_F(Paws, TakesNoTimestampFromASegmentWhoseAckIsRefused) {
  EXPECT_EQ(peer.in("P. 2:12(10) ack 1000000" + ts(0x70000000)), Verdict::ack_unacceptable);
  peer.forget_output();
  EXPECT_EQ(peer.in("P 2:12(10)" + ts(0x70000000)), Verdict::no_ack_bit);
  peer.in("P. 2:12(10) ack 1" + ts(2000001));
  peer.out(". 1:1(0) ack 12 <TS val * ecr 2000001>");
}

// [RFC 7323 5.3-1]
TEST_F(Paws, DropsAnOlderTimestampAndAnswers) {  // R1
  EXPECT_EQ(peer.in("P. 2:102(100) ack 1" + ts(1999999)), Verdict::paws);
  peer.out(". 1:1(0) ack 2 <TS val * ecr 2000000>");
  EXPECT_EQ(peer.stack().readable(peer.stream()), 1u);
}

// [RFC 7323 5.3-2]
TEST_F(Paws, ComesBeforeTheWindow) {
  EXPECT_EQ(peer.in("P. 200000:200010(10) ack 1" + ts(1999999)), Verdict::paws);
  EXPECT_EQ(peer.in("P. 200000:200010(10) ack 1" + ts(2000001)), Verdict::out_of_window);
  peer.forget_output();
}

// [RFC 7323 5.3-1]
TEST_F(Paws, DropsTheAcknowledgementWithIt) {
  peer.send(10);
  peer.forget_output();
  EXPECT_EQ(peer.in(". 2:2(0) ack 11" + ts(1999999)), Verdict::paws);
  EXPECT_EQ(peer.info().unacked_bytes, 10u);
}

TEST_F(Paws, TakesTheSameTimestampAgain) {
  EXPECT_EQ(peer.in("P. 2:102(100) ack 1" + ts(2000000)), Verdict::predicted);
  EXPECT_EQ(peer.stack().readable(peer.stream()), 101u);
}

// [RFC 7323 5.2-5]
TEST_F(Paws, SparesAReset) {
  EXPECT_EQ(peer.in("R. 2:2(0) ack 1" + ts(1)), Verdict::reset_accepted);
  EXPECT_EQ(peer.told().failure, Error::connection_reset);
}

// [RFC 7323 5.3-1]
TEST_F(Paws, KnowsThatTheClockWraps) {
  peer.in(". 2:3(1) ack 1" + ts(0x80000000));
  peer.in(". 3:4(1) ack 1" + ts(0xffffffff));
  peer.in(". 4:5(1) ack 1" + ts(0));
  EXPECT_EQ(peer.in(". 5:6(1) ack 1" + ts(0xffffffff)), Verdict::paws);
  EXPECT_EQ(peer.in(". 5:6(1) ack 1" + ts(1)), Verdict::predicted);
  EXPECT_EQ(peer.recv(), 5u);
}

// [RFC 7323 5.5-1]
TEST_F(Paws, DoesNotHoldAfter24DaysOfSilence) {  // RFC 7323 §5.5
  peer.after(24h * 24);
  EXPECT_EQ(peer.in(". 2:3(1) ack 1" + ts(1999999)), Verdict::paws);
  peer.forget_output();
  peer.after(1ns);
  EXPECT_EQ(peer.in(". 2:3(1) ack 1" + ts(1000)), Verdict::predicted);
  peer.out(". 1:1(0) ack 3 <TS val * ecr 1000>");
  EXPECT_EQ(peer.in(". 3:4(1) ack 1" + ts(999)), Verdict::paws) << "and holds again at once";
}

TEST_F(Paws, HasNothingToSayOfASegmentWithoutTimestamp) {
  EXPECT_EQ(peer.in("P. 2:102(100) ack 1 win 65535 <nop>"), Verdict::accepted);
}

// [RFC 7323 5.2-5]
TEST_F(Paws, SparesAResetWithoutTimestamp) {
  EXPECT_EQ(peer.in("R. 2:2(0) ack 1 win 0 <nop>"), Verdict::reset_accepted);
}

// ---- which timestamp is echoed (RFC 7323 §4.3, R3)

// [RFC 7323 3.2-3, 4.3-1]
TEST(Timestamps, OfTheEarliestSegmentThatADelayedAckCoversIsEchoed) {  // case A
  Opened peer({.tcp = {.quick_acks = 0}, .options = kTimestampsToo});
  peer.in(". 1:11(10) ack 1 win 65535 <TS val 2000001 ecr 0>");
  peer.in(". 11:21(10) ack 1 win 65535 <TS val 2000002 ecr 0>");
  peer.in(". 21:31(10) ack 1 win 65535 <TS val 2000003 ecr 0>");
  peer.after(40ms);
  peer.out(". 1:1(0) ack 31 <TS val * ecr 2000001>");
}

// [RFC 7323 3.2-3, 4.3-2]
TEST_F(Paws, SegmentsBeyondAGapAreNotEchoed) {  // case B
  peer.in(". 1002:2002(1000) ack 1" + ts(3000000));
  peer.out(". 1:1(0) ack 2 <TS val * ecr 2000000>");
  peer.in(". 2002:3002(1000) ack 1" + ts(3000001));
  peer.out(". 1:1(0) ack 2 <TS val * ecr 2000000>");
}

// [RFC 7323 3.2-3, 4.3-3, 5.3-3]
TEST_F(Paws, TheSegmentThatFillsAGapIsEchoed) {  // case C
  peer.in(". 1002:2002(1000) ack 1" + ts(3000000));
  peer.forget_output();
  peer.in(". 2:1002(1000) ack 1" + ts(3000005));
  peer.out(". 1:1(0) ack 2002 <TS val * ecr 3000005>");
}

TEST_F(Paws, ASegmentOutsideTheWindowIsNotEchoed) {  // R2 stands before R3
  peer.in(". 1:2(1) ack 1" + ts(3000000));
  peer.out(". 1:1(0) ack 2 <TS val * ecr 2000000>");
  EXPECT_EQ(peer.in(". 2:3(1) ack 1" + ts(2000001)), Verdict::predicted);
}

// [RFC 7323 3.2-2]
TEST_F(Paws, AnAckIsEchoedToo) {
  peer.in(". 2:2(0) ack 1" + ts(2000010));
  peer.send(10);
  peer.out("P. 1:11(10) ack 2 <TS val * ecr 2000010>");
}

}  // namespace
}  // namespace estab::script
