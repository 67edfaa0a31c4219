// TIME-WAIT (RFC 9293 §3.6.1, §3.10.7.4): 2 MSL, what a segment does meanwhile (RFC 1337), and when
// a new connection may take the pair over (RFC 6191).

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

constexpr std::string_view kStamped = "mss 1460,TS val 1000 ecr 0";

class TimeWait : public EachFamily {
 protected:
  std::size_t records() { return peer.stack().census().time_wait; }
};
INSTANTIATE_TEST_SUITE_P(Families, TimeWait, both_families(), family_name);

// ---- 2 MSL: MUST-13

// [RFC 9293 MUST-13]
TEST_P(TimeWait, LastsTwoMslExactly) {
  peer.reach(State::time_wait);
  peer.after(59999ms);
  EXPECT_EQ(peer.state(), State::time_wait);
  EXPECT_EQ(peer.stack().state(peer.stream()), State::time_wait);
  EXPECT_EQ(records(), 1u);
  peer.after(1ms);
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.stack().state(peer.stream()), State::closed);
  EXPECT_EQ(records(), 0u);
  peer.quiet();
}

TEST(TimeWaitMsl, CanBeSet) {
  Peer peer(PeerOptions{.stack = {.msl = 250ms}});
  peer.reach(State::time_wait);
  peer.after(499ms);
  EXPECT_EQ(peer.state(), State::time_wait);
  peer.after(1ms);
  EXPECT_EQ(peer.state(), State::listen);
}

// [RFC 9293 MUST-13]
TEST_P(TimeWait, FollowsClosingTooAndLastsAsLong) {
  peer.reach(State::closing);
  peer.after(100ms);
  peer.in(". 2:2(0) ack 2 win 65535");
  EXPECT_EQ(peer.state(), State::time_wait);
  peer.after(59999ms);
  EXPECT_EQ(records(), 1u);
  peer.after(1ms);
  EXPECT_EQ(records(), 0u);
}

// One MSL so that the last ACK can get there, one so that the FIN can come again.
// [RFC 9293 MUST-13]
TEST_P(TimeWait, AcknowledgesARepeatedFinAgainAndStartsAnew) {
  for (const std::string_view options : {std::string_view("mss 1460"), kStamped}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(State::time_wait, {.options = options});
    each.after(40s);
    EXPECT_EQ(each.in("F. 1:1(0) ack 2 win 65535"), Verdict::time_wait_acked);
    each.out(". 2:2(0) ack 2");
    each.after(59999ms);
    EXPECT_EQ(each.state(), State::time_wait);
    each.after(1ms);
    EXPECT_EQ(each.state(), State::listen);
    EXPECT_EQ(each.in("F. 1:1(0) ack 2 win 65535"), Verdict::answered_reset);
    each.out("R 2:2(0) win 0");
  }
}

TEST_P(TimeWait, AcknowledgesAFinThatCarriedData) {
  peer.reach(State::fin_wait_2);
  peer.in("FP. 1:101(100) ack 2 win 65535");
  peer.out(". 2:2(0) ack 102");
  peer.after(10s);
  peer.in("FP. 1:101(100) ack 2 win 65535");
  peer.out(". 2:2(0) ack 102");
  EXPECT_EQ(peer.recv(), 100u);  // what came is still there to be read
}

TEST_P(TimeWait, OfManyConnectionsEndsInTheOrderOfTheirFins) {
  for (const std::uint16_t port : {1, 2, 3}) {
    peer.talk_from(port);
    peer.reach(State::time_wait);
    peer.after(1s);
  }
  peer.talk_from(2);
  peer.in("F. 1:1(0) ack 2 win 65535");  // restarts: now the last
  EXPECT_EQ(records(), 3u);
  peer.after(57s);
  EXPECT_EQ(records(), 2u);
  peer.after(2s);
  EXPECT_EQ(records(), 1u);
  EXPECT_EQ(peer.state(), State::time_wait);
  peer.after(1s);
  EXPECT_EQ(records(), 0u);
}

TEST_P(TimeWait, CountsRightAfterTheStackHasRunForWeeks) {
  peer.after(24h * 60);
  peer.reach(State::time_wait);
  const Stack copy = peer.stack();
  EXPECT_EQ(peer.stack().next_deadline(), peer.now() + 60s);
  EXPECT_EQ(copy.next_deadline(), peer.now() + 60s);
  peer.after(59999ms);
  EXPECT_EQ(records(), 1u);
  peer.after(1ms);
  EXPECT_EQ(records(), 0u);
}

