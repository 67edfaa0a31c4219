#include "estab/memory_link.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/stack.h"

#include "tests/support/frames.h"

namespace estab {
namespace {

using namespace std::chrono_literals;

const IpAddress kA = IpAddress::v4(10, 0, 0, 1), kB = IpAddress::v4(10, 0, 0, 2);
constexpr std::uint16_t kPort = 7000;

/// Two stacks with a datagram port each.
struct Pair {
  explicit Pair(const MemoryLinkConfig& config = {}, const InterfaceConfig& interface = {})
      : link(config),
        interface_a(a.add_interface(interface)),
        interface_b(b.add_interface(interface)) {
    EXPECT_TRUE(a.add_address(interface_a, {kA, 24}));
    EXPECT_TRUE(b.add_address(interface_b, {kB, 24}));
    port_a = *a.bind_datagram({kA, kPort});
    port_b = *b.bind_datagram({kB, kPort});
  }
  bool pump(Duration time) { return link.pump(Instant(time), {a, interface_a}, {b, interface_b}); }
  void send(Duration time, std::string_view text) {
    EXPECT_TRUE(a.send_datagram(Instant(time), port_a, {kB, kPort}, as_octets(text)));
  }
  /// What has reached b, in order.
  std::vector<std::string> received() {
    std::vector<std::string> texts;
    std::array<std::uint8_t, 2000> room;
    while (const auto datagram = b.recv_datagram(port_b, room))
      texts.emplace_back(as_text(Octets(room).first(datagram->length)));
    return texts;
  }

