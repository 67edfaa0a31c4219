// AccECN (RFC 9768) as a peer sees it: which flags SYNs carry, what ACKs tell, what is marked and
// what marks lead to. In the notation AE is A, CWR W, ECE E: the ACE field 5, with which both ends
// begin, is EA; 6 WA; 7 EWA.

#include "base/byte_order.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr std::uint8_t kNotEct = wire::kEcnNotEct, kEct1 = wire::kEcnEct1, kEct0 = wire::kEcnEct0,
                       kCe = wire::kEcnCe;

TcpConfig with(Ecn accurate, Ecn classic = Ecn::off) {
  TcpConfig tcp;
  tcp.ecn = classic;
  tcp.accurate_ecn = accurate;
  tcp.congestion_control = CongestionControl::new_reno;
  tcp.pacing = false;
  return tcp;
}

std::uint8_t mark_of(const Sent& sent) {
  return sent.ip.traffic_class & 3;
}

/// The datagram with other ECN bits.
OctetVector marked(OctetVector octets, std::uint8_t mark) {
  if (octets[0] >> 4 == 6) {
    octets[1] = static_cast<std::uint8_t>((octets[1] & ~0x30) | mark << 4);
    return octets;
  }
  octets[1] = static_cast<std::uint8_t>((octets[1] & ~3) | mark);
  base::store_be16(octets.data() + 10, 0);
  base::store_be16(octets.data() + 10, wire::checksum(Octets(octets).first(20)));
  return octets;
}

Verdict in_marked(Peer& peer, std::uint8_t mark, const std::string& notation) {
  return peer.in_octets(marked(peer.make(notation), mark));
}

// ---- §3.1: negotiation

struct AccurateSetup : testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, AccurateSetup, both_families(), family_name);

// [RFC 9768 3.1.1-1, 3.2.3.2.1-1]
TEST_P(AccurateSetup, IsAskedForOnlyIfSet) {
  Peer plain(TcpConfig{}, GetParam());
  ASSERT_TRUE(plain.connect());
  plain.out("S 0:0(0) <*>");
  Peer asking(with(Ecn::request), GetParam());
  ASSERT_TRUE(asking.connect());
  const Sent syn = asking.out("SEWA 0:0(0) <*>");
  EXPECT_EQ(mark_of(syn), kNotEct);
  EXPECT_FALSE(syn.segment->options.accurate_ecn);
}

// [RFC 9768 3.1.1-2, 3.1.1-3, 3.2.3.2.1-3]
TEST_P(AccurateSetup, IsAgreedToByTellingTheMarkOfTheSyn) {
  const std::pair<std::uint8_t, const char*> answers[] = {
      {kNotEct, "SW."}, {kEct1, "SEW."}, {kEct0, "SA."}, {kCe, "SWA."}};
  for (const auto& [mark, flags] : answers) {
    Peer peer(TcpConfig{}, GetParam());
    peer.listen();
    in_marked(peer, mark, "SEWA 0:0(0) win 65535 <mss 1000,sackOK>");
    const Sent sent = peer.out(std::string(flags) +
                               " 0:0(0) ack 1 <mss *,ECN e0b 1 ceb 0 e1b 1,nop,nop,nop,sackOK>");
    EXPECT_EQ(mark_of(sent), kNotEct);
  }
}

// [RFC 9768 3.1.2-3, 3.1.2-4]
TEST_P(AccurateSetup, IsRfc3168WhereThePeerAsksForThat) {
  Peer peer(with(Ecn::accept, Ecn::accept), GetParam());
  peer.listen();
  peer.in("SEW 0:0(0) win 65535 <mss 1000>");
  peer.out("SE. 0:0(0) ack 1 <mss *>");
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  in_marked(peer, kCe, ". 1:1001(1000) ack 1 win 65535");
  peer.out("E. 1:1(0) ack 1001");
}

