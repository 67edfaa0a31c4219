// Bad input: random programs of the fuzz target's machine (noise, changed and reflected segments,
// ICMP, fragments, among calls and time), 600,000 frames in all.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "fuzz/stack_machine.h"

namespace estab::fuzz {
namespace {

constexpr std::uint64_t kShards = 4;
constexpr std::uint64_t kFrames = 600'000;

class BadInput : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BadInput, NeitherStopsAStackNorLetsItGrow) {
  std::uint64_t frames = 0, answers = 0;
  std::array<std::uint64_t, kVerdictCount> verdicts{};
  for (std::uint64_t seed = GetParam(); frames < kFrames / kShards; seed += kShards) {
    base::Prng prng(seed);
    std::vector<std::uint8_t> program(1 + prng.below(20'000));
    for (std::uint8_t& octet : program) octet = static_cast<std::uint8_t>(prng.next());
    StackMachine machine(program);
    machine.run();
    ASSERT_EQ(machine.complaint(), "") << "seed " << seed;
    frames += machine.frames_in();
    answers += machine.frames_out();
    for (std::size_t i = 0; i < kVerdictCount; ++i)
      verdicts[i] += machine.stack().counters().verdicts[i];
  }
  EXPECT_GT(answers, frames / 20);
  // Whatever can become of a frame became of some; but chance seldom reaches these, and an
  // interface that is not there is the mistake of a caller (Removal tests it). The last two are of
  // a stack that takes Fast Open or stands in for other hosts.
  constexpr std::array kRare = {Verdict::time_wait_reopened, Verdict::queue_full,
                                Verdict::no_interface, Verdict::syn_opened, Verdict::syn_held};
  for (std::size_t i = 0; i < kVerdictCount; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    if (std::ranges::find(kRare, verdict) != kRare.end()) continue;
    EXPECT_GT(verdicts[i], 0u) << name(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, BadInput, testing::Range(std::uint64_t{0}, kShards));

}  // namespace
}  // namespace estab::fuzz
