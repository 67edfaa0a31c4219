// How large segments are: MSS both ways (RFC 9293 §3.7.1), a path that becomes narrower in
// mid-transfer (RFC 1191, RFC 8201), and super-segments.

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr auto kTooBig = wire::IcmpError::Kind::packet_too_big;

InterfaceConfig link_of(std::uint16_t mtu) {
  return {.name = "link", .mtu = mtu};
}

// ---- MSS

// [RFC 9293 MUST-14, SHLD-5, MAY-3, MUST-67] [RFC 1191 3.1-4]
TEST(Mss, AnnouncedIsWhatTheLinkTakesLessTheFixedHeaders) {  // MUST-14, MUST-67
  const auto announced = [](Family family, std::uint16_t mtu, std::uint16_t limit) {
    Peer peer(
        {.family = family, .stack = {.tcp = {.mss_limit = limit}}, .interface = link_of(mtu)});
    EXPECT_TRUE(peer.connect());
    return *peer.out("S 0:0(0) <*>").segment->options.mss;
  };
  EXPECT_EQ(announced(Family::ipv4, 1500, 65495), 1460);
  EXPECT_EQ(announced(Family::ipv6, 1500, 65495), 1440);
  EXPECT_EQ(announced(Family::ipv4, 9000, 65495), 8960);
  EXPECT_EQ(announced(Family::ipv4, 576, 65495), 536);
  EXPECT_EQ(announced(Family::ipv6, 1280, 65495), 1220);
  EXPECT_EQ(announced(Family::ipv4, 65535, 65495), 65495);
  EXPECT_EQ(announced(Family::ipv4, 1500, 700), 700);
}

// [RFC 9293 MUST-15]
TEST(Mss, OfAPeerThatSaysNothingIs536OctetsOr1220) {  // MUST-15
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const int mss = family == Family::ipv4 ? 536 : 1220;
    Opened peer({.options = "nop", .family = family});
    peer.send(3000);
    peer.out(". " + Opened::range(1, 1 + mss) + " ack 1");
    EXPECT_EQ(peer.info().snd_mss, static_cast<std::uint32_t>(mss));
  }
}

// [RFC 9293 MUST-14]
TEST(Mss, OfThePeerIsNeverExceeded) {
  Opened peer({.options = "mss 700"});
  peer.send(1500);
  peer.out_run(1, 1401, 700);
}

// [RFC 9293 MUST-16] [RFC 1122 3.3.3-2, 3.3.3-3]
TEST(Mss, OfThePeerIsNotBelievedBeyondTheLink) {  // MUST-16
  Opened peer({.options = "mss 9000"});
  peer.send(3000);
  peer.out_run(1, 2921, 1460);
}

TEST(Mss, OfThePeerIsNotBelievedBeyondOurOwnLimit) {
  Opened peer({.tcp = {.mss_limit = 500}, .options = "mss 1460"});
  peer.send(1000);
  peer.out_run(1, 1001, 500, "P.");
}

// [RFC 9293 MUST-16]
TEST(Mss, IsReducedByTheTimestampsOfEverySegment) {  // MUST-16
  Opened peer({.options = "mss 1460,TS val 5 ecr 0"});
  peer.send(3000);
  peer.out_run(1, 2897, 1448);
}

TEST(Mss, OfAnAbsurdlySmallSizeIsRaisedToWhatOptionsNeed) {
  for (const std::string mss : {"mss 0", "mss 1"}) {
    Opened peer({.options = mss + ",TS val 5 ecr 0"});
    peer.send(72);
    peer.out_run(1, 73, 36, "P.");
  }
}

// ---- the path becomes narrower

struct PathMtu : testing::TestWithParam<Family> {
  int headers() const { return GetParam() == Family::ipv4 ? 40 : 60; }
  Opened peer{{.tcp = {.nagle = false}, .options = "mss 1400", .family = GetParam()}};
};

