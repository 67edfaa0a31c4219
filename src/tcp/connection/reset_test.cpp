// RST: when one is sent (RFC 9293 §3.5.2), when one is believed (§3.5.3 and RFC 5961), and how
// often an attacker is answered.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class Reset : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, Reset, both_families(), family_name);

// ---- generation

// Group 1, for all of the sequence space: the answer to what has no ACK counts its length.
TEST_P(Reset, AnswersASegmentForNobodySoThatItsSenderBelievesIt) {
  const std::string zero = std::to_string(0 - peer.stack_isn().value());
  const std::string at = "R. " + zero + ":" + zero + "(0) ack ";
  for (const char* last : {"1", "4096", "4294967295"}) {
    const std::uint32_t number = static_cast<std::uint32_t>(std::stoul(last));
    peer.in("S " + std::string(last) + ":" + last + "(0) win 65535");
    peer.out(at + std::to_string(number + 1) + " win 0 <>");
    peer.in(". 9:9(0) ack " + std::string(last) + " win 65535");
    peer.out("R " + std::string(last) + ":" + last + "(0) win 0 <>");
  }
  EXPECT_EQ(peer.stack().counters().resets_out, 6u);
  EXPECT_EQ(peer.stack().census(), Stack::Census{});
}

TEST_P(Reset, IsNeverAnsweredWithAReset) {
  for (const char* reset : {"R 0:0(0) win 0", "R. 0:0(0) ack 5 win 0", "SR. 0:10(10) ack 5 win 0"})
    EXPECT_EQ(peer.in(reset), Verdict::no_connection);
  peer.quiet();
}

// The way back is the way it came, even for a gone connection with a source route or other marks.
// [RFC 1122 3.3.4.2-1]
TEST_P(Reset, LeavesByTheAddressesAndPortsItAnswers) {
  peer.talk_from(7);
  peer.in(". 0:0(0) ack 5 win 65535");
  const Sent reset = peer.out("R 5:5(0) win 0");
  EXPECT_EQ(reset.ip.source, peer.local());
  EXPECT_EQ(reset.ip.destination, peer.remote());
  EXPECT_EQ(reset.segment->source_port, Peer::kLocalPort);
  EXPECT_EQ(reset.segment->destination_port, 7);
}

// StackLimits::pending_replies: a flood costs no memory.
TEST(ResetLimit, DropsAnswersBeyondWhatMayWait) {
  Peer peer(PeerOptions{.stack = {.limits = {.pending_replies = 10}}});
  peer.together([&] {
    for (int i = 0; i < 1000; ++i) peer.in(". 0:0(0) ack 5 win 65535");
  });
  EXPECT_EQ(peer.waiting(), 10u);
  EXPECT_EQ(peer.stack().counters().replies_dropped, 990u);
  peer.forget_output();
}

// ---- acceptance: RFC 5961 §3

// [RFC 9293 3.10.7.4-1, 3.10.7.4-2, 3.10.7.4-3, MUST-12] [RFC 5961 3.2-5]
TEST_P(Reset, IsAcceptedOnlyWithExactlyTheNextNumber) {
  peer.establish();
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 101");
  EXPECT_EQ(peer.recv(), 100u);
  peer.forget_output();
  const std::uint32_t edge = 101 + peer.info().rcv_wnd;
  const auto at = [](std::uint32_t n) {
    return "R " + std::to_string(n) + ":" + std::to_string(n) + "(0) win 0";
  };
  EXPECT_EQ(peer.in(at(100)), Verdict::reset_ignored);
  EXPECT_EQ(peer.in(at(edge)), Verdict::reset_ignored);
  peer.quiet();
  EXPECT_EQ(peer.in(at(102)), Verdict::reset_challenged);
  peer.out(". 1:1(0) ack 101");
  EXPECT_EQ(peer.in(at(edge - 1)), Verdict::reset_challenged);
  peer.out(". 1:1(0) ack 101");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_EQ(peer.in(at(101)), Verdict::reset_accepted);
  const StreamEvent told = peer.told();
  EXPECT_EQ(told.failure, Error::connection_reset);  // MUST-12
  EXPECT_TRUE(told.closed);
  EXPECT_EQ(peer.stack().counters().resets_in_established, 1u);
  peer.after(600s);
  peer.quiet();
}

