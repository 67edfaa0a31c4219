#include "estab/sim/network.h"

#include <vector>

#include <gtest/gtest.h>

namespace estab::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 80;

/// One transfer of `octets` from client to server, and how long it takes until all is read.
struct Transfer {
  NodeId from, to;
  std::uint64_t octets = 0;
  StreamId stream{}, accepted{};
  ListenerId listener{};
  std::uint64_t sent = 0, received = 0;

  void begin(Network& network, Family family = Family::ipv4) {
    listener = network.stack(to).listen({.local = {network.address(to, family), kPort}}).value();
    stream = network.stack(from)
                 .connect(network.now(), {.remote = {network.address(to, family), kPort}})
                 .value();
  }
  bool work(Network& network) {
    const std::vector<std::uint8_t> block(1 << 16, 7);
    while (sent < octets) {
      const std::size_t size = std::min<std::uint64_t>(block.size(), octets - sent);
      const auto taken = network.stack(from).send(network.now(), stream, Octets(block).first(size));
      if (!taken) break;
      sent += *taken;
    }
    if (!accepted) {
      if (auto made = network.stack(to).accept(network.now(), listener)) accepted = *made;
    }
    std::vector<std::uint8_t> into(1 << 16);
    while (accepted) {
      const auto got = network.stack(to).recv(network.now(), accepted, into);
      if (!got || *got == 0) break;
      received += *got;
    }
    return received == octets;
  }
  bool run(Network& network, Duration limit) {
    return network.run_until([&] { return work(network); }, limit);
  }
};

TEST(Network, CarriesATransferAtTheRateOfItsLink) {
  Network network(1);
  const NodeId client = network.add_host("client"), server = network.add_host("server");
  network.connect(client, server, {.rate_bits_per_second = 100'000'000, .delay = 5ms});
  Transfer transfer{client, server, 10'000'000};
  transfer.begin(network);
  ASSERT_TRUE(transfer.run(network, 60s));
  // 10 MB are 0.8 s of the line, headers make it 0.83.
  EXPECT_GT(network.now(), Instant(Duration(800ms)));
  EXPECT_LT(network.now(), Instant(Duration(1s)));
}

TEST(Network, RoutesThroughAChainInBothFamilies) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    Network network(1);
    const LinkConfig link{.delay = 1ms};
    const Chain chain = make_chain(network, {link, link, link});
    Transfer transfer{chain.client, chain.server, 100'000};
    transfer.begin(network, family);
    EXPECT_TRUE(transfer.run(network, 5s));
    EXPECT_EQ(network.packets_without_way(), 0u);
  }
}

TEST(Network, TellsTheSenderOfANarrowLinkOnTheWay) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    Network network(1);
    const Chain chain =
        make_chain(network, {{.delay = 1ms}, {.delay = 1ms, .mtu = 1300}, {.delay = 1ms}});
    Transfer transfer{chain.client, chain.server, 100'000};
    transfer.begin(network, family);
    EXPECT_TRUE(transfer.run(network, 10s));
    EXPECT_GT(network.packets_without_way(), 0u);
    EXPECT_EQ(network.stack(chain.client).info(transfer.stream)->pmtu, 1300u);
  }
}

TEST(Network, SharesABottleneckAmongTheFlowsOfADumbbell) {
  Network network(3);
  const LinkConfig bottleneck{
      .rate_bits_per_second = 50'000'000, .delay = 10ms, .queue = {.packets = 100}};
  const Dumbbell shape = make_dumbbell(
      network, {.pairs = 4, .to_servers = bottleneck, .to_clients = bottleneck, .access = {}});
  std::vector<Transfer> transfers;
  for (std::size_t i = 0; i < 4; ++i) {
    transfers.push_back({shape.clients[i], shape.servers[i], 1'000'000});
    transfers.back().begin(network);
  }
  const bool all = network.run_until(
      [&] {
        bool done = true;
        for (Transfer& transfer : transfers) done &= transfer.work(network);
        return done;
      },
      120s);
  EXPECT_TRUE(all);
  EXPECT_GT(network.counters(shape.bottleneck, shape.left).delivered, 2700u);
  EXPECT_LE(network.counters(shape.bottleneck, shape.left).most_waiting, 100u);
}

/// When the transfer over a bad path is through.
Instant end_of_bad_transfer(std::uint64_t seed) {
  Network network(seed);
  const NodeId client = network.add_host("client"), server = network.add_host("server");
  network.connect(
      client, server,
      {.rate_bits_per_second = 20'000'000,
       .delay = 15ms,
       .impairments = {.loss = 0.02, .duplicate = 0.01, .corrupt = 0.01, .reorder = 0.02}});
  Transfer transfer{client, server, 300'000};
  transfer.begin(network);
  EXPECT_TRUE(transfer.run(network, 600s));
  return network.now();
}

TEST(Network, FollowsFromItsSeed) {
  EXPECT_EQ(end_of_bad_transfer(5), end_of_bad_transfer(5));
  EXPECT_NE(end_of_bad_transfer(5), end_of_bad_transfer(6));
}

TEST(Network, IsAValueAndACopyGoesTheSameWay) {
  Network network(2);
  const NodeId client = network.add_host("client"), server = network.add_host("server");
  network.connect(
      client, server,
      {.rate_bits_per_second = 10'000'000, .delay = 15ms, .impairments = {.loss = 0.03}});
  Transfer transfer{client, server, 200'000};
  transfer.begin(network);
  network.run_until([&] { return transfer.work(network) || transfer.received > 50'000; }, 60s);
  Network copy = network;
  Transfer same = transfer;
  EXPECT_TRUE(transfer.run(network, 600s));
  EXPECT_TRUE(same.run(copy, 600s));
  EXPECT_EQ(copy.now(), network.now());
}

TEST(Network, LeavesTimeWhereItIsIfNothingIsToCome) {
  Network network(1);
  const NodeId lonely = network.add_host("lonely");
  network.connect(lonely, network.add_host("other"), {});
  EXPECT_EQ(network.next_deadline(), kNever);
  EXPECT_FALSE(network.run_until([] { return false; }, 1h));
  EXPECT_EQ(network.now(), Instant{});
  network.run_for(1h);
  EXPECT_EQ(network.now(), Instant(Duration(1h)));
}

}  // namespace
}  // namespace estab::sim