  Stack a, b;
  MemoryLink link;
  InterfaceId interface_a, interface_b;
  DatagramId port_a, port_b;
};

using Texts = std::vector<std::string>;

TEST(MemoryLink, CarriesFramesAtOnceWhenNothingImpairsThem) {
  Pair pair;
  pair.send(0s, "one");
  pair.send(0s, "two");
  EXPECT_TRUE(pair.pump(0s));
  EXPECT_EQ(pair.received(), (Texts{"one", "two"}));
  EXPECT_FALSE(pair.pump(0s));
  EXPECT_EQ(pair.link.next_deadline(), kNever);
  EXPECT_EQ(pair.link.counters(Side::a).frames, 2u);
  EXPECT_EQ(pair.link.counters(Side::a).delivered, 2u);
  EXPECT_EQ(pair.link.counters(Side::a).octets, 2u * (28 + 3));
  EXPECT_EQ(pair.link.counters(Side::b).frames, 0u);
}

TEST(MemoryLink, KeepsAFrameUntilItsDelayIsOver) {
  Pair pair({.both_ways = {.delay = 30ms}});
  pair.send(5ms, "late");
  EXPECT_TRUE(pair.pump(5ms));
  EXPECT_EQ(pair.received(), Texts{});
  EXPECT_EQ(pair.link.next_deadline(), Instant(35ms));
  EXPECT_EQ(pair.link.frames_in_flight(), 1u);
  EXPECT_TRUE(pair.pump(35ms));
  EXPECT_EQ(pair.received(), Texts{"late"});
}

TEST(MemoryLink, HasImpairmentsOfItsOwnEachWay) {
  Pair pair({.from_a = Impairments{.loss = 1}});
  pair.send(0s, "lost");
  EXPECT_TRUE(pair.b.send_datagram(Instant(0s), pair.port_b, {kA, kPort}, as_octets("found")));
  while (pair.pump(0s)) {
  }
  EXPECT_EQ(pair.received(), Texts{});
  EXPECT_EQ(pair.link.counters(Side::a).lost, 1u);
  std::array<std::uint8_t, 100> room;
  EXPECT_TRUE(pair.a.recv_datagram(pair.port_a, room));
  pair.link.set_impairments(Side::a, {});
  pair.send(0s, "not lost");
  pair.pump(0s);
  EXPECT_EQ(pair.received(), Texts{"not lost"});
}

TEST(MemoryLink, GivesADamagedFrameToAStackThatNoticesIt) {
  Pair pair({.seed = 11, .both_ways = {.corrupt = 1}});
  for (int i = 0; i < 200; ++i) pair.send(0s, "precious");
  while (pair.pump(0s)) {
  }
  EXPECT_EQ(pair.received(), Texts{});
  EXPECT_EQ(pair.link.counters(Side::a).corrupted, 200u);
  EXPECT_EQ(pair.link.counters(Side::a).delivered, 200u);
}

/// Puts a datagram into the link whose checksum is left to it.
void send_unsummed(Pair& pair, Duration time, std::string_view text) {
  pair.link.send(
      Instant(time), Side::a,
      test::udp_frame({kA, kPort}, {kB, kPort}, as_octets(text), test::Checksums::partial),
      {pair.b, pair.interface_b});
}

TEST(MemoryLink, VouchesForAChecksumLeftToItUnlessItDamagedTheFrame) {
  Pair pair;
  send_unsummed(pair, 0s, "at once");
  EXPECT_EQ(pair.received(), Texts{"at once"});
  pair.link.set_impairments(Side::a, {.delay = 1ms});
  send_unsummed(pair, 0s, "by and by");
  EXPECT_TRUE(pair.link.deliver(Instant(1ms), Side::b, {pair.b, pair.interface_b}));
  EXPECT_EQ(pair.received(), Texts{"by and by"});
  pair.link.set_impairments(Side::a, {.corrupt = 1});
  for (int i = 0; i < 100; ++i) send_unsummed(pair, 1ms, "damaged");
  EXPECT_TRUE(pair.link.deliver(Instant(1ms), Side::b, {pair.b, pair.interface_b}));
  EXPECT_EQ(pair.received(), Texts{});
}

TEST(MemoryLink, LetsAFilterDecide) {
  Pair pair;
  int seen = 0;
  pair.link.set_filter([&seen](Instant, Side from, const TransmitFrame&) {
    EXPECT_EQ(from, Side::a);
    constexpr std::array kFates = {FrameFate::deliver, FrameFate::lose, FrameFate::duplicate,
                                   FrameFate::reorder, FrameFate::by_chance};
    return kFates[static_cast<std::size_t>(seen++)];
  });
  for (const char* text : {"delivered", "lost", "twice", "later", "chance"}) pair.send(0s, text);
  while (pair.pump(0s)) {
  }
  EXPECT_EQ(pair.received(), (Texts{"delivered", "twice", "twice", "chance"}));
  pair.pump(2ms);
  EXPECT_EQ(pair.received(), Texts{"later"});
}

TEST(MemoryLink, LosesFramesForAnInterfaceThatIsNotOnIt) {
  Pair pair;
  const InterfaceId elsewhere = pair.a.add_interface({});
  ASSERT_TRUE(pair.a.add_address(elsewhere, {IpAddress::v4(10, 9, 0, 1), 24}));
  const auto port = pair.a.bind_datagram({IpAddress::v4(10, 9, 0, 1), 1});
  ASSERT_TRUE(pair.a.send_datagram(Instant{}, *port, {IpAddress::v4(10, 9, 0, 2), 2}, {}));
  EXPECT_TRUE(pair.pump(0s));
  EXPECT_EQ(pair.link.counters(Side::a).lost, 1u);
}

/// Writes down what it sees, flattened.
struct Notebook final : FrameTap {
  void on_frame(Instant now, const TappedFrame& frame) override {
    times.push_back(now);
    directions.push_back(frame.direction);
    auto& copy = frames.emplace_back();
    for (const Octets piece : frame.pieces) copy.insert(copy.end(), piece.begin(), piece.end());
  }
  std::vector<Instant> times;
  std::vector<FrameDirection> directions;
  std::vector<std::vector<std::uint8_t>> frames;
};

TEST(MemoryLink, ShowsEachSideWhatItSendsAndWhatItGets) {
  Pair pair({.both_ways = {.delay = 3ms}});
  Notebook at_a, at_b;
  pair.link.set_tap(Side::a, &at_a);
  pair.link.set_tap(Side::b, &at_b);
  pair.send(0s, "watched");
  pair.pump(0s);
  pair.pump(3ms);
  EXPECT_EQ(at_a.directions, std::vector{FrameDirection::sent});
  EXPECT_EQ(at_b.directions, std::vector{FrameDirection::received});
  EXPECT_EQ(at_b.times, std::vector{Instant(3ms)});
  EXPECT_EQ(at_a.frames, at_b.frames);
  EXPECT_TRUE(as_text(at_a.frames.at(0)).ends_with("watched"));
}

constexpr MemoryLinkConfig kRough{.seed = 99,
                                  .both_ways = {.loss = 0.1,
                                                .duplicate = 0.1,
                                                .reorder = 0.1,
                                                .corrupt = 0.1,
                                                .delay = 5ms,
                                                .jitter = 4ms}};

Texts run_rough(Pair& pair) {
  Texts all;
  for (int i = 0; i < 300; ++i) {
    pair.send(1ms * i, std::to_string(i));
    while (pair.pump(1ms * i)) {
    }
    for (std::string& text : pair.received()) all.push_back(std::move(text));
  }
  return all;
}

TEST(MemoryLink, DoesTheSameAgainWithTheSameSeed) {
  Pair one(kRough), two(kRough);
  Notebook first, second;
  one.link.set_tap(Side::b, &first);
  two.link.set_tap(Side::b, &second);
  EXPECT_EQ(run_rough(one), run_rough(two));
  EXPECT_GT(first.frames.size(), 200u);
  EXPECT_EQ(first.frames, second.frames);
  EXPECT_EQ(first.times, second.times);
  EXPECT_EQ(one.link.counters(Side::a), two.link.counters(Side::a));
  EXPECT_EQ(one.link, two.link);
}

TEST(MemoryLink, IsCopiedWithItsFramesAndItsLuck) {
  Pair original(kRough);
  run_rough(original);
  ASSERT_GT(original.link.frames_in_flight(), 0u);
  Pair copy = original;
  EXPECT_EQ(copy.link, original.link);
  EXPECT_EQ(copy.a, original.a);
  EXPECT_EQ(run_rough(copy), run_rough(original));
  EXPECT_EQ(copy.link, original.link);
  copy.send(1h, "one more");
  copy.pump(1h);
  EXPECT_NE(copy.link, original.link);
}

}  // namespace
}  // namespace estab
