// Keep-alive (RFC 9293 §3.8.4).

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

Start kept_alive() {
  return {.tcp = {.keep_alive = {.enabled = true, .idle = 2h, .interval = 75s, .probes = 3}}};
}

// [RFC 9293 MUST-25]
TEST(KeepAlive, IsOffUnlessAskedFor) {  // MUST-25
  EXPECT_FALSE(TcpConfig{}.keep_alive.enabled);
  Opened peer;
  peer.after(24h * 365);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

// [RFC 9293 MUST-28]
TEST(KeepAlive, WaitsTwoHoursByDefault) {  // MUST-28
  EXPECT_GE(TcpConfig{}.keep_alive.idle, 2h);
}

// [RFC 9293 SHLD-12]
TEST(KeepAlive, SendsTheNumberBeforeTheNextWithoutAnOctet) {  // SHLD-12
  Opened peer(kept_alive());
  peer.after(2h - 1ns);
  peer.quiet();
  peer.after(1ns);
  EXPECT_EQ(peer.out_at(2h, ". 0:0(0) ack 1").reason, SendReason::keep_alive);
}

// [RFC 9293 MUST-29]
TEST(KeepAlive, SurvivesALostProbe) {  // MUST-29
  Opened peer(kept_alive());
  peer.after(2h + 75s);
  peer.out_at(2h, ". 0:0(0) ack 1");
  peer.out_at(2h + 75s, ". 0:0(0) ack 1");
  peer.ack(1);
  peer.mark();
  peer.after(2h - 1ns);
  peer.quiet();
  peer.after(1ns);
  peer.out(". 0:0(0) ack 1");
}

TEST(KeepAlive, GivesUpAfterSoManyUnanswered) {
  Opened peer(kept_alive());
  peer.after(2h + 3 * 75s - 1ns);
  for (int i = 0; i < 3; ++i) peer.out_at(2h + i * 75s, ". 0:0(0) ack 1");
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1ns);
  EXPECT_EQ(peer.out("R. 1:1(0) ack 1 win 0").reason, SendReason::reset_timeout);
  EXPECT_EQ(peer.told().failure, Error::connection_timed_out);
}

// Who sets both means the time (RFC 5482 §4.2), as with Linux.
TEST(KeepAlive, GivesUpAtTheUserTimeoutWhateverTheCount) {
  for (const Duration timeout : {6s, 3s}) {
    Opened peer(
        {.tcp = {.user_timeout = timeout,
                 .keep_alive = {.enabled = true, .idle = 1s, .interval = 1s, .probes = 4}}});
    peer.mark();
    peer.after(1h);
    for (Duration at = 1s; at < timeout; at += 1s) peer.out_at(at, ". 0:0(0) ack 1");
    peer.out_at(timeout, "R. 1:1(0) ack 1 win 0");
    EXPECT_EQ(peer.told().failure, Error::user_timeout);
  }
}

TEST(KeepAlive, SendsOneProbeAtLeastBeforeItGivesUp) {
  Opened peer({.tcp = {.user_timeout = 2s,
                       .keep_alive = {.enabled = true, .idle = 10s, .interval = 1s, .probes = 0}}});
  peer.after(10s);
  peer.out_at(10s, ". 0:0(0) ack 1");
  peer.ack(1);
  EXPECT_EQ(peer.state(), State::established);
}

// [RFC 9293 MUST-27]
TEST(KeepAlive, FollowsItsSettings) {  // MUST-27
  Opened peer({.tcp = {.keep_alive = {.enabled = true, .idle = 10s, .interval = 1s, .probes = 2}}});
  peer.after(1h);
  for (int i = 0; i < 2; ++i) peer.out_at(10s + i * 1s, ". 0:0(0) ack 1");
  peer.out_at(12s, "R. 1:1(0) ack 1 win 0");
  peer.quiet();
}

// [RFC 9293 MUST-26]
TEST(KeepAlive, StaysSilentWhileThePeerIsHeard) {  // MUST-26
  Opened peer(kept_alive());
  for (int i = 0; i < 10; ++i) {
    peer.after(1h);
    peer.in_run(1 + i * 10, 11 + i * 10, 10);
    peer.forget_output();
  }
  peer.mark();
  peer.after(2h);
  peer.out_at(2h, ". 0:0(0) ack 101");
}

// [RFC 9293 MUST-26]
TEST(KeepAlive, StaysSilentWhileDataIsInFlight) {  // MUST-26
  Opened peer({.tcp = {.r2 = 3h,
                       .keep_alive = {.enabled = true, .idle = 10s, .interval = 1s, .probes = 2}}});
  peer.send(10);
  peer.after(1h);
  while (const auto sent = peer.next()) EXPECT_NE(sent->reason, SendReason::keep_alive);
  EXPECT_EQ(peer.state(), State::established);
}

// [RFC 9293 MAY-5, MUST-24]
TEST(KeepAlive, CanBeSwitchedOnAndOffOnAnOpenConnection) {  // MUST-24
  Opened peer;
  const KeepAlive on{.enabled = true, .idle = 10s, .interval = 1s, .probes = 2};
  peer.reconfigure([&](TcpConfig& c) { c.keep_alive = on; });
  peer.after(10s);
  peer.out_at(10s, ". 0:0(0) ack 1");
  peer.reconfigure([](TcpConfig& c) { c.keep_alive = {}; });
  peer.after(24h);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

// [RFC 7323 3.2-6]
TEST(KeepAlive, CarriesTimestampsIfTheyAreInUse) {
  Start start = kept_alive();
  start.options = kTimestampsToo;
  Opened peer(start);
  peer.after(2h);
  peer.out(". 0:0(0) ack 1 <TS val * ecr *>");
}

TEST(KeepAlive, OfThePeerIsAnswered) {
  Opened peer;
  peer.in(". 0:0(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
}

TEST(KeepAlive, OfThePeerWithAGarbageOctetIsAnswered) {  // MAY-6
  Opened peer;
  peer.in_run(1, 11);
  peer.forget_output();
  peer.in(". 10:11(1) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
}

}  // namespace
}  // namespace estab::script
