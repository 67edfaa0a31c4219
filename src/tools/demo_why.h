// Contrast: a question about TCP answered by playing it twice. What would go wrong without a rule
// is run by the same simulator with that rule taken out, beside what TCP does.
//
// Law: nothing is drawn by hand. A part whose rule is taken out states with expect() what went
// wrong, so that a simulator in which it does not go wrong fails the demonstration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/demo_case.h"
#include "tools/demo_print.h"

namespace estab::tools {

/// Whether TCP's rule is in force in a part.
enum class Rule : std::uint8_t { taken_out, in_force };
std::string_view name(Rule rule);

struct ContrastPart {
  Rule rule = Rule::in_force;
  /// Its `look` says what follows from what was seen; the names of the parts are `two-segments` and
  /// the like.
  DemoCase scene;
};

struct Contrast {
  std::string_view name;
  std::string_view asks;     ///< the question, one line
  std::string_view answers;  ///< the answer, a paragraph
  std::vector<ContrastPart> parts;
};

/// Every contrast, in the order in which the help lists them.
const std::vector<Contrast>& contrasts();
const Contrast* find_contrast(std::string_view name);

Contrast why_three();
Contrast why_four();
Contrast why_two_msl();

/// A part by the name of its scene, to be played alone; null if there is none of that name.
const DemoCase* find_contrast_scene(std::string_view name);

/// A contrast that has been played, part by part in its order.
struct PerformedContrast {
  const Contrast* contrast = nullptr;
  std::vector<Performance> parts{};
};
PerformedContrast perform(const Contrast& contrast, const SceneOptions& options);

nlohmann::ordered_json as_json(const PerformedContrast& performed);
/// Prints text or JSON; what did not happen as claimed goes to stderr and into the exit code.
ExitCode print_contrast(const PerformedContrast& performed, const DemoView& view);

/// The longest that a segment lives in the network of these demonstrations: Scene::kMsl. What is
/// late arrives after `age`.
void make_late_by(SimulationConfig& config, Duration age);

}  // namespace estab::tools