TEST_P(TimeWait, IsNotKeptByThePassiveSide) {
  peer.reach(State::last_ack);
  peer.in(". 2:2(0) ack 2 win 65535");
  EXPECT_EQ(records(), 0u);
  EXPECT_EQ(peer.in(". 2:2(0) ack 2 win 65535"), Verdict::answered_reset);
  peer.out("R 2:2(0) win 0");
}

// ---- RFC 1337

// [RFC 1337 3-1]
TEST_P(TimeWait, IsNotEndedByAnyResetIfItIsToldTo) {
  Peer guarded({.family = GetParam(), .stack = {.seed = {1, 2}, .time_wait_ignores_resets = true}});
  guarded.reach(State::time_wait);
  guarded.after(30s);
  for (const char* reset : {"R 2:2(0) win 0", "R. 2:2(0) ack 2 win 0", "R 3:3(0) win 0"})
    EXPECT_EQ(guarded.in(reset), Verdict::accepted);
  guarded.quiet();
  guarded.after(29999ms);
  EXPECT_EQ(guarded.state(), State::time_wait);
  guarded.after(1ms);
  EXPECT_EQ(guarded.state(), State::listen);
}

// An old duplicate (RFC 1337 §2, hazard H3), or a guess: they have another number.
TEST_P(TimeWait, IsNotEndedByAResetWithAnotherNumber) {
  peer.reach(State::time_wait);
  for (const char* reset : {"R 1:1(0) win 0", "R 3:3(0) win 0", "R. 1002:1002(0) ack 2 win 0"})
    EXPECT_EQ(peer.in(reset), Verdict::accepted);
  peer.quiet();
  EXPECT_EQ(records(), 1u);
  EXPECT_EQ(peer.state(), State::time_wait);
}

// RFC 9293 §3.10.7.4, second: the peer that has forgotten everything answers our ACK so, and its
// next SYN opens.
// [RFC 9293 3.10.7.4-1]
TEST_P(TimeWait, IsEndedByTheResetOfAPeerThatBeganAnew) {
  peer.reach(State::time_wait);
  peer.in("S 4294900000:4294900000(0) win 65535 <mss 1460>");  // below the FIN: it proves nothing
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(peer.in("R 2:2(0) win 0"), Verdict::reset_accepted);
  EXPECT_EQ(records(), 0u);
  EXPECT_EQ(peer.stack().census().timers, 0u);
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.in("S 4294900000:4294900000(0) win 65535 <mss 1460>"), Verdict::syn_queued);
}

TEST_P(TimeWait, AnswersOldDataWithItsLastAckAndTakesNothing) {
  peer.reach(State::fin_wait_2);
  peer.in("FP. 1:101(100) ack 2 win 65535");
  peer.out(". 2:2(0) ack 102");
  peer.after(20s);
  for (const char* old : {"P. 1:101(100) ack 1 win 65535", "P. 51:61(10) ack 2 win 65535",
                          "P. 102:112(10) ack 2 win 65535"}) {
    peer.in(old);
    peer.out(". 2:2(0) ack 102");
  }
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_EQ(peer.recv_error(), Error::end_of_stream);
  peer.after(40s);  // none of it restarted the wait
  EXPECT_EQ(records(), 0u);
}

