// LISTEN: who takes a SYN, the backlog, the SYN cache and SYN cookies (RFC 4987).

#include <set>

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class Listen : public EachFamily {
 protected:
  /// A SYN from a port of its own; the answer is forgotten.
  void syn_from(std::uint16_t port) {
    peer.talk_from(port);
    peer.in("S 0:0(0) win 65535 <mss 1460>");
  }
  void establish_from(std::uint16_t port) {
    syn_from(port);
    peer.out("S. 0:0(0) ack 1 <*>");
    peer.in(". 1:1(0) ack 1 win 65535");
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Listen, both_families(), family_name);

// ---- who listens

TEST_P(Listen, IgnoresResetsAndWhatHasNoFlagThatMatters) {
  peer.listen();
  EXPECT_EQ(peer.in("R 0:0(0) win 0"), Verdict::no_connection);
  EXPECT_EQ(peer.in("R. 0:0(0) ack 7 win 0"), Verdict::no_connection);
  EXPECT_EQ(peer.in("SR 0:0(0) win 0"), Verdict::no_connection);
  EXPECT_EQ(peer.in("- 0:0(0) win 0"), Verdict::no_ack_bit);
  EXPECT_EQ(peer.in("FPU 0:10(10) win 0 urg 3"), Verdict::no_ack_bit);
  peer.quiet();
  EXPECT_EQ(peer.state(), State::listen);
}

// [RFC 9293 MUST-41]
TEST_P(Listen, IsRefusedWhereItMakesNoSense) {
  Stack& stack = peer.stack();
  EXPECT_EQ(stack.listen({.local = {peer.remote(), 80}}).error(), Error::address_not_available);
  EXPECT_TRUE(stack.listen({.local = {peer.local(), 80}}));
  EXPECT_EQ(stack.listen({.local = {peer.local(), 80}}).error(), Error::address_in_use);
  EXPECT_EQ(stack.close(peer.now(), ListenerId{}).error(), Error::no_such_id);
  EXPECT_EQ(stack.accept(peer.now(), ListenerId{}).error(), Error::no_such_id);
}

TEST_P(Listen, ChoosesAPortIfItIsLeftTo) {
  Peer one({.family = GetParam(), .stack = {.seed = {1, 2}, .port_min = 5000, .port_max = 5003}});
  Stack& stack = one.stack();
  ASSERT_TRUE(stack.listen({.local = {IpAddress::any(GetParam()), 5001}}));
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 3; ++i) {
    const auto listener = stack.listen({.local = {one.local(), 0}});
    ASSERT_TRUE(listener);
    ports.insert(stack.local_endpoint(*listener)->port);
  }
  EXPECT_EQ(ports, (std::set<std::uint16_t>{5000, 5002, 5003}));
  EXPECT_EQ(stack.listen({.local = {one.local(), 0}}).error(), Error::no_ports);
  EXPECT_EQ(stack.listen({.local = {one.remote(), 0}}).error(), Error::address_not_available);
}

TEST_P(Listen, AcceptsAtThePortItHasChosen) {
  Stack server{StackConfig{.seed = {3, 4}}};
  const InterfaceId link = server.add_interface({.name = "link"});
  EXPECT_TRUE(server.add_address(
      link, {peer.remote(), peer.remote().is_v4() ? std::uint8_t{24} : std::uint8_t{64}}));
  const ListenerId listener = server.listen({.local = {IpAddress(), 0}}).value();
  const std::uint16_t port = server.local_endpoint(listener)->port;
  EXPECT_GE(port, StackConfig{}.port_min);
  Stack& client = peer.stack();
  EXPECT_TRUE(client.connect(peer.now(), {.remote = {peer.remote(), port}}));
  TransmitFrame frame;
  const auto hand = [&](Stack& from, Stack& to, InterfaceId at) {
    while (from.poll_transmit(peer.now(), frame)) {
      OctetVector octets(frame.size());
      frame.copy_to(octets.data());
      to.handle_frame(peer.now(), at, {.octets = octets});
    }
  };
  hand(client, server, link);
  hand(server, client, peer.interface());
  hand(client, server, link);
  EXPECT_TRUE(server.accept(peer.now(), listener));
}