// [RFC 9768 3.1.5-18]
TEST_P(AccurateSetup, IsNotReadFromMarks) {
  Peer peer(TcpConfig{}, GetParam());
  peer.listen();
  in_marked(peer, kEct0, "S 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
  in_marked(peer, kEct0, ". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("P. 1:11(10) ack 1")), kNotEct);
}

// [RFC 9768 3.2.2-3, 3.2.2.2-3, 3.2.2.3-1]
TEST_P(AccurateSetup, KnowsAManglerByWhatBecameOfItsSyn) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEWA 0:0(0) <*>");
  peer.in("SWA. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("W. 1:1(0) ack 1 <*>");
  EXPECT_EQ(peer.info().delivered_ce, 0u);
  EXPECT_EQ(peer.info().snd_cwnd, 1000u) << "a mark counts as a loss";
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("PEA. 1:11(10) ack 1 <*>")), kNotEct);
  in_marked(peer, kCe, "EA. 1:11(10) ack 11 win 65535");
  peer.out("WA. 11:11(0) ack 11 <*>");
}

// [RFC 9768 3.2.2.2-2, 3.2.3.2.1-2]
TEST_P(AccurateSetup, CountsNothingOfASyn) {
  Peer peer(TcpConfig{}, GetParam());
  peer.listen();
  in_marked(peer, kCe, "SEWA 0:0(0) win 65535 <mss 1000,ECN e0b 900 ceb 5000 e1b 1>");
  peer.out("SWA. 0:0(0) ack 1 <*>");
  peer.in("W. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().received_ce, 0u);
  EXPECT_EQ(peer.info().delivered_e0_bytes, 0u);
  EXPECT_EQ(peer.info().delivered_ce_bytes, 0u);
}

// [RFC 9768 3.2.2.1-5, 3.2.2.1-6, 3.2.3.2.3-2]
TEST_P(AccurateSetup, IsToldButNotHeardAfterAFirstAckOfZero) {
  Peer peer(with(Ecn::accept), GetParam());
  peer.listen();
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SW. 0:0(0) ack 1 <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.send(5000);
  EXPECT_EQ(mark_of(peer.out("EA. 1:1001(1000) ack 1")), kNotEct);
  peer.forget_output();
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  peer.in("WA. 1:1(0) ack 5001 win 65535");
  EXPECT_GE(peer.info().snd_cwnd, cwnd);
  in_marked(peer, kCe, "EA. 1:11(10) ack 5001 win 65535");
  peer.out("WA. 5001:5001(0) ack 11 <ECN e0b 1 ceb 10>");
}

// [RFC 9768 3.1.5-11]
TEST_P(AccurateSetup, IsNotAgreedToIfSetOff) {
  Peer off(with(Ecn::off), GetParam());
  off.listen();
  off.in("SEWA 0:0(0) win 65535 <mss 1000>");
  off.out("S. 0:0(0) ack 1 <mss *>");
  Peer classic(with(Ecn::off, Ecn::accept), GetParam());
  classic.listen();
  classic.in("SEWA 0:0(0) win 65535 <mss 1000>");
  classic.out("SE. 0:0(0) ack 1 <mss *>");
}

// [RFC 9768 3.2.2.1-1, 3.2.2.1-2, 3.2.3.2.1-4, 3.1.1-5, 3.2.2.2-4]
TEST_P(AccurateSetup, BeginsWithAnAckThatTellsTheMarkOfTheSynAck) {
  const std::pair<std::uint8_t, const char*> answers[] = {
      {kNotEct, "W."}, {kEct1, "EW."}, {kEct0, "A."}, {kCe, "WA."}};
  for (const auto& [mark, flags] : answers) {
    Peer peer(with(Ecn::request), GetParam());
    ASSERT_TRUE(peer.connect());
    peer.out("SEWA 0:0(0) <*>");
    peer.send(10);  // text does not take its place
    in_marked(peer, mark, "SW. 0:0(0) ack 1 win 65535 <mss 1000,ECN e0b 1 ceb 0 e1b 1>");
    peer.out(std::string(flags) + " 1:1(0) ack 1 <ECN e0b 1 ceb " + "0 e1b 1,nop>");
    const Sent text = peer.out(mark == kCe ? "PWA. 1:11(10) ack 1 <*>" : "PEA. 1:11(10) ack 1 <*>");
    EXPECT_EQ(mark_of(text), kEct0);
    EXPECT_TRUE(peer.info().accurate_ecn);
    EXPECT_EQ(peer.info().received_ce, mark == kCe ? 1u : 0u);
  }
}

// [RFC 9768 3.1.1-6, 3.1.2-1, 3.1.2-2, 3.1.2-6, 3.1.5-12]
TEST_P(AccurateSetup, FallsBackToWhatThePeerKnows) {
  Peer classic(with(Ecn::request), GetParam());
  ASSERT_TRUE(classic.connect());
  classic.out("SEWA 0:0(0) <*>");
  classic.in("SE. 0:0(0) ack 1 win 65535 <mss 1000>");
  classic.out(". 1:1(0) ack 1");
  EXPECT_TRUE(classic.info().ecn);
  EXPECT_FALSE(classic.info().accurate_ecn);
  classic.send(10);
  EXPECT_EQ(mark_of(classic.out("P. 1:11(10) ack 1")), kEct0);
  for (const char* answer : {"S.", "SEWA."}) {
    Peer none(with(Ecn::request), GetParam());
    ASSERT_TRUE(none.connect());
    none.out("SEWA 0:0(0) <*>");
    none.in(std::string(answer) + " 0:0(0) ack 1 win 65535 <mss 1000>");
    none.out(". 1:1(0) ack 1");
    EXPECT_FALSE(none.info().ecn) << answer;
    none.send(10);
    EXPECT_EQ(mark_of(none.out("P. 1:11(10) ack 1")), kNotEct) << answer;
  }
}

// [RFC 9768 3.1.4.1-1, 3.1.4.1-2, 3.1.4.1-3, 3.1.5-1]
TEST_P(AccurateSetup, IsAskedForTwiceAndUsedWhateverSynIsAnswered) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEWA 0:0(0) <*>");
  peer.after(1s);
  peer.out("SEWA 0:0(0) <*>");
  peer.after(2s);
  peer.out("S 0:0(0) <*>");
  peer.in("SW. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("W. 1:1(0) ack 1 <*>");
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("PEA. 1:11(10) ack 1 <*>")), kEct0) << "the peer is sure to know";
}

