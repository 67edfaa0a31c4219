// One flow with default settings fills long paths: an assertion on the mechanism (buffers, window
// scale, records), not on a machine; what time it takes is the simulator's.
#include <array>

#include <gtest/gtest.h>

#include "estab/sim/network.h"

namespace estab::paths {
namespace {

using namespace std::chrono_literals;
using sim::LinkConfig;
using sim::Network;
using sim::NodeId;

struct Path {
  std::uint64_t rate;
  Duration rtt;
};

/// Octets a second that are read from `settled` to `settled` + `time`, for bits a second of the
/// path.
double utilisation(const Path& path, Duration settled, Duration time) {
  Network network(1);
  const NodeId from = network.add_host("from"), to = network.add_host("to");
  LinkConfig link{.rate_bits_per_second = path.rate, .delay = path.rtt / 2};
  LinkConfig back = link;
  link.queue.octets = static_cast<std::size_t>(static_cast<double>(path.rate) / 8e9 *
                                               static_cast<double>(path.rtt.count().value()));
  network.connect(from, to, link, back);
  const Endpoint remote{network.address(to), 9};
  const ListenerId listener = network.stack(to).listen({.local = remote}).value();
  const StreamId stream = network.stack(from).connect(network.now(), {.remote = remote}).value();
  StreamId accepted{};
  std::uint64_t octets = 0;
  static std::array<std::uint8_t, 1 << 16> block;
  const auto work = [&] {
    while (network.stack(from).send(network.now(), stream, block).value_or(0) > 0) {
    }
    if (!accepted) {
      if (auto made = network.stack(to).accept(network.now(), listener)) accepted = *made;
    }
    while (accepted) {
      const auto got = network.stack(to).recv(network.now(), accepted, block);
      if (!got || *got == 0) break;
      octets += *got;
    }
    return false;
  };
  network.run_until(work, settled);
  octets = 0;
  network.run_until(work, time);
  return static_cast<double>(octets) * 8e9 / static_cast<double>(time.count().value()) /
         static_cast<double>(path.rate);
}

// Behind the first loss, too: the queue is full after eleven seconds.
TEST(LongPath, OfOneGigabitAndAHundredMillisecondsIsFilled) {
  EXPECT_GT(utilisation({1'000'000'000, 100ms}, 10s, 4s), 0.95);
}

TEST(LongPath, OfTenGigabitsAndFiftyMillisecondsIsFilled) {
  EXPECT_GT(utilisation({10'000'000'000, 50ms}, 1500ms, 500ms), 0.90);
}

}  // namespace
}  // namespace estab::paths