// MUST-42: several may listen on one port, at different addresses; the most exact takes the SYN.
// [RFC 9293 MUST-43]
TEST_P(Listen, GivesASynToTheMostExactListener) {
  Stack& stack = peer.stack();
  const auto any = *stack.listen({.local = {IpAddress(), Peer::kLocalPort}});
  const auto family = stack.listen({.local = {IpAddress::any(Family::ipv4), Peer::kLocalPort}});
  const bool v4 = GetParam() == Family::ipv4;
  establish_from(1);
  EXPECT_EQ(stack.accept(peer.now(), any).has_value(), !v4);
  EXPECT_EQ(stack.accept(peer.now(), *family).has_value(), v4);
  peer.listen();
  establish_from(2);
  EXPECT_TRUE(peer.accept());
  EXPECT_FALSE(stack.accept(peer.now(), any));
  EXPECT_FALSE(stack.accept(peer.now(), *family));
}

// [RFC 9293 MUST-42]
TEST_P(Listen, MayBeginWhileItsPortIsOpeningAConnection) {
  for (const State state : {State::syn_sent, State::syn_received}) {
    Peer each(TcpConfig{}, GetParam());
    each.talk_from(1);
    ASSERT_TRUE(each.connect());
    each.out("S 0:0(0) <*>");
    if (state == State::syn_received) {
      each.in("S 0:0(0) win 65535 <mss 1460>");
      each.out("S. 0:0(0) ack 1 <*>");
    }
    each.listen();
    each.talk_from(2);
    EXPECT_EQ(each.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_queued);
    each.out("S. 0:0(0) ack 1 <*>");
    each.talk_from(1);
    EXPECT_EQ(each.stack().state(each.stream()), state);
    each.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
    EXPECT_EQ(each.stack().state(each.stream()), State::established);
  }
}

// MUST-41: a passive OPEN does not affect connections that were there before.
// [RFC 9293 MUST-41]
TEST_P(Listen, LeavesEarlierConnectionsOfItsPortAlone) {
  peer.establish();
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.listener()));
  peer.listen();
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
}

TEST_P(Listen, ForgetsOpeningsAndResetsWhatNobodyAcceptedWhenItEnds) {
  peer.listen();
  syn_from(1);
  peer.out("S. 0:0(0) ack 1 <*>");
  establish_from(2);
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.listener()));
  peer.out("R. 1:1(0) ack 1 win 0");
  peer.after(300s);
  peer.quiet();
  EXPECT_EQ(peer.stack().census(), Stack::Census{});
  peer.talk_from(1);
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.out("R 1:1(0) win 0");
  EXPECT_EQ(peer.stack().close(peer.now(), peer.listener()).error(), Error::no_such_id);
}

