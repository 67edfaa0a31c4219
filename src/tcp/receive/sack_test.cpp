// Selective acknowledgements sent (RFC 2018, RFC 2883).

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr const char* kSack = "mss 1000,sackOK";
constexpr const char* kSackAndTimestamps = "mss 1012,sackOK,TS val 5 ecr 0";

// [RFC 2018 4-1, 4-3]
TEST(Sack, IsNegotiatedOnlyWhenBothOffer) {
  for (const bool ours : {true, false}) {
    for (const bool theirs : {true, false}) {
      Opened peer({.tcp = {.use_sack = ours}, .options = theirs ? kSack : "mss 1000"});
      EXPECT_EQ(peer.info().sack, ours && theirs);
      peer.in_run(1001, 2001);
      peer.out(ours && theirs ? ". 1:1(0) ack 1 <sack 1001:2001>" : ". 1:1(0) ack 1");
      peer.in_run(1001, 2001);
      if (!ours || !theirs) peer.out(". 1:1(0) ack 1");
    }
  }
}

// [RFC 2018 2-1]
TEST(Sack, IsOfferedAndAcceptedInTheHandshake) {
  Peer active;
  ASSERT_TRUE(active.connect());
  active.out("S 0:0(0) <sackOK,...>");
  Peer passive;
  passive.listen();
  passive.in("S 0:0(0) win 65535 <mss 1000,sackOK>");
  passive.out("S. 0:0(0) ack 1 <mss 1460,sackOK>");
}

// [RFC 2018 4-5, 4-6, 4-8, 8-2]
TEST(Sack, PutsTheBlockOfTheLatestSegmentFirstThenTheMostRecent) {  // RFC 2018 §4
  Opened peer({.options = kSack});
  peer.in_run(1001, 2001);
  peer.out(". 1:1(0) ack 1 <sack 1001:2001>");
  peer.in_run(5001, 6001);
  peer.out(". 1:1(0) ack 1 <sack 5001:6001 1001:2001>");
  peer.in_run(3001, 4001);
  peer.out(". 1:1(0) ack 1 <sack 3001:4001 5001:6001 1001:2001>");
  peer.in_run(2001, 3001);  // joins two
  peer.out(". 1:1(0) ack 1 <sack 1001:4001 5001:6001>");
}

// [RFC 2018 4-7]
TEST(Sack, HasRoomForFourBlocks) {
  Opened peer({.options = kSack});
  for (int i = 1; i <= 5; ++i) peer.in_run(1 + i * 2000, 1001 + i * 2000);
  for (int i = 0; i < 4; ++i) (void)peer.next();
  peer.out(". 1:1(0) ack 1 <sack 10001:11001 8001:9001 6001:7001 4001:5001>");
}

// [RFC 2018 4-7]
TEST(Sack, HasRoomForThreeBlocksBesideTimestamps) {
  Opened peer({.options = kSackAndTimestamps});
  for (int i = 1; i <= 5; ++i) peer.in_run(1 + i * 2000, 1001 + i * 2000);
  for (int i = 0; i < 4; ++i) (void)peer.next();
  peer.out(". 1:1(0) ack 1 <TS val * ecr *,sack 10001:11001 8001:9001 6001:7001>");
}

// [RFC 2018 4-2, 4-4]
TEST(Sack, EndsWhenEverythingIsInOrder) {
  Opened peer({.options = kSack});
  peer.in_run(1001, 2001);
  peer.forget_output();
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 2001");
  peer.in("P. 2001:3001(1000) ack 1 win 65535");
  peer.out(". 1:1(0) ack 3001");
}

// [RFC 2018 4-2, 4-4]
TEST(Sack, ReportsWhatRemainsWhenOneOfTwoGapsIsFilled) {
  Opened peer({.options = kSack});
  peer.in_run(1001, 2001);
  peer.in_run(3001, 4001);
  peer.forget_output();
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 2001 <sack 3001:4001>");
}

TEST(Sack, ReportsADuplicateBelowTheAcknowledgement) {  // RFC 2883 §4.1.1
  Opened peer({.options = kSack});
  peer.in_run(1, 2001);
  peer.forget_output();
  peer.in_run(1001, 2001);
  peer.out(". 1:1(0) ack 2001 <sack 1001:2001>");
  peer.in("P. 2001:2101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 2101");  // once
}

TEST(Sack, ReportsADuplicateBelowTheAcknowledgementBeforeTheBlocksBeyondAGap) {  // §4.1.2
  Opened peer({.options = kSack});
  peer.in_run(1, 1001);
  peer.in_run(3001, 4001);
  peer.forget_output();
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 1001 <sack 1:1001 3001:4001>");
}

TEST(Sack, ReportsADuplicateBeyondTheGapBeforeTheBlockItLiesIn) {  // §4.1.3
  Opened peer({.options = kSack});
  peer.in_run(1001, 4001);
  peer.in_run(6001, 7001);
  peer.forget_output();
  peer.in_run(2001, 3001);
  peer.out(". 1:1(0) ack 1 <sack 2001:3001 1001:4001 6001:7001>");
}

TEST(Sack, ReportsTheDuplicatePartOfASegmentThatBringsNewOctets) {  // §4.2.1
  Opened peer({.options = kSack});
  peer.in_run(2001, 2501);
  peer.in_run(1, 1001);
  peer.forget_output();
  peer.in_run(501, 1501);
  peer.out(". 1:1(0) ack 1501 <sack 501:1001 2001:2501>");
}

TEST(Sack, ReportsTheFirstOfTwoDuplicateParts) {  // §4.2.2 and §4.2.3
  Opened below({.options = kSack});
  below.in_run(1, 501);
  below.in_run(1001, 1501);
  below.in_run(2001, 2501);
  below.forget_output();
  below.in(". 1:1501(1500) ack 1 win 65535");
  below.out(". 1:1(0) ack 1501 <sack 1:501 2001:2501>");
  Opened above({.options = kSack});
  above.in_run(1001, 1501);
  above.in_run(2001, 2501);
  above.in_run(3001, 3501);
  above.forget_output();
  above.in(". 1001:2501(1500) ack 1 win 65535");
  above.out(". 1:1(0) ack 1 <sack 1001:1501 1001:2501 3001:3501>");
}

TEST(Sack, ReportsWhatAnInOrderSegmentBroughtAgain) {
  Opened peer({.options = kSack});
  peer.in_run(501, 1001);
  peer.forget_output();
  peer.in(". 1:1501(1500) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1501 <sack 501:1001>");
}

TEST(Sack, SurvivesTheWrapOfNumbers) {
  Opened peer({.options = kSack, .remote_isn = SeqNum(0xfffffc17)});  // 1000 octets before the wrap
  peer.in_run(501, 1501);
  peer.out(". 1:1(0) ack 1 <sack 501:1501>");
}

// What the sender makes of true ones is in recovery_test.cpp.
TEST(Sack, BlocksThatCannotBeTrueDoNoHarm) {
  Opened peer({.options = kSack});
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.after(100ms);
  peer.in(". 1:1(0) ack 1 win 65535 <sack 5001:1 90000:100000 7:3>");
  peer.quiet();
  peer.in(". 1:1(0) ack 1 win 65535 <sack 1001:5001>");
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  peer.in(". 1:1(0) ack 1 win 65535 <sack 5001:1 90000:100000 7:3>");
  peer.quiet();
}

}  // namespace
}  // namespace estab::script
