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