// [RFC 1191 3-1, 3-2, 3-3, 3-4, 6.1-2, 6.4-1, 6.4-3, 6.2-9]
TEST_P(PathMtu, IsLearnedFromIcmpAndWhatWasTooLargeIsSentAgainAtOnce) {
  peer.send(5000);
  const auto first = *peer.next();
  EXPECT_EQ(first.segment->payload.size(), 1400u);
  peer.forget_output();
  peer.in_octets(icmp_error(first, kTooBig, 1300));
  const int mss = 1300 - headers();
  // What fits has arrived, as far as is known.
  peer.out_run(1, 4201, mss);
  peer.quiet();
  EXPECT_EQ(peer.info().pmtu, 1300u);
  EXPECT_EQ(peer.info().snd_mss, static_cast<std::uint32_t>(mss));
  peer.ack(5001);
  peer.send(static_cast<std::size_t>(mss));
  peer.out("P. " + Opened::range(5001, 5001 + mss) + " ack 1");
}

// [RFC 1191 6.4-6]
TEST_P(PathMtu, IsNoLoss) {
  peer.send(5000);
  const auto first = *peer.next();
  const auto cwnd = peer.info().snd_cwnd;
  peer.in_octets(icmp_error(first, kTooBig, 1300));
  EXPECT_EQ(peer.info().snd_cwnd, cwnd);
  EXPECT_EQ(peer.info().snd_ssthresh, 0xffffffffu);
}

TEST_P(PathMtu, IsNotBelievedOfWhatIsNotInFlight) {  // RFC 5927 §7.2
  peer.send(1000);
  const auto sent = *peer.next();
  peer.ack(1001);
  peer.in_octets(icmp_error(sent, kTooBig, 1300));
  EXPECT_EQ(peer.info().pmtu, 1500u);
}

TEST_P(PathMtu, GoesNoLowerThanEveryPathMustCarry) {  // RFC 5927 §7.3, RFC 8201 §4
  peer.send(1400);
  const auto sent = *peer.next();
  peer.in_octets(icmp_error(sent, kTooBig, 100));
  (void)peer.waiting();
  EXPECT_GE(peer.info().pmtu, GetParam() == Family::ipv4 ? 552u : 1280u);
}

TEST_P(PathMtu, IsForgottenAfterAWhile) {
  peer.send(1400);
  peer.in_octets(icmp_error(*peer.next(), kTooBig, 1300));
  peer.forget_output();
  peer.ack(1401);
  peer.after(11min);
  peer.send(3000);
  peer.out_run(1401, 4201, 1400);
}

// [RFC 1122 3.3.3-5]
TEST_P(PathMtu, FollowsTheLink) {
  peer.send(1400);
  peer.out("P. 1:1401(1400) ack 1");
  peer.ack(1401);
  peer.stack().set_mtu(peer.interface(), 1290);
  const int mss = 1290 - headers();
  peer.send(static_cast<std::size_t>(mss));
  peer.out("P. " + Opened::range(1401, 1401 + mss) + " ack 1");
}

INSTANTIATE_TEST_SUITE_P(SegmentSize, PathMtu, both_families(), family_name);

// ---- super-segments

Start offloading() {
  return {.options = "mss 1000,wscale 7",
          .interface = {.name = "offload", .segmentation_v4 = true, .segmentation_v6 = true}};
}

TEST(SuperSegment, CarriesAllThatMayGoUnderOneHeader) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    Start start = offloading();
    start.family = family;
    Opened peer(start);
    peer.send(20000);
    const auto sent = peer.out(". 1:10001(10000) ack 1");
    EXPECT_EQ(sent.gso_size, 1000);
    peer.quiet();
    peer.ack(10001);
    EXPECT_EQ(peer.out("P. 10001:20001(10000) ack 1").gso_size, 1000);
  }
}

TEST(SuperSegment, IsUsedOnlyForTheFamilyTheLinkTakesItOf) {
  Start start = offloading();
  start.interface.segmentation_v6 = false;
  start.family = Family::ipv6;
  Opened peer(start);
  peer.send(3000);
  peer.out_run(1, 3001, 1000, "P.");
}

TEST(SuperSegment, MayEndInATailThatIsNotFull) {
  Opened peer(offloading());
  peer.send(2500);
  EXPECT_EQ(peer.out("P. 1:2501(2500) ack 1").gso_size, 1000);
}

