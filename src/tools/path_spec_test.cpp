#include "tools/path_spec.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

using namespace std::chrono_literals;

PathSpec path_of(std::string_view text) {
  const auto path = parse_path(text);
  EXPECT_TRUE(path) << (path ? "" : path.error());
  return path.value_or(PathSpec{});
}

TEST(PathSpec, ReadsItsWordsBetweenSpacesAndCommas) {
  const sim::LinkConfig link = path_of("rate=50M,delay=30ms  loss=1%").link;
  EXPECT_EQ(link.rate_bits_per_second, 50'000'000u);
  EXPECT_EQ(link.delay, 30ms);
  EXPECT_DOUBLE_EQ(link.impairments.loss, 0.01);
}

TEST(PathSpec, ReadsWordsOfTwoParts) {
  const auto impairments =
      path_of("burst-loss=0.5%/25% reorder=1%/5ms blackout=5s/800ms blackout=9s/1s")
          .link.impairments;
  ASSERT_TRUE(impairments.burst_loss);
  EXPECT_DOUBLE_EQ(impairments.burst_loss->enter, 0.005);
  EXPECT_DOUBLE_EQ(impairments.burst_loss->leave, 0.25);
  EXPECT_EQ(impairments.reorder_delay, 5ms);
  EXPECT_EQ(impairments.blackouts, (std::vector<sim::Blackout>{{.begin = 5s, .length = 800ms},
                                                               {.begin = 9s, .length = 1s}}));
}

TEST(PathSpec, MeasuresAQueueInPacketsOctetsOrRoundTrips) {
  EXPECT_EQ(path_of("queue=250").link.queue.packets, 250u);
  EXPECT_EQ(path_of("queue=64K").link.queue.octets, 65536u);
  EXPECT_EQ(path_of("rate=8M queue=2bdp").resolved(100ms).queue.octets, 200'000u);
  EXPECT_EQ(path_of("rate=8M queue=2bdp").resolved(0ms).queue.octets, 1500u);
  EXPECT_EQ(path_of("queue=250 queue=none").link.queue.packets, 0u);
}

TEST(PathSpec, KnowsEveryWordOfItsHelp) {
  for (const PathWord& word : path_words()) EXPECT_TRUE(parse_path(word.example)) << word.example;
  EXPECT_GE(path_words().size(), 19u);
}

TEST(PathSpec, SaysWhatIsWrong) {
  EXPECT_NE(parse_path("los=1%").error().find("'los' is none of rate, delay"), std::string::npos);
  EXPECT_EQ(parse_path("loss=1").error(), "loss=1: has no unit; write a share as 1% or 0.05%");
  EXPECT_FALSE(parse_path("queue=0"));
  EXPECT_FALSE(parse_path("queue=-1bdp"));
  EXPECT_FALSE(parse_path("blackout=5s"));
  EXPECT_FALSE(parse_path("burst-loss=1%"));
  EXPECT_FALSE(parse_path("delay-change=5s/1ms delay-change=4s/2ms"));
  EXPECT_FALSE(parse_path("strip=mss"));
  EXPECT_FALSE(parse_path("mtu=10"));
}

}  // namespace
}  // namespace estab::tools
