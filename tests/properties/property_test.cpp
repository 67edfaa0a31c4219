// The property: over a wire that loses, repeats, reorders, damages and delays, every octet arrives
// once and in order, both ends reach CLOSED, and nothing is left behind. In shards, so that they
// can run side by side; ESTAB_SIM_SEEDS in the environment asks for more (or fewer) seeds in all,
// and ESTAB_SIM_FIRST for others.

#include <cstdint>
#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>

#include "properties/run.h"

namespace estab::properties {
namespace {

constexpr std::uint64_t kShards = 16;
constexpr std::uint64_t kSeeds = 2400;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Property : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Property, EveryOctetArrivesOnceAndNothingIsLeftBehind) {
  const std::uint64_t first = number_from_environment("ESTAB_SIM_FIRST", 1);
  const std::uint64_t seeds = number_from_environment("ESTAB_SIM_SEEDS", kSeeds) / kShards;
  Report all;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const Report report = run_seed(first + GetParam() * seeds + i);
    ASSERT_TRUE(report.good()) << report.complaint;
    all += report;
  }
  std::cout << summary(all);
  if (seeds < kSeeds / kShards) return;
  // What was never met has not been tested.
  EXPECT_GT(all.wire.repeated_octets, 0u);
  EXPECT_GT(all.wire.super_segments, 0u);
  EXPECT_GT(all.wire.sack_blocks, 0u);
  EXPECT_GT(all.wire.zero_windows, 0u);
  EXPECT_GT(all.wire.urgent, 0u);
  EXPECT_GT(all.wire.wrapped, 0u);
  EXPECT_GT(all.urgent_marks, 0u);
  EXPECT_GT(all.copies, 0u);
}

INSTANTIATE_TEST_SUITE_P(Shard, Property, testing::Range(std::uint64_t{0}, kShards));

}  // namespace
}  // namespace estab::properties
