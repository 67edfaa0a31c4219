// What the comparison with the kernel (tests/oracle) found, each as the shortest script that shows
// it.

#include <array>

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class OracleFinding : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, OracleFinding, both_families(), family_name);

constexpr std::string_view kTimestamps = "mss 1460,sackOK,TS val 1000 ecr 0";

// RFC 7323 §5.3 (R1). An old duplicate must not undo an opening.
TEST_P(OracleFinding, PawsProtectsAnOpeningFromAnOldSyn) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460,TS val 1000 ecr 0>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in("S 100:100(0) win 65535 <mss 1460,TS val 999 ecr 0>"), Verdict::paws);
  peer.out(". 1:1(0) ack 1 <*>");
  EXPECT_EQ(peer.stack().census().syn_cache, 1u);
}

// The distance to the expected number is one whose negation does not fit into 32 bits.
TEST_P(OracleFinding, ANumberHalfTheCircleAwayIsNotInSynReceivedsWindow) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(peer.in(". 2147483649:2147483649(0) ack 1 win 65535"), Verdict::out_of_window);
  peer.out(". 1:1(0) ack 1");
}

// RFC 5961 §5.2: nobody acknowledges what stands before our SYN.
TEST_P(OracleFinding, AnAckFromBeforeTheConnectionIsChallenged) {
  peer.establish();
  EXPECT_EQ(peer.in("P. 1:11(10) ack 0 win 65535"), Verdict::ack_unacceptable);
  peer.out(". 1:1(0) ack 1");
  EXPECT_EQ(peer.in("P. 1:11(10) ack 4294966000 win 65535"), Verdict::ack_unacceptable);
  peer.out(". 1:1(0) ack 1");
}

// RFC 7323 §5.3 (R3) after RFC 5961 §5.2: or whoever guesses a sequence number could make the
// peer's own segments look old.
TEST_P(OracleFinding, NoTimestampIsTakenFromASegmentThatIsRefused) {
  for (const std::string_view forged :
       {"- 1:1(0)", "S 1:1(0)", ". 1:1(0) ack 5000", "P. 1:2(1) ack 0"}) {
    Peer other(TcpConfig{}, GetParam());
    other.establish({.options = kTimestamps});
    other.in(std::string(forged) + " win 65535 <TS val 2000000000 ecr 0>");
    other.forget_output();
    EXPECT_NE(other.in("P. 1:11(10) ack 1 win 65535 <TS val 2000 ecr 0>"), Verdict::paws) << forged;
    EXPECT_EQ(other.stack().readable(other.stream()), 10u) << forged;
  }
}

// RFC 7323 §5.2: s < t if 0 < (t - s) < 2^31.
TEST_P(OracleFinding, ATimestampHalfTheCircleAwayIsNotOld) {
  peer.establish({.options = "mss 1460,TS val 0 ecr 0"});
  peer.in(". 1:2(1) ack 1 win 65535 <TS val 1 ecr 0>");
  EXPECT_NE(peer.in(". 2:3(1) ack 1 win 65535 <TS val 2147483649 ecr 0>"), Verdict::paws);
}

// RFC 7323 §3.2 and §5.2 (SHOULD).
TEST_P(OracleFinding, AResetCarriesTimestampsWhereTheyAreInUse) {
  peer.establish({.options = kTimestamps});
  ASSERT_TRUE(peer.abort());
  const Sent reset = peer.out("R. 1:1(0) ack 1 <*>");
  ASSERT_TRUE(reset.segment->options.timestamps);
}

// RFC 2883 §4: what stands beside a SYN is no octet of this connection.
TEST_P(OracleFinding, TextBesideASynIsReportedAsNoDuplicate) {
  peer.establish({.options = "mss 1460,sackOK"});
  peer.in("P. 1:101(100) ack 1 win 65535");
  peer.forget_output();
  peer.in("S 1:11(10) win 65535");
  peer.out(". 1:1(0) ack 101");
}

// RFC 2018 §4: in all ACKs, and a segment with text is one.
TEST_P(OracleFinding, ASegmentWithTextCarriesSackBlocksToo) {
  peer.establish({.options = "mss 1460,sackOK"});
  peer.in("P. 101:201(100) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1 <sack 101:201>");
  peer.send(10);
  peer.out("P. 1:11(10) ack 1 <sack 101:201>");
}

// RFC 9293 §3.10.7.4, eighth.
TEST_P(OracleFinding, AFinInOrderCountsWhateverWasSaidOfPlacesBeyond) {
  peer.establish();
  peer.in("F. 101:101(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
  peer.in("F. 1:1(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 2");
  EXPECT_EQ(peer.state(), State::close_wait);
}

TEST_P(OracleFinding, AFinNotedCountsBesideOneThatContradictsIt) {
  peer.establish();
  peer.in("F. 3:5(2) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
  peer.in("F. 1:3(2) ack 1 win 65535");
  EXPECT_EQ(peer.state(), State::close_wait);
}

TEST_P(OracleFinding, AFinBehindAFinIsAnsweredEvenWithText) {
  peer.establish();
  peer.in("F. 1:1(0) ack 1 win 65535");
  peer.out(". 1:1(0) ack 2");
  peer.in("F. 1:3(2) ack 1 win 65535");
  peer.out(". 1:1(0) ack 2");
}

// The number before the urgent pointer may be the FIN's, which is no octet to be set aside.
TEST_P(OracleFinding, AnUrgentPointerBehindTheFinSetsNothingAside) {
  Peer other(TcpConfig{.urgent_inline = false}, GetParam());
  other.establish();
  other.in("FU. 1:3(2) ack 1 win 65535 urg 3");
  std::array<std::uint8_t, 1> octet;
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(other.stack().recv(other.now(), other.stream(), octet).value_or(0), 1u);
  EXPECT_EQ(other.stack().recv(other.now(), other.stream(), octet).error(), Error::end_of_stream);
}

OctetVector icmp_about(Peer& peer, wire::IcmpError::Kind kind, std::uint32_t detail,
                       const OctetVector& datagram) {
  const Family family = peer.local().family();
  const wire::IcmpMessage message = wire::make_icmp_error(family, kind, detail, datagram);
  return icmp(peer.remote(), peer.local(), message);
}

// RFC 9293 §3.9.2.2 (SHLD-26, MUST-56).
TEST_P(OracleFinding, AHardErrorEndsAHalfOpenRecordAndASoftOneDoesNot) {
  using Kind = wire::IcmpError::Kind;
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  const Sent reply = peer.out("S. 0:0(0) ack 1 <*>");
  peer.in_octets(icmp_about(peer, Kind::host_unreachable, 0, reply.octets));
  EXPECT_EQ(peer.stack().census().syn_cache, 1u);
  peer.in_octets(icmp_about(peer, Kind::port_unreachable, 0, reply.octets));
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

// RFC 1191 §6.4: what was too big goes again; an octet was not.
TEST_P(OracleFinding, WhatFitsIsNotSentAgainWhenThePathGetsNarrower) {
  peer.establish();
  peer.send(10);
  const Sent sent = peer.out("P. 1:11(10) ack 1");
  peer.in_octets(icmp_about(peer, wire::IcmpError::Kind::packet_too_big, 1300, sent.octets));
  peer.quiet();
}

}  // namespace
}  // namespace estab::script
