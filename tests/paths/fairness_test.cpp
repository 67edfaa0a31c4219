// Two flows over one bottleneck: what each gets once both are there.
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "estab/sim/network.h"

#include "properties/draw.h"

namespace estab::paths {
namespace {

using namespace std::chrono_literals;

/// Sends and reads as fast as may be, from `begin` on.
struct Bulk {
  sim::NodeId from, to;
  Instant begin;
  ListenerId listener{};
  StreamId stream{}, accepted{};
  std::uint64_t octets = 0;

  void work(sim::Network& network) {
    if (network.now() < begin) return;
    if (!stream) {
      const Endpoint remote{network.address(to), 9};
      listener = network.stack(to).listen({.local = remote}).value();
      stream = network.stack(from).connect(network.now(), {.remote = remote}).value();
    }
    static std::array<std::uint8_t, 1 << 14> block;
    while (network.stack(from).send(network.now(), stream, block).value_or(0) > 0) {
    }
    if (!accepted) {
      if (auto made = network.stack(to).accept(network.now(), listener)) accepted = *made;
    }
    while (accepted) {
      const auto got = network.stack(to).recv(network.now(), accepted, block);
      if (!got || *got == 0) return;
      octets += *got;
    }
  }
};

/// The share of the flow that began first, from 10 to 70 seconds after the second began.
double share_of_first(std::uint64_t seed, CongestionControl cc) {
  properties::Draw draw(seed);
  sim::Network network(seed);
  StackConfig config;
  config.tcp.congestion_control = cc;
  const sim::LinkConfig bottleneck{.rate_bits_per_second = 20'000'000,
                                   .delay = 20ms,
                                   .queue = {.octets = 100'000}};  // one bandwidth-delay product
  sim::LinkConfig back = bottleneck;
  back.queue = {};
  const sim::Dumbbell shape = sim::make_dumbbell(network, {.pairs = 2,
                                                           .to_servers = bottleneck,
                                                           .to_clients = back,
                                                           .client = config,
                                                           .server = config});
  const Duration apart = draw.duration(1ms, 10s);
  std::vector<Bulk> flows{{shape.clients[0], shape.servers[0], network.now()},
                          {shape.clients[1], shape.servers[1], network.now() + apart}};
  const auto run = [&](Duration time) {
    network.run_until(
        [&] {
          for (Bulk& flow : flows) flow.work(network);
          return false;
        },
        time);
  };
  run(apart + 1us);
  run(10s);
  for (Bulk& flow : flows) flow.octets = 0;
  run(60s);
  return static_cast<double>(flows[0].octets) /
         static_cast<double>(flows[0].octets + flows[1].octets);
}

// Jain's index of two shares.
double jain(double share) {
  return 1 / (2 * (share * share + (1 - share) * (1 - share)));
}

TEST(Fairness, OfTwoCubicFlowsIsEqualInTheMean) {
  constexpr int kSeeds = 12;
  double sum = 0, least_jain = 1;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const double share = share_of_first(seed, CongestionControl::cubic);
    sum += share;
    least_jain = std::min(least_jain, jain(share));
    RecordProperty("seed" + std::to_string(seed), std::to_string(share));
  }
  EXPECT_GT(sum / kSeeds, 0.45);
  EXPECT_LT(sum / kSeeds, 0.55);
  EXPECT_GT(least_jain, 0.8);
}

}  // namespace
}  // namespace estab::paths