// Two ends in TIME-WAIT must not answer each other's answers (RFC 1337 §2, hazard H2).
TEST_P(TimeWait, IsSilentAboutAnOldAck) {
  peer.reach(State::time_wait);
  for (const char* ack :
       {". 2:2(0) ack 2 win 65535", ". 2:2(0) ack 1 win 65535", ". 2:2(0) ack 500 win 65535"})
    peer.in(ack);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST_P(TimeWait, AnswersAKeepAlive) {
  peer.reach(State::time_wait);
  peer.in(". 1:1(0) ack 2 win 65535");
  peer.out(". 2:2(0) ack 2");
}

TEST_P(TimeWait, AnswersASynAckWithItsLastAck) {
  peer.reach(State::time_wait);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST_P(TimeWait, DoesNotRestartForAFinWithAnOldTimestamp) {
  peer.reach(State::time_wait, {.options = kStamped});
  peer.after(30s);
  EXPECT_EQ(peer.in("F. 1:1(0) ack 2 win 65535 <TS val 10 ecr 0>"), Verdict::time_wait_acked);
  peer.out(". 2:2(0) ack 2");
  peer.after(30s);
  EXPECT_EQ(records(), 0u);
}

// ---- RFC 6191

struct Reuse {
  const char* options;  ///< of the first connection
  const char* syn;      ///< of the second, relative to the first
  bool taken;
  const char* why;
};

// The first connection ends with its FIN at 1 (so 2 is the first number never used) at TSval 6000.
constexpr std::array kReuses = {
    Reuse{"mss 1460", "S 1:1(0) win 9 <mss 1460>", false, "the FIN's own number"},
    Reuse{"mss 1460", "S 2:2(0) win 9 <mss 1460>", true, "the number behind the FIN"},
    Reuse{"mss 1460", "S 3:3(0) win 9 <mss 1460>", true, "greater number"},
    Reuse{"mss 1460", "S 1000000:1000000(0) win 9 <mss 1460>", true, "much greater number"},
    Reuse{"mss 1460", "S 0:0(0) win 9 <mss 1460>", false, "the old SYN itself"},
    Reuse{"mss 1460", "S 4294967000:4294967000(0) win 9 <mss 1460>", false, "smaller number"},
    Reuse{"mss 1460", "S 4294967000:4294967000(0) win 9 <mss 1460,TS val 1 ecr 0>", true,
          "the first had no timestamps, the second will"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 4294967000:4294967000(0) win 9 <TS val 6001 ecr 0>",
          true, "greater timestamp"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 3:3(0) win 9 <TS val 6000 ecr 0>", true,
          "equal timestamp, greater number"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 1:1(0) win 9 <TS val 6000 ecr 0>", false,
          "equal timestamp, number not greater"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 3:3(0) win 9 <TS val 5999 ecr 0>", false,
          "smaller timestamp, though the number is greater"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 3:3(0) win 9 <mss 1460>", true,
          "no timestamps now, greater number"},
    Reuse{"mss 1460,TS val 1000 ecr 0", "S 1:1(0) win 9 <mss 1460>", false,
          "no timestamps now, number not greater"}};

// [RFC 9293 MAY-2, SHLD-4] [RFC 6191 2-1]
TEST_P(TimeWait, GivesWayToASynThatProvesItselfNew) {
  for (const Reuse& reuse : kReuses) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(State::fin_wait_2, {.options = reuse.options});
    each.after(5s);
    each.in("F. 1:1(0) ack 2 win 65535");
    each.out(". 2:2(0) ack 2");
    each.note(reuse.why);
    if (!reuse.taken) {
      EXPECT_EQ(each.in(reuse.syn), Verdict::time_wait_acked) << reuse.why;
      each.out(". 2:2(0) ack 2");
      EXPECT_EQ(each.state(), State::time_wait);
      continue;
    }
    const SeqNum used = each.stack_isn() + 2;
    EXPECT_EQ(each.in(reuse.syn), Verdict::time_wait_reopened) << reuse.why;
    const auto answer = each.next();
    ASSERT_TRUE(answer && answer->segment) << reuse.why;
    EXPECT_EQ(answer->segment->flags, kSyn | kAck);
    // MAY-2: beyond the largest number used before.
    EXPECT_GT(answer->segment->seq - used, 0);
    EXPECT_EQ(each.state(), State::syn_received);
    EXPECT_EQ(each.stack().census().time_wait, 0u);
  }
}

TEST_P(TimeWait, LetsTheNewConnectionWork) {
  peer.reach(State::time_wait);
  const SeqNum before = peer.stack_isn();
  peer.start_over(peer.remote_isn() + 70000);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_GT(peer.stack_isn() - before, 0);
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.state(), State::established);
}

// A fast connection can use up more numbers than the clock of the ISN counts meanwhile.
// [RFC 9293 MAY-2]
TEST(TimeWaitIsn, LiesBeyondTheOldNumbersEvenIfTheClockDoesNot) {
  Peer peer(PeerOptions{.stack = {.quirks = {.fixed_isn = 1000}}});
  peer.reach(State::time_wait);
  peer.start_over(peer.remote_isn() + 70000);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_GT(peer.stack_isn().value(), 1002u);
  EXPECT_LT(peer.stack_isn().value(), 1002u + 70000);
}

