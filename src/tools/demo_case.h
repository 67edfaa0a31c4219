// One case of `estab demo`: what it shows, how it is played, and what must be seen in its ladder
// for the claim to hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "estab/ladder.h"
#include "estab/simulation.h"

#include "tools/demo_scene.h"
#include "tools/trace_file.h"

namespace estab::tools {

/// What a ladder must contain.
struct ExpectedLadder {
  std::string_view a_name = "A", b_name = "B";
  /// Every state A and B go through, in order.
  std::vector<State> a{}, b{};
  /// Segments that must be seen in this order, others may stand between them: who, flags, reason
  /// (the enumerator's name, `unknown` for an end not observed), and `lost` if it must get lost. `A
  /// S open`, `B F. fin lost`.
  std::vector<std::string_view> segments{};
  /// Segments that must not be seen at all.
  std::vector<std::string_view> never{};
};

struct DemoCase {
  std::string_view name;
  std::string_view shows;                     ///< one line
  std::string_view look;                      ///< what to look at
  void (*arrange)(SimulationConfig& config);  ///< null: nothing to change
  void (*play)(Scene& scene);
  ExpectedLadder expected;
};

/// Every case, in the order in which the help lists them.
const std::vector<DemoCase>& demo_cases();
const DemoCase* find_demo_case(std::string_view name);

/// The parts of the list.
std::vector<DemoCase> opening_cases();
std::vector<DemoCase> closing_cases();
std::vector<DemoCase> data_cases();

/// The states an end goes through, in order.
std::vector<State> states_of(const Ladder& ladder, LadderSide side);
/// The ladder's segments as ExpectedLadder has them.
std::vector<std::string> outline_of(const Ladder& ladder);
/// What of the expected is not there, in sentences.
std::vector<std::string> compare(const Ladder& ladder, const ExpectedLadder& expected);

/// A case that has been played.
struct Performance {
  const DemoCase* demo = nullptr;
  SceneOptions options{};
  LadderOptions ladder_options{};
  Ladder ladder{};
  std::vector<std::string> failures{};  ///< empty: all that is claimed happened
  std::shared_ptr<CaptureFile> capture{};
  std::shared_ptr<TraceFile> trace{};
};
Performance perform(const DemoCase& demo, const SceneOptions& options);
/// `code`, unless the capture or the trace that was asked for is not complete.
ExitCode judge_files(const Performance& performance, ExitCode code);

}  // namespace estab::tools
