// Explicit Congestion Notification (RFC 3168): who agrees to use it, what is marked, what a mark
// and its echo lead to.

#include "base/byte_order.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr std::uint8_t kNotEct = wire::kEcnNotEct, kEct0 = wire::kEcnEct0, kCe = wire::kEcnCe;

TcpConfig with(Ecn ecn) {
  TcpConfig tcp;
  tcp.ecn = ecn;
  tcp.accurate_ecn = Ecn::off;
  tcp.congestion_control = CongestionControl::new_reno;
  tcp.pacing = false;
  return tcp;
}

std::uint8_t mark_of(const Sent& sent) {
  return sent.ip.traffic_class & 3;
}

/// The datagram as a router under load would pass it on.
OctetVector marked(OctetVector octets) {
  const bool v4 = octets[0] >> 4 == 4;
  if (!v4) {
    octets[1] |= 3 << 4;
    return octets;
  }
  octets[1] |= 3;
  base::store_be16(octets.data() + 10, 0);
  base::store_be16(octets.data() + 10, wire::checksum(Octets(octets).first(20)));
  return octets;
}

/// A connection that uses ECN, opened by the remote.
struct EcnInUse : testing::TestWithParam<Family> {
  EcnInUse() : peer(settings(), GetParam()) {
    peer.listen();
    peer.in("SEW 0:0(0) win 65535 <mss 1000>");
    peer.out("SE. 0:0(0) ack 1 <*>");
    peer.in(". 1:1(0) ack 1 win 65535");
    EXPECT_TRUE(peer.accept().has_value());
  }
  static TcpConfig settings() {
    TcpConfig tcp = with(Ecn::accept);
    tcp.receive_buffer = 40000;
    return tcp;
  }
  Verdict in_marked(const std::string& notation) {
    return peer.in_octets(marked(peer.make(notation)));
  }
  Peer peer;
};
INSTANTIATE_TEST_SUITE_P(Families, EcnInUse, both_families(), family_name);

// ---- §6.1.1: initialization

struct EcnSetup : testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, EcnSetup, both_families(), family_name);

// [RFC 3168 6.1.1-7]
TEST_P(EcnSetup, IsNotAskedForUnlessSet) {
  Peer plain(TcpConfig{}, GetParam());
  ASSERT_TRUE(plain.connect());
  plain.out("S 0:0(0) <*>");
}

// [RFC 9293 SHLD-8] [RFC 3168 6.1.1-9]
TEST_P(EcnSetup, AsksWithBothFlagsInAnUnmarkedSyn) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  EXPECT_EQ(mark_of(peer.out("SEW 0:0(0) <*>")), kNotEct);
  peer.in("SE. 0:0(0) ack 1 win 65535 <mss 1000>");
  EXPECT_EQ(mark_of(peer.out(". 1:1(0) ack 1")), kNotEct);
  EXPECT_TRUE(peer.info().ecn);
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("P. 1:11(10) ack 1")), kEct0);
}

// [RFC 3168 6.1.1-4, 6.1.1-8]
TEST_P(EcnSetup, IsNotUsedIfThePeerDoesNotAgree) {
  for (const char* answer : {"S.", "SW.", "SEW."}) {
    Peer peer(with(Ecn::request), GetParam());
    ASSERT_TRUE(peer.connect());
    peer.out("SEW 0:0(0) <*>");
    peer.in(answer + std::string(" 0:0(0) ack 1 win 65535 <mss 1000>"));
    peer.out(". 1:1(0) ack 1");
    EXPECT_FALSE(peer.info().ecn) << answer;
    peer.send(10);
    EXPECT_EQ(mark_of(peer.out("P. 1:11(10) ack 1")), kNotEct) << answer;
  }
}

// §6.1.1.1: somebody on the way may drop what it does not know.
// [RFC 3168 6.1.1-3, 6.1.1.1-2]
TEST_P(EcnSetup, IsNotAskedForInASynThatIsRepeatedNorUsedThen) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEW 0:0(0) <*>");
  peer.after(1s);
  peer.out("S 0:0(0) <*>");
  peer.in("SE. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out(". 1:1(0) ack 1");
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("P. 1:11(10) ack 1")), kNotEct);
  // The peer may have heard the first: what it marks is echoed.
  peer.in_octets(marked(peer.make("P. 1:11(10) ack 11 win 65535")));
  peer.out("E. 11:11(0) ack 11");
}

