// Retransmission by timeout: RFC 6298, Karn's algorithm, timestamps as a source of samples, and
// when a connection is given up (RFC 9293 §3.8.3, RFC 5482).

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

// ---- when

// [RFC 9293 MUST-19] [RFC 6298 2-9]
TEST(Retransmission, ComesAfterTheTimeoutAndThenAfterTwiceAsLongEachTime) {  // (5.4) to (5.6)
  Opened peer;
  EXPECT_EQ(peer.info().rto, 300ms);
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(890s);
  Duration due = 0s, wait = 300ms;
  for (int i = 0; i < 15; ++i) {
    due += wait;
    if (due > 890s) break;
    EXPECT_EQ(peer.out_at(due, "P. 1:501(500) ack 1").reason, SendReason::retransmit_timeout);
    wait = std::min<Duration>(2 * wait, 120s);  // (2.5)
  }
  peer.quiet();
}

// [RFC 6298 5-2]
TEST(Retransmission, CountsFromTheFirstSegmentInFlightNotFromLaterOnes) {  // (5.1)
  Opened peer({.tcp = {.nagle = false}});
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(200ms);
  peer.send(500);
  peer.out("P. 501:1001(500) ack 1");
  peer.after(1s);
  peer.out_at(300ms, "P. 1:1001(1000) ack 1");  // both, in one
}

// [RFC 6298 5-2]
TEST(Retransmission, DoesNotComeWhenEverythingIsAcknowledged) {  // (5.2)
  Opened peer;
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(299ms);
  peer.ack(501);
  peer.after(2h);
  peer.quiet();
  EXPECT_EQ(peer.info().total_retrans, 0u);
}

// [RFC 6298 5-2] [RFC 6928 9-1]
TEST(Retransmission, CountsAgainFromAnAckOfNewData) {  // (5.3)
  Opened peer;
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(100ms);
  peer.ack(1001);
  // A second sample of 100 ms: rttvar 37.5 ms, srtt 100 ms, so RTO = 100 ms + the floor of 200 ms.
  EXPECT_EQ(peer.info().rto, 300ms);
  peer.after(1s);
  peer.out_at(400ms, "P. 1001:2001(1000) ack 1");
}

TEST(Retransmission, IsNotPutOffByAcksOfNothingNew) {
  Opened peer;
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(150ms);
  peer.ack(1);
  peer.after(100ms);
  peer.in(". 1:1(0) ack 1 win 60000");
  peer.after(1s);
  peer.out_at(300ms, ". 1:1001(1000) ack 1");
}

// [RFC 6298 5-2]
TEST(Retransmission, SendsTheEarliestSegmentOnlyAndWaits) {  // (5.4), with one segment of cwnd
  Opened peer;
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.after(899ms);
  peer.out_at(300ms, ". 1:1001(1000) ack 1");
  peer.quiet();
}

TEST(Retransmission, BeginsAtTheFirstOctetNotAcknowledged) {
  Opened peer;
  peer.send(1000);
  peer.out("P. 1:1001(1000) ack 1");
  peer.ack(701);
  peer.after(1s);
  peer.out("P. 701:1001(300) ack 1");
}

TEST(Retransmission, SendsNothingAgainThatOneLateAckCovers) {
  Opened peer;
  peer.send(5000);
  peer.out_run(1, 5001, 1000, "P.");
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.ack(5001);
  peer.after(10s);
  peer.quiet();
  EXPECT_EQ(peer.info().total_retrans, 1u);
  EXPECT_EQ(peer.info().bytes_retrans, 1000u);
}

TEST(Retransmission, CarriesTheAcknowledgementOfToday) {
  Opened peer;
  peer.send(500);
  peer.out("P. 1:501(500) ack 1 win 65535");
  peer.after(100ms);
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.out(". 501:501(0) ack 101");
  peer.after(200ms);
  peer.out("P. 1:501(500) ack 101");
}