// [RFC 9768 3.2.3.2.2-1, 3.2.3.2.2-2, 3.1.5-15, 3.1.5-17, 3.2.2.4-2]
TEST_P(AccurateSetup, PromisesLessWithEachSynAckAndMarksNothingThen) {
  Peer peer(with(Ecn::accept), GetParam());
  peer.listen();
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SW. 0:0(0) ack 1 <mss *,ECN e0b 1 ceb 0 e1b 1,nop>");
  peer.after(1s);
  peer.out("SW. 0:0(0) ack 1 <mss *>");
  peer.after(2s);
  peer.out("S. 0:0(0) ack 1 <mss *>");
  peer.in("W. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_TRUE(peer.info().accurate_ecn);
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("PEA. 1:11(10) ack 1 <*>")), kNotEct);
  in_marked(peer, kCe, "PEA. 1:11(10) ack 11 win 65535");
  peer.out("WA. 11:11(0) ack 11 <*>");  // it tells what it sees all the same
}

// [RFC 9768 3.1.5-1, 3.1.5-7, 3.1.5-8, 3.1.5-15, 3.2.3.2.2-1]
TEST_P(AccurateSetup, TellsTheMarkOfTheLatestSyn) {
  Peer peer(with(Ecn::accept), GetParam());
  peer.listen();
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SW. 0:0(0) ack 1 <*>");
  in_marked(peer, kCe, "S 0:0(0) win 65535 <mss 1000>");
  peer.out("SWA. 0:0(0) ack 1 <mss *>");
  peer.in("W. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.send(10);
  EXPECT_EQ(mark_of(peer.out("PEA. 1:11(10) ack 1 <*>")), kNotEct) << "a SYN asked for nothing";
}

// [RFC 9768 3.1.5-5]
TEST_P(AccurateSetup, EndsWithAResetIfThePeerAsksForBothKinds) {
  for (const auto& [first, then] : {std::pair("SEWA", "SEW"), std::pair("SEW", "SEWA")}) {
    Peer peer(with(Ecn::accept, Ecn::accept), GetParam());
    peer.listen();
    peer.in(first + std::string(" 0:0(0) win 65535 <mss 1000>"));
    peer.forget_output();
    peer.in(then + std::string(" 0:0(0) win 65535 <mss 1000>"));
    peer.out("R. 1:1(0) ack 1 <*>");
  }
}

// [RFC 9768 3.1.5-10, 3.1.5-1]
TEST_P(AccurateSetup, DoesNotBeginInAConnectionThatHasBegunWithout) {
  Peer peer(with(Ecn::accept, Ecn::accept), GetParam());
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("S. 0:0(0) ack 1 <mss *>");
}

// [RFC 9768 3.1.2-7, 3.1.2-8]
TEST_P(AccurateSetup, IsAgreedOnWhenBothOpenAtOnce) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEWA 0:0(0) <*>");
  in_marked(peer, kEct0, "SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SA. 0:0(0) ack 1 <*>");
  peer.in("SW. 0:0(0) ack 1 win 65535 <mss 1000>");
  EXPECT_TRUE(peer.info().accurate_ecn);
}

