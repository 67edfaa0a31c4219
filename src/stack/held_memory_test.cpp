// What a connection holds at most, whatever its application and its peer do: a small multiple of
// its buffers (the blocks that octets lie in are at least half full, or room that cannot be used
// counts as used).

#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr std::size_t kMost = 2 * BlockPool::kSizes.back();  // one block begun at either end

/// Lends and copies in turn until nothing is taken any more.
void fill(Peer& peer, std::size_t lent, std::size_t copied) {
  static const OctetVector octets(20000);
  Stack& stack = peer.stack();
  const auto lend = [&] {
    return stack
        .send_owned(peer.now(), peer.stream(), Octets(octets).first(lent), nullptr, SendMode::more)
        .has_value();
  };
  const auto copy = [&] {
    return stack.send(peer.now(), peer.stream(), Octets(octets).first(copied), SendMode::more)
        .has_value();
  };
  while (lend() && copy()) {
  }
}

constexpr std::uint32_t kSendBuffer = 1 << 20;

class HeldToSend : public testing::TestWithParam<std::pair<std::size_t, std::size_t>> {
 protected:
  void expect_bounded(Peer& peer) {
    const auto& [lent, copied] = GetParam();
    const std::size_t before = peer.stack().memory();
    fill(peer, lent, copied);
    EXPECT_EQ(peer.stack().writable(peer.stream()), 0u);
    EXPECT_LT(peer.stack().memory() - before, kSendBuffer * 5 / 4 + kMost);
  }
};
INSTANTIATE_TEST_SUITE_P(Mixed, HeldToSend,
                         testing::Values(std::pair{1, 1}, std::pair{1, 20000}, std::pair{129, 1},
                                         std::pair{129, 2017}, std::pair{129, 16353},
                                         std::pair{2000, 1}, std::pair{20000, 1}));

TEST_P(HeldToSend, ByAConnectionIsItsBuffer) {
  Opened peer({.tcp = {.send_buffer = kSendBuffer}, .window = 0});
  expect_bounded(peer);
}

TEST_P(HeldToSend, ByAnOpeningIsItsBuffer) {
  Peer peer(TcpConfig{.send_buffer = kSendBuffer});
  peer.reach(State::syn_sent);
  expect_bounded(peer);
}

// ---- received

constexpr std::uint32_t kReceiveBuffer = 1 << 16;

class HeldReceived : public testing::Test {
 protected:
  /// `size` octets at `from`, as a segment of its own in a block of its own.
  void arrive(std::int64_t from, std::uint32_t size) {
    const auto begin = static_cast<std::uint32_t>(from);
    Segment segment;
    segment.source_port = Peer::kRemotePort;
    segment.destination_port = Peer::kLocalPort;
    segment.seq = peer.remote_isn() + begin;
    segment.ack = peer.stack_isn() + 1;
    segment.flags = kAck;
    segment.window = 65535;
    const OctetVector text(size);
    segment.payload = text;
    const OctetVector octets = peer.datagram(segment);
    Stack& stack = peer.stack();
    Block block = stack.take_block(octets.size());
    std::ranges::copy(octets, block.data());
    stack.handle_frame(peer.now(), peer.interface(),
                       {.octets = block.octets().first(octets.size()), .owner = &block});
    if (block) stack.give_block(std::move(block));
    TransmitFrame frame;
    while (stack.poll_transmit(peer.now(), frame)) {
    }
  }
  std::size_t held() { return peer.stack().memory() - before_; }

  Opened peer{{.tcp = {.receive_buffer = kReceiveBuffer}}};
  const std::size_t before_ = peer.stack().memory();
};

class HeldInOrder : public HeldReceived, public testing::WithParamInterface<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, HeldInOrder, testing::Values(1, 1010, 1400));

TEST_P(HeldInOrder, IsAboutTwiceTheBuffer) {
  const std::uint32_t size = GetParam();
  std::int64_t at = 1;
  for (; at + size <= kReceiveBuffer; at += size) arrive(at, size);
  EXPECT_EQ(peer.stack().readable(peer.stream()), static_cast<std::size_t>(at - 1));
  EXPECT_LT(held(), kReceiveBuffer * 5 / 2 + kMost);
}

TEST_F(HeldReceived, BeyondGapsIsAboutTwiceTheBuffer) {
  for (std::int64_t at = 2; at < kReceiveBuffer; at += 2) arrive(at, 1);
  EXPECT_LT(held(), kReceiveBuffer * 5 / 2 + kMost);
  EXPECT_GT(peer.stack().counters().out_of_order_refused, 0u);
  for (std::int64_t at = 1; at < kReceiveBuffer; ++at) arrive(at, 1);
  EXPECT_EQ(peer.stack().readable(peer.stream()), kReceiveBuffer - 1);
  EXPECT_LT(held(), kReceiveBuffer * 5 / 2 + kMost);
}

}  // namespace
}  // namespace estab::script