// [RFC 3168 6.1.1-1, 6.1.1-9]
TEST_P(EcnSetup, AgreesToWhatIsAskedInAnUnmarkedSynAck) {
  for (const Ecn ecn : {Ecn::accept, Ecn::request}) {
    Peer peer(with(ecn), GetParam());
    peer.listen();
    peer.in("SEW 0:0(0) win 65535 <mss 1000>");
    EXPECT_EQ(mark_of(peer.out("SE. 0:0(0) ack 1 <*>")), kNotEct);
  }
}

// [RFC 3168 6.1.1-2, 6.1.1-7, 6.1.1-8]
TEST_P(EcnSetup, AgreesToNothingElse) {
  for (const char* syn : {"S", "SE", "SW"}) {
    Peer peer(with(Ecn::accept), GetParam());
    peer.listen();
    peer.in(syn + std::string(" 0:0(0) win 65535 <mss 1000>"));
    peer.out("S. 0:0(0) ack 1 <*>");
  }
  Peer off(with(Ecn::off), GetParam());
  off.listen();
  off.in("SEW 0:0(0) win 65535 <mss 1000>");
  off.out("S. 0:0(0) ack 1 <*>");
}

TEST_P(EcnSetup, IsAgreedOnWhenBothOpenAtOnce) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEW 0:0(0) <*>");
  peer.in("SEW 0:0(0) win 65535 <mss 1000>");
  peer.out("SE. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_TRUE(peer.info().ecn);
}

TEST_P(EcnSetup, IsNotAgreedOnWhenOnlyOneOfBothAsks) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEW 0:0(0) <*>");
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <*>");
  Peer other(with(Ecn::accept), GetParam());
  ASSERT_TRUE(other.connect());
  other.out("S 0:0(0) <*>");
  other.in("SEW 0:0(0) win 65535 <mss 1000>");
  other.out("S. 0:0(0) ack 1 <*>");
}

TEST_P(EcnSetup, IsRememberedByACookieWithTimestamps) {
  TcpConfig tcp = with(Ecn::accept);
  PeerOptions options{.family = GetParam(), .stack = {.seed = {1, 2}, .tcp = tcp}};
  options.stack.limits.syn_cache = 0;
  Peer peer(options);
  peer.listen();
  peer.in("SEW 0:0(0) win 65535 <mss 1000,TS val 5 ecr 0>");
  peer.out("SE. 0:0(0) ack 1 <*>");
  peer.use_timestamps();
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_TRUE(peer.info().ecn);
}

TEST_P(EcnSetup, IsNotPromisedByACookieThatCannotRememberIt) {
  PeerOptions options{.family = GetParam(), .stack = {.seed = {1, 2}, .tcp = with(Ecn::accept)}};
  options.stack.limits.syn_cache = 0;
  Peer peer(options);
  peer.listen();
  peer.in("SEW 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <*>");
}

// ---- §6.1.2, §6.1.4, §6.1.5, §6.1.6: what is marked

// [RFC 3168 5-1, 5.2-1, 5.2-2, 6.1.2-1, 6.1.4-1, 6.1.5-1, 6.1.5-2]
TEST_P(EcnInUse, MarksNewDataAndNothingElse) {
  peer.in("P. 1:11(10) ack 1 win 65535");
  EXPECT_EQ(mark_of(peer.out(". 1:1(0) ack 11")), kNotEct);
  peer.send(1500);
  EXPECT_EQ(mark_of(peer.out(". 1:1001(1000) ack 11")), kEct0);
  peer.in(". 11:11(0) ack 1001 win 65535");
  EXPECT_EQ(mark_of(peer.out("P. 1001:1501(500) ack 11")), kEct0);
  peer.after(300ms);
  EXPECT_EQ(mark_of(peer.out("P. 1001:1501(500) ack 11")), kNotEct);
  peer.in(". 11:11(0) ack 1501 win 65535");
  ASSERT_TRUE(peer.shutdown());
  EXPECT_EQ(mark_of(peer.out("F. 1501:1501(0) ack 11")), kNotEct);
}