// MUST-57, MUST-63.
// [RFC 9293 MUST-63, MUST-57] [RFC 1122 3.2.1.3-10, 3.2.1.3-11, 3.4-3]
TEST_P(Listen, IsSilentTowardsBroadcastsMulticastsAndImpossibleSources) {
  const bool v4 = GetParam() == Family::ipv4;
  EXPECT_TRUE(peer.stack().listen({.local = {IpAddress(), Peer::kLocalPort}}));
  const auto syn = [&](std::string_view from, std::string_view to) {
    Segment segment;
    segment.source_port = Peer::kRemotePort;
    segment.destination_port = Peer::kLocalPort;
    segment.flags = kSyn;
    OctetVector tcp(20);
    wire::emit_tcp(segment, tcp.data());
    wire::IpHeader ip{.source = *IpAddress::parse(from), .destination = *IpAddress::parse(to)};
    ip.protocol = wire::kProtocolTcp;
    wire::finish_tcp_checksum(tcp, ip.source, ip.destination);
    return peer.in_octets(datagram(ip, tcp));
  };
  const std::string_view us = v4 ? "192.0.2.1" : "2001:db8::1";
  const std::string_view them = v4 ? "192.0.2.2" : "2001:db8::2";
  if (v4) {
    for (const auto to : {"255.255.255.255", "192.0.2.255", "224.0.0.1"})
      EXPECT_EQ(syn(them, to), Verdict::bad_address) << to;
    for (const auto from :
         {"255.255.255.255", "192.0.2.255", "224.0.0.1", "0.0.0.0", "127.0.0.1", "192.0.2.1"})
      EXPECT_EQ(syn(from, us), Verdict::bad_address) << from;
  } else {
    EXPECT_EQ(syn(them, "ff02::1"), Verdict::bad_address);
    for (const auto from : {"ff02::1", "::", "::1", "2001:db8::1"})
      EXPECT_EQ(syn(from, us), Verdict::bad_address) << from;
  }
  EXPECT_EQ(syn(them, v4 ? "192.0.2.77" : "2001:db8::77"), Verdict::not_for_us);
  peer.quiet();
  peer.start_over(SeqNum(0));
  EXPECT_EQ(syn(them, us), Verdict::syn_queued);
  peer.out("S. 0:0(0) ack 1 <*>");
}

// [RFC 9293 MUST-3] [RFC 1122 3.1-7]
TEST_P(Listen, DropsAWrongChecksum) {
  peer.listen();
  OctetVector octets = peer.make("S 0:0(0) win 65535 <mss 1460>");
  octets.back() ^= 1;
  EXPECT_EQ(peer.in_octets(octets), Verdict::bad_checksum);  // MUST-3
  peer.quiet();
  EXPECT_EQ(peer.stack().counters().of(Verdict::bad_checksum), 1u);
}

// ---- the backlog

TEST_P(Listen, HoldsCompleteConnectionsUntilTheyAreAccepted) {
  peer.listen(3);
  for (const std::uint16_t port : {1, 2, 3}) establish_from(port);
  EXPECT_FALSE(peer.other_events().empty());
  for (const std::uint16_t port : {1, 2, 3}) {
    const auto stream = peer.stack().accept(peer.now(), peer.listener());
    ASSERT_TRUE(stream);
    EXPECT_EQ(peer.stack().endpoints(*stream)->remote_port, port);
  }
  EXPECT_EQ(peer.accept().error(), Error::would_block);
  establish_from(4);
  EXPECT_EQ(peer.other_events().size(), 1u);
}

TEST_P(Listen, DropsSynsWhileTheQueueIsFullOfCompleteConnections) {
  peer.listen(2);
  establish_from(1);
  establish_from(2);
  syn_from(3);
  peer.quiet();
  EXPECT_EQ(peer.stack().counters().of(Verdict::syn_dropped), 1u);
  ASSERT_TRUE(peer.accept());
  establish_from(3);  // the SYN comes again and is taken
  EXPECT_EQ(peer.state(), State::established);
}

// The third segment of one opening too many is not answered; both sides repeat, and it may succeed.
TEST_P(Listen, DoesNotLoseAnOpeningWhoseAckFoundTheQueueFull) {
  peer.listen(2);
  syn_from(1);
  peer.out("S. 0:0(0) ack 1 <*>");
  syn_from(2);
  peer.out("S. 0:0(0) ack 1 <*>");
  establish_from(3);  // by a cookie, since two openings are under way
  peer.talk_from(1);
  peer.in(". 1:1(0) ack 1 win 65535");
  peer.talk_from(2);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  EXPECT_EQ(peer.state(), State::syn_received);
  EXPECT_EQ(peer.stack().counters().accept_queue_overflow, 1u);
  peer.quiet();
  ASSERT_TRUE(peer.stack().accept(peer.now(), peer.listener()));
  peer.after(1s);
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::established);
}

TEST_P(Listen, GivesOutAConnectionThatEndedBeforeItWasAccepted) {
  peer.listen();
  establish_from(1);
  peer.in("R 1:1(0) win 0");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.stack().state(peer.stream()), State::closed);
  EXPECT_EQ(peer.told().failure, Error::connection_reset);
  EXPECT_EQ(peer.recv_error(), Error::connection_reset);
}

