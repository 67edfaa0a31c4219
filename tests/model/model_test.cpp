// The explorations within small bounds; and the proof that they can fail: planted faults are found,
// and each finding is told in full.

#include <gtest/gtest.h>

#include "base/prng.h"
#include "model/explorer.h"
#include "model/story.h"

namespace estab::model {
namespace {

std::string named(const Bounds& bounds) {
  std::string name;
  for (const char c : bounds.name)
    if (c != ' ') name += c;
  return name;
}

/// What went wrong, as one would want to read it.
std::string told(Explorer& explorer, const Bounds& bounds, const Result& result) {
  if (!result.violation) return {};
  const Telling telling = tell(explorer, bounds, *result.violation);
  return result.violation->what + "\n" + telling.steps + telling.ladder + telling.difference;
}

// ---- the stack as it is

class Exploration : public testing::TestWithParam<Bounds> {};
INSTANTIATE_TEST_SUITE_P(Model, Exploration, testing::ValuesIn(standard_bounds(Size::small)),
                         [](const auto& each) { return named(each.param); });

// An exploration of few states breaks no law either. So each has a lower bound of its own, near
// what it holds (Bounds::at_least): whoever changes the stack or the bounds and makes an
// exploration much smaller has to find out why. Where it becomes larger the bound is raised.
TEST_P(Exploration, BreaksNoLawAndComesToAFairEndFromEveryState) {
  Explorer explorer(GetParam());
  const Result result = explorer.run();
  EXPECT_EQ(told(explorer, GetParam(), result), "");
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.fair_ends, result.states);
  EXPECT_GE(result.states, GetParam().at_least);
  EXPECT_GE(GetParam().at_least, 40'000u);
  EXPECT_GE(result.depth, 15u);
}

/// Some way through the exploration, chosen at random.
std::vector<Move> random_way(Physics& physics, base::Prng& prng) {
  std::vector<Move> way, moves;
  World world = physics.first();
  for (int i = 0; i < 40; ++i) {
    physics.moves(world, moves);
    if (moves.empty()) break;
    const Move move = moves[prng.below(moves.size())];
    World next = world;
    (void)physics.make(next, move);
    if (next.hash() == world.hash()) continue;  // it comes to nothing
    world = next;
    way.push_back(move);
  }
  return way;
}

// What the exploration remembers of a side, whatever the time, is what a stack does that is led
// along the same way by itself.
TEST_P(Exploration, RemembersOfEachSideWhatItWouldDoAgain) {
  Bounds bounds = GetParam();
  bounds.firings = 6;
  bounds.losses = bounds.duplicates = 2;
  bounds.most_states = 20'000;
  Explorer explorer(bounds);
  (void)explorer.run();
  base::Prng prng(1);
  for (int i = 0; i < 200; ++i) {
    const auto way = random_way(explorer.physics(), prng);
    EXPECT_EQ(tell(explorer, bounds, way).difference, "");
    if (HasFailure()) return;
  }
}

// ---- planted faults

struct Planted {
  Fault fault;
  std::string exploration;
  std::string name;
};

class PlantedFault : public testing::TestWithParam<Planted> {};
INSTANTIATE_TEST_SUITE_P(
    Model, PlantedFault,
    testing::Values(Planted{Fault::fin_not_counted, "plain", "FinNotCounted"},
                    Planted{Fault::text_taken_twice, "plain", "TextTakenTwice"},
                    Planted{Fault::any_reset_believed, "again", "AnyResetBelieved"},
                    Planted{Fault::silent_retransmitter, "plain", "SilentRetransmitter"}),
    [](const auto& each) { return each.param.name; });

TEST_P(PlantedFault, IsFoundAndTold) {
  auto bounds = standard_bounds(Size::small, GetParam().exploration);
  ASSERT_TRUE(bounds);
  bounds->capacity = 2;
  bounds->duplicates = bounds->firings = 1;
  bounds->fault = GetParam().fault;
  Explorer explorer(*bounds);
  const Result result = explorer.run();
  ASSERT_TRUE(result.violation);
  EXPECT_LE(result.violation->way.size(), 12u);
  const Telling telling = tell(explorer, *bounds, *result.violation);
  EXPECT_EQ(telling.difference, "") << "gone through again it is the same";
  EXPECT_NE(telling.ladder.find("ESTABLISHED"), std::string::npos) << telling.ladder;
  EXPECT_NE(telling.steps.find("b sends S. 0:0(0) ack 1"), std::string::npos) << telling.steps;
  EXPECT_NE(telling.scripts[0].find("> S 0:0(0) <...>"), std::string::npos) << telling.scripts[0];
  EXPECT_NE(telling.scripts[1].find("< S 0:0(0) win 64 <mss 1460>"), std::string::npos)
      << telling.scripts[1];
}

// One octet, each way of ending but the orderly one left out, the same ISN for a's second
// connection as for its first: then nothing but TIME-WAIT keeps the first one's segments out of the
// second. The network keeps to an MSL of 30 s.
Bounds with_time_wait(Duration msl) {
  Bounds bounds = *standard_bounds(Size::small, "again");
  for (Applications& application : bounds.applications)
    application.closes = application.aborts = false;
  bounds.applications[1].listens = Listening::from_the_start;
  bounds.applications[0].octets = 1;
  bounds.applications[1].octets = 0;
  bounds.stack[0].quirks.fixed_isn = 1'000'000;
  bounds.stack[0].tcp.receive_buffer = 65'535;  // else b finds the old acknowledgements too old
  for (StackConfig& stack : bounds.stack) stack.msl = msl;
  bounds.lifetime = std::chrono::seconds(30);
  bounds.capacity = 2;
  bounds.duplicates = 1;
  bounds.firings = 1;
  return bounds;
}

TEST(PlantedFaultInTimeWait, IsFoundIfItEndsAtOnce) {
  const Bounds bounds = with_time_wait(Duration::zero());
  Explorer explorer(bounds);
  const Result result = explorer.run();
  ASSERT_TRUE(result.violation);
  EXPECT_EQ(result.violation->what, "no end in sight with a fair network");
  EXPECT_EQ(tell(explorer, bounds, *result.violation).difference, "");
}

TEST(PlantedFaultInTimeWait, IsNoneIfItLastsTwiceTheMsl) {
  const Bounds bounds = with_time_wait(std::chrono::seconds(30));
  Explorer explorer(bounds);
  const Result result = explorer.run();
  EXPECT_EQ(told(explorer, bounds, result), "");
  EXPECT_TRUE(result.complete);
}

}  // namespace
}  // namespace estab::model
