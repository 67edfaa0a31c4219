// Buffers that grow (tcp/buffer_growth.h, tcp/receive/right_sizing.h), between two simulated hosts.

#include <vector>

#include <gtest/gtest.h>

#include "estab/sim/network.h"

namespace estab::sim {
namespace {

using namespace std::chrono_literals;

/// A sender with no end of octets, and a receiver that reads `appetite` octets at most in each
/// millisecond.
struct Feed {
  explicit Feed(const LinkConfig& path, const StackConfig& sending = {},
                const StackConfig& receiving = {})
      : from(network.add_host("from", sending)), to(network.add_host("to", receiving)) {
    network.connect(from, to, path);
    const Endpoint remote{network.address(to), 9};
    listener = network.stack(to).listen({.local = remote}).value();
    stream = network.stack(from).connect(network.now(), {.remote = remote}).value();
  }

  void run(Duration time, std::size_t appetite = 1 << 30) {
    const Instant end = network.now() + time;
    while (network.now() < end) {
      network.run_to(network.now() + 1ms);
      write();
      if (!accepted) {
        if (auto made = network.stack(to).accept(network.now(), listener)) accepted = *made;
      }
      if (accepted) read(appetite);
    }
  }
  void write() {
    while (writes) {
      const auto taken = network.stack(from).send(network.now(), stream, block);
      if (!taken || *taken < block.size()) return;
    }
  }
  void read(std::size_t appetite) {
    std::vector<std::uint8_t> into(1 << 16);
    while (appetite > 0) {
      const auto most = std::min(appetite, into.size());
      const auto got =
          network.stack(to).recv(network.now(), accepted, MutableOctets(into).first(most));
      if (!got || *got == 0) return;
      appetite -= *got;
      octets += *got;
    }
  }
  std::uint32_t window() { return network.stack(to).info(accepted)->rcv_wnd; }
  std::uint64_t held_by_sender() {
    const auto info = network.stack(from).info(stream);
    return info->notsent_bytes + info->unacked_bytes;
  }