// The peer of such an opening believes it open. It is told when nobody has taken it in time.
TEST_P(Listen, TellsAPeerThatBelievesItOpenWhenTheTimeForAcceptingIsUp) {
  peer.listen(1);
  syn_from(1);
  peer.out("S. 0:0(0) ack 1 <*>");
  establish_from(2);  // by a cookie
  peer.talk_from(1);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  peer.mark();
  peer.after(183s);
  for (const Duration at : {1s, 5s, 13s, 29s, 61s, 125s})
    peer.out_at(at, "S. 0:0(0) ack 1 win 65535 <mss *>");
  peer.out_at(183s, "R. 1:1(0) ack 1");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::listen);
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

TEST_P(Listen, TellsAPeerThatBelievesItOpenWhenItEnds) {
  peer.listen(1);
  syn_from(1);
  peer.out("S. 0:0(0) ack 1 <*>");
  establish_from(2);
  peer.talk_from(1);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  ASSERT_TRUE(peer.accept());
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.listener()));
  peer.talk_from(1);
  peer.out("R. 1:1(0) ack 1");
  peer.quiet();
}

// ---- SYN cookies

class Cookies : public EachFamily {
 protected:
  void SetUp() override {
    peer.listen(1);
    peer.talk_from(9);
    peer.in("S 0:0(0) win 65535 <mss 1460>");  // fills the cache
    peer.out("S. 0:0(0) ack 1 <*>");
    peer.talk_from(10);
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Cookies, both_families(), family_name);

TEST_P(Cookies, OpenAConnectionWithoutAnyRecord) {
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_cookie_sent);
  peer.out("S. 0:0(0) ack 1 win 65535 <mss *>");
  EXPECT_EQ(peer.stack().census().syn_cache, 1u);
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535"), Verdict::handshake_completed);
  peer.out(". 1:1(0) ack 11");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.recv(), 10u);
  EXPECT_EQ(peer.info().snd_mss, GetParam() == Family::ipv4 ? 1460u : 1440u);
  EXPECT_EQ(peer.stack().counters().syn_cookies_sent, 1u);
  EXPECT_EQ(peer.stack().counters().syn_cookies_accepted, 1u);
  peer.send(5);
  peer.out("P. 1:6(5) ack 11");
}

TEST_P(Cookies, RememberTheMssDownToAStepOfATable) {
  for (const auto& [theirs, kept] :
       {std::pair{100, 48}, std::pair{600, 536}, std::pair{1300, 1220}, std::pair{1439, 1360}}) {
    Peer each(TcpConfig{}, GetParam());
    each.listen(1);
    each.talk_from(9);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.forget_output();
    each.talk_from(10);
    each.in("S 0:0(0) win 65535 <mss " + std::to_string(theirs) + ">");
    each.out("S. 0:0(0) ack 1 <mss *>");
    each.in(". 1:1(0) ack 1 win 65535");
    ASSERT_TRUE(each.accept());
    EXPECT_EQ(each.info().snd_mss, static_cast<std::uint32_t>(kept));
  }
}

TEST_P(Cookies, KeepScaleAndSackInTheTimestamp) {
  for (const auto& [offered, scale, sack] :
       {std::tuple{"mss 1460,TS val 5 ecr 0,wscale 7,sackOK", 7, true},
        std::tuple{"mss 1460,TS val 5 ecr 0,wscale 0,sackOK", 0, true},
        std::tuple{"mss 1460,TS val 5 ecr 0,wscale 14", 14, false},
        std::tuple{"mss 1460,TS val 5 ecr 0,sackOK", -1, true},
        std::tuple{"mss 1460,TS val 5 ecr 0", -1, false}}) {
    Peer each(TcpConfig{}, GetParam());
    each.listen(1);
    each.talk_from(9);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.forget_output();
    each.talk_from(10);
    each.in("S 0:0(0) win 65535 <" + std::string(offered) + ">");
    each.out("S. 0:0(0) ack 1 <mss *,TS val * ecr 5" + std::string(scale >= 0 ? ",wscale 12" : "") +
             (sack ? ",sackOK" : "") + ">");
    each.use_timestamps();
    each.in(". 1:1(0) ack 1 win 100");
    ASSERT_TRUE(each.accept());
    const TcpInfo info = each.info();
    EXPECT_TRUE(info.timestamps);
    EXPECT_EQ(info.wscale, scale >= 0);
    EXPECT_EQ(info.snd_wscale, std::max(scale, 0));
    EXPECT_EQ(info.snd_wnd, 100u << std::max(scale, 0));
    EXPECT_EQ(info.sack, sack);
  }
}

