#include "tools/demo_case.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace estab::tools {

const std::vector<DemoCase>& demo_cases() {
  static const std::vector<DemoCase> kAll = [] {
    std::vector<DemoCase> all;
    for (const auto& part : {opening_cases(), closing_cases(), data_cases()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kAll;
}

const DemoCase* find_demo_case(std::string_view name) {
  const auto found = std::ranges::find(demo_cases(), name, &DemoCase::name);
  return found == demo_cases().end() ? nullptr : &*found;
}

std::vector<State> states_of(const Ladder& ladder, LadderSide side) {
  std::multimap<std::int64_t, State> moments;
  for (const LadderEvent& event : ladder.events) {
    if (event.from == side && event.fate != Fate::copied)
      moments.emplace(event.departure_order, event.sender_after);
    if (event.from != side && event.arrived)
      moments.emplace(event.arrival_order, event.receiver_after);
  }
  std::vector<State> path = {ladder.ends[index_of(side)].first};
  for (const auto& [order, state] : moments)
    if (state != path.back()) path.push_back(state);
  return path;
}

std::vector<std::string> outline_of(const Ladder& ladder) {
  std::vector<std::string> outline;
  for (const LadderEvent& event : ladder.events) {
    if (event.kind != LadderEvent::Kind::segment) continue;
    const std::string_view flags = std::string_view(event.label).substr(0, event.label.find(' '));
    outline.push_back(fmt::format("{} {} {}{}", ladder.ends[index_of(event.from)].name, flags,
                                  event.reason ? name(*event.reason) : "unknown",
                                  event.fate == Fate::lost ? " lost" : ""));
  }
  return outline;
}

namespace {

std::string joined(const std::vector<State>& states) {
  std::string text;
  for (const State state : states) text += (text.empty() ? "" : ", ") + std::string(name(state));
  return text;
}

void compare_states(const Ladder& ladder, LadderSide side, const std::vector<State>& expected,
                    std::vector<std::string>& failures) {
  std::vector<State> seen = states_of(ladder, side);
  // What a late segment meets where the connection was: somebody who goes on listening.
  if (seen.size() > 1 && seen.back() == State::listen) seen.pop_back();
  if (expected.empty() || seen == expected) return;
  failures.push_back(fmt::format("{} goes through {} (seen: {})", ladder.ends[index_of(side)].name,
                                 joined(expected), joined(seen)));
}

}  // namespace

std::vector<std::string> compare(const Ladder& ladder, const ExpectedLadder& expected) {
  std::vector<std::string> failures;
  for (const LadderSide side : {LadderSide::left, LadderSide::right}) {
    const std::string& who = ladder.ends[index_of(side)].name;
    if (who == expected.a_name) compare_states(ladder, side, expected.a, failures);
    if (who == expected.b_name) compare_states(ladder, side, expected.b, failures);
  }
  const std::vector<std::string> outline = outline_of(ladder);
  auto at = outline.begin();
  for (const std::string_view wanted : expected.segments) {
    const auto found = std::find(at, outline.end(), wanted);
    if (found == outline.end()) {
      failures.push_back(fmt::format("the segment `{}` is sent{}", wanted,
                                     at == outline.begin() ? "" : " after `" + *(at - 1) + "`"));
      continue;
    }
    at = found + 1;
  }
  for (const std::string_view unwanted : expected.never)
    if (std::ranges::find(outline, unwanted) != outline.end())
      failures.push_back(fmt::format("the segment `{}` is not sent", unwanted));
  return failures;
}

Performance perform(const DemoCase& demo, const SceneOptions& options) {
  Performance performance{.demo = &demo, .options = options};
  Scene scene(options, demo.arrange);
  demo.play(scene);
  performance.failures = scene.failures();
  performance.capture = scene.capture();
  if (!options.trace.empty()) {
    performance.trace =
        std::make_shared<TraceFile>(options.trace, fmt::format("estab demo {}", demo.name));
    performance.trace->writer().write(scene.recording());
  }
  const Duration msl = scene.a().stack().config().msl;
  performance.ladder_options.msl = msl;
  performance.ladder_options.msl_remark =
      msl == Scene::kMsl ? "shortened for this demo" : "too short: the rule is taken out";
  performance.ladder_options.brief_before = scene.curtain_at();
  auto ladder = make_ladder(scene.recording(), performance.ladder_options);
  if (!ladder) {
    performance.failures.emplace_back("segments are sent");
    return performance;
  }
  performance.ladder = *std::move(ladder);
  for (std::string& failure : compare(performance.ladder, demo.expected))
    performance.failures.push_back(std::move(failure));
  return performance;
}

}  // namespace estab::tools