// MUST-66.
// [RFC 9293 MUST-66]
TEST_P(Reset, IsAcceptedWhenTheWindowIsShut) {
  TcpConfig tcp;
  tcp.receive_buffer = 1000;
  Peer each(tcp, GetParam());
  each.establish();
  each.in("P. 1:1001(1000) ack 1 win 65535");
  each.out(". 1:1(0) ack 1001 win 0");
  EXPECT_EQ(each.in("R 1002:1002(0) win 0"), Verdict::reset_ignored);
  EXPECT_EQ(each.in("R 1000:1000(0) win 0"), Verdict::reset_ignored);
  each.quiet();
  EXPECT_EQ(each.in("R 1001:1001(0) win 0"), Verdict::reset_accepted);
}

// SHLD-2.
// [RFC 9293 SHLD-2, 3.10.7.4-1]
TEST_P(Reset, MayCarryTextWhichIsNotDelivered) {
  peer.establish();
  EXPECT_EQ(peer.in("R. 1:41(40) ack 1 win 0"), Verdict::reset_accepted);
  EXPECT_EQ(peer.recv_error(), Error::connection_reset);
  peer.quiet();
}

TEST_P(Reset, NeedsNeitherTimestampsNorAnAcknowledgement) {
  for (const char* reset :
       {"R 1:1(0) win 0 <>", "R. 1:1(0) ack 77777 win 0 <>", "R 1:1(0) win 0 <TS val 1 ecr 0>"}) {
    Peer each(TcpConfig{}, GetParam());
    each.establish({.options = "mss 1460,TS val 1000 ecr 0"});
    EXPECT_EQ(each.in(reset), Verdict::reset_accepted);
  }
}

TEST_P(Reset, LetsTheApplicationReadWhatCameBefore) {
  peer.establish();
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 101");
  peer.in("R 101:101(0) win 0");
  EXPECT_EQ(peer.recv(), 100u);
  EXPECT_EQ(peer.recv_error(), Error::connection_reset);
  EXPECT_EQ(peer.stack().send(peer.now(), peer.stream(), pattern(Stream::from_stack, 1, 1)).error(),
            Error::connection_reset);
  EXPECT_EQ(peer.shutdown().error(), Error::connection_reset);
  EXPECT_TRUE(peer.close());
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  peer.quiet();
}

// A genuine RST that overtook data is challenged, and its sender, who knows nothing any more,
// answers with an exact one.
TEST_P(Reset, ThatOvertookDataSucceedsByWayOfTheChallenge) {
  peer.establish();
  peer.in("R 101:101(0) win 0");
  const Sent challenge = peer.out(". 1:1(0) ack 1");
  EXPECT_EQ(challenge.reason, SendReason::challenge_ack);
  EXPECT_EQ(peer.in("R 1:1(0) win 0"), Verdict::reset_accepted);
}

// Both sides had said all: nothing was lost (§3.10.7.4, second).
TEST_P(Reset, InClosingAndLastAckIsNoFailure) {
  for (const State state : {State::closing, State::last_ack}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    EXPECT_EQ(each.in("R 2:2(0) win 0"), Verdict::reset_accepted);
    const StreamEvent told = each.told();
    EXPECT_TRUE(told.closed);
    EXPECT_FALSE(told.failure);
    EXPECT_EQ(each.recv_error(), Error::end_of_stream);
  }
}

TEST_P(Reset, FreesAnOrphanWithoutAWord) {
  peer.establish();
  EXPECT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 1");
  peer.in("R. 1:1(0) ack 2 win 0");
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  EXPECT_EQ(peer.told(), StreamEvent{.stream = peer.stream()});
}

// ---- blind attacks: RFC 5961 §4, §5

// [RFC 9293 3.10.7.4-4, 3.10.7.4-5]
TEST_P(Reset, ASynCannotBreakAConnection) {
  peer.establish();
  for (const char* syn : {"S 1:1(0) win 65535", "S 30000:30000(0) win 65535", "S 0:0(0) win 65535",
                          "S. 1:1(0) ack 1 win 65535"}) {
    peer.in(syn);
    peer.out(". 1:1(0) ack 1");
    peer.after(1s);
  }
  EXPECT_EQ(peer.in("S 1:1(0) win 65535"), Verdict::syn_challenged);
  peer.out(". 1:1(0) ack 1");
  EXPECT_EQ(peer.state(), State::established);
  EXPECT_FALSE(peer.told().failure);
}

/// Sends so many times so many octets, each time acknowledged at once.
void exchange(Peer& peer, int times, std::uint32_t octets, int window) {
  for (int i = 1; i <= times; ++i) {
    peer.send(octets);
    peer.forget_output();
    peer.in(". 1:1(0) ack " + std::to_string(1 + i * static_cast<int>(octets)) + " win " +
            std::to_string(window));
    peer.forget_output();
  }
}

