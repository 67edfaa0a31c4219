// Attackers whose segments are dear to hold or to sort: holes, single octets, overlaps.
#include <algorithm>
#include <chrono>

#include "scene.h"

namespace estab::attack {
namespace {

const Offer kWithSack{.mss = 1460, .sack_permitted = true};

struct Cost {
  std::size_t memory = 0;
  double nanoseconds = 0;  // a segment
};

/// Sends `count` segments of one octet each at the places `place(i)` says, and measures.
template <class Place>
Cost send_octets(Scene& scene, Mallory& host, std::uint32_t count, Place&& place) {
  const std::size_t before = scene.server().memory();
  std::size_t most = before;
  const Bytes octet(1, 'x');
  std::vector<Bytes> frames;
  for (std::uint32_t i = 0; i < count; ++i) {
    Segment segment;
    segment.seq = SeqNum(host.next + place(i));
    segment.ack = SeqNum(host.acknowledge);
    segment.flags = kAck;
    segment.window = 65535;
    segment.payload = octet;
    frames.push_back(forged(host.here(), {kServer, kEcho}, segment));
  }
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    scene.inject(frames[i]);
    if (i % 64 == 0) scene.pass(10us);
    if (i % 1024 == 0) most = std::max(most, scene.server().memory());
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  return {std::max(most, scene.server().memory()) - before, took.count() / count};
}

void expect_bounded(Scene& scene, const char* what, Cost cost) {
  const std::uint32_t buffer =
      std::min<std::uint32_t>(scene.server().config().tcp.receive_buffer.most, 1 << 20);
  EXPECT_LT(cost.memory, 2 * buffer + (1 << 20)) << what;
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << what << ": " << good.story();
  figure("%s: memory %zu KiB, %.0f ns a segment", what, cost.memory >> 10, cost.nanoseconds);
}

TEST(OctetsWithHoles, InOrderAreHeldUpToTheLimit) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  scene.count_only();
  const Cost cost = send_octets(scene, host, 30'000, [](std::uint32_t i) { return 1 + 2 * i; });
  EXPECT_GT(scene.counters().out_of_order_refused, 0u);
  expect_bounded(scene, "every second octet, upwards", cost);
}

TEST(OctetsWithHoles, BackwardsAreHeldUpToTheLimit) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  scene.count_only();
  const Cost cost =
      send_octets(scene, host, 30'000, [](std::uint32_t i) { return 60'001 - 2 * i; });
  expect_bounded(scene, "every second octet, downwards", cost);
}

TEST(OctetsWithHoles, InNoOrderAreHeldUpToTheLimit) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  scene.count_only();
  const Cost cost =
      send_octets(scene, host, 60'000, [](std::uint32_t i) { return 1 + i * 40'503u % 60'000; });
  expect_bounded(scene, "single octets in no order", cost);
}

TEST(OctetsWithHoles, AreLimitedByNumberToo) {
  SceneOptions options;
  options.server.limits.out_of_order_pieces = 100;
  Scene scene(options);
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  scene.count_only();
  const Cost cost = send_octets(scene, host, 10'000, [](std::uint32_t i) { return 1 + 2 * i; });
  EXPECT_EQ(scene.counters().out_of_order_refused, 9'900u);
  EXPECT_LT(cost.memory, 400u << 10);
}

// Once the first hole is filled all must come together, however many pieces there are.
TEST(OctetsWithHoles, FilledAtLastAreReadInOrder) {
  Scene scene;
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  send_octets(scene, host, 500, [](std::uint32_t i) { return 1 + 2 * i; });
  send_octets(scene, host, 500, [](std::uint32_t i) { return 2 * i; });
  scene.pass(1s);
  host.hear();
  EXPECT_EQ(host.octets_heard, 1000u);
}

TEST(TinySegments, InOrderAreGatheredInFewBlocks) {
  Scene scene;
  scene.instead_of_echo = [](StreamId) { return true; };  // nobody reads
  Mallory host(scene, IpAddress::v4(10, 9, 9, 9), 5000, kWithSack);
  scene.count_only();
  const Cost cost = send_octets(scene, host, 60'000, [](std::uint32_t i) { return i; });
  EXPECT_LT(cost.memory, 300u << 10);
  figure("60,000 segments of one octet, unread: memory %zu KiB, %.0f ns a segment",
         cost.memory >> 10, cost.nanoseconds);
}

}  // namespace
}  // namespace estab::attack