// [RFC 3168 6.1.6-1]
TEST_P(EcnInUse, DoesNotMarkAProbe) {
  peer.in(". 1:1(0) ack 1 win 0");
  peer.send(1000);
  peer.after(3s);
  const auto probe = peer.next();
  ASSERT_TRUE(probe && probe->segment);
  EXPECT_EQ(mark_of(*probe), kNotEct);
}

// [RFC 3168 5.3-1]
TEST_P(EcnInUse, KeepsTheServiceClassBesideTheMark) {
  peer.reconfigure([](TcpConfig& c) { c.dscp = 46; });
  peer.send(10);
  const Sent sent = peer.out("P. 1:11(10) ack 1");
  EXPECT_EQ(sent.ip.traffic_class, 46 << 2 | kEct0);
  EXPECT_TRUE(sent.ip.dont_fragment);
}

// ---- §6.1.3: the receiver

// [RFC 3168 6.1.1-6]
TEST_P(EcnInUse, EchoesAMarkUntilThePeerHasReduced) {
  in_marked(". 1:1001(1000) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 1001");
  peer.in(". 1001:2001(1000) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 2001");
  peer.send(10);
  peer.out("PE. 1:11(10) ack 2001");
  peer.in("W. 2001:3001(1000) ack 11 win 65535");
  peer.out(". 11:11(0) ack 3001");
}

TEST_P(EcnInUse, EchoesAMarkOnTheVerySegmentThatSaysReduced) {
  in_marked(". 1:1001(1000) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 1001");
  in_marked("W. 1001:2001(1000) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 2001");
}

// [RFC 3168 6.1.5-1, 6.1.5-2]
TEST_P(EcnInUse, IgnoresMarksOnWhatIsNoDataOrOutsideTheWindow) {  // §6.1.5
  in_marked(". 1:1(0) ack 1 win 65535");
  peer.in(". 1:1001(1000) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1001");
  in_marked(". 1:1001(1000) ack 1 win 65535");
  peer.out(". 1:1(0) ack 1001 <*>");
}

// [RFC 3168 6.1.6-2]
TEST_P(EcnInUse, EchoesAMarkOnAProbeOfAShutWindow) {
  for (int i = 0; peer.info().rcv_wnd > 0; ++i) {
    const auto octets = static_cast<int>(std::min<std::uint32_t>(peer.info().rcv_wnd, 1000));
    peer.in(". " + Opened::range(1 + i * 1000, 1 + i * 1000 + octets) + " ack 1 win 65535");
  }
  const auto next = static_cast<int>(peer.info().bytes_received) + 1;
  peer.after(1s);
  peer.forget_output();
  in_marked(". " + Opened::range(next, next + 1) + " ack 1 win 65535");
  peer.out("E. 1:1(0) ack " + std::to_string(next));
}

TEST_P(EcnSetup, EchoesNothingWithoutAnAgreement) {
  Peer peer(with(Ecn::accept), GetParam());
  peer.establish();
  peer.in_octets(marked(peer.make(". 1:1001(1000) ack 1 win 65535")));
  peer.out(". 1:1(0) ack 1001");
}

TEST_P(EcnInUse, AcknowledgesAMarkAtOnce) {
  for (int i = 0; i < 20; ++i)
    peer.in(". " + Opened::range(1 + i * 100, 101 + i * 100) + " ack 1 win 65535");
  peer.after(1s);
  peer.forget_output();
  in_marked(". 2001:2101(100) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 2101");
}

// ---- §6.1.2: the sender

// [RFC 3168 5-2, 6.1.1-5, 6.1.2-5]
TEST_P(EcnInUse, HalvesItsWindowForAnEchoAndSaysSoOnce) {
  peer.send(30000);
  for (int i = 0; i < 10; ++i)
    peer.out(". " + Opened::range(1 + i * 1000, 1001 + i * 1000) + " ack 1");
  peer.in("E. 1:1(0) ack 1001 win 65535");
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
  EXPECT_EQ(peer.info().ca_state, CaState::cwr);
  // Half of what is delivered goes while in flight comes down (RFC 9937).
  peer.out("W. 10001:11001(1000) ack 1");
  peer.quiet();
  peer.in("E. 1:1(0) ack 5001 win 65535");  // the same window of data
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  peer.out(". 11001:12001(1000) ack 1");
  peer.out(". 12001:13001(1000) ack 1");
  peer.quiet();
}

