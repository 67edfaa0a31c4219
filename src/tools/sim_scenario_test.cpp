#include "tools/sim_scenario.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tools/sim_campaign.h"

namespace estab::tools {
namespace {

using namespace std::chrono_literals;

SimScenario small() {
  SimScenario scenario;
  for (const char* word : {"rate=20M", "rtt=20ms", "bytes=100K", "queue=1bdp", "loss=1%"})
    EXPECT_TRUE(set_scenario_word(scenario, word)) << word;
  return scenario;
}

TEST(SimScenario, SplitsTheRoundTripBetweenBothWaysAndHarmsOne) {
  const sim::BulkConfig config = small().config();
  EXPECT_EQ(config.path.delay, 10ms);
  EXPECT_EQ(config.back->delay, 10ms);
  EXPECT_EQ(config.path.queue.octets, 50'000u);
  EXPECT_DOUBLE_EQ(config.path.impairments.loss, 0.01);
  EXPECT_DOUBLE_EQ(config.back->impairments.loss, 0);
}

TEST(SimScenario, ExpandsAMatrixTheLastWordFastest) {
  const auto cells = expand_matrix(small(), "rtt=10ms,60ms cc=cubic,bbr").value();
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[1].words, (std::vector<std::string>{"rtt=10ms", "cc=bbr"}));
  EXPECT_EQ(cells[2].scenario.rtt, 60ms);
  EXPECT_FALSE(expand_matrix(small(), "rtt=10ms,x"));
  EXPECT_FALSE(expand_matrix(small(), "rtt"));
  EXPECT_FALSE(expand_matrix(small(), "cc=vegas"));
}

TEST(SimScenario, SharesSeedsOutSoThatEachIsRunOnce) {
  const SeedRange seeds = parse_seeds("3..12").value();
  std::vector<std::uint64_t> all;
  for (std::uint64_t part = 1; part <= 3; ++part)
    for (const std::uint64_t seed : seeds_of(seeds, {part, 3})) all.push_back(seed);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::uint64_t>{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  for (const char* bad : {"5..3", "a..b", "1..", ""}) EXPECT_FALSE(parse_seeds(bad)) << bad;
  for (const char* bad : {"0/3", "4/3", "1", "1/0"}) EXPECT_FALSE(parse_shard(bad)) << bad;
}

class Campaign : public testing::Test {
 protected:
  std::string shard(std::uint64_t part, const SimScenario& scenario) {
    const std::string name =
        testing::TempDir() + "/shard" + std::to_string(part) + "-" + std::to_string(getpid());
    std::ofstream(name) << run_campaign(scenario, {1, 4}, {part, 2}).dump();
    names_.push_back(name);
    return name;
  }
  ~Campaign() override {
    for (const std::string& name : names_) std::remove(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

TEST_F(Campaign, MergedIsWhatOneRunWouldHaveGiven) {
  const auto merged = merge_campaigns({shard(2, small()), shard(1, small())});
  ASSERT_TRUE(merged) << merged.error();
  EXPECT_EQ(*merged, run_campaign(small(), {1, 4}, {}));
  EXPECT_EQ(merged->at("summary").at("runs"), 4u);
}

TEST_F(Campaign, RefusesWhatDoesNotBelongTogether) {
  SimScenario other = small();
  other.octets = 200'000;
  const std::string one = shard(1, small());
  EXPECT_NE(merge_campaigns({one}).error().find("seed 2 is missing"), std::string::npos);
  EXPECT_NE(merge_campaigns({one, one}).error().find("comes twice"), std::string::npos);
  EXPECT_NE(merge_campaigns({one, shard(2, other)}).error().find("of another campaign"),
            std::string::npos);
  EXPECT_NE(merge_campaigns({"/nowhere"}).error().find("cannot be opened"), std::string::npos);
}

}  // namespace
}  // namespace estab::tools
