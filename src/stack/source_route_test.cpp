// Source routes (RFC 9293 §3.9.2.1): the one an application asks for, and the way back that a
// peer's left. Only IPv4 has them.

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

const IpAddress kNear = IpAddress::v4(192, 0, 2, 50), kMiddle = IpAddress::v4(198, 51, 100, 1),
                kFar = IpAddress::v4(203, 0, 113, 1);
using Hops = std::vector<IpAddress>;

/// The segment as it arrives when it has followed a source route over these hops.
OctetVector routed(const OctetVector& segment, const Hops& hops) {
  const auto length = static_cast<std::uint8_t>(3 + 4 * hops.size());
  OctetVector option = {131, length, static_cast<std::uint8_t>(length + 1)};
  for (const IpAddress& hop : hops)
    option.insert(option.end(), hop.wire_octets().begin(), hop.wire_octets().end());
  option.push_back(0);
  return with_ip_options(segment, option);
}

// ---- asked for by the application

// [RFC 9293 MUST-51] [RFC 1122 3.2.1.8-1, 3.2.1.8-5, 3.4-1, 3.4-2]
TEST(SourceRoute, LeadsEverySegmentOfAnActiveOpenOverItsHops) {
  Peer peer(TcpConfig{.source_route = {kNear, kFar}});
  ASSERT_TRUE(peer.connect());
  EXPECT_EQ(peer.out("S 0:0(0) <*>").route, (Hops{kNear, kFar}));
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(peer.out(". 1:1(0) ack 1").route, (Hops{kNear, kFar}));
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  EXPECT_EQ(data.route, (Hops{kNear, kFar}));
  EXPECT_EQ(data.ip.destination, peer.remote());
  EXPECT_EQ(data.next_hop, kNear) << "the way begins at the first hop";
  ASSERT_TRUE(peer.abort());
  EXPECT_EQ(peer.out("R. 101:101(0) ack 1 win 0").route, (Hops{kNear, kFar}));
}

TEST(SourceRoute, BeginsWithTheRouteToItsFirstHop) {
  Peer peer;
  const InterfaceId second = peer.stack().add_interface({.name = "second"});
  ASSERT_TRUE(peer.stack().add_route({*Cidr::parse("198.51.100.0/24"), second}));
  ASSERT_TRUE(peer.connect(TcpConfig{.source_route = {kMiddle}}));
  const Sent syn = peer.out("S 0:0(0) <*>");
  EXPECT_EQ(syn.interface, second);
  EXPECT_EQ(syn.next_hop, kMiddle);
}

// [RFC 9293 MUST-52]
TEST(SourceRoute, TakesPrecedenceOverThePeers) {
  Opened active({.tcp = {.source_route = {kNear}}, .side = kActive});
  active.in_octets(routed(active.make("P. 1:11(10) ack 1 win 65535"), {kFar}));
  EXPECT_EQ(active.out(". 1:1(0) ack 11").route, Hops{kNear});
  Peer passive(TcpConfig{.source_route = {kNear}});
  passive.listen();
  passive.in_octets(routed(passive.make("S 0:0(0) win 65535 <mss 1460>"), {kFar}));
  EXPECT_EQ(passive.out("S. 0:0(0) ack 1 <*>").route, Hops{kNear});
  passive.in_octets(routed(passive.make("P. 1:11(10) ack 1 win 65535"), {kFar}));
  EXPECT_EQ(passive.out(". 1:1(0) ack 11").route, Hops{kNear});
}

// [RFC 9293 MUST-51]
TEST(SourceRoute, IsRefusedIfNoHeaderCanHoldIt) {
  Peer peer;
  EXPECT_EQ(peer.connect(TcpConfig{.source_route = Hops(10, kNear)}).error(),
            Error::invalid_argument);
  EXPECT_EQ(peer.connect(TcpConfig{.source_route = {*IpAddress::parse("2001:db8::7")}}).error(),
            Error::invalid_argument);
  EXPECT_TRUE(peer.connect(TcpConfig{.source_route = Hops(9, kNear)}));
  EXPECT_EQ(peer.next()->route, Hops(9, kNear));
}

// RFC 9293 §3.7.1: the IP options of a segment leave so much less for its text.
// [RFC 9293 MUST-16]
TEST(SourceRoute, MakesSegmentsShorter) {
  Opened peer({.tcp = {.source_route = {kNear, kFar}}, .options = "mss 1400"});
  EXPECT_EQ(peer.info().snd_mss, 1400u - 12u);
  Opened wide({.tcp = {.source_route = {kNear, kFar}}, .options = "mss 9000"});
  wide.send(10000);
  EXPECT_EQ(wide.next()->octets.size(), 1500u);
  wide.forget_output();
}

TEST(SourceRoute, MeansNothingToIpV6) {
  Opened peer({.tcp = {.source_route = {kNear}}, .options = "mss 1400", .family = Family::ipv6});
  EXPECT_EQ(peer.info().snd_mss, 1400u);
  peer.send(10);
  EXPECT_EQ(peer.out("P. 1:11(10) ack 1").next_hop, peer.remote());
}

// ---- left by the peer

