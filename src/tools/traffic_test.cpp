#include "tools/traffic.h"

#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab::tools {
namespace {

using host::test::kServer;
using host::test::Pair;

// Both ends of one connection, each with its own kind of traffic.
struct Both {
  Both(TrafficKind ours, std::optional<std::uint64_t> our_octets, TrafficKind theirs,
       std::optional<std::uint64_t> their_octets = {})
      : client(pair.client, ours, our_octets), server(pair.server, theirs, their_octets) {
    server.serve(*pair.server.listen(kServer.port));
    pair.client.spawn(open());
  }
  Task<> open() {
    auto stream = co_await pair.client.connect(kServer);
    if (stream) client.take(*std::move(stream));
  }
  void run() {
    pair.run_until([&] { return pair.client.tasks() == 0 && pair.server.tasks() == 1; });
  }
  Pair pair;
  Traffic client, server;
};

TEST(Traffic, ASinkTakesAllASourceGives) {
  Both both(TrafficKind::source, 5'000'000, TrafficKind::sink);
  both.run();
  EXPECT_EQ(both.client.totals().sent_octets, 5'000'000u);
  EXPECT_EQ(both.server.totals().received_octets, 5'000'000u);
  EXPECT_EQ(both.server.totals().connections, 1u);
  EXPECT_EQ(both.server.totals().failed + both.client.totals().failed, 0u);
}

TEST(Traffic, AnEchoGivesBackWhatItGot) {
  Both both(TrafficKind::source, 1'000'000, TrafficKind::echo);
  both.run();
  EXPECT_EQ(both.client.totals().received_octets, 1'000'000u);
  EXPECT_EQ(both.server.totals().sent_octets, 1'000'000u);
}

TEST(Traffic, TwoSourcesFillBothDirectionsAtOnce) {
  Both both(TrafficKind::source, 2'000'000, TrafficKind::source, 1'000'000);
  both.run();
  EXPECT_EQ(both.client.totals().received_octets, 1'000'000u);
  EXPECT_EQ(both.server.totals().received_octets, 2'000'000u);
}

TEST(Traffic, ASourceWithoutEndGoesOnUntilThePeerResets) {
  Both both(TrafficKind::sink, {}, TrafficKind::source);
  both.pair.run_until([&] { return both.client.totals().received_octets > 3'000'000; });
  both.client.abort();
  both.run();
  EXPECT_EQ(both.server.totals().failed, 0u);
}

TEST(Traffic, AResetIsAFailureOfASink) {
  Both both(TrafficKind::source, {}, TrafficKind::sink);
  both.pair.run_until([&] { return both.server.totals().received_octets > 100'000; });
  both.client.abort();
  both.run();
  EXPECT_EQ(both.server.totals().failed, 1u);
  EXPECT_EQ(both.server.totals().last_error, Error::connection_reset);
}

TEST(Traffic, StopsInGoodOrder) {
  Both both(TrafficKind::sink, {}, TrafficKind::source);
  both.pair.run_until([&] { return both.client.totals().received_octets > 1'000'000; });
  both.server.stop(std::chrono::hours(1));
  both.pair.run_until([&] { return both.pair.client.tasks() == 0; });
  EXPECT_EQ(both.client.totals().failed, 0u);
  EXPECT_EQ(both.client.totals().received_octets, both.server.totals().sent_octets);
}

}  // namespace
}  // namespace estab::tools
