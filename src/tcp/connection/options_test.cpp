// TCP options as a connection lives with them: what both sides offer is used, and nothing else (RFC
// 9293 §3.7.1, RFC 7323, RFC 2018); what makes no sense is survived.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

/// Which options one side offers, as bits.
struct Offer {
  int bits;
  bool mss() const { return bits & 1; }
  bool scale() const { return bits & 2; }
  bool timestamps() const { return bits & 4; }
  bool sack() const { return bits & 8; }
  static constexpr int kAll = 16;

  /// In the notation; `echo` is what TSecr holds.
  std::string noted(int echo) const {
    std::string text;
    const auto put = [&](const std::string& option) { text += (text.empty() ? "" : ",") + option; };
    if (mss()) put("mss 1000");
    if (sack()) put("sackOK");
    if (timestamps()) put("TS val 7777 ecr " + std::to_string(echo));
    if (scale()) put("wscale 5");
    return text;
  }
  TcpConfig config() const {
    TcpConfig tcp;
    tcp.receive_buffer = 1 << 20;
    tcp.use_window_scale = scale();
    tcp.use_timestamps = timestamps();
    tcp.use_sack = sack();
    return tcp;
  }
};

std::string stack_mss(Family family) {
  return family == Family::ipv4 ? "mss 1460" : "mss 1440";
}

/// What the stack's SYN or SYN-ACK should say of `uses` (its MSS is always there, MUST-14).
std::string stack_options(Family family, Offer uses, int echo) {
  std::string text = stack_mss(family);
  if (uses.sack()) text += ",sackOK";
  if (uses.timestamps()) text += ",TS val 0 ecr " + std::to_string(echo);
  if (uses.scale()) text += ",wscale 8";
  return text;
}

