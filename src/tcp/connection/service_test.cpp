// What an application asks of IP for its segments (RFC 9293 §3.9.1.9, §3.9.2): TTL and DSCP.

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

class Service : public testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, Service, both_families(), family_name);

// [RFC 9293 MUST-49] [RFC 1122 3.2.1.7-3, 3.2.1.7-4, 3.4-1, 3.4-2]
TEST_P(Service, TimeToLiveIsAsConfiguredInEverySegment) {
  for (const Open::Side side : {kPassive, kActive}) {
    Peer peer(TcpConfig{.ttl = 17}, GetParam());
    if (side == kPassive) {
      peer.listen();
      peer.in("S 0:0(0) win 65535 <mss 1000>");
      EXPECT_EQ(peer.out("S. 0:0(0) ack 1 <*>").ip.ttl, 17);
      peer.in(". 1:1(0) ack 1 win 65535");
      ASSERT_TRUE(peer.accept());
    } else {
      ASSERT_TRUE(peer.connect());
      EXPECT_EQ(peer.out("S 0:0(0) <*>").ip.ttl, 17);
      peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
      EXPECT_EQ(peer.out(". 1:1(0) ack 1").ip.ttl, 17);
    }
    peer.send(10);
    EXPECT_EQ(peer.out("P. 1:11(10) ack 1").ip.ttl, 17);
    ASSERT_TRUE(peer.abort());
    EXPECT_EQ(peer.out("R. 11:11(0) ack 1 win 0").ip.ttl, 17);
  }
}

// [RFC 1122 3.2.1.7-1]
TEST_P(Service, TimeToLiveOfTheOthersIsNeverZero) {
  Peer peer(TcpConfig{}, GetParam());
  peer.in(". 1:1(0) ack 5 win 0");
  EXPECT_GT(peer.out("R 5:5(0) win 0").ip.ttl, 0);
  peer.in_octets(udp({peer.remote(), 1}, {peer.local(), 2}, OctetVector(8)));
  EXPECT_GT(peer.next()->ip.ttl, 0);
}

// [RFC 9293 MUST-48] [RFC 1122 3.2.1.6-1, 3.4-1, 3.4-2]
TEST_P(Service, DscpIsThatOfTheConnection) {
  for (const Open::Side side : {kPassive, kActive}) {
    Opened peer({.tcp = {.dscp = 46}, .side = side, .family = GetParam()});
    peer.send(10);
    EXPECT_EQ(peer.out("P. 1:11(10) ack 1").ip.traffic_class >> 2, 46);
    peer.in("P. 1:11(10) ack 11 win 65535");
    EXPECT_EQ(peer.out(". 11:11(0) ack 11").ip.traffic_class >> 2, 46);
  }
  Opened plain({.family = GetParam()});
  plain.send(10);
  EXPECT_EQ(plain.out("P. 1:11(10) ack 1").ip.traffic_class, 0);
}

// [RFC 9293 SHLD-21, SHLD-22]
TEST_P(Service, DscpCanBeChangedOnAnOpenConnection) {
  Opened peer({.family = GetParam()});
  for (const int dscp : {0, 1, 10, 46, 63}) {
    peer.reconfigure([&](TcpConfig& c) { c.dscp = static_cast<std::uint8_t>(dscp); });
    peer.send(10);
    const auto sent = peer.next();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->ip.traffic_class >> 2, dscp) << "neither changed nor shifted on the way";
    peer.ack(static_cast<int>(sent->segment->seq - peer.stack_isn()) + 10);
  }
}

// A host is where the way ends: how much of it was left does not matter (RFC 1122 §3.2.1.7).
// [RFC 1122 3.2.1.7-2]
TEST_P(Service, SegmentsThatArriveWithTheirLastHopAreTaken) {
  Opened peer({.family = GetParam()});
  for (const std::uint8_t ttl : {0, 1}) {
    const std::string at = ttl == 0 ? "1:11" : "11:21";
    OctetVector octets = peer.make("P. " + at + "(10) ack 1 win 65535");
    const auto packet = wire::parse_ip(octets).value();
    wire::IpHeader header = packet.header;
    header.ttl = ttl;
    peer.in_octets(datagram(header, packet.payload));
  }
  EXPECT_EQ(peer.recv(), 20u);
}

}  // namespace
}  // namespace estab::script
