// Fragments: floods of them, and overlaps that let two readers see two datagrams.
#include "scene.h"

namespace estab::attack {
namespace {

TEST(FragmentFlood, TakesNoMoreThanItsLimit) {
  Scene scene;
  scene.count_only();
  const std::uint32_t limit = scene.server().config().limits.fragment_octets;
  const std::size_t before = scene.server().memory();
  GoodClient good(scene);
  const Bytes text(1400, 'f');
  std::size_t most = 0;
  const std::uint64_t count = scaled(200'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    const IpAddress from = IpAddress::v4(0x0a100000 + static_cast<std::uint32_t>(i / 65536));
    scene.inject(forged_fragment(from, static_cast<std::uint16_t>(i), 0, true, text));
    if (i % 256 != 0) continue;
    scene.pass(1ms);
    most = std::max(most, scene.server().memory() - before);
  }
  EXPECT_TRUE(good.finish(5s)) << good.story();
  EXPECT_LT(most, std::size_t{limit} * 2 + (2 << 20));
  figure("fragment flood: %llu first fragments, at most %zu KiB (limit %u KiB)",
         static_cast<unsigned long long>(count), most >> 10, limit >> 10);
}

// Two pieces of one datagram that follow each other are put together in the midst of a flood.
TEST(FragmentFlood, LetsAWholeDatagramThrough) {
  Scene scene;
  scene.count_only();
  const auto port = scene.server().bind_datagram({IpAddress(), 53});
  const Bytes text(1400, 'f');
  const IpAddress honest = IpAddress::v4(10, 7, 7, 7);
  Bytes whole = forged_udp({honest, 999}, {kServer, 53}, Bytes(1600, 'g'));
  whole.erase(whole.begin(), whole.begin() + 20);
  int through = 0;
  for (int round = 0; round < 20; ++round) {
    const auto id = static_cast<std::uint16_t>(round);
    for (int i = 0; i < 500; ++i)
      scene.inject(forged_fragment(IpAddress::v4(0x0a100000 + static_cast<std::uint32_t>(round)),
                                   static_cast<std::uint16_t>(i), 0, true, text));
    scene.inject(forged_fragment(honest, id, 0, true, Octets(whole).first(800)));
    for (int i = 500; i < 1000; ++i)
      scene.inject(forged_fragment(IpAddress::v4(0x0a100000 + static_cast<std::uint32_t>(round)),
                                   static_cast<std::uint16_t>(i), 0, true, text));
    scene.inject(forged_fragment(honest, id, 800, false, Octets(whole).subspan(800)));
    Bytes buffer(2000);
    through += scene.server().recv_datagram(*port, buffer).has_value() ? 1 : 0;
  }
  EXPECT_EQ(through, 20);
}

TEST(FragmentOverlap, SpoilsTheDatagramInsteadOfChoosing) {
  Scene scene;
  const auto port = scene.server().bind_datagram({IpAddress(), 53});
  const IpAddress from = IpAddress::v4(10, 7, 7, 7);
  Bytes whole = forged_udp({from, 999}, {kServer, 53}, Bytes(1600, 'g'));
  whole.erase(whole.begin(), whole.begin() + 20);
  std::uint16_t id = 0;
  for (std::uint16_t overlap = 8; overlap < 800; overlap += 8, ++id) {
    scene.inject(forged_fragment(from, id, 0, true, Octets(whole).first(800)));
    const auto at = static_cast<std::uint16_t>(800 - overlap);
    scene.inject(forged_fragment(from, id, at, false, Octets(whole).subspan(at)));
    // What would have made it whole comes too late.
    scene.inject(forged_fragment(from, id, 800, false, Octets(whole).subspan(800)));
  }
  Bytes buffer(2000);
  EXPECT_FALSE(scene.server().recv_datagram(*port, buffer).has_value());
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

TEST(FragmentPieces, OfOneDatagramAreLimited) {
  Scene scene;
  scene.count_only();
  const Bytes text(8, 'f');
  for (std::uint16_t i = 0; i < 8000; i += 2)
    scene.inject(forged_fragment(IpAddress::v4(10, 7, 7, 7), 1,
                                 static_cast<std::uint16_t>(8 + i * 8), true, text));
  EXPECT_GE(scene.counters().of(Verdict::fragment_refused), 4000u - 64);
}

}  // namespace
}  // namespace estab::attack
