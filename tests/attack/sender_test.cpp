// Receivers who want more than their share, or to make sending dear: acknowledgements of what did
// not arrive (optimistic), in pieces (division), many of the same; small segments; false SACKs.
// (Savage et al., TCP Congestion Control with a Misbehaving Receiver; CVE-2019-11477 to -11479.)
#include <algorithm>

#include "scene.h"

namespace estab::attack {
namespace {

/// One greedy receiver, to whom the server sends without end.
struct Greedy {
  explicit Greedy(Offer syn = {.mss = 1460, .window_scale = 8}, const SceneOptions& options = {})
      : scene(options), host((give(), scene), IpAddress::v4(10, 9, 9, 9), 5000, syn, 65535) {
    scene.pass(1ms);
    host.hear();
  }
  Scene& give() {
    scene.instead_of_echo = [this](StreamId id) {
      if (scene.server().endpoints(id)->remote_address == kClient) return false;
      stream = id;
      while (scene.server().send(scene.now(), id, plenty)) {
      }
      return true;
    };
    return scene;
  }
  TcpInfo info() { return scene.server().info(stream).value_or(TcpInfo{}); }
  void acknowledge(std::uint32_t number) {
    Segment ack;
    ack.seq = SeqNum(host.next);
    ack.ack = SeqNum(number);
    ack.flags = kAck;
    ack.window = 65535;
    ack.options.sack = sack;
    host.send_raw(ack);
  }
  Bytes plenty = Bytes(100'000, 'p');
  Scene scene;
  StreamId stream;
  SackBlocks sack{};
  Mallory host;
};

TEST(OptimisticAck, BeyondWhatWasSentIsChallengedAndChangesNothing) {
  Greedy greedy;
  const TcpInfo before = greedy.info();
  for (std::uint32_t ahead = 1; ahead < 5000; ++ahead)
    greedy.acknowledge(greedy.host.acknowledge + ahead * 1000);
  const TcpInfo after = greedy.info();
  EXPECT_EQ(after.snd_cwnd, before.snd_cwnd);
  EXPECT_EQ(after.bytes_acked, before.bytes_acked);
  EXPECT_LE(greedy.scene.counters().challenge_acks_out, 5u);
  GoodClient good(greedy.scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

TEST(OptimisticAck, OfWhatIsOnItsWayGrowsTheWindowNoFasterThanTrueOnes) {
  const auto window_after = [](Duration delay) {
    Greedy greedy;
    for (int round = 0; round < 6; ++round) {
      greedy.scene.pass(delay);
      greedy.host.hear();
      greedy.acknowledge(greedy.host.acknowledge);
    }
    return greedy.info().snd_cwnd;
  };
  // Doubling each round: what is acknowledged early was sent, and counts once.
  EXPECT_EQ(window_after(1ms), window_after(100ms));
  EXPECT_LE(window_after(1ms), 14'600u * 64);
}

// RFC 3465: the window grows by the octets acknowledged, not by the acknowledgements.
TEST(AckDivision, GivesNoMoreThanOneAckForAll) {
  Greedy whole, divided;
  ASSERT_EQ(whole.host.acknowledge, divided.host.acknowledge);
  const std::uint32_t end = whole.host.acknowledge, begin = end - 14'600;
  whole.acknowledge(end);
  for (std::uint32_t at = begin + 10; at != end + 10; at += 10) divided.acknowledge(at);
  EXPECT_EQ(divided.info().bytes_acked, whole.info().bytes_acked);
  EXPECT_LE(divided.info().snd_cwnd, whole.info().snd_cwnd);
  figure("ACK division: 1460 ACKs of 10 octets grow the window to %u, one of 14,600 to %u",
         divided.info().snd_cwnd, whole.info().snd_cwnd);
  GoodClient good(divided.scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
}

// [RFC 5681 3.2-11]
// RFC 5681 §3.2: each duplicate ACK stands for a segment that has left the network. There are no
// more of those than were sent.
TEST(DuplicateAcks, StandForNoMoreSegmentsThanWereSent) {
  SceneOptions options;
  options.server.tcp.send_buffer = 64 << 10;
  Greedy greedy({.mss = 1460, .window_scale = 8}, options);
  const std::uint32_t first = greedy.host.acknowledge - 14'600;
  std::uint32_t widest = 0;
  for (int i = 0; i < 10'000; ++i) {
    greedy.acknowledge(first);
    if (i % 16 == 0) greedy.scene.pass(1us);
    widest = std::max(widest, greedy.info().snd_cwnd);
  }
  EXPECT_LE(widest, 2u * (64 << 10) + 2 * 14'600);
  GoodClient good(greedy.scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  figure("duplicate ACKs: 10,000 forged ones widen the window to %u octets (send buffer %u)",
         widest, 64 << 10);
}

TEST(TinyMss, IsNotTakenBelowAFloor) {
  for (const std::uint16_t mss : {0, 1, 8, 20}) {
    Greedy greedy({.mss = mss, .timestamps = TcpTimestamps{1, 0}});
    EXPECT_GE(greedy.info().snd_mss, 36u) << mss;  // 48 less the timestamps
    EXPECT_LE(greedy.host.segments_heard, 12u);    // the initial window, in segments
    GoodClient good(greedy.scene);
    EXPECT_TRUE(good.finish(5s)) << good.story();
  }
}

// Every kind of block there is: beyond what was sent, backwards, overlapping, single octets.
TEST(FalseSacks, CostNoMoreThanOtherAcks) {
  Greedy greedy({.mss = 1460, .window_scale = 8, .sack_permitted = true});
  base::Prng prng(6);
  const std::size_t before = greedy.scene.server().memory();
  const std::uint64_t sent_before = greedy.info().bytes_sent;
  const std::uint32_t una = greedy.host.acknowledge - 14'600;
  for (int i = 0; i < 20'000; ++i) {
    greedy.sack = {};
    for (int block = 0; block < 3; ++block) {
      const std::uint32_t left = una + static_cast<std::uint32_t>(prng.below(20'000));
      greedy.sack.add(
          {SeqNum(left), SeqNum(left + static_cast<std::uint32_t>(prng.below(40)) - 8)});
    }
    greedy.acknowledge(una);
    if (i % 16 == 0) greedy.scene.pass(1us);
  }
  EXPECT_LT(greedy.scene.server().memory(), before + (2 << 20));
  // Never more than the peer's window of octets, nor the same octets without end.
  EXPECT_LT(greedy.info().bytes_sent - sent_before, 4u << 20);
  GoodClient good(greedy.scene);
  EXPECT_TRUE(good.finish(5s)) << good.story();
  greedy.host.hear();
  greedy.sack = {};
  greedy.acknowledge(greedy.host.acknowledge);
  EXPECT_GT(greedy.info().bytes_acked, 14'600u);  // and the connection goes on
}

}  // namespace
}  // namespace estab::attack
