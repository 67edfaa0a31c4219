#include "estab/simulation.h"

#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace estab {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 80;

/// A connection from a to b, open at both ends.
struct Opened {
  explicit Opened(Simulation& world, const IpAddress& to = Simulation::address_v4(Side::b)) {
    const auto listener = world.b().listen({.local = {to, kPort}});
    EXPECT_TRUE(listener);
    client = *world.a().connect(world.now(), {.remote = {to, kPort}});
    const bool accepted = world.run_until(
        [&] {
          const auto stream = world.b().accept(world.now(), *listener);
          if (stream) server = *stream;
          return stream.has_value();
        },
        60s);
    EXPECT_TRUE(accepted);
  }
  StreamId client, server;
};

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return octets;
}

/// Sends all of `data` from a to b and gives back what arrived by the end of the stream.
std::vector<std::uint8_t> transfer(Simulation& world, const Opened& streams, Octets data) {
  std::vector<std::uint8_t> received, room(65536);
  std::size_t sent = 0;
  bool ended = false;
  world.run_until(
      [&] {
        if (sent < data.size())
          sent += world.a().send(world.now(), streams.client, data.subspan(sent)).value_or(0);
        if (sent == data.size()) (void)world.a().shutdown(world.now(), streams.client);
        while (const auto count = world.b().recv(world.now(), streams.server, room))
          received.insert(received.end(), room.begin(), room.begin() + static_cast<long>(*count));
        ended = world.b().at_end(streams.server);
        return ended;
      },
      1h);
  EXPECT_TRUE(ended);
  return received;
}

TEST(Simulation, HasNothingLeftToHappenAtTheStart) {
  Simulation world;
  EXPECT_FALSE(world.step());
  EXPECT_EQ(world.now(), Instant{});
  EXPECT_EQ(world.next_deadline(), kNever);
}

TEST(Simulation, LetsTimePassWhenAsked) {
  Simulation world;
  world.run_for(3h);
  EXPECT_EQ(world.now(), Instant(3h));
}

TEST(Simulation, SaysWhetherTheConditionHeldInTime) {
  Simulation world;
  EXPECT_TRUE(world.run_until([] { return true; }, 0s));
  EXPECT_FALSE(world.run_until([] { return false; }, 10s));
  EXPECT_EQ(world.now(), Instant{}) << "nothing was to come: no time need pass";
}

TEST(Simulation, OpensAConnectionInOneAndAHalfRoundTrips) {
  SimulationConfig config;
  config.link.both_ways.delay = 30ms;
  Simulation world(config);
  const Opened streams(world);
  EXPECT_EQ(world.now(), Instant(90ms));
  EXPECT_EQ(world.a().state(streams.client), State::established);
  EXPECT_EQ(world.b().state(streams.server), State::established);
}

TEST(Simulation, SpeaksBothFamilies) {
  Simulation world;
  const Opened streams(world, Simulation::address_v6(Side::b));
  const auto data = pattern(10'000);
  EXPECT_EQ(transfer(world, streams, data), data);
}

TEST(Simulation, StopsAtItsLimit) {
  SimulationConfig config;
  config.link.both_ways.loss = 1;
  Simulation world(config);
  ASSERT_TRUE(world.a().connect(world.now(), {.remote = {Simulation::address_v4(Side::b), kPort}}));
  EXPECT_FALSE(world.run_until([] { return false; }, 10s));
  EXPECT_EQ(world.now(), Instant(10s));
}

TEST(Simulation, PassesSuperSegmentsWhereTheInterfacesAllowThem) {
  SimulationConfig config;
  for (auto* end : {&config.a, &config.b}) {
    end->interface.checksum_offload = true;
    end->interface.segmentation_v4 = true;
    end->interface.segmentation_v6 = true;
  }
  Simulation world(config);
  const auto data = pattern(1'000'000);
  EXPECT_EQ(transfer(world, Opened(world), data), data);
  EXPECT_GT(world.link().counters(Side::a).super_segments, 10u);
  EXPECT_LT(world.link().counters(Side::a).frames, 200u);
}

SimulationConfig rough(std::uint64_t seed) {
  SimulationConfig config;
  config.link = {.seed = seed,
                 .both_ways = {.loss = 0.02,
                               .duplicate = 0.02,
                               .reorder = 0.02,
                               .corrupt = 0.02,
                               .delay = 5ms,
                               .jitter = 2ms}};
  return config;
}

TEST(Simulation, DeliversAStreamOverARoughLink) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Simulation world(rough(seed));
    const auto data = pattern(300'000);
    EXPECT_EQ(transfer(world, Opened(world), data), data) << "seed " << seed;
    EXPECT_GT(world.link().counters(Side::a).lost, 0u);
  }
}

TEST(Simulation, HappensTheSameWayAgainFromTheSameSeeds) {
  Simulation one(rough(7)), two(rough(7));
  const auto data = pattern(100'000);
  transfer(one, Opened(one), data);
  transfer(two, Opened(two), data);
  EXPECT_EQ(one.now(), two.now());
  EXPECT_EQ(one, two);
}

TEST(Simulation, HasCopiesThatGoTheSameWayAndTheirOwn) {
  Simulation world(rough(3));
  const Opened streams(world);
  const auto data = pattern(200'000);
  (void)world.a().send(world.now(), streams.client, data);
  world.run_for(20ms);
  ASSERT_GT(world.link().frames_in_flight(), 0u);

  Simulation copy = world;
  EXPECT_EQ(copy, world);
  copy.run_for(1s);
  EXPECT_NE(copy, world);
  world.run_for(1s);
  EXPECT_EQ(copy, world);
}

}  // namespace
}  // namespace estab