TEST(Retransmission, FollowsTheConfiguredBounds) {
  Opened slow({.tcp = {.rto_min = 1s}});
  slow.send(1);
  slow.out("P. 1:2(1) ack 1");
  slow.after(2s);
  slow.out_at(1100ms, "P. 1:2(1) ack 1");
  Opened bounded({.tcp = {.rto_max = 400ms}});
  bounded.send(1);
  bounded.out("P. 1:2(1) ack 1");
  bounded.after(1s);
  bounded.out_at(300ms, "P. 1:2(1) ack 1");
  bounded.out_at(700ms, "P. 1:2(1) ack 1");
}

// ---- after a lost SYN: (5.7)

// [RFC 6298 5-4]
TEST(Retransmission, WaitsThreeSecondsForDataWhenOurSynHadToBeRepeated) {
  Peer peer;
  ASSERT_TRUE(peer.connect());
  peer.out("S 0:0(0) <*>");
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out(". 1:1(0) ack 1");
  peer.mark();
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.after(5s);
  peer.out_at(3s, "P. 1:11(10) ack 1");
}

// [RFC 6298 5-4]
TEST(Retransmission, WaitsThreeSecondsForDataWhenOurSynAckHadToBeRepeated) {
  Peer peer;
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.after(1s);
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.mark();
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  peer.after(5s);
  peer.out_at(3s, "P. 1:11(10) ack 1");
}

// ---- samples

// [RFC 9293 MUST-18] [RFC 7323 4.2-1] [RFC 6298 3-3]
TEST(Retransmission, MeasuresOneSegmentARoundTrip) {
  Opened peer;
  peer.send(2000);
  peer.out_run(1, 2001, 1000, "P.");
  peer.after(180ms);
  peer.ack(1001);
  EXPECT_EQ(peer.info().rtt, 110ms);  // 7/8 * 100 + 1/8 * 180
  EXPECT_EQ(peer.info().rttvar, 57500us);
  peer.after(50ms);
  peer.ack(2001);
  EXPECT_EQ(peer.info().rtt, 110ms) << "the second segment was not timed";
}

// [RFC 9293 MUST-18] [RFC 6298 3-2]
TEST(Retransmission, TakesNoSampleFromWhatWasSentTwice) {  // Karn
  Opened peer;
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(300ms);
  peer.out("P. 1:501(500) ack 1");
  peer.after(10ms);
  peer.ack(501);
  EXPECT_EQ(peer.info().rtt, 100ms);
  EXPECT_EQ(peer.info().rttvar, 50ms);
}

TEST(Retransmission, KeepsTheLongTimeoutUntilSomethingSentOnceIsAcknowledged) {
  Opened peer;
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(300ms);
  peer.out("P. 1:501(500) ack 1");
  peer.ack(501);
  EXPECT_EQ(peer.info().rto, 600ms);
  EXPECT_EQ(peer.info().backoff, 1);
  peer.send(500);
  peer.out("P. 501:1001(500) ack 1");
  peer.after(100ms);
  peer.ack(1001);
  EXPECT_EQ(peer.info().backoff, 0);
  EXPECT_EQ(peer.info().rto, 300ms);
}

// [RFC 6298 3-2]
TEST(Retransmission, TakesNoSampleFromAFastRetransmission) {
  Opened peer;
  peer.send(4000);
  peer.out_run(1, 4001, 1000, "P.");
  peer.after(100ms);
  peer.acks(3, 1);
  EXPECT_EQ(peer.out(". 1:1001(1000) ack 1").reason, SendReason::retransmit_fast);
  peer.after(20ms);
  peer.ack(4001);
  EXPECT_EQ(peer.info().rtt, 100ms);
  EXPECT_EQ(peer.info().rttvar, 50ms);
}

// [RFC 7323 4.1-2]
TEST(Retransmission, LearnsFromTheTimestampWhichSendingWasAnswered) {  // RFC 7323 §4
  for (const bool first : {true, false}) {
    Opened peer({.options = kTimestampsToo});
    peer.send(500);
    const auto original = peer.out("P. 1:501(500) ack 1");
    peer.after(300ms);
    const auto repeated = peer.out("P. 1:501(500) ack 1");
    peer.after(100ms);
    const auto& answered = first ? original : repeated;
    const auto echo = answered.segment->options.timestamps->value - peer.stack_clock();
    peer.in(". 1:1(0) ack 501 win 65535 <TS val 2000000 ecr " + std::to_string(echo) + ">");
    const Duration sample = first ? 400ms : 100ms;
    EXPECT_EQ(peer.info().rtt, (7 * Duration(100ms) + sample) / 8);
    EXPECT_EQ(peer.info().backoff, 0) << "a sample ends the back-off";
  }
}

