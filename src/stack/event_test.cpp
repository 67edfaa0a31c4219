// What the application is told cannot be lost: it stands with its object, and nothing that comes
// from the network displaces it. What stands in a queue is bounded and counted.

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

class Events : public testing::Test {
 protected:
  void establish_from(std::uint16_t port) {
    peer.talk_from(port);
    peer.in("S 0:0(0) win 65535 <mss 1460>");
    peer.out("S. 0:0(0) ack 1 <*>");
    peer.in(". 1:1(0) ack 1 win 65535");
  }
  Verdict echo_reply(std::uint16_t identifier, std::uint16_t sequence,
                     const IpAddress& from = IpAddress::v4(192, 0, 2, 2)) {
    const wire::IcmpMessage reply{
        wire::icmp_v4::kEchoReply, 0, std::uint32_t{identifier} << 16 | sequence, {}};
    return peer.in_octets(icmp(from, peer.local(), reply));
  }
  void ask(const IpAddress& to, std::uint16_t identifier, std::uint16_t sequence) {
    ASSERT_TRUE(peer.stack().send_echo(peer.now(), to, identifier, sequence, {}));
    ASSERT_TRUE(peer.next());
  }
  const StackCounters& counters() { return peer.stack().counters(); }

  Peer peer{PeerOptions{.stack = {.seed = {1, 2},
                                  .limits = {.echo_requests = 3, .echo_events = 2},
                                  .quirks = {.fixed_isn = 1000}}}};
};

// As whoever reads the event as "one connection waits" does.
TEST_F(Events, LetAnApplicationAcceptOneConnectionForEach) {
  peer.listen();
  for (const std::uint16_t port : {1, 2, 3, 4}) establish_from(port);
  std::size_t accepted = 0;
  for (auto events = peer.other_events(); !events.empty(); events = peer.other_events()) {
    EXPECT_EQ(events.back(), Event(AcceptEvent{peer.listener()}));
    ASSERT_TRUE(peer.accept());
    ++accepted;
    if (accepted == 2) establish_from(5);
  }
  EXPECT_EQ(accepted, 5u);
}

TEST_F(Events, TellNothingOfWhatHasBeenAccepted) {
  peer.listen();
  Stack& stack = peer.stack();
  const auto quietly = [&](const char* notation) {
    ASSERT_EQ(stack.handle_frame(peer.now(), peer.interface(), {.octets = peer.make(notation)}),
              Verdict::handshake_completed);
  };
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  quietly(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_FALSE(stack.poll_event());
}

TEST_F(Events, OfConnectionsAndDatagramsSurviveAFloodOfEchoReplies) {
  peer.listen();
  const auto port = peer.stack().bind_datagram({peer.local(), 53});
  ask(peer.remote(), 7, 1);
  Stack& stack = peer.stack();
  const auto in = [&](const OctetVector& octets) {
    return stack.handle_frame(peer.now(), peer.interface(), {.octets = octets});
  };
  const wire::IcmpMessage reply{wire::icmp_v4::kEchoReply, 0, 7u << 16 | 1, {}};
  for (int i = 0; i < 10; ++i) in(icmp(peer.remote(), peer.local(), reply));
  ASSERT_EQ(in(peer.make("S 0:0(0) win 65535 <mss 1460>")), Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 <*>");
  ASSERT_EQ(in(peer.make(". 1:1(0) ack 1 win 65535")), Verdict::handshake_completed);
  ASSERT_EQ(in(udp({peer.remote(), 9}, {peer.local(), 53}, {})), Verdict::datagram);
  EXPECT_EQ(peer.other_events(),
            (std::vector<Event>{AcceptEvent{peer.listener()}, DatagramEvent{*port},
                                EchoEvent{peer.remote(), 7, 1, 0}}));
  EXPECT_EQ(counters().echo_replies_unsolicited, 9u);
}

TEST_F(Events, TellOfEchoRepliesOnlyWhereSomethingWasAsked) {
  echo_reply(7, 1);
  ask(peer.remote(), 7, 1);
  echo_reply(7, 2);
  echo_reply(8, 1);
  echo_reply(7, 1, IpAddress::v4(192, 0, 2, 3));
  EXPECT_TRUE(peer.other_events().empty());
  EXPECT_EQ(counters().echo_replies_unsolicited, 4u);
  echo_reply(7, 1);
  EXPECT_EQ(peer.other_events(), (std::vector<Event>{EchoEvent{peer.remote(), 7, 1, 0}}));
  echo_reply(7, 1);
  EXPECT_TRUE(peer.other_events().empty()) << "one reply for a request";
  EXPECT_EQ(counters().echo_replies_unsolicited, 5u);
  ask(peer.remote(), 7, 1);
  ask(peer.remote(), 7, 1);
  echo_reply(7, 1);
  echo_reply(7, 1);
  EXPECT_EQ(peer.other_events().size(), 2u) << "asked twice, answered twice";
}

TEST_F(Events, TellOfEveryReplyToARequestForMany) {
  ask(IpAddress::v4(192, 0, 2, 255), 7, 1);
  for (const std::uint8_t host : {2, 3}) echo_reply(7, 1, IpAddress::v4(192, 0, 2, host));
  EXPECT_EQ(peer.other_events().size(), 2u);
}

TEST_F(Events, OfEchoRepliesAreBoundedAndCounted) {
  for (const std::uint16_t sequence : {1, 2, 3, 4}) ask(peer.remote(), 7, sequence);
  echo_reply(7, 1);
  EXPECT_EQ(counters().echo_replies_unsolicited, 1u) << "the oldest has made way";
  Stack& stack = peer.stack();
  for (const std::uint32_t sequence : {2, 3, 4}) {
    const wire::IcmpMessage reply{wire::icmp_v4::kEchoReply, 0, 7u << 16 | sequence, {}};
    stack.handle_frame(peer.now(), peer.interface(),
                       {.octets = icmp(peer.remote(), peer.local(), reply)});
  }
  EXPECT_EQ(counters().echo_events_dropped, 1u);
  EXPECT_EQ(peer.other_events().size(), 2u);
}

// What is gone before it was told of does not pile up either.
TEST_F(Events, OfStreamsThatAreGoneTakeNoMemory) {
  Stack& stack = peer.stack();
  const auto open_and_forget = [&] {
    const auto stream = stack.connect(peer.now(), {.remote = {peer.remote(), 80}});
    ASSERT_TRUE(stream);
    Segment refusal;
    refusal.source_port = 80;
    refusal.destination_port = stack.endpoints(*stream)->local_port;
    refusal.ack = SeqNum(1001);
    refusal.flags = kRst | kAck;
    ASSERT_EQ(stack.handle_frame(peer.now(), peer.interface(), {.octets = peer.datagram(refusal)}),
              Verdict::reset_accepted);
    ASSERT_TRUE(stack.abort(peer.now(), *stream));
    TransmitFrame frame;
    EXPECT_FALSE(stack.poll_transmit(peer.now(), frame));
  };
  const auto round = [&] {
    for (int i = 0; i < 10'000; ++i) open_and_forget();
  };
  round();
  const std::size_t before = stack.memory();
  for (int i = 0; i < 5; ++i) round();
  EXPECT_EQ(stack.memory(), before);
}

}  // namespace
}  // namespace estab::script