TEST_P(EcnInUse, HalvesItAgainForAnEchoOfWhatWasSentAfter) {
  peer.send(40000);
  peer.in("E. 1:1(0) ack 1001 win 65535");
  peer.in(". 1:1(0) ack 10001 win 65535");
  EXPECT_GE(peer.info().snd_cwnd, 5000u);
  const auto sent = static_cast<int>(peer.info().bytes_sent);
  peer.in(". 1:1(0) ack " + std::to_string(sent + 1) + " win 65535");
  const std::uint32_t before = peer.info().snd_cwnd;
  peer.forget_output();
  peer.in("E. 1:1(0) ack " + std::to_string(sent + 1001) + " win 65535");
  EXPECT_EQ(peer.info().snd_cwnd, before / 2);
}

// The segment that says CWR, and what else goes while the window comes down, meets the queue of the
// window before: an echo of its mark is no reason to reduce twice, and is answered by another CWR.
// [RFC 3168 6.1.2-5]
TEST_P(EcnInUse, DoesNotHalveItForAMarkOnWhatSaysCwr) {
  peer.send(40000);
  peer.forget_output();
  peer.in("E. 1:1(0) ack 1001 win 65535");
  peer.out("W. 10001:11001(1000) ack 1");
  const auto sent = static_cast<int>(peer.info().bytes_sent);
  peer.in("E. 1:1(0) ack 10001 win 65535");
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  const auto next = peer.next();
  ASSERT_TRUE(next && next->segment);
  EXPECT_TRUE(next->segment->flags.cwr());
  peer.in("E. 1:1(0) ack 11001 win 65535");
  EXPECT_EQ(peer.info().snd_cwnd, cwnd);
  peer.in("E. 1:1(0) ack " + std::to_string(sent + 1) + " win 65535");
  EXPECT_EQ(peer.info().snd_cwnd, cwnd) << "the last of them";
}

TEST_P(EcnInUse, DoesNotAnswerAMarkAndALossInOneWindowTwice) {
  peer.send(30000);
  peer.in("E. 1:1(0) ack 1001 win 65535");
  for (int i = 0; i < 3; ++i) peer.in(". 1:1(0) ack 1001 win 65535");
  EXPECT_EQ(peer.info().snd_ssthresh, 5000u);
}

// [RFC 3168 6.1.2-4]
TEST_P(EcnInUse, SaysThatItReducedAfterALossToo) {
  peer.send(30000);
  peer.forget_output();
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");  // sent again: no CWR (SHOULD NOT)
  peer.in(". 1:1(0) ack 10001 win 65535");
  peer.out("W. 10001:11001(1000) ack 1");
}

// [RFC 3168 6.1.2-3]
TEST_P(EcnInUse, WaitsForTheTimerIfOneSegmentIsStillTooMuch) {
  peer.send(30000);
  peer.forget_output();
  peer.after(300ms);
  peer.out(". 1:1001(1000) ack 1");
  peer.in("E. 1:1(0) ack 10001 win 65535");  // of the window that the timeout has answered
  peer.out("W. 10001:11001(1000) ack 1");
  peer.forget_output();
  ASSERT_EQ(peer.info().snd_cwnd, 1000u);
  peer.in("E. 1:1(0) ack 11001 win 65535");
  peer.quiet();
  peer.after(10s);
  peer.out("W. 11001:12001(1000) ack 1");
}

// [RFC 3168 6.1.2-2]
TEST_P(EcnInUse, DoesNotGrowItsWindowForAnEcho) {
  peer.send(30000);
  peer.in("E. 1:1(0) ack 1001 win 65535");
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  peer.in("E. 1:1(0) ack 9001 win 65535");
  EXPECT_EQ(peer.info().snd_cwnd, cwnd);
}

// ---- beside it: a SYN that ends the stream it opens

TEST(SynFin, IsAnsweredOrNotAsSet) {
  Peer taken;
  taken.listen();
  taken.in("SF 0:0(0) win 65535 <mss 1000>");
  taken.out("S. 0:0(0) ack 1 <*>");
  TcpConfig tcp;
  tcp.quirks.drop_syn_fin = true;
  Peer dropped(tcp);
  dropped.listen();
  EXPECT_EQ(dropped.in("SF 0:0(0) win 65535 <mss 1000>"), Verdict::syn_dropped);
  dropped.quiet();
}

}  // namespace
}  // namespace estab::script
