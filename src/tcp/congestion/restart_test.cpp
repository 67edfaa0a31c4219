// After a pause: a path that has lost octets of an initial window is spared such windows (RFC 6928
// §2).

#include "tcp/loss/testing/recovery.h"

namespace estab::script {
namespace {

struct Restart : testing::Test {
  /// So many octets go at once; the first segment of them is lost, or nothing.
  void send(int octets, bool loses = false) {
    peer.send(static_cast<std::size_t>(octets));
    peer.forget_output();
    peer.after(100ms);
    const std::string rest = std::to_string(next + 1000) + ":" + std::to_string(next + octets);
    if (loses) Recovery::sack(peer, next, rest);
    peer.forget_output();
    acknowledge(octets);
  }
  void acknowledge(int octets) { peer.ack(next += octets); }
  std::uint32_t window_after_a_pause() {
    peer.after(10s);
    peer.send(1);
    const std::uint32_t window = peer.info().snd_cwnd;
    peer.forget_output();
    acknowledge(1);
    return window;
  }
  Opened peer{{.tcp = reno(), .options = "mss 1000,sackOK"}};
  int next = 1;
};

// [RFC 6928 2-5]
TEST_F(Restart, IsWithTheWindowOfRfc3390IfTheInitialOneLostSomething) {
  send(10000, true);
  EXPECT_EQ(peer.info().snd_cwnd, 5000u);
  EXPECT_EQ(window_after_a_pause(), 4000u);
}

// [RFC 6928 2-5]
TEST_F(Restart, IsWithTheWindowOfRfc3390IfTheLastOneLostSomething) {
  send(10000);
  EXPECT_EQ(window_after_a_pause(), 10000u);
  send(9000, true);
  EXPECT_EQ(window_after_a_pause(), 4000u);
}

// [RFC 6928 2-5]
TEST_F(Restart, IsWithTheInitialWindowIfOnlyLaterOctetsWereLost) {
  send(10000);
  send(20000, true);
  EXPECT_EQ(window_after_a_pause(), 10000u);
}

// [RFC 6928 2-5]
TEST_F(Restart, IsWithTheInitialWindowIfThatLetGoLittle) {
  send(4000, true);
  peer.send(60000);
  while (next < 64001) {
    int octets = 0;
    while (const auto sent = peer.next()) octets += static_cast<int>(sent->segment->payload.size());
    peer.after(100ms);
    ASSERT_GT(octets, 0);
    acknowledge(octets);
  }
  ASSERT_GT(peer.info().snd_cwnd, 4000u);
  EXPECT_GT(window_after_a_pause(), 4000u);
}

}  // namespace
}  // namespace estab::script
