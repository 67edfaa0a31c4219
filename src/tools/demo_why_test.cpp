// Every contrast shows what it claims: what goes wrong without the rule goes wrong, and with it
// does not. Each claim can fail: with the rule in force the first does not come true.
#include "tools/demo_why.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace estab::tools {
namespace {

std::string listed(const std::vector<std::string>& failures) {
  std::string text;
  for (const std::string& failure : failures) text += "\n  " + failure;
  return text;
}

class Contrasts : public ::testing::TestWithParam<std::string_view> {
 protected:
  const Contrast& contrast() const { return *find_contrast(GetParam()); }
};

TEST_P(Contrasts, ShowWhatTheyClaimWhateverTheSeed) {
  for (const std::uint64_t seed : {1, 2, 77})
    for (const Performance& part : perform(contrast(), {.seed = seed}).parts)
      EXPECT_TRUE(part.failures.empty())
          << part.demo->name << ", seed " << seed << listed(part.failures) << "\n"
          << render_ladder(part.ladder, part.ladder_options);
}

TEST_P(Contrasts, PlayTheRuleTakenOutAndInForce) {
  std::size_t taken_out = 0, in_force = 0;
  for (const ContrastPart& part : contrast().parts)
    ++(part.rule == Rule::taken_out ? taken_out : in_force);
  EXPECT_GE(taken_out, 1u);
  EXPECT_GE(in_force, 1u);
}

TEST_P(Contrasts, GiveTheSameAsJson) {
  const auto json = as_json(perform(contrast(), {}));
  EXPECT_EQ(json["schema"], "estab.demo-contrast/1");
  EXPECT_EQ(json["contrast"], GetParam());
  EXPECT_EQ(json["ok"], true);
  ASSERT_EQ(json["parts"].size(), contrast().parts.size());
  for (std::size_t i = 0; i < contrast().parts.size(); ++i) {
    EXPECT_EQ(json["parts"][i]["rule"], name(contrast().parts[i].rule));
    EXPECT_GE(json["parts"][i]["ladder"]["events"].size(), 3u);
  }
}

INSTANTIATE_TEST_SUITE_P(, Contrasts, ::testing::Values("why-three", "why-four", "why-two-msl"),
                         [](const auto& parameter) {
                           std::string text(parameter.param);
                           for (char& c : text)
                             if (c == '-') c = '_';
                           return text;
                         });

/// The story of `told`, on the stage of `other`.
std::vector<std::string> played_on(std::string_view told, std::string_view other) {
  DemoCase mixed = *find_contrast_scene(told);
  mixed.arrange = find_contrast_scene(other)->arrange;
  return perform(mixed, {}).failures;
}

TEST(Contrast, FailsIfTheRuleIsInForceWhereItIsSaidToBeTakenOut) {
  EXPECT_FALSE(played_on("no-wait-lost-ack", "two-msl-late-fin").empty());
  EXPECT_FALSE(played_on("one-msl-late-fin", "two-msl-late-fin").empty());
  EXPECT_FALSE(played_on("no-wait-next-connection", "two-msl-next-connection").empty());
}

TEST(Contrast, FailsIfTheRuleIsTakenOutWhereItIsSaidToBeInForce) {
  EXPECT_FALSE(played_on("two-msl-late-fin", "one-msl-late-fin").empty());
  EXPECT_FALSE(played_on("two-msl-next-connection", "no-wait-next-connection").empty());
}

}  // namespace
}  // namespace estab::tools