class Options : public EachFamily {
 protected:
  // What holds on an open connection of which both sides offered `used`.
  static void expect_use_of(Peer& peer, Offer used, bool peer_mss) {
    const bool v4 = peer.local().is_v4();
    const TcpInfo info = peer.info();
    EXPECT_EQ(info.timestamps, used.timestamps());
    EXPECT_EQ(info.sack, used.sack());
    EXPECT_EQ(info.wscale, used.scale());
    EXPECT_EQ(info.snd_wscale, used.scale() ? 5 : 0);
    EXPECT_EQ(info.rcv_wscale, used.scale() ? 8 : 0);
    const std::uint32_t mss = peer_mss ? 1000 : v4 ? 536 : 1220;  // MUST-15
    EXPECT_EQ(info.snd_mss, mss - (used.timestamps() ? 12 : 0));  // MUST-16
    // Windows are scaled in every segment but a SYN.
    peer.in(". 1:1(0) ack 1 win 300");
    EXPECT_EQ(peer.info().snd_wnd, used.scale() ? 300u << 5 : 300u);
    peer.in(". 1:1(0) ack 1 win 2000");
    peer.send(10);
    const std::string window = used.scale() ? std::to_string((1 << 20) >> 8) : "65535";
    const std::string stamp = used.timestamps() ? " <TS val 30 ecr *>" : " <>";
    peer.out("P. 1:11(10) ack 1 win " + window + stamp);
    // A gap is reported by SACK only where that was agreed on.
    peer.in("P. 101:201(100) ack 11 win 2000");
    const std::string blocks = used.sack() ? "sack 101:201" : "";
    const std::string comma = used.sack() && used.timestamps() ? "," : "";
    const std::string stamps = used.timestamps() ? "TS val 30 ecr *" : "";
    peer.out(". 11:11(0) ack 1 <" + stamps + comma + blocks + ">");
    peer.quiet();
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Options, both_families(), family_name);

// [RFC 9293 MUST-14, SHLD-5, MAY-3] [RFC 7323 2.2-3, 2.3-3, 2.2-6, 2.3-1, 3.2-5]
TEST_P(Options, AreUsedAfterAPassiveOpenOnlyIfBothSidesOfferedThem) {
  for (int ours = 1; ours < Offer::kAll; ours += 2) {
    for (int theirs = 0; theirs < Offer::kAll; ++theirs) {
      const Offer used{ours & theirs};
      Peer each(Offer{ours}.config(), GetParam());
      each.note("we offer " + Offer{ours}.noted(0));
      each.listen();
      each.in("S 0:0(0) win 8000 <" + Offer{theirs}.noted(0) + ">");
      each.out("S. 0:0(0) ack 1 win 65535 <" + stack_options(GetParam(), used, 7777) + ">");
      if (used.timestamps()) each.use_timestamps();
      each.after(30ms);
      each.in(". 1:1(0) ack 1 win 8000");
      ASSERT_TRUE(each.accept());
      expect_use_of(each, used, Offer{theirs}.mss());
      if (HasFailure()) return;
    }
  }
}

// [RFC 7323 2.2-1, 2.2-5, 2.2-3, 2.3-3]
TEST_P(Options, AreUsedAfterAnActiveOpenOnlyIfBothSidesOfferedThem) {
  for (int ours = 1; ours < Offer::kAll; ours += 2) {
    for (int theirs = 0; theirs < Offer::kAll; ++theirs) {
      // A peer that answers what was not offered is wrong, but must do no harm.
      const Offer used{ours & theirs};
      Peer each(Offer{ours}.config(), GetParam());
      ASSERT_TRUE(each.connect());
      each.out("S 0:0(0) win 65535 <" + stack_options(GetParam(), Offer{ours}, 0) + ">");
      each.after(30ms);
      each.in("S. 0:0(0) ack 1 win 8000 <" + Offer{theirs}.noted(0) + ">");
      EXPECT_EQ(each.info().snd_wnd, 8000u);  // that of a SYN is not scaled (RFC 7323 §2.2)
      if (used.timestamps()) each.use_timestamps();
      each.out(". 1:1(0) ack 1");
      expect_use_of(each, used, Offer{theirs}.mss());
      if (HasFailure()) return;
    }
  }
}

TEST_P(Options, AreUsedAfterASimultaneousOpenOnlyIfBothSidesOfferedThem) {
  for (int ours = 1; ours < Offer::kAll; ours += 2) {
    for (int theirs = 0; theirs < Offer::kAll; ++theirs) {
      const Offer used{ours & theirs};
      Peer each(Offer{ours}.config(), GetParam());
      ASSERT_TRUE(each.connect());
      each.out("S 0:0(0) win 65535 <" + stack_options(GetParam(), Offer{ours}, 0) + ">");
      each.in("S 0:0(0) win 8000 <" + Offer{theirs}.noted(0) + ">");
      each.out("S. 0:0(0) ack 1 win 65535 <" + stack_options(GetParam(), used, 7777) + ">");
      if (used.timestamps()) each.use_timestamps();
      each.after(30ms);
      each.in(". 1:1(0) ack 1 win 8000");
      expect_use_of(each, used, Offer{theirs}.mss());
      if (HasFailure()) return;
    }
  }
}

// MUST-67: from the link's MTU, not reduced by options.
// [RFC 9293 MUST-67]
TEST_P(Options, AnnounceAnMssThatFollowsFromTheLink) {
  const bool v4 = GetParam() == Family::ipv4;
  for (const std::uint16_t mtu : {576, 1280, 1500, 9000, 65535}) {
    if (!v4 && mtu < 1280) continue;
    Peer each(PeerOptions{.family = GetParam(), .interface = {.name = "test", .mtu = mtu}});
    each.listen();
    each.in("S 0:0(0) win 65535 <mss 1460,TS val 1 ecr 0>");
    each.out("S. 0:0(0) ack 1 <mss " + std::to_string(mtu - (v4 ? 40 : 60)) + ",TS val 0 ecr 1>");
  }
  TcpConfig tcp;
  tcp.mss_limit = 700;
  Peer each(tcp, GetParam());
  each.establish({.options = "mss 1460"});
  EXPECT_EQ(each.info().advmss, 700u);
  EXPECT_EQ(each.info().snd_mss, 700u);
}

TEST_P(Options, SendSegmentsNoLargerThanThePeersMssAndTheLinkAllow) {
  peer.establish({.options = "mss 600,TS val 1 ecr 0"});
  peer.send(1000);
  peer.out(". 1:589(588) ack 1");  // 600 less the option
  peer.forget_output();
  Peer wide(TcpConfig{}, GetParam());
  wide.establish({.options = "mss 8960"});
  EXPECT_EQ(wide.info().snd_mss, GetParam() == Family::ipv4 ? 1460u : 1440u);
}

TEST_P(Options, SurviveAnAbsurdlySmallMss) {
  for (const char* options : {"mss 0", "mss 1", "mss 11,TS val 1 ecr 0"}) {
    Peer each(TcpConfig{}, GetParam());
    each.establish({.options = options});
    EXPECT_GE(each.info().snd_mss, 1u);
    each.send(3000);
    EXPECT_GT(each.waiting(), 0u);
    each.forget_output();
  }
}

// RFC 7323 §2.3: a larger shift count is taken as 14.
TEST_P(Options, TakeAWindowScaleAboveFourteenAsFourteen) {
  peer.establish({.options = "mss 1460,wscale 255", .window = 1});
  EXPECT_EQ(peer.info().snd_wscale, 14);
  EXPECT_EQ(peer.info().snd_wnd, 1u << 14);
}

TEST_P(Options, OfferAWindowScaleOfAtMostFourteen) {
  TcpConfig tcp;
  tcp.window_scale = 200;
  ASSERT_TRUE(peer.connect(tcp));
  peer.out("S 0:0(0) <mss *,sackOK,TS val 0 ecr 0,wscale 14>");
}

// [RFC 7323 3.2-2, 4.1-1, 5.4-1, 5.4-2, 5.4-3]
TEST_P(Options, EchoTheLatestTimestampAndCountMilliseconds) {
  peer.establish({.options = "mss 1460,TS val 1000 ecr 0"});
  peer.after(250ms);
  peer.in("P. 1:11(10) ack 1 win 65535 <TS val 1234 ecr 0>");
  peer.out(". 1:1(0) ack 11 <TS val 250 ecr 1234>");
  peer.after(1750ms);
  peer.send(1);
  peer.out("P. 1:2(1) ack 11 <TS val 2000 ecr 1234>");
}

// As most stacks do. TS.Recent, which they do not move, is still echoed.
TEST_P(Options, SegmentsWithoutTheAgreedTimestampsAreTaken) {
  peer.establish({.options = "mss 1460,TS val 1000 ecr 0"});
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535 <>"), Verdict::accepted);
  peer.out(". 1:1(0) ack 11 <TS val * ecr 1000>");
  EXPECT_EQ(peer.recv(), 10u);
  peer.send(100);
  peer.out("P. 1:101(100) ack 11 <TS val * ecr 1000>");
  EXPECT_EQ(peer.in(". 11:11(0) ack 101 win 65535 <>"), Verdict::accepted);
  EXPECT_EQ(peer.info().unacked_bytes, 0u);
  EXPECT_EQ(peer.in("F. 11:11(0) ack 101 win 65535 <>"), Verdict::accepted);
  EXPECT_EQ(peer.state(), State::close_wait);
  peer.out(". 101:101(0) ack 12 <TS val * ecr 1000>");
  EXPECT_EQ(peer.in("R. 12:12(0) ack 101 win 0 <>"), Verdict::reset_accepted);
}

// Each is judged by its own number all the same, and PAWS by those that have a timestamp.
TEST_P(Options, SegmentsWithoutTheAgreedTimestampsDoNotSwitchPawsOff) {
  peer.establish({.options = "mss 1460,TS val 1000 ecr 0"});
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535 <>"), Verdict::accepted);
  EXPECT_EQ(peer.in("P. 11:21(10) ack 1 win 65535 <TS val 999 ecr 0>"), Verdict::paws);
  EXPECT_EQ(peer.recv(), 10u);
}

TEST_P(Options, AThirdSegmentWithoutTheAgreedTimestampsOpens) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460,TS val 1000 ecr 0>");
  peer.out("S. 0:0(0) ack 1 <mss *,TS val * ecr 1000>");
  EXPECT_EQ(peer.in(". 1:1(0) ack 1 win 65535 <>"), Verdict::handshake_completed);
  ASSERT_TRUE(peer.accept());
  peer.send(10);
  peer.out("P. 1:11(10) ack 1 <TS val * ecr 1000>");
}