TEST(SuperSegment, LeavesTheTailToNagleWhileSomethingIsInFlight) {
  Opened peer(offloading());
  peer.send(1000);
  EXPECT_EQ(peer.out("P. 1:1001(1000) ack 1").gso_size, 0) << "one segment is no super-segment";
  peer.send(2500);
  EXPECT_EQ(peer.out(". 1001:3001(2000) ack 1").gso_size, 1000);
  peer.quiet();
  peer.ack(3001);
  EXPECT_EQ(peer.out("P. 3001:3501(500) ack 1").gso_size, 0);
}

TEST(SuperSegment, HoldsAsManyWholeSegmentsAsADatagramTakes) {
  Start start = offloading();
  start.tcp.initial_window_segments = 300;
  Opened peer(start);
  peer.send(200000);
  for (int i = 0; i < 3; ++i)
    peer.out(". " + Opened::range(1 + i * 65000, 65001 + i * 65000) + " ack 1");
  peer.out("P. 195001:200001(5000) ack 1");
  peer.quiet();
}

TEST(SuperSegment, StaysWithinThePeersWindow) {
  Start start = offloading();
  start.options = "mss 1000";
  start.window = 4500;
  Opened peer(start);
  peer.send(20000);
  EXPECT_EQ(peer.out(". 1:4501(4500) ack 1").gso_size, 1000);  // half of all it ever offered
  peer.in(". 1:1(0) ack 4501 win 2100");
  peer.out(". 4501:6501(2000) ack 1");
  peer.quiet();
}

TEST(SuperSegment, IsNotHowALostSegmentIsSentAgain) {
  Opened fast(offloading());
  fast.send(20000);
  fast.forget_output();
  fast.acks(2, 1);
  fast.forget_output();
  fast.ack(1);
  EXPECT_EQ(fast.out(". 1:1001(1000) ack 1").gso_size, 0);
  Opened slow(offloading());
  slow.send(20000);
  slow.forget_output();
  slow.after(300ms);
  EXPECT_EQ(slow.out(". 1:1001(1000) ack 1").gso_size, 0);
}

// [RFC 9293 MUST-2]
TEST(SuperSegment, LeavesItsChecksumToTheLink) {
  Start start = offloading();
  start.interface.checksum_offload = true;
  Opened peer(start);
  peer.send(5000);
  peer.out("P. 1:5001(5000) ack 1");  // Peer verifies the sum of the pseudo-header
}

TEST(SuperSegment, ReceivedIsTakenWholeAndAcknowledged) {
  Start start = offloading();
  start.tcp.quick_acks = 0;
  Opened peer(start);
  peer.in(". 1:60001(60000) ack 1 win 65535");
  peer.out(". 1:1(0) ack 60001");
  EXPECT_EQ(peer.recv(), 60000u);
}

TEST(SuperSegment, ReceivedBeyondAGapIsHeldWhole) {
  Opened peer(offloading());
  peer.in(". 1001:31001(30000) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1");
  peer.in_run(1, 1001);
  peer.out(". 1:1(0) ack 31001");
  EXPECT_EQ(peer.recv(), 31000u);
}

TEST(SuperSegment, ReceivedInABlockOfTheStackIsNotCopied) {
  Opened peer(offloading());
  const auto octets = peer.make("P. 1:60001(60000) ack 1 win 65535");
  Block block = peer.stack().take_block(octets.size());
  std::copy(octets.begin(), octets.end(), block.data());
  const std::uint8_t* place = block.data();
  const ReceivedFrame frame{.octets = {place, octets.size()}, .gso_size = 1000, .owner = &block};
  EXPECT_EQ(peer.stack().handle_frame(peer.now(), peer.interface(), frame), Verdict::predicted);
  EXPECT_FALSE(block) << "the stack has kept it";
  std::array<Octets, 2> views;
  ASSERT_EQ(peer.stack().peek(peer.stream(), views), 1u);
  EXPECT_EQ(views[0].data(), place + 40);
  EXPECT_EQ(peer.recv(), 60000u);
}

}  // namespace
}  // namespace estab::script