TEST_P(Cookies, DoWithoutScaleAndSackWhereThereAreNoTimestamps) {
  peer.in("S 0:0(0) win 65535 <mss 1460,wscale 7,sackOK>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
  peer.in(". 1:1(0) ack 1 win 100");
  ASSERT_TRUE(peer.accept());
  EXPECT_FALSE(peer.info().wscale);
  EXPECT_FALSE(peer.info().sack);
  EXPECT_EQ(peer.info().snd_wnd, 100u);
}

// Its TSval must neither lead the clock nor stand before what later segments bear (PAWS).
TEST_P(Cookies, SendATimestampThatLaterOnesDoNotFallBehind) {
  peer.in("S 0:0(0) win 65535 <mss 1460,TS val 5 ecr 0,wscale 7,sackOK>");
  const std::uint32_t first = peer.out("S. 0:0(0) ack 1 <*>").segment->options.timestamps->value;
  peer.use_timestamps();
  peer.in("P. 1:11(10) ack 1 win 100");
  const std::uint32_t second = peer.out(". 1:1(0) ack 11").segment->options.timestamps->value;
  EXPECT_LE(static_cast<std::int32_t>(first - second), 0);
  EXPECT_GT(static_cast<std::int32_t>(first - second), -64);
}

TEST_P(Cookies, ThatAreWrongAreRefused) {
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  for (const char* ack : {"2", "0", "16777217", "4278190081"}) {
    EXPECT_EQ(peer.in(". 1:1(0) ack " + std::string(ack) + " win 65535"), Verdict::answered_reset);
    peer.out("R " + std::string(ack) + ":" + std::string(ack) + "(0) win 0");
  }
  peer.in(". 2:2(0) ack 1 win 65535");  // another sequence number than the SYN's
  peer.out("R 1:1(0) win 0");
  EXPECT_EQ(peer.stack().counters().syn_cookies_accepted, 0u);
  const SeqNum cookie = peer.stack_isn();
  const SeqNum isn = peer.remote_isn();
  peer.talk_from(11);  // another port: not its cookie
  peer.start_over(isn);
  const std::uint32_t stolen = (cookie + 1).value() - peer.stack_isn().value();
  EXPECT_EQ(peer.in(". 1:1(0) ack " + std::to_string(stolen) + " win 65535"),
            Verdict::answered_reset);
}

TEST_P(Cookies, AreRefusedWhenTheyAreOld) {
  for (const auto& [age, good] : {std::pair{60s, true}, std::pair{130s, false},
                                  std::pair{64s * 32, false}, std::pair{64s * 64, false}}) {
    Peer each(TcpConfig{}, GetParam());
    each.listen(1);
    each.talk_from(9);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.forget_output();
    each.talk_from(10);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.out("S. 0:0(0) ack 1 <*>");
    each.after(age - 1s);
    // Another one is sent, so that the stack has a reason to look at cookies at all.
    each.talk_from(9);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.talk_from(11);
    each.in("S 0:0(0) win 65535 <mss 1460>");
    each.after(1s);
    each.forget_output();
    each.talk_from(10);
    EXPECT_EQ(each.in(". 1:1(0) ack 1 win 65535"),
              good ? Verdict::handshake_completed : Verdict::answered_reset)
        << age.count() << each.story();
  }
}

// Nobody repeats a cookie: a peer that has brought one back and finds the queue full gets a record,
// and so a SYN-ACK that is repeated until there is room.
TEST_P(Cookies, ThatFoundTheQueueFullAreNotForgotten) {
  for (const std::uint16_t port : {10, 11, 12}) {
    peer.talk_from(port);
    EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_cookie_sent);
    peer.out("S. 0:0(0) ack 1 <*>");
  }
  peer.talk_from(10);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
  for (const std::uint16_t port : {11, 12}) {
    peer.talk_from(port);
    EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
    EXPECT_EQ(peer.state(), State::syn_received);
  }
  EXPECT_EQ(peer.stack().counters().accept_queue_overflow, 2u);
  EXPECT_EQ(peer.stack().census().syn_cache, 3u);
  peer.quiet();
  ASSERT_TRUE(peer.stack().accept(peer.now(), peer.listener()));
  peer.talk_from(12);
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535"), Verdict::handshake_completed);
  peer.out(". 1:1(0) ack 11");
  const auto repeated_at = [&](Duration first, Duration second) {
    peer.talk_from(9);
    peer.out_at(first, "S. 0:0(0) ack 1 <*>");
    peer.talk_from(11);
    peer.out_at(second, "S. 0:0(0) ack 1 <*>");
  };
  peer.after(2s);
  repeated_at(1s, 2s);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  ASSERT_TRUE(peer.accept());
  peer.after(4s);
  repeated_at(3s, 6s);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
  EXPECT_TRUE(peer.accept());
}