// RFC 7323 §3.2; a RST is exempt.
// [RFC 7323 3.2-8, 3.2-9]
TEST_P(Options, SegmentsWithoutTheAgreedTimestampsAreDroppedIfTheyAreRequired) {
  Peer strict(TcpConfig{.require_timestamps = true}, GetParam());
  strict.listen();
  strict.in("S 0:0(0) win 65535 <mss 1460,TS val 1000 ecr 0>");
  strict.out("S. 0:0(0) ack 1 <mss *,TS val * ecr 1000>");
  strict.in(". 1:1(0) ack 1 win 65535 <>");
  EXPECT_FALSE(strict.accept());
  strict.in(". 1:1(0) ack 1 win 65535 <TS val 1000 ecr 0>");
  ASSERT_TRUE(strict.accept());
  EXPECT_EQ(strict.in("P. 1:11(10) ack 1 win 65535 <>"), Verdict::missing_timestamp);
  strict.quiet();
  EXPECT_EQ(strict.in("R. 1:1(0) ack 1 win 0 <>"), Verdict::reset_accepted);
}

// [RFC 7323 3.2-10]
TEST_P(Options, TimestampsNotAgreedOnAreIgnored) {
  peer.establish({.options = "mss 1460"});
  EXPECT_EQ(peer.in("P. 1:11(10) ack 1 win 65535 <TS val 5 ecr 9>"), Verdict::predicted);
  peer.out(". 1:1(0) ack 11 <>");
  EXPECT_EQ(peer.in("P. 11:21(10) ack 1 win 65535 <TS val 4 ecr 9>"), Verdict::predicted);
  peer.out(". 1:1(0) ack 21 <>");
}