TEST(Retransmission, BelievesNoTimestampFromTheFuture) {
  Opened peer({.options = kTimestampsToo});
  peer.send(500);
  peer.out("P. 1:501(500) ack 1");
  peer.after(300ms);
  peer.out("P. 1:501(500) ack 1");
  peer.in(". 1:1(0) ack 501 win 65535 <TS val 2000000 ecr 99999>");
  EXPECT_EQ(peer.info().rtt, 100ms);
}

// ---- giving up

// [RFC 9293 SHLD-9, SHLD-10, MUST-47, 3.9.1.8-1]
TEST(Retransmission, TellsTheApplicationAtR1AndGoesOn) {  // MUST-20 (b), SHLD-9, SHLD-10
  Opened peer;
  peer.send(500);
  peer.after(300ms + 600ms);
  EXPECT_EQ(peer.told().soft_error, std::nullopt);
  EXPECT_EQ(peer.info().retransmits, 2);
  peer.after(1200ms);
  EXPECT_EQ(peer.told().soft_error, Error::connection_timed_out);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(10s);
  EXPECT_EQ(peer.told().soft_error, std::nullopt) << "once";
  peer.ack(501);
  EXPECT_EQ(peer.info().retransmits, 0);
}

// [RFC 9293 MUST-20, SHLD-11]
TEST(Retransmission, GivesUpAtR2AndSaysWhy) {  // MUST-20 (c)
  Opened peer;
  peer.send(500);
  peer.after(900s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.forget_output();
  peer.after(1ns);
  EXPECT_EQ(peer.out_at(900s, "R. 501:501(0) ack 1 win 0").reason, SendReason::reset_timeout);
  peer.quiet();
  const auto told = peer.told();
  EXPECT_EQ(told.failure, Error::connection_timed_out);
  EXPECT_TRUE(told.closed);
  EXPECT_EQ(peer.stack().state(peer.stream()), State::closed);
  EXPECT_EQ(peer.recv_error(), Error::connection_timed_out);
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), as_octets("x")).error(),
            Error::connection_timed_out);
}

// [RFC 9293 MUST-21, SHLD-11]
TEST(Retransmission, GivesUpAtTheR2OfTheConnection) {  // MUST-21
  Opened peer({.tcp = {.r2 = 10s}});
  peer.send(500);
  peer.after(10s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
}

TEST(Retransmission, CountsR2AnewWithEveryOctetAcknowledged) {
  Opened peer({.tcp = {.r2 = 10s}});
  peer.send(500);
  peer.after(9s);
  peer.ack(2);
  peer.after(10s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
}

TEST(Retransmission, GivesUpAtTheUserTimeout) {  // RFC 5482
  Opened peer({.tcp = {.user_timeout = 5s}});
  peer.send(500);
  peer.after(5s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

// [RFC 9293 MUST-21, SHLD-11]
TEST(Retransmission, GivesUpAtAUserTimeoutSetWhileItWaits) {
  Opened peer;
  peer.send(500);
  peer.after(40s);
  peer.reconfigure([](TcpConfig& c) { c.user_timeout = 45s; });
  peer.after(5s - 1ns);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.told().failure, Error::user_timeout);
}

TEST(Retransmission, GoesOnWhenTheUserTimeoutIsTakenBack) {
  Opened peer({.tcp = {.user_timeout = 5s}});
  peer.send(500);
  peer.after(4s);
  peer.reconfigure([](TcpConfig& c) { c.user_timeout.reset(); });
  peer.after(800s);
  EXPECT_EQ(peer.state(), State::established);
}

TEST(Retransmission, NeverGivesUpAnIdleConnection) {
  Opened peer({.tcp = {.user_timeout = 5s}});
  peer.after(24h * 365);
  EXPECT_EQ(peer.state(), State::established);
  peer.quiet();
}

}  // namespace
}  // namespace estab::script
