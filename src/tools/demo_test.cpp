// Every case of `estab demo` shows what it claims, for other seeds and delays as well.
#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/demo_case.h"
#include "tools/demo_print.h"

namespace estab::tools {
namespace {

using namespace std::chrono_literals;

class DemoCases : public ::testing::TestWithParam<std::string_view> {
 protected:
  const DemoCase& demo() const { return *find_demo_case(GetParam()); }
};

std::string listed(const std::vector<std::string>& failures) {
  std::string text;
  for (const std::string& failure : failures) text += "\n  " + failure;
  return text;
}

TEST_P(DemoCases, ShowsWhatItClaimsWhateverTheSeedAndTheDelay) {
  for (const std::uint64_t seed : {1, 2, 77})
    for (const Duration delay : {Duration(0ms), Duration(10ms), Duration(200ms)}) {
      const Performance performance = perform(demo(), {.seed = seed, .delay = delay});
      EXPECT_TRUE(performance.failures.empty())
          << "seed " << seed << ", delay " << delay.count() << " ns" << listed(performance.failures)
          << "\n"
          << render_ladder(performance.ladder, performance.ladder_options);
    }
}

TEST_P(DemoCases, IsTheSameForTheSameSeed) {
  const auto drawn = [&] {
    const Performance performance = perform(demo(), {.seed = 5});
    return render_ladder(performance.ladder, performance.ladder_options);
  };
  EXPECT_EQ(drawn(), drawn());
}

TEST_P(DemoCases, HasWordsAndARuleForEverySegment) {
  const Performance performance = perform(demo(), {});
  for (const LadderEvent& event : performance.ladder.events) {
    EXPECT_FALSE(event.text.empty()) << event.notation;
    if (event.kind == LadderEvent::Kind::segment) {
      EXPECT_NE(event.rfc.find("RFC "), std::string::npos) << event.notation;
      EXPECT_TRUE(event.reason.has_value()) << event.notation;
    }
  }
}

TEST_P(DemoCases, FailsIfSomethingElseIsSeen) {
  const Performance performance = perform(demo(), {});
  ExpectedLadder wrong = demo().expected;
  wrong.segments.push_back("A S open_that_never_was");
  EXPECT_EQ(compare(performance.ladder, wrong).size(), 1u);
  ExpectedLadder other_states = demo().expected;
  other_states.a = {State::listen};
  EXPECT_EQ(compare(performance.ladder, other_states).size(), 1u);
}

TEST_P(DemoCases, GivesTheSameAsJson) {
  const auto json = as_json(perform(demo(), {}));
  EXPECT_EQ(json["schema"], "estab.demo/1");
  EXPECT_EQ(json["case"], GetParam());
  EXPECT_EQ(json["ladder"]["schema"], "estab.ladder/1");
  EXPECT_GE(json["ladder"]["events"].size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(, DemoCases,
                         ::testing::Values("handshake", "teardown", "half-close",
                                           "simultaneous-open", "simultaneous-close", "time-wait",
                                           "reset", "refused", "urgent", "push", "zero-window",
                                           "loss", "wrap"),
                         [](const auto& parameter) {
                           std::string text(parameter.param);
                           for (char& c : text)
                             if (c == '-') c = '_';
                           return text;
                         });

TEST(DemoCaseList, HasNoCaseTwiceAndNoneUntested) {
  std::set<std::string_view> names;
  for (const DemoCase& demo : demo_cases()) EXPECT_TRUE(names.insert(demo.name).second);
  EXPECT_EQ(names.size(), 13u);
  EXPECT_EQ(find_demo_case("nonsense"), nullptr);
}

}  // namespace
}  // namespace estab::tools
