// Forged ICMP (RFC 5927), and what ICMP of ours tells an attacker (CVE-2020-25705).
#include <set>

#include "scene.h"

namespace estab::attack {
namespace {

/// A good client in the midst of its transfer, and an attacker who knows its addresses and ports.
struct Forger {
  Forger() : good(scene, 1'000'000, 5'000) {
    scene.pass(10ms);
    EXPECT_TRUE(good.connected());
    client = scene.client().endpoints(good.stream())->local();
  }
  /// An error about a segment of the server's with this number.
  void error(std::uint8_t type, std::uint8_t code, std::uint32_t rest, std::uint32_t seq) {
    Segment quoted;
    quoted.seq = SeqNum(seq);
    quoted.flags = kAck;
    quoted.payload = text;
    const Bytes octets = forged({kServer, kEcho}, client, quoted);
    scene.inject(forged_icmp(IpAddress::v4(10, 200, 0, 1), kServer, type, code, rest,
                             Octets(octets).first(48)));
  }
  Scene scene;
  GoodClient good;
  Endpoint client;
  Bytes text = Bytes(1000, 'q');
};

TEST(ForgedIcmp, OfAnyKindWithAGuessedNumberEndsNothing) {
  Forger forger;
  base::Prng prng(1);
  for (std::uint32_t i = 0; i < scaled(100'000); ++i) {
    const std::uint8_t code = static_cast<std::uint8_t>(i % 16);
    forger.error(3, code, code == 4 ? 100 : 0, static_cast<std::uint32_t>(prng.next()));
    if (i % 64 == 0) forger.scene.pass(100us);
    if (i != 1000) continue;
    const auto info = forger.scene.server().info(forger.scene.streams().front());
    EXPECT_EQ(info->pmtu, 1500);  // "fragmentation needed" was among them
  }
  EXPECT_TRUE(forger.good.finish(10s)) << forger.good.story();
}

// Even one who sees the wire, and so quotes what is in flight, may only slow things down: hard
// errors are soft on an open connection (RFC 5927 §5.2), and the MTU has a floor.
TEST(ForgedIcmp, WithATrueNumberEndsNothingEither) {
  Forger forger;
  std::uint32_t seq = 0;
  forger.scene.loses = [&](const Bytes& frame) {
    if (const auto one = seen(frame); one && one->to == kClient && one->payload > 0)
      seq = one->segment.seq.value();
    return false;
  };
  for (int i = 0; i < 200; ++i) {
    forger.scene.pass(100us);
    for (std::uint8_t code = 0; code < 16; ++code) forger.error(3, code, code == 4 ? 68 : 0, seq);
    forger.error(11, 0, 0, seq);
    forger.error(12, 0, 0, seq);
  }
  EXPECT_TRUE(forger.good.finish(10s)) << forger.good.story();
}

TEST(ForgedIcmp, NarrowsNoPathBelowTheFloor) {
  Forger forger;
  Mallory host(forger.scene, IpAddress::v4(10, 9, 9, 9), 5000, {.mss = 1460});
  host.send(kPsh, forger.text);
  forger.scene.pass(1ms);
  const auto frames = forger.scene.take_sent();  // never acknowledged: in flight
  ASSERT_FALSE(frames.empty());
  for (const std::uint32_t mtu : {0u, 1u, 20u, 67u, 68u, 296u})
    forger.scene.inject(
        forged_icmp(host.here().address, kServer, 3, 4, mtu, Octets(frames.back()).first(48)));
  forger.scene.pass(5s);  // it is sent again, in segments that fit the narrowest path there may be
  std::uint32_t largest = 0;
  for (const Bytes& frame : forger.scene.take_sent())
    if (const auto one = seen(frame)) largest = std::max(largest, one->payload);
  EXPECT_GE(largest, 500u);  // 552 less the headers
  EXPECT_TRUE(forger.good.finish(10s)) << forger.good.story();
}

TEST(ForgedIcmp, SourceQuenchIsIgnored) {
  Forger forger;
  std::uint32_t window = 0;
  std::uint32_t seq = 0;
  forger.scene.loses = [&](const Bytes& frame) {
    if (const auto one = seen(frame); one && one->to == kClient && one->payload > 0)
      seq = one->segment.seq.value();
    return false;
  };
  for (int i = 0; i < 100; ++i) {
    forger.scene.pass(50us);
    const auto info = forger.scene.server().info(forger.scene.streams().front());
    EXPECT_GE(info->snd_cwnd, window);
    window = info->snd_cwnd;
    forger.error(4, 0, 0, seq);
  }
  EXPECT_TRUE(forger.good.finish(10s)) << forger.good.story();
}

// "SAD DNS": whoever can use up a limit exactly learns by one more probe of his own whether the
// last of his forged ones was answered, and so whether a port is open. What a probe costs is
// therefore left to chance (RFC 4443 §2.4 (f) asks for the limit, not for its exactness).
TEST(IcmpLimit, CannotBeCounted) {
  std::set<std::uint64_t> answered;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SceneOptions options;
    options.server.seed = {seed, 99};
    Scene scene(options);
    scene.count_only();
    const Bytes text(10, 1);
    for (std::uint16_t i = 0; i < 1000; ++i)
      scene.inject(forged_udp({IpAddress::v4(10, 5, 5, 5), 53},
                              {kServer, static_cast<std::uint16_t>(10'000 + i)}, text));
    scene.pass(Duration{0});
    answered.insert(scene.attacker_frames());
    GoodClient good(scene);
    EXPECT_TRUE(good.finish(5s)) << good.story();
  }
  EXPECT_GT(answered.size(), 8u);
  EXPECT_GT(*answered.begin(), 50u);
  EXPECT_LT(*answered.rbegin(), 200u);
  figure(
      "ICMP limit: of 1000 probes at once %llu to %llu are answered, %zu different numbers in 40 "
      "trials",
      static_cast<unsigned long long>(*answered.begin()),
      static_cast<unsigned long long>(*answered.rbegin()), answered.size());
}

}  // namespace
}  // namespace estab::attack
