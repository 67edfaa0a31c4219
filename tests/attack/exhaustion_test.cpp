// Attackers who open properly and then hold on: to memory, to places in tables, to time.
#include <memory>

#include "scene.h"

namespace estab::attack {
namespace {

Bytes request() {
  return Bytes(1000, 'r');
}

/// So many hosts, each with a connection of its own.
std::vector<std::unique_ptr<Mallory>> crowd(Scene& scene, std::size_t hosts,
                                            std::uint16_t window = 65535) {
  std::vector<std::unique_ptr<Mallory>> all;
  for (std::size_t i = 0; i < hosts; ++i)
    all.push_back(
        std::make_unique<Mallory>(scene, IpAddress::v4(0x0a100000 + static_cast<std::uint32_t>(i)),
                                  5000, Offer{.mss = 1460}, window));
  return all;
}

/// Gives each of the attackers' frames to the host it is for.
void distribute(Scene& scene, std::vector<std::unique_ptr<Mallory>>& hosts) {
  for (const Bytes& frame : scene.take_sent()) {
    const auto one = seen(frame);
    if (!one || one->segment.flags.rst()) continue;
    const std::uint32_t number = one->to.v4_number() - 0x0a100000;
    if (number >= hosts.size()) continue;
    Mallory& host = *hosts[number];
    // Each probe of the shut window is answered, as a living peer would.
    if (one->payload > 0) host.send(kAck);
  }
}

// "Sockstress": connections that ask for much, then say that they have no room for it, for ever.
TEST(ZeroWindow, HeldForEverCostsTheSendBufferAndEndsWithTheUserTimeout) {
  SceneOptions options;
  options.backlog = 1024;
  options.server.tcp.send_buffer = 64 << 10;
  options.server.tcp.user_timeout = 30s;
  Scene scene(options);
  const Bytes plenty(200'000, 'p');
  const auto give = [&](StreamId stream) {  // the application sends as much as it may
    if (scene.server().endpoints(stream)->remote_address == kClient) return false;
    (void)scene.server().send(scene.now(), stream, plenty);
    return true;
  };
  scene.instead_of_echo = give;
  const std::size_t empty = scene.server().memory();
  auto hosts = crowd(scene, 500);
  for (auto& host : hosts) {
    host->window = 0;
    host->send(kPsh, request());
  }
  scene.pass(10ms);
  const std::size_t held = scene.server().memory() - empty;
  EXPECT_LT(held, 500u * (options.server.tcp.send_buffer.most + (8 << 10)));
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  for (int second = 0; second < 40; ++second) {
    distribute(scene, hosts);
    scene.pass(1s);
  }
  // The application learns it from the failing send, and lets go.
  EXPECT_EQ(scene.server().census().streams, 0u);
  EXPECT_EQ(scene.streams().size(), 0u);
  figure(
      "zero window: 500 holders took %zu KiB each; all gone after the user timeout of 30 s, "
      "though they answered every probe",
      held / 500 >> 10);
}

TEST(ZeroWindow, WithoutAnAnswerEndsWithR2) {
  SceneOptions options;
  options.server.tcp.r2 = 100s;
  Scene scene(options);
  auto hosts = crowd(scene, 50);
  for (auto& host : hosts) {
    host->window = 0;
    host->send(kPsh, request());
  }
  scene.pass(10ms);
  EXPECT_EQ(scene.server().census().streams, 50u);
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  scene.pass(300s);
  EXPECT_EQ(scene.server().census().streams, 0u);
}

// Nobody can abort a connection that the application has let go of: the stack has to.
TEST(ZeroWindow, OfAConnectionTheApplicationHasLetGoEndsWithR2) {
  SceneOptions options;
  options.server.tcp.r2 = 100s;
  Scene scene(options);
  const Bytes plenty(50'000, 'p');
  scene.instead_of_echo = [&](StreamId stream) {
    if (scene.server().endpoints(stream)->remote_address == kClient) return false;
    (void)scene.server().send(scene.now(), stream, plenty);
    (void)scene.server().close(scene.now(), stream);
    return true;
  };
  auto hosts = crowd(scene, 50, 0);
  scene.pass(10ms);
  EXPECT_EQ(scene.server().census().streams, 50u);
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  for (int second = 0; second < 400; ++second) {
    distribute(scene, hosts);
    scene.pass(1s);
  }
  EXPECT_EQ(scene.server().census().streams, 0u);
  figure("zero window after close: 50 that answered every probe, all ended by R2");
}

TEST(SlowReader, CostsOneSendBuffer) {
  SceneOptions options;
  options.server.tcp.send_buffer = 128 << 10;
  Scene scene(options);
  const Bytes plenty(1 << 20, 'p');
  scene.instead_of_echo = [&](StreamId stream) {
    if (scene.server().endpoints(stream)->remote_address == kClient) return false;
    (void)scene.server().send(scene.now(), stream, plenty);
    return true;
  };
  const std::size_t empty = scene.server().memory();
  auto hosts = crowd(scene, 20, 1);  // an octet at a time
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    scene.pass(500ms);
    distribute(scene, hosts);
    most = std::max(most, scene.server().memory() - empty);
  }
  EXPECT_LT(most, 20u * (options.server.tcp.send_buffer.most + (8 << 10)) + (1 << 20));
  GoodClient good(scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  figure("slow readers: 20 that take an octet at a time hold %zu KiB each", most / 20 >> 10);
}

// The peer is gone, or says that it is not: what the server has let go of does not wait for a FIN.
TEST(FinWait2, EndsWithoutThePeersFin) {
  Scene scene;
  auto hosts = crowd(scene, 100);
  scene.instead_of_echo = [&](StreamId stream) {
    (void)scene.server().close(scene.now(), stream);
    return true;
  };
  scene.pass(10ms);
  for (const Bytes& frame : scene.take_sent()) {  // each FIN is acknowledged, and no more
    const auto one = seen(frame);
    if (!one || !one->segment.flags.fin()) continue;
    Mallory& host = *hosts[one->to.v4_number() - 0x0a100000];
    host.acknowledge = one->segment.seq.value() + 1;
    host.send(kAck);
  }
  EXPECT_EQ(scene.server().census().streams, 100u);
  scene.pass(61s);
  EXPECT_EQ(scene.server().census().streams, 0u);
}

TEST(Connections, BeyondTheLimitAreRefusedAndTheOthersGoOn) {
  SceneOptions options;
  options.backlog = 1000;
  options.server.limits.connections = 200;
  Scene scene(options);
  GoodClient good(scene, 500'000, 5'000);
  scene.pass(10ms);
  ASSERT_TRUE(good.connected());
  auto hosts = crowd(scene, 400);
  EXPECT_EQ(scene.server().census().streams, 200u);
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

TEST(AcceptQueue, FullIsNoReasonToForgetAClient) {
  SceneOptions options;
  options.backlog = 16;
  Scene scene(options);
  scene.accepting = false;  // the application is busy
  const std::size_t empty = scene.server().memory();
  auto hosts = crowd(scene, 2000);
  EXPECT_LE(scene.server().census().streams, 16u);
  EXPECT_LE(scene.server().census().syn_cache, 16u);
  EXPECT_LT(scene.server().memory() - empty, 1u << 20);
  GoodClient good(scene);
  scene.pass(1s);
  EXPECT_FALSE(good.done());
  scene.accepting = true;
  EXPECT_TRUE(good.finish(10s)) << good.story();
  figure(
      "accept queue: 2000 openings against a backlog of 16: %zu KiB; the good client, late, had "
      "its octets %.1f s after the application woke",
      (scene.server().memory() - empty) >> 10,
      static_cast<double>(good.whole_time().count()) / 1e9 - 1);
}

TEST(TimeWait, RecordsGiveWayWhenThereAreTooMany) {
  SceneOptions options;
  options.server.limits.time_wait = 500;
  Scene scene(options);
  scene.instead_of_echo = [&](StreamId stream) {
    if (scene.server().endpoints(stream)->remote_address == kClient) return false;
    (void)scene.server().close(scene.now(), stream);  // the server closes first, and waits
    return true;
  };
  GoodClient good(scene, 1'000'000, 2'000);
  for (int i = 0; i < 2000; ++i) {
    Mallory host(scene, IpAddress::v4(0x0a200000 + static_cast<std::uint32_t>(i)), 5000);
    scene.pass(100us);
    host.hear();
    host.send(kFin);
    scene.pass(100us);
    scene.take_sent();
  }
  EXPECT_EQ(scene.server().census().time_wait, 500u);
  EXPECT_EQ(scene.counters().time_wait_overflow, 1500u);
  EXPECT_TRUE(good.finish(10s)) << good.story();
}

}  // namespace
}  // namespace estab::attack
