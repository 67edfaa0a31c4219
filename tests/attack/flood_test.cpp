// Floods: more of something than anybody can use, from addresses that do not exist.
#include "scene.h"

namespace estab::attack {
namespace {

Segment bare(TcpFlags flags, std::uint32_t seq, std::uint32_t ack = 0) {
  Segment segment;
  segment.seq = SeqNum(seq);
  segment.ack = SeqNum(ack);
  segment.flags = flags;
  segment.window = 65535;
  return segment;
}

IpAddress somebody(base::Prng& prng) {
  return IpAddress::v4(static_cast<std::uint32_t>(0x0a100000 + prng.below(1 << 20)));
}

Endpoint anywhere(base::Prng& prng) {
  return {somebody(prng), static_cast<std::uint16_t>(1024 + prng.below(60000))};
}

/// Lets `each(i)` inject frames at a rate for so long, the wire and the applications working in
/// between.
template <class Each>
void flood(Scene& scene, std::uint64_t per_second, Duration span, Each&& each) {
  const std::uint64_t per_step = scaled(per_second) / 10'000;
  for (Duration done{0}; done < span; done += 100us) {
    for (std::uint64_t i = 0; i < per_step; ++i) each();
    scene.pass(100us);
  }
}

TEST(SynFlood, ARealClientConnectsWhileAMillionSpoofedSynsASecondArrive) {
  Scene scene;
  scene.count_only();
  base::Prng prng(1);
  const auto one = [&] {
    Segment syn = bare(kSyn, static_cast<std::uint32_t>(prng.next()));
    syn.options.mss = 1460;
    scene.inject(forged(anywhere(prng), {kServer, kEcho}, syn));
  };
  flood(scene, 1'000'000, 2s, one);
  const std::size_t memory = scene.server().memory();
  GoodClient good(scene);
  flood(scene, 1'000'000, 2s, one);
  EXPECT_TRUE(good.done()) << good.story();
  EXPECT_LE(scene.server().census().syn_cache, 128u);  // the listener's backlog
  EXPECT_GT(scene.counters().syn_cookies_sent, scaled(3'900'000));
  EXPECT_EQ(scene.counters().syn_cookies_accepted, 1u);
  const std::size_t grown = scene.server().memory() - memory;
  EXPECT_LT(grown, 1u << 20);  // what the good client's own octets take, and no more
  figure(
      "SYN flood: %llu SYNs in 4 s, %zu in the cache, %llu cookies sent, memory %zu KiB + %zu "
      "KiB for the good client, which connected in %.1f ms and had its 100 kB back in %.1f ms",
      static_cast<unsigned long long>(scaled(4'000'000)), scene.server().census().syn_cache,
      static_cast<unsigned long long>(scene.counters().syn_cookies_sent), memory >> 10, grown >> 10,
      static_cast<double>(good.connect_time().count()) / 1e6,
      static_cast<double>(good.whole_time().count()) / 1e6);
}

TEST(SynFlood, ToldApartFromAClientWithoutCookiesItWouldLockOut) {
  SceneOptions options;
  options.server.syn_cookies = false;
  Scene scene(options);
  scene.count_only();
  base::Prng prng(1);
  const auto one = [&] {
    scene.inject(forged(anywhere(prng), {kServer, kEcho},
                        bare(kSyn, static_cast<std::uint32_t>(prng.next()))));
  };
  flood(scene, 200'000, 100ms, one);
  GoodClient good(scene);
  flood(scene, 200'000, 200ms, one);
  EXPECT_FALSE(good.connected());  // which is what the cookies are for
}

TEST(AckFlood, GuessesNoCookie) {
  Scene scene;
  scene.count_only();
  base::Prng prng(2);
  for (int i = 0; i < 1000; ++i)  // the cache is full, and cookies are in use
    scene.inject(forged(anywhere(prng), {kServer, kEcho}, bare(kSyn, 7)));
  GoodClient good(scene);
  flood(scene, 1'000'000, 1s, [&] {
    const auto seq = static_cast<std::uint32_t>(prng.next());
    scene.inject(forged(anywhere(prng), {kServer, kEcho},
                        bare(kAck, seq, static_cast<std::uint32_t>(prng.next()))));
  });
  EXPECT_TRUE(good.done()) << good.story();
  EXPECT_LE(scene.counters().syn_cookies_accepted, 2u);  // 24 bits: one guess in 16 million
  EXPECT_LE(scene.attacker_frames(), scaled(1'000'000) + 2000);
  EXPECT_LE(scene.attacker_octets(), scaled(1'000'000) * 40 + 2000 * 60);  // no amplification
  figure("ACK flood: %llu guessed cookies, %llu accepted beside the good client's",
         static_cast<unsigned long long>(scaled(1'000'000)),
         static_cast<unsigned long long>(scene.counters().syn_cookies_accepted - 1));
}

TEST(RstFlood, IsDroppedAndAnsweredByNothing) {
  Scene scene;
  base::Prng prng(3);
  GoodClient good(scene, 1'000'000, 2'000);
  scene.pass(5ms);
  const auto endpoints = scene.client().endpoints(good.stream());
  const Endpoint client = endpoints->local();
  flood(scene, 500'000, 500ms, [&] {
    const auto seq = static_cast<std::uint32_t>(prng.next());
    const bool aimed = prng.chance(0.5);  // at the good client's own connection
    scene.inject(forged(aimed ? client : anywhere(prng), {kServer, kEcho}, bare(kRst, seq)));
  });
  EXPECT_TRUE(good.finish(5s)) << good.story();
  EXPECT_EQ(scene.attacker_frames(), 0u);
  EXPECT_EQ(scene.counters().resets_in_established, 0u);
  figure(
      "RST flood: %llu RSTs, half aimed at the good client's ports: none taken, %llu challenge "
      "ACKs, 1 MB echoed meanwhile",
      static_cast<unsigned long long>(scaled(250'000)),
      static_cast<unsigned long long>(scene.counters().challenge_acks_out));
}

TEST(PortScan, GetsNoMoreOctetsThanItSends) {
  Scene scene;
  scene.count_only();
  base::Prng prng(4);
  GoodClient good(scene);
  std::uint64_t octets = 0, frames = 0;
  for (std::uint32_t port = 1; port < 65536; ++port) {
    if (port == kEcho) continue;
    const Bytes probe = forged(anywhere(prng), {kServer, static_cast<std::uint16_t>(port)},
                               bare(kSyn, static_cast<std::uint32_t>(prng.next())));
    octets += probe.size();
    ++frames;
    scene.inject(probe);
    if (port % 64 == 0) scene.pass(1ms);
  }
  EXPECT_TRUE(good.finish(5s)) << good.story();
  EXPECT_LE(scene.attacker_frames(), frames);
  EXPECT_LE(scene.attacker_octets(), octets);
  figure("SYN scan of 65,534 closed ports: %llu octets in, %llu out",
         static_cast<unsigned long long>(octets),
         static_cast<unsigned long long>(scene.attacker_octets()));
}

TEST(PortScan, OfUdpIsAnsweredAtTheRateOfIcmpErrorsOnly) {
  Scene scene;
  scene.count_only();
  base::Prng prng(5);
  GoodClient good(scene);
  const Bytes text(20, 1);
  for (int i = 0; i < 20'000; ++i) {  // one second
    scene.inject(
        forged_udp(anywhere(prng), {kServer, static_cast<std::uint16_t>(10'000 + i)}, text));
    if (i % 20 == 0) scene.pass(1ms);
  }
  EXPECT_TRUE(good.finish(5s)) << good.story();
  const std::uint64_t limit = scene.server().config().limits.icmp_errors_per_second;
  EXPECT_LE(scene.counters().icmp_out, limit + limit / 4);  // a second, and the burst
  EXPECT_GE(scene.counters().icmp_out, limit / 2);
  EXPECT_GT(scene.counters().icmp_rate_limited, 10'000u);
  figure("UDP scan: 20,000 probes in 1 s, %llu answered",
         static_cast<unsigned long long>(scene.counters().icmp_out));
}

}  // namespace
}  // namespace estab::attack