TEST(CookiesWithoutAnyRoom, AreRefusedAtOnce) {
  Peer peer(PeerOptions{.stack = {.limits = {.syn_cache = 1}}});
  peer.listen(1);
  peer.talk_from(9);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  for (const std::uint16_t port : {10, 11}) {
    peer.talk_from(port);
    EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_cookie_sent);
    peer.out("S. 0:0(0) ack 1 <*>");
  }
  peer.talk_from(10);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
  peer.talk_from(11);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::queue_full);
  peer.out("R 1:1(0) win 0");
}

// Who never sent one does not believe one: else a flood of ACKs could be tried for a hit.
TEST(CookiesNotSent, AreNotLookedFor) {
  Peer first;
  first.listen(1);
  first.talk_from(9);
  first.in("S 0:0(0) win 65535 <mss 1460>");
  first.forget_output();
  first.talk_from(10);
  first.in("S 0:0(0) win 65535 <mss 1460>");
  first.out("S. 0:0(0) ack 1 <*>");
  const OctetVector ack = first.make(". 1:1(0) ack 1 win 65535");
  Peer second;  // the same secrets
  second.listen();
  second.talk_from(10);
  EXPECT_EQ(second.in_octets(ack), Verdict::answered_reset);
  EXPECT_EQ(first.in_octets(ack), Verdict::handshake_completed);
}

TEST(CookiesOff, DropTheSynInstead) {
  Peer peer(PeerOptions{.stack = {.syn_cookies = false}});
  peer.listen(1);
  peer.talk_from(9);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.forget_output();
  peer.talk_from(10);
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_dropped);
  peer.quiet();
  EXPECT_EQ(peer.stack().counters().syn_cache_overflow, 1u);
}

// StackLimits::syn_cache counts for all listeners together.
TEST(SynFlood, CostsNoMoreThanTheCacheHolds) {
  Peer peer(PeerOptions{.stack = {.limits = {.syn_cache = 100}}});
  peer.listen(1000);
  for (std::uint16_t port = 1; port <= 100; ++port) {
    peer.talk_from(port);
    EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_queued);
  }
  const std::size_t memory = peer.stack().memory();
  for (std::uint16_t port = 101; port <= 5000; ++port) {
    peer.talk_from(port);
    EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::syn_cookie_sent);
  }
  EXPECT_EQ(peer.stack().memory(), memory);
  EXPECT_EQ(peer.stack().census().syn_cache, 100u);
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535"), Verdict::handshake_completed);
}

}  // namespace
}  // namespace estab::script