// RFC 6191: only "if timestamps would be enabled" on our side as well.
// [RFC 6191 2-1]
TEST(TimeWaitReuse, NeedsAGreaterNumberWhereWeUseNoTimestamps) {
  TcpConfig tcp;
  tcp.use_timestamps = false;
  Peer peer(tcp);
  peer.reach(State::time_wait);
  peer.in("S 4294967000:4294967000(0) win 9 <mss 1460,TS val 1 ecr 0>");
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST_P(TimeWait, StaysWhereNobodyListens) {
  peer.reach(State::time_wait, {.side = kActive});
  EXPECT_EQ(peer.in("S 70000:70000(0) win 9 <mss 1460>"), Verdict::time_wait_acked);
  peer.out(". 2:2(0) ack 2");
  EXPECT_EQ(records(), 1u);
}

// Neither dropping the SYN nor a cookie (whose number is not chosen freely) may cost the record.
TEST_P(TimeWait, StaysWhereThereIsNoRoomForANewOpening) {
  peer.listen(1);
  peer.reach(State::time_wait);
  peer.talk_from(2);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.talk_from(Peer::kRemotePort);
  EXPECT_EQ(peer.in("S 70000:70000(0) win 9 <mss 1460>"), Verdict::syn_dropped);
  peer.quiet();
  EXPECT_EQ(records(), 1u);
  peer.talk_from(2);
  peer.in(". 1:1(0) ack 1 win 65535");  // the queue of complete connections is full now
  peer.talk_from(Peer::kRemotePort);
  EXPECT_EQ(peer.in("S 70000:70000(0) win 9 <mss 1460>"), Verdict::syn_dropped);
  peer.quiet();
  EXPECT_EQ(records(), 1u);
  peer.talk_from(2);
  ASSERT_TRUE(peer.accept());
  peer.talk_from(Peer::kRemotePort);
  EXPECT_EQ(peer.in("S 70000:70000(0) win 9 <mss 1460>"), Verdict::time_wait_reopened);
}

// Our own OPEN waits: the peer may still hold the old connection.
TEST_P(TimeWait, KeepsItsPairFromBeingConnectedAgain) {
  peer.reach(State::time_wait, {.side = kActive});
  EXPECT_EQ(peer.connect().error(), Error::address_in_use);
  peer.after(60s);
  EXPECT_TRUE(peer.connect());
}

TEST(TimeWaitPorts, AreNotGivenOutAgain) {
  Peer peer(PeerOptions{.stack = {.port_min = Peer::kLocalPort, .port_max = Peer::kLocalPort}});
  peer.reach(State::time_wait, {.side = kActive});
  const ConnectOptions again{.remote = {peer.remote(), Peer::kRemotePort}};
  EXPECT_EQ(peer.stack().connect(peer.now(), again).error(), Error::no_ports);
  peer.after(60s);
  EXPECT_TRUE(peer.stack().connect(peer.now(), again));
}

// ---- the record

TEST(TimeWaitLimit, LetsTheOldestGo) {
  Peer peer(PeerOptions{.stack = {.limits = {.time_wait = 2}}});
  for (const std::uint16_t port : {1, 2, 3}) {
    peer.talk_from(port);
    peer.reach(State::time_wait);
  }
  EXPECT_EQ(peer.stack().census().time_wait, 2u);
  EXPECT_EQ(peer.stack().counters().time_wait_overflow, 1u);
  peer.talk_from(1);
  EXPECT_EQ(peer.state(), State::listen);
  peer.talk_from(3);
  EXPECT_EQ(peer.state(), State::time_wait);
}

TEST(TimeWaitRecord, CostsAFewDozenOctets) {
  Peer peer;
  constexpr std::uint16_t kMany = 4096;
  const std::size_t before = peer.stack().memory();
  for (std::uint16_t port = 1; port <= kMany; ++port) {
    peer.talk_from(port);
    peer.reach(State::time_wait);
    ASSERT_TRUE(peer.close());
  }
  EXPECT_EQ(peer.stack().census().time_wait, kMany);
  EXPECT_EQ(peer.stack().census().streams, 0u);
  EXPECT_EQ(peer.stack().census().timers, 0u);
  EXPECT_LE((peer.stack().memory() - before) / kMany, 128u);  // with its place in the flow table
}

}  // namespace
}  // namespace estab::script