// [RFC 9768 3.2.2.1-3, 3.1.5-2, 3.1.5-7]
TEST_P(AccurateSetup, TellsTheMarkAgainForASynAckThatComesAgain) {
  Peer peer(with(Ecn::request), GetParam());
  ASSERT_TRUE(peer.connect());
  peer.out("SEWA 0:0(0) <*>");
  peer.in("SW. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("W. 1:1(0) ack 1 <*>");
  in_marked(peer, kCe, "SW. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out("WA. 1:1(0) ack 1 <*>");
  EXPECT_EQ(peer.info().received_ce, 1u);
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.forget_output();
  in_marked(peer, kCe, "PEA. 1:11(10) ack 1 win 65535");
  peer.out("EWA. 1:1(0) ack 11 <*>");  // the mode stays
}

// §5.1
TEST_P(AccurateSetup, IsRememberedByTheFirstAckOfACookie) {
  const auto open = [](Peer& peer, const std::string& flags, const std::string& syn) {
    peer.listen();
    peer.in(syn + " 0:0(0) win 65535 <mss 1000>");
    peer.forget_output();
    peer.in(flags + " 1:1(0) ack 1 win 65535");
    EXPECT_TRUE(peer.accept()) << flags;
  };
  PeerOptions options{.family = GetParam(), .stack = {.seed = {1, 2}, .tcp = with(Ecn::accept)}};
  options.stack.limits.syn_cache = 0;
  Peer accurate(options), plain(options);
  open(accurate, "W.", "SEWA");
  EXPECT_TRUE(accurate.info().accurate_ecn);
  in_marked(accurate, kCe, "PEA. 1:11(10) ack 1 win 65535");
  accurate.out("WA. 1:1(0) ack 11 <*>");
  open(plain, ".", "S");
  EXPECT_FALSE(plain.info().ecn);
}

// ---- a connection that uses it

struct AccurateInUse : testing::TestWithParam<Family> {
  AccurateInUse() : peer(settings(), GetParam()) {
    peer.listen();
    peer.in("SEWA 0:0(0) win 65535 <mss 1000,sackOK>");
    peer.out("SW. 0:0(0) ack 1 <*>");
    peer.in("W. 1:1(0) ack 1 win 65535 <ECN e0b 1 ceb 0 e1b 1>");
    EXPECT_TRUE(peer.accept().has_value());
  }
  static TcpConfig settings() {
    TcpConfig tcp = with(Ecn::accept);
    tcp.quick_acks = 0;
    tcp.nagle = false;
    return tcp;
  }
  Verdict in(std::uint8_t mark, const std::string& notation) {
    return in_marked(peer, mark, notation);
  }
  /// The remote acknowledges, with this ACE field as letters.
  void ack(const std::string& ace, int number, const std::string& option = {}) {
    peer.in(ace + ". 1:1(0) ack " + std::to_string(number) + " win 65535" + option);
  }
  Peer peer;
};
INSTANTIATE_TEST_SUITE_P(Families, AccurateInUse, both_families(), family_name);

// [RFC 9768 3.1.5-13] [RFC 3168 6.1.4-1, 6.1.5-1]
TEST_P(AccurateInUse, MarksNewDataAndNothingElse) {
  peer.send(1500);
  EXPECT_EQ(mark_of(peer.out("EA. 1:1001(1000) ack 1")), kEct0);
  EXPECT_EQ(mark_of(peer.out("PEA. 1001:1501(500) ack 1")), kEct0);
  peer.after(1s);
  EXPECT_EQ(mark_of(peer.out("PEA. 1001:1501(500) ack 1")), kNotEct) << "sent again";
  peer.forget_output();
  in(kNotEct, "EA. 1:11(10) ack 1501 win 65535");
  peer.after(1s);
  EXPECT_EQ(mark_of(peer.out("EA. 1501:1501(0) ack 11")), kNotEct);
}

// [RFC 9768 3.2-1, 3.2-2, 3.2-3, 3.2.2.5.1-1, 3.2.3.3-3, 3.2.3.3-9, 3.1.5-17]
TEST_P(AccurateInUse, TellsAtOnceThatTextWasMarked) {
  in(kEct0, "EA. 1:501(500) ack 1 win 65535");
  peer.quiet();
  in(kCe, "EA. 501:1001(500) ack 1 win 65535");
  peer.out("WA. 1:1(0) ack 1001 <ECN e0b 501 ceb 500>");
  EXPECT_EQ(peer.info().received_ce, 1u);
  EXPECT_EQ(peer.info().received_e0_bytes, 500u);
  EXPECT_EQ(peer.info().received_ce_bytes, 500u);
}

// [RFC 9768 3.2.2-1]
TEST_P(AccurateInUse, DoesNotAnswerCwrOrEceAsRfc3168Would) {
  in(kEct0, "EWA. 1:501(500) ack 1 win 65535");
  peer.quiet();
  peer.after(1s);
  peer.out("EA. 1:1(0) ack 501 <ECN e0b 501,nop,nop,nop>");
}

// [RFC 9768 3.2.2.5.1-4, 3.2.2.5.1-8]
TEST_P(AccurateInUse, AcknowledgesEveryThirdMarkedAckWithoutSackBlocks) {
  in(kNotEct, "EA. 1001:1501(500) ack 1 win 65535");  // beyond a gap
  peer.forget_output();
  in(kCe, "EA. 1:1(0) ack 1 win 65535");
  in(kCe, "EA. 1:1(0) ack 1 win 65535");
  peer.quiet();
  in(kCe, "EA. 1:1(0) ack 1 win 65535");
  const Sent sent = peer.out(". 1:1(0) ack 1");
  EXPECT_TRUE(sent.segment->options.sack.empty());
}

TEST_P(AccurateInUse, DoesNotCountWhatIsNotAcceptable) {
  in(kCe, "EA. 1000001:1000501(500) ack 1 win 65535");
  in(kCe, "EA. 1:501(500) ack 900000 win 65535");
  EXPECT_EQ(peer.info().received_ce, 0u);
}

// [RFC 9768 3.2.3.3-2, 3.2.3.3-1]
TEST_P(AccurateInUse, GivesTwoSackBlocksPrecedenceOverTheOption) {
  in(kEct0, "EA. 2001:2501(500) ack 1 win 65535");
  peer.out("EA. 1:1(0) ack 1 <ECN e0b 501,nop,nop,nop,nop,nop,sack 2001:2501>");
  in(kCe, "EA. 4001:4501(500) ack 1 win 65535");
  in(kEct1, "EA. 6001:6501(500) ack 1 win 65535");
  peer.forget_output();
  in(kCe, "EA. 8001:8501(500) ack 1 win 65535");
  const auto sent = peer.next();
  ASSERT_TRUE(sent && sent->segment);
  EXPECT_TRUE(sent->segment->options.accurate_ecn);
  EXPECT_GE(sent->segment->options.sack.size(), 2u);
}

// [RFC 9768 3.2.3.2.2-5]
TEST_P(AccurateInUse, PutsTheOptionBesideShortTextAndNotWhereItGoesAgain) {
  in(kEct0, "EA. 1:501(500) ack 1 win 65535");
  peer.send(10);
  peer.out("PEA. 1:11(10) ack 501 <ECN e0b 501,nop,nop,nop>");
  in(kEct0, "EA. 501:601(100) ack 1 win 65535");
  peer.after(2s);
  peer.out("EA. 11:11(0) ack 601 <*>");
  peer.out("PEA. 1:11(10) ack 601");
}

// The FIN that acknowledges the last text is the only segment that tells of it.
// [RFC 9768 3.2.3.3-3, 3.2.3.3-9]
TEST_P(AccurateInUse, PutsTheOptionOnAFinThatAcknowledges) {
  in(kCe, "EA. 1:501(500) ack 1 win 65535");
  peer.out("WA. 1:1(0) ack 501 <ECN e0b 1 ceb 500>");
  in(kEct0, "EA. 501:601(100) ack 1 win 65535");
  ASSERT_TRUE(peer.shutdown());
  peer.out("FWA. 1:1(0) ack 601 <ECN e0b 101 ceb 500>");
  peer.after(2s);
  peer.out("FWA. 1:1(0) ack 601");
}

// ---- the sender

// [RFC 9768 3.2.2-1, 3.1.5-16]
TEST_P(AccurateInUse, HalvesItsWindowOnceForTheMarksOfARoundTrip) {
  peer.send(30000);
  peer.forget_output();
  ack("WA", 1001);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(peer.info().ca_state, CaState::cwr);
  EXPECT_EQ(peer.info().delivered_ce, 1u);
  peer.out("EA. 10001:11001(1000) ack 1");  // no CWR: the field counts
  ack("EWA", 5001);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(peer.info().delivered_ce, 2u);
}

TEST_P(AccurateInUse, DoesNotHalveItsWindowForACountThatStays) {
  peer.send(30000);
  ack("WA", 1001);
  ack("WA", 10001);
  const auto sent = static_cast<int>(peer.info().bytes_sent);
  ack("WA", sent + 1);
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  ack("WA", sent + 1001);
  EXPECT_GE(peer.info().snd_cwnd, cwnd);
  ack("EWA", sent + 2001);
  EXPECT_EQ(peer.info().ca_state, CaState::cwr);
}

// [RFC 9768 3.2.3-3, 3.2.3-5]
TEST_P(AccurateInUse, ReadsTheOptionsOfThePeer) {
  peer.send(30000);
  ack("WA", 3001, " <ECN e0b 2001 ceb 1000>");
  EXPECT_EQ(peer.info().delivered_e0_bytes, 2000u);
  EXPECT_EQ(peer.info().delivered_ce_bytes, 1000u);
  ack("WA", 4001, " <ECN e1b 1001 ceb 1000 e0b 2001>");
  EXPECT_EQ(peer.info().delivered_e1_bytes, 1000u);
}

// §3.2.2.4. [RFC 9768 3.1.5-14]
TEST_P(AccurateInUse, StopsMarkingAfterAZeroThatCannotBe) {
  peer.send(30000);
  peer.forget_output();
  ack("", 1001);
  EXPECT_EQ(mark_of(*peer.next()), kNotEct);
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  ack("EW", 2001);
  EXPECT_GE(peer.info().snd_cwnd, cwnd);
}

// [RFC 9768 3.2.2.2-5, 3.2.2.3-2]
TEST_P(AccurateSetup, ReducesTheInitialWindowIfItsSynAckMetCongestion) {
  Peer peer(with(Ecn::accept), GetParam());
  peer.listen();
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SW. 0:0(0) ack 1 <*>");
  peer.in("WA. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().snd_cwnd, 1000u);
  EXPECT_EQ(peer.info().delivered_ce, 1u);
  in_marked(peer, kCe, "WA. 1:11(10) ack 1 win 65535");
  peer.out("WA. 1:1(0) ack 11 <*>");
}

// The counts go on in TIME-WAIT.
TEST_P(AccurateInUse, IsToldInTimeWaitToo) {
  in(kCe, "EA. 1:11(10) ack 1 win 65535");
  peer.forget_output();
  ASSERT_TRUE(peer.shutdown());
  peer.out("FWA. 1:1(0) ack 11 <*>");
  peer.in("FEA. 11:11(0) ack 2 win 65535");
  peer.out("WA. 2:2(0) ack 12 <*>");
  peer.in("FEA. 11:11(0) ack 2 win 65535");
  peer.out("WA. 2:2(0) ack 12 <*>");
}

// ---- super-segments

TEST(AccurateSuperSegments, AreNotSentWhileCwrIsABitOfTheCount) {
  PeerOptions options{.stack = {.seed = {1, 2}, .tcp = with(Ecn::accept)}};
  options.interface.segmentation_v4 = true;
  Peer peer(options);
  peer.listen();
  peer.in("SEWA 0:0(0) win 65535 <mss 1000>");
  peer.out("SW. 0:0(0) ack 1 <*>");
  peer.in("W. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  peer.send(2000);
  peer.out("PEA. 1:2001(2000) ack 1");
  in_marked(peer, kCe, "EA. 1:11(10) ack 2001 win 65535");
  peer.forget_output();
  peer.send(2000);
  peer.out("WA. 2001:3001(1000) ack 11");
  peer.out("PWA. 3001:4001(1000) ack 11");
}

}  // namespace
}  // namespace estab::script