// [RFC 9293 MUST-53] [RFC 1122 3.2.1.8-5, 3.2.1.8-6]
TEST(ReturnRoute, IsTakenByEverySegmentOfAPassiveOpen) {
  Peer peer;
  peer.listen();
  const Hops back = {kNear, kFar};
  peer.in_octets(routed(peer.make("S 0:0(0) win 65535 <mss 1460>"), {kFar, kNear}));
  EXPECT_EQ(peer.out("S. 0:0(0) ack 1 <*>").route, back);
  peer.after(1s);
  EXPECT_EQ(peer.out("S. 0:0(0) ack 1 <*>").route, back) << "repeated";
  peer.in("R 100:100(0) win 0");
  EXPECT_EQ(peer.out(". 1:1(0) ack 1").route, back) << "a challenge";
  peer.in(". 1:1(0) ack 1 win 65535");  // by the direct way
  ASSERT_TRUE(peer.accept());
  peer.send(100);
  EXPECT_EQ(peer.out("P. 1:101(100) ack 1").route, back);
  peer.in("P. 1:11(10) ack 101 win 65535");
  EXPECT_EQ(peer.out(". 101:101(0) ack 11").route, back);
  ASSERT_TRUE(peer.abort());
  EXPECT_EQ(peer.out("R. 101:101(0) ack 11 win 0").route, back);
}

// [RFC 9293 SHLD-24]
TEST(ReturnRoute, GivesWayToThatOfALaterSegment) {
  Opened peer;
  peer.in_octets(routed(peer.make("P. 1:11(10) ack 1 win 65535"), {kFar, kNear}));
  EXPECT_EQ(peer.out(". 1:1(0) ack 11").route, (Hops{kNear, kFar}));
  EXPECT_EQ(peer.info().snd_mss, 1000u - 12u);
  peer.in_octets(routed(peer.make("P. 11:21(10) ack 1 win 65535"), {kNear}));
  const Sent ack = peer.out(". 1:1(0) ack 21");
  EXPECT_EQ(ack.route, Hops{kNear});
  EXPECT_EQ(ack.next_hop, kNear);
}

// [RFC 9293 MUST-53]
TEST(ReturnRoute, OfTheThirdSegmentCounts) {
  Peer peer;
  peer.listen();
  peer.in_octets(routed(peer.make("S 0:0(0) win 65535 <mss 1460>"), {kFar, kNear}));
  EXPECT_TRUE(peer.next());
  peer.in_octets(routed(peer.make("P. 1:11(10) ack 1 win 65535"), {kNear}));
  EXPECT_EQ(peer.out(". 1:1(0) ack 11").route, Hops{kNear});
}

// [RFC 9293 SHLD-24]
TEST(ReturnRoute, IsNotLearnedFromASegmentThatIsNotAccepted) {
  Opened peer;
  for (const char* segment : {"P. 200000:200010(10) ack 1 win 65535", "R 5:5(0) win 0",
                              "P. 1:11(10) ack 90000 win 65535", "S 5:5(0) win 65535"}) {
    peer.in_octets(routed(peer.make(segment), {kFar}));
    EXPECT_EQ(peer.out(". 1:1(0) ack 1").route, Hops{});
  }
}

// [RFC 9293 MUST-52]
TEST(ReturnRoute, IsNotTakenOnAnActiveOpen) {
  Opened peer({.side = kActive});
  peer.in_octets(routed(peer.make("P. 1:11(10) ack 1 win 65535"), {kFar}));
  EXPECT_EQ(peer.out(". 1:1(0) ack 11").route, Hops{});
}

// RFC 1122 §3.3.5: whoever is only a hop must not take it for itself.
// [RFC 1122 3.3.5-10]
TEST(SourceRouteUnderWay, IsNotTakenAndItsSourceIsTold) {
  Opened peer;
  const OctetVector segment = peer.make("P. 1:11(10) ack 1 win 65535");
  const OctetVector under_way = {131, 7, 4, 198, 51, 100, 1, 0};
  EXPECT_EQ(peer.in_octets(with_ip_options(segment, under_way)), Verdict::not_for_us);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const auto message = wire::parse_icmp(*wire::parse_ip(sent->octets));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, wire::icmp_v4::kUnreachable);
  EXPECT_EQ(message->code, 5);
  EXPECT_EQ(peer.stack().readable(peer.stream()), 0u);
}

// RFC 1122 §3.2.2.6.
// [RFC 1122 3.2.1.8-6, 3.2.2.6-9]
TEST(SourceRouteOfAnEcho, IsTakenBackByItsReply) {
  Peer peer;
  const OctetVector request =
      icmp(peer.remote(), peer.local(), {wire::icmp_v4::kEchoRequest, 0, 1, OctetVector(100)});
  EXPECT_EQ(peer.in_octets(routed(request, {kFar, kNear})), Verdict::echo_answered);
  const auto reply = peer.next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->route, (Hops{kNear, kFar}));
  EXPECT_EQ(reply->ip.destination, peer.remote());
  EXPECT_EQ(reply->next_hop, kNear);
}

// Any other option is none of TCP's business.
// [RFC 9293 MUST-50] [RFC 1122 3.2.1.8-3, 3.2.1.8-4]
TEST(IpOptions, ThatAreUnknownAreIgnored) {
  Opened peer;
  std::uint32_t at = 1;
  for (const OctetVector& options :
       {OctetVector{148, 4, 0, 0}, OctetVector{7, 7, 4, 0, 0, 0, 0, 0},
        OctetVector{68, 8, 5, 0, 0, 0, 0, 0}, OctetVector{200, 0, 0, 0}, OctetVector{1, 1, 1, 0},
        OctetVector{99, 200, 1, 1}}) {
    const std::string segment = "P. " + Opened::range(at, at + 10) + " ack 1 win 65535";
    peer.in_octets(with_ip_options(peer.make(segment), options));
    at += 10;
    EXPECT_EQ(peer.out(". 1:1(0) ack " + std::to_string(at)).route, Hops{});
  }
  EXPECT_EQ(peer.recv(), 60u);
}

}  // namespace
}  // namespace estab::script