  Network network{1};
  NodeId from, to;
  ListenerId listener;
  StreamId stream, accepted{};
  std::vector<std::uint8_t> block = std::vector<std::uint8_t>(1 << 16, 7);
  std::uint64_t octets = 0;
  bool writes = true;
};

// 200 Mbit/s and 100 ms have 2.5 MB under way.
const LinkConfig kLong{
    .rate_bits_per_second = 200'000'000, .delay = 50ms, .queue = {.octets = 2'500'000}};
constexpr std::uint32_t kInitial = 128 << 10;
// Rounding in units of the window scale may promise up to half as much again (Receiver::announce).

StackConfig without_timestamps() {
  StackConfig config;
  config.tcp.use_timestamps = false;
  return config;
}

TEST(BufferTuning, LetsAFastReaderAndWriterFillALongPath) {
  for (const StackConfig& receiving : {StackConfig{}, without_timestamps()}) {
    Feed feed(kLong, {}, receiving);
    feed.run(3s);
    feed.octets = 0;
    feed.run(1s);
    EXPECT_GT(feed.octets * 8, 190'000'000u);
    EXPECT_GT(feed.window(), 4'000'000u);
    EXPECT_GT(feed.held_by_sender(), 2'500'000u);
    // The window was ahead of the sender. (Without timestamps it takes a whole window to know the
    // round trip.)
    const Duration held_up = feed.network.stack(feed.from).info(feed.stream)->rwnd_limited;
    EXPECT_LT(held_up, receiving.tcp.use_timestamps ? 50ms : 500ms);
    // What is needed, and not what would be allowed.
    EXPECT_LT(feed.window(), 30'000'000u);
    EXPECT_LT(feed.held_by_sender(), 16'000'000u);
  }
}

TEST(BufferTuning, KeepsTheBufferOfASlowReaderSmall) {
  Feed feed(kLong);
  feed.run(5s, 1000);  // 1 MB/s, 100 kB in a round trip
  EXPECT_LE(feed.network.stack(feed.to).info(feed.accepted)->recv_queue, 400'000u);
  EXPECT_LE(feed.window(), 400'000u);
  Feed stalled(kLong);
  stalled.run(5s, 0);
  EXPECT_LE(stalled.network.stack(stalled.to).info(stalled.accepted)->recv_queue, kInitial * 3 / 2);
  // Nor does its sender hold more than it may send at once.
  EXPECT_LE(stalled.held_by_sender(), 600'000u);
}

TEST(BufferTuning, LeavesASizeThatWasAskedForAsItIs) {
  StackConfig receiving, sending;
  receiving.tcp.receive_buffer = 300'000;
  Feed reader(kLong, {}, receiving);
  reader.run(3s);
  EXPECT_LE(reader.window(), 300'000u);
  sending.tcp.send_buffer = 300'000;
  Feed writer(kLong, sending);
  writer.run(3s);
  EXPECT_LE(writer.held_by_sender(), 300'000u + (1 << 17));
}

TEST(BufferTuning, EndsWithReconfigure) {
  Feed feed(kLong);
  feed.run(2s);
  ASSERT_GT(feed.window(), 1'000'000u);
  TcpConfig config;
  config.receive_buffer = 200'000;
  ASSERT_TRUE(feed.network.stack(feed.to).reconfigure(feed.network.now(), feed.accepted, config));
  feed.run(2s);
  EXPECT_LE(feed.window(), 300'000u);
}

TEST(BufferTuning, StaysWithinTheBudgetOfTheStack) {
  StackConfig receiving;
  receiving.limits.buffer_growth = 500'000;
  Feed feed(kLong, {}, receiving);
  feed.run(3s);
  EXPECT_LE(feed.window(), kInitial + 500'000u);
  EXPECT_GT(feed.window(), 400'000u);
  EXPECT_GT(feed.network.stack(feed.to).counters().buffer_growth_refused, 0u);
}

// Else those that were busy once would leave nothing for those that are busy now.
TEST(BufferTuning, GivesBackToTheBudgetWhatAQuietSenderHad) {
  StackConfig sending;
  sending.limits.buffer_growth = 3'000'000;
  Feed feed(kLong, sending);
  feed.run(3s);
  const auto refused = [&] {
    return feed.network.stack(feed.from).counters().buffer_growth_refused;
  };
  EXPECT_GT(refused(), 0u);
  feed.writes = false;
  feed.run(5s);
  ASSERT_EQ(feed.held_by_sender(), 0u);
  const std::uint64_t before = refused();
  const Endpoint remote{feed.network.address(feed.to), 9};
  feed.stream =
      feed.network.stack(feed.from).connect(feed.network.now(), {.remote = remote}).value();
  feed.accepted = {};
  feed.writes = true;
  feed.run(600ms);
  EXPECT_GT(feed.held_by_sender(), kInitial);
  EXPECT_EQ(refused(), before);
}

// ---- what held the sender up (TCP_INFO's busy, rwnd_limited, sndbuf_limited)

TEST(SenderTimes, AreOfTheReceiverWhileItsWindowIsShut) {
  Feed feed(kLong);
  feed.run(10s, 0);
  const auto info = feed.network.stack(feed.from).info(feed.network.now(), feed.stream);
  EXPECT_GT(info->busy, 9500ms);
  EXPECT_GT(info->rwnd_limited, 8s);
  EXPECT_LT(info->rwnd_limited, info->busy);
  EXPECT_EQ(info->sndbuf_limited, Duration{0});
}

TEST(SenderTimes, AreOfTheSendBufferWhileTheApplicationFindsNoRoom) {
  StackConfig sending;
  sending.tcp.send_buffer = 50'000;  // of the 2.5 MB that the path would hold
  Feed feed(kLong, sending);
  feed.run(10s);
  const auto info = feed.network.stack(feed.from).info(feed.network.now(), feed.stream);
  EXPECT_GT(info->sndbuf_limited, 8s);
  EXPECT_GE(info->busy, info->sndbuf_limited);
  EXPECT_EQ(info->rwnd_limited, Duration{0});
}

TEST(SenderTimes, CountAsBusyOnlyWhileSomethingIsUnderWay) {
  Feed feed({.delay = 50ms});
  feed.run(200ms);
  feed.writes = false;
  feed.run(1s);
  ASSERT_EQ(feed.held_by_sender(), 0u);
  const auto busy = [&] {
    return feed.network.stack(feed.from).info(feed.network.now(), feed.stream)->busy;
  };
  const Duration before = busy();
  EXPECT_GT(before, 100ms);
  EXPECT_LT(before, 1s);
  feed.run(10s);
  EXPECT_EQ(busy(), before);
}

TEST(SenderTimes, TellHowLongAgoTextWentAndCame) {
  Feed feed({.delay = 50ms});
  feed.run(120ms);
  feed.writes = false;
  feed.run(10s);
  const auto sender = feed.network.stack(feed.from).info(feed.network.now(), feed.stream);
  const auto receiver = feed.network.stack(feed.to).info(feed.network.now(), feed.accepted);
  EXPECT_GT(sender->last_data_sent, 9s);
  EXPECT_EQ(sender->last_data_recv, Duration{0});  // never
  EXPECT_GE(receiver->last_data_recv, 9s);
  EXPECT_LE(receiver->last_data_recv, sender->last_data_sent);
  EXPECT_LE(sender->last_ack_recv, sender->last_data_sent);
  EXPECT_EQ(receiver->last_data_sent, Duration{0});
  EXPECT_GT(sender->data_segs_out, 10u);
  EXPECT_EQ(receiver->data_segs_in, sender->data_segs_out);
  EXPECT_EQ(sender->data_segs_in, 0u);
}

}  // namespace
}  // namespace estab::sim
