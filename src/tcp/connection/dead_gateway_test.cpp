// Negative advice to IP (RFC 9293 §3.8.3 (b), RFC 1122 §3.3.1.4): when R1 is reached, the datagrams
// of every connection that used the gateway take another one, if there is one.

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

/// The remote is behind two gateways; the first is the one in use.
class DeadGateway : public EachFamily {
 protected:
  void SetUp() override {
    ASSERT_TRUE(peer.stack().add_route(
        {*Cidr::parse(v4() ? "192.0.2.2/32" : "2001:db8::2/128"), peer.interface(), first()}));
    ASSERT_TRUE(peer.stack().add_route(
        {*Cidr::parse(v4() ? "192.0.2.2/32" : "2001:db8::2/128"), peer.interface(), second()}));
  }
  bool v4() const { return GetParam() == Family::ipv4; }
  IpAddress first() const { return *IpAddress::parse(v4() ? "192.0.2.253" : "2001:db8::fd"); }
  IpAddress second() const { return *IpAddress::parse(v4() ? "192.0.2.254" : "2001:db8::fe"); }
  /// The gateways of the frames sent since the last look.
  std::vector<IpAddress> gateways() {
    std::vector<IpAddress> result;
    while (const auto sent = peer.next()) result.push_back(sent->next_hop);
    return result;
  }
};
INSTANTIATE_TEST_SUITE_P(Families, DeadGateway, both_families(), family_name);

// [RFC 9293 MUST-20] [RFC 1122 3.3.1.4-1, 3.3.1.4-5, 3.3.1.4-2]
TEST_P(DeadGateway, IsLeftWhenR1IsReached) {
  peer.establish();
  peer.send(100);
  peer.after(5s);  // sent, and repeated after 200, 600, 1400 (R1 = 3) and 3000 ms
  EXPECT_EQ(gateways(), (std::vector{first(), first(), first(), second(), second()}));
  EXPECT_EQ(peer.told().soft_error, Error::connection_timed_out);
  peer.in(". 1:1(0) ack 101 win 65535");
  peer.send(100);
  EXPECT_EQ(gateways(), std::vector{second()}) << "and it stays left";
}

// [RFC 9293 MUST-20] [RFC 1122 3.3.1.5-1]
TEST_P(DeadGateway, IsLeftByOtherConnectionsToo) {
  peer.talk_from(1);
  peer.establish();
  peer.talk_from(2);
  peer.establish();
  peer.send(100);
  peer.after(5s);
  (void)gateways();
  peer.talk_from(1);
  peer.send(100);
  EXPECT_EQ(gateways(), std::vector{second()});
  peer.talk_from(3);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  EXPECT_EQ(gateways(), std::vector{second()}) << "and what is new";
}

// [RFC 9293 MUST-22]
TEST_P(DeadGateway, IsLeftByASynToo) {
  ASSERT_TRUE(peer.connect());
  peer.after(10s);  // at 0, 1, 3 and 7 s
  EXPECT_EQ(gateways(), (std::vector{first(), first(), first(), second()}));
  EXPECT_EQ(peer.told().soft_error, Error::connect_timed_out);
  EXPECT_EQ(peer.state(), State::syn_sent);
  peer.after(100s);
  EXPECT_FALSE(peer.told().soft_error) << "once";
}

// [RFC 9293 MUST-22]
TEST_P(DeadGateway, IsLeftByASynAckToo) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.after(10s);
  EXPECT_EQ(gateways(), (std::vector{first(), first(), first(), second()}));
}

// RFC 1122 §3.2.2.1: a hint, not a proof.
// [RFC 1122 3.2.2.1-6]
TEST_P(DeadGateway, IsNotDeclaredByIcmp) {
  peer.establish();
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  EXPECT_EQ(data.next_hop, first());
  for (const auto kind :
       {wire::IcmpError::Kind::net_unreachable, wire::IcmpError::Kind::host_unreachable})
    peer.in_octets(icmp_error(data, kind));
  peer.after(300ms);
  EXPECT_EQ(peer.out("P. 1:101(100) ack 1").next_hop, first());
}

// [RFC 1122 3.3.1.4-3]
TEST_P(DeadGateway, IsNeverPinged) {
  peer.establish();
  peer.send(100);
  peer.after(24h);
  while (const auto sent = peer.next()) EXPECT_TRUE(sent->segment) << "only TCP is sent";
}

TEST_P(DeadGateway, IsTriedAgainAfterTenMinutes) {
  peer.establish();
  peer.send(100);
  peer.after(5s);
  peer.in(". 1:1(0) ack 101 win 65535");
  (void)gateways();
  peer.after(10min);
  peer.send(100);
  EXPECT_EQ(gateways(), std::vector{first()});
}

// R1 is a number of retransmissions, and a setting.
// [RFC 9293 SHLD-10]
TEST(DeadGatewayR1, IsAsConfigured) {
  EXPECT_GE(TcpConfig{}.r1, 3);
  Opened peer({.tcp = {.r1 = 1}});
  peer.send(100);
  peer.after(299ms);
  EXPECT_FALSE(peer.told().soft_error);
  peer.after(1ms);
  EXPECT_EQ(peer.told().soft_error, Error::connection_timed_out);
}

// A neighbour has no other way: the connection goes on by the only one.
TEST(DeadGatewayNone, ChangesNothingForANeighbour) {
  Peer peer;
  peer.establish();
  peer.send(100);
  peer.after(5s);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(peer.out("P. 1:101(100) ack 1").next_hop, peer.remote());
}

}  // namespace
}  // namespace estab::script
