#include "estab/sim/world.h"

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/when.h"

namespace estab::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 7;

Task<> serve_echo(Host& host) {
  TcpListener listener = host.listen(kPort).value();
  for (;;) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    std::vector<std::uint8_t> buffer(1 << 14);
    for (;;) {
      const auto got = co_await stream->read(buffer);
      if (!got || *got == 0) break;
      if (!co_await stream->write_all(Octets(buffer).first(*got))) break;
    }
    (void)stream->shutdown();
  }
}

Task<> ask(Host& host, IpAddress server, std::size_t size, std::size_t& answered) {
  const Endpoint remote{server, kPort};
  auto stream = co_await host.connect(remote);
  if (!stream) co_return;
  const std::vector<std::uint8_t> question(size, 'x');
  if (!co_await stream->write_all(question)) co_return;
  (void)stream->shutdown();
  std::vector<std::uint8_t> buffer(1 << 14);
  for (;;) {
    const auto got = co_await stream->read(buffer);
    if (!got || *got == 0) break;
    answered += *got;
  }
}

struct Result_ {
  std::size_t answered = 0;
  Instant end{};
  friend bool operator==(const Result_&, const Result_&) = default;
};

Result_ ask_over_a_bad_path(std::uint64_t seed) {
  World world(seed);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  world.connect("client", "server",
                {.rate_bits_per_second = 1'000'000, .delay = 80ms, .impairments = {.loss = 0.05}});
  Result_ result;
  server.spawn(serve_echo(server), TaskKind::background);
  client.spawn(ask(client, world.address("server"), 50'000, result.answered));
  EXPECT_TRUE(world.run(1h));
  result.end = world.now();
  return result;
}

TEST(World, RunsCoroutinesOverABadPathInVirtualTime) {
  const Result_ result = ask_over_a_bad_path(7);
  EXPECT_EQ(result.answered, 50'000u);
  EXPECT_GT(result.end, Instant(Duration(800ms)));  // twice 50 KB at 1 Mbit/s
  EXPECT_EQ(result, ask_over_a_bad_path(7));
  EXPECT_NE(result.end, ask_over_a_bad_path(8).end);
}

TEST(World, LetsTimeoutsPassWithoutWaiting) {
  World world;
  Host& client = world.add_host("client");
  world.add_host("server");
  world.connect("client", "server", {.impairments = {.loss = 1}});
  Error error{};
  const Endpoint remote{world.address("server"), kPort};
  auto tries = [&]() -> Task<> {
    const auto stream = co_await client.connect(remote, 30s);
    if (!stream) error = stream.error();
  };
  client.spawn(tries());
  EXPECT_TRUE(world.run());
  EXPECT_EQ(error, Error::connect_timed_out);
  EXPECT_EQ(world.now(), Instant(Duration(30s)));
}

TEST(World, GivesTheOthersTheirTurnsWhileOneHostWaits) {
  World world;
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  world.connect("client", "server", {.delay = 20ms});
  server.spawn(serve_echo(server), TaskKind::background);
  const Endpoint remote{world.address("server"), kPort};
  auto stream = block_on(client.connect(remote));
  ASSERT_TRUE(stream);
  EXPECT_EQ(world.now(), Instant(Duration(40ms)));
  EXPECT_EQ(block_on(stream->write(as_octets("hello"))), 5u);
  std::array<std::uint8_t, 16> buffer;
  EXPECT_EQ(block_on(stream->read(buffer)), 5u);
  EXPECT_EQ(world.now(), Instant(Duration(80ms)));
}

TEST(World, TellsWhoWaitsForWhatNobodyWillDo) {
  World world;
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  world.connect("client", "server", {});
  server.spawn(serve_echo(server), TaskKind::background);
  const Endpoint remote{world.address("server"), kPort};
  auto stream = block_on(client.connect(remote));
  ASSERT_TRUE(stream);
  std::array<std::uint8_t, 16> buffer;
  EXPECT_THROW(static_cast<void>(block_on(stream->read(buffer))), std::logic_error);
}

TEST(World, SaysThatNothingWillHappenAnyMore) {
  World world;
  Host& server = world.add_host("server");
  world.add_host("client");
  world.connect("client", "server", {});
  server.spawn(serve_echo(server));  // and nobody asks
  EXPECT_FALSE(world.run());
  EXPECT_EQ(server.tasks(), 1u);
}

TEST(World, PassesOnWhatATaskThrows) {
  World world;
  Host& host = world.add_host("host");
  auto throws = [&]() -> Task<> {
    co_await host.sleep(1s);
    throw std::runtime_error("as planned");
  };
  host.spawn(throws());
  EXPECT_THROW(world.run(), std::runtime_error);
}

TEST(World, RefusesNamesItDoesNotKnowAndASecondLink) {
  World world;
  world.add_host("a");
  world.add_host("b");
  world.add_host("c");
  EXPECT_THROW(world.connect("a", "x", {}), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(world.address("x")), std::invalid_argument);
  world.connect("a", "b", {});
  EXPECT_THROW(world.connect("a", "c", {}), std::invalid_argument);
}

}  // namespace
}  // namespace estab::sim