// The acknowledgement must lie in [SND.UNA - MAX.SND.WND, SND.NXT].
// [RFC 9293 MAY-12, 3.10.7.4-6, 3.10.7.4-7]
TEST_P(Reset, TextWithAnImpossibleAcknowledgementIsNotInjected) {
  peer.establish({.window = 5000});
  exchange(peer, 8, 1000, 5000);
  for (const char* ack : {"8002", "100000", "3000", "0", "2147491649"}) {  // 8001 - 5001 is outside
    EXPECT_EQ(peer.in("P. 1:11(10) ack " + std::string(ack) + " win 5000"),
              Verdict::ack_unacceptable);
    peer.out(". 8001:8001(0) ack 1");
    peer.after(1s);
  }
  EXPECT_EQ(peer.stack().readable(peer.stream()), 0u);
  EXPECT_EQ(peer.in("P. 1:11(10) ack 3001 win 5000"), Verdict::accepted);
  peer.out(". 8001:8001(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
}

// The largest window counts, and it is scaled.
// [RFC 9293 MAY-12, 3.10.7.4-6, 3.10.7.4-7]
TEST_P(Reset, TheRangeOfOldAcknowledgementsFollowsTheLargestWindowEverAnnounced) {
  peer.establish({.options = "mss 1460,wscale 4", .window = 5000});
  exchange(peer, 90, 1000, 5000);
  peer.in(". 1:1(0) ack 90001 win 100");
  EXPECT_EQ(peer.in("P. 1:11(10) ack 10001 win 100"), Verdict::accepted);  // 90001 - 80000
  peer.out(". 90001:90001(0) ack 11");
  EXPECT_EQ(peer.in("P. 11:21(10) ack 10000 win 100"), Verdict::ack_unacceptable);
  peer.out(". 90001:90001(0) ack 11");
}

// Nobody who has seen our SYN acknowledges what stands before it.
TEST_P(Reset, NoAcknowledgementIsOlderThanTheConnection) {
  peer.establish({.window = 5000});
  EXPECT_EQ(peer.in("P. 1:11(10) ack 0 win 5000"), Verdict::ack_unacceptable);
  peer.out(". 1:1(0) ack 1");
}

// RFC 5961 §10, and no limit shared by all connections (CVE-2016-5696).
// [RFC 5961 7-2]
TEST_P(Reset, ChallengesAreLimitedPerConnectionAndSecond) {
  for (const std::uint16_t port : {1, 2}) {
    peer.talk_from(port);
    peer.establish();
    for (int second = 0; second < 3; ++second) {
      for (int i = 0; i < 100; ++i) {
        peer.in("R 2:2(0) win 0");
        peer.in("S 50:50(0) win 65535");
        peer.in(". 1:1(0) ack 5000 win 65535");
      }
      EXPECT_EQ(peer.waiting(), 5u);
      peer.forget_output();
      peer.after(1s);
    }
  }
  EXPECT_EQ(peer.stack().counters().challenge_acks_out, 30u);
}

// [RFC 5961 7-2]
TEST(ResetChallenges, CanBeLimitedOtherwise) {
  Peer peer(PeerOptions{.stack = {.limits = {.challenge_acks_per_second = 2}}});
  peer.establish();
  for (int i = 0; i < 10; ++i) {
    peer.in("R 2:2(0) win 0");
    peer.in(". 200000:200000(0) ack 1 win 65535");
  }
  EXPECT_EQ(peer.waiting(), 2u);
  peer.forget_output();
}

TEST_P(Reset, ChallengesInSynReceivedAreLimitedToo) {
  peer.reach(State::syn_received);
  for (int i = 0; i < 100; ++i) {
    peer.in("R 2:2(0) win 0");
    peer.in(". 200000:200000(0) ack 1 win 65535");
  }
  EXPECT_EQ(peer.waiting(), 5u);
  peer.forget_output();
  EXPECT_EQ(peer.state(), State::syn_received);
  peer.after(1s);
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in("R 2:2(0) win 0");
  peer.out(". 1:1(0) ack 1");
}

// Two ends that disagree must not answer each other for ever; octets that came again are always
// answered, since our ACK was lost.
TEST_P(Reset, EmptyUnacceptableSegmentsAreAnsweredAtALimitedRate) {
  peer.establish();
  for (int i = 0; i < 100; ++i) peer.in(". 200000:200000(0) ack 1 win 65535");
  EXPECT_EQ(peer.waiting(), 5u);
  peer.forget_output();
  for (int i = 0; i < 20; ++i) {
    peer.in("P. 200000:200010(10) ack 1 win 65535");
    peer.out(". 1:1(0) ack 1");
  }
}

}  // namespace
}  // namespace estab::script