// MUST-5, MUST-6, MUST-7, MUST-64: any order and alignment, unknown kinds, illegal lengths.
// [RFC 9293 MUST-4, MUST-5, MUST-64, MUST-7]
TEST_P(Options, OfASynAreFoundWhateverStandsAroundThem) {
  const std::vector<std::pair<OctetVector, std::uint32_t>> areas = {
      {{2, 4, 3, 232}, 1000},
      {{1, 1, 2, 4, 3, 232, 0, 0}, 1000},
      {{1, 2, 4, 3, 232, 1, 1, 0}, 1000},
      {{254, 2, 2, 4, 3, 232, 0, 0}, 1000},                          // unknown, empty
      {{77, 6, 9, 9, 9, 9, 2, 4, 3, 232, 1, 0}, 1000},               // unknown, full
      {{0, 0, 0, 0, 2, 4, 3, 232}, 0},                               // behind the end of the list
      {{2, 0, 0, 0}, 0},                                             // length 0
      {{2, 1, 0, 0}, 0},                                             // length 1
      {{2, 3, 3, 0}, 0},                                             // too short for an MSS
      {{2, 200, 3, 232}, 0},                                         // longer than the header
      {{77, 200, 2, 4, 3, 232, 0, 0}, 0},                            // unknown, too long
      {{1, 1, 1, 2}, 0},                                             // cut off behind the kind
      {{5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 2, 4, 3, 232, 0, 0}, 1000}};  // SACK on a SYN
  const std::uint32_t none = GetParam() == Family::ipv4 ? 536 : 1220;
  for (const auto& [area, mss] : areas) {
    Peer each(TcpConfig{}, GetParam());
    each.listen();
    each.in_octets(with_options(each.make("S 0:0(0) win 65535"), area));
    each.out("S. 0:0(0) ack 1 <mss *>");
    each.in(". 1:1(0) ack 1 win 65535");
    ASSERT_TRUE(each.accept());
    EXPECT_EQ(each.info().snd_mss, mss == 0 ? none : mss) << each.story();
  }
}

// [RFC 9293 MUST-5, MUST-6, MUST-7] [RFC 7323 2.2-7]
TEST_P(Options, OfAnySegmentMayBeUnknownOrIllegal) {
  peer.establish();
  std::uint32_t at = 1;
  for (const OctetVector& area :
       {OctetVector{77, 4, 1, 2}, OctetVector{2, 4, 0, 100}, OctetVector{3, 3, 14, 0},
        OctetVector{77, 0, 0, 0}, OctetVector{5, 3, 0, 0}, OctetVector(40, 255)}) {
    const std::string segment =
        "P. " + std::to_string(at) + ":" + std::to_string(at + 10) + "(10) ack 1 win 65535";
    peer.in_octets(with_options(peer.make(segment), area));
    at += 10;
    peer.out(". 1:1(0) ack " + std::to_string(at));
  }
  // MUST-65: an MSS counts on a SYN only.
  EXPECT_EQ(peer.info().snd_mss, GetParam() == Family::ipv4 ? 1460u : 1440u);
  EXPECT_EQ(peer.info().snd_wscale, 0);
  EXPECT_EQ(peer.recv(), 60u);
}

// The reserved bits are sent as zero (Peer looks) and ignored on receipt; ECE and CWR are carried.
TEST_P(Options, ReservedBitsAndEcnBitsDoNotDisturb) {
  peer.establish();
  OctetVector octets = peer.make("PEW. 1:11(10) ack 1 win 65535");
  const std::size_t tcp = GetParam() == Family::ipv4 ? 20 : 40;
  octets[tcp + 12] |= 0x0f;
  const std::uint16_t sum = base::load_be16(&octets[tcp + wire::kTcpChecksumOffset]);
  const std::uint32_t corrected = (sum ^ 0xffffu) + 0x0f00u;
  base::store_be16(&octets[tcp + wire::kTcpChecksumOffset],
                   static_cast<std::uint16_t>(~(corrected + (corrected >> 16))));
  peer.in_octets(octets);
  peer.out(". 1:1(0) ack 11");
  EXPECT_EQ(peer.recv(), 10u);
}

}  // namespace
}  // namespace estab::script
