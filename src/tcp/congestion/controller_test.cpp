#include "tcp/congestion/controller.h"

#include <gtest/gtest.h>

#include "base/hasher.h"
#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

constexpr Settings kSettings{.mss = 1000};

std::uint64_t hash_of(const Controller& controller, std::uint64_t delivered = 0) {
  base::Hasher hasher;
  controller.hash_into(hasher, delivered);
  return hasher.finish();
}

TEST(Controller, HasNothingButAnInitialWindowUntilItSends) {
  Controller controller(Algorithm::new_reno, kSettings);
  EXPECT_EQ(controller.congestion_window(), 10000u);
  EXPECT_EQ(controller.ssthresh(), kNoThreshold);
  EXPECT_EQ(controller.pacing_rate(testing::kRtt), kUnpaced);
  EXPECT_EQ(controller.send_quantum(testing::kRtt), 65536u);
  controller.on_mss(500);
  EXPECT_EQ(controller.congestion_window(), 5000u);
  EXPECT_LE(sizeof(Controller), 24u) << "each connection has one";
}

TEST(Controller, BeginsWithOneSegmentAfterALostSyn) {  // RFC 6928 §2
  Controller controller(Algorithm::new_reno, kSettings);
  controller.on_syn_lost();
  EXPECT_EQ(controller.congestion_window(), 1000u);
  controller.on_sent({.octets = 1000});
  EXPECT_EQ(controller.congestion_window(), 1000u);
  EXPECT_EQ(controller.ssthresh(), kNoThreshold);
}

// min(4*MSS, max(2*MSS, 4380)).
// [RFC 6928 2-5]
TEST(Controller, RestartsWithTheWindowOfRfc3390OnceTheInitialOneWasTooMuch) {
  const auto restart = [](std::uint32_t mss, std::uint16_t segments) {
    Controller controller(Algorithm::cubic,
                          {.mss = mss, .initial_window_segments = segments, .paced = true});
    EXPECT_EQ(controller.restart_window(), controller.initial_window());
    controller.on_initial_window_lost();
    return controller.restart_window();
  };
  EXPECT_EQ(restart(500, 10), 2000u);
  EXPECT_EQ(restart(1460, 10), 4380u);
  EXPECT_EQ(restart(4000, 10), 8000u);
  EXPECT_EQ(restart(1000, 1), 1000u);
  for (const Algorithm algorithm : {Algorithm::new_reno, Algorithm::cubic, Algorithm::dctcp}) {
    Controller controller(algorithm, kSettings);
    controller.on_sent({.octets = 10000});
    controller.on_restart_after_idle({});
    EXPECT_EQ(controller.congestion_window(), 10000u);
    controller.on_initial_window_lost();
    controller.on_restart_after_idle({});
    EXPECT_EQ(controller.congestion_window(), 4000u);
  }
}

TEST(Controller, IsAValue) {
  Controller controller(Algorithm::new_reno, kSettings);
  testing::Acks acks;
  controller.on_sent({.octets = 10000});
  const Controller before = controller;
  EXPECT_EQ(controller, before);
  EXPECT_EQ(hash_of(controller), hash_of(before));
  controller.on_ack(acks.next(1000, 10000));
  EXPECT_EQ(controller.congestion_window(), 11000u);
  EXPECT_EQ(before.congestion_window(), 10000u) << "a copy lives on its own";
  EXPECT_NE(controller, before);
  EXPECT_NE(hash_of(controller), hash_of(before));
}

}  // namespace
}  // namespace estab::tcp::congestion
