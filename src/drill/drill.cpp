#include "drill/drill.h"

#include <fmt/format.h>

#include "drill/parser.h"
#include "drill/refusal.h"
#include "drill/runner.h"

namespace estab::drill {
namespace {

std::string source_of(const Script& script, int line) {
  for (const ScriptEvent& event : script.events)
    if (event.line == line) return event.source;
  return {};
}

/// Where, what, the two sides, and what led to it.
std::string detail_of(std::string_view file, const Script& script, const Runner& runner,
                      const Mismatch& mismatch) {
  std::string text = fmt::format("{}:{}: {}\n", file, runner.line(), mismatch.what);
  if (const std::string source = source_of(script, runner.line()); !source.empty())
    text += fmt::format("  script    {}\n", source);
  if (!mismatch.expected.empty()) text += fmt::format("  expected  {}\n", mismatch.expected);
  if (!mismatch.actual.empty()) text += fmt::format("  actual    {}\n", mismatch.actual);
  const std::string ladder = runner.ladder();
  return ladder.empty() ? text : text + "\n" + ladder;
}

std::string reason_of(const Mismatch& mismatch) {
  std::string text = mismatch.what;
  if (!mismatch.expected.empty())
    text += fmt::format("; expected {}, actual {}", mismatch.expected, mismatch.actual);
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

void run(std::string_view file, const Script& script, Runner& runner, DrillResult& result) {
  try {
    runner.run();
  } catch (const Mismatch& mismatch) {
    result.verdict = DrillVerdict::failed;
    result.reason = reason_of(mismatch);
    result.detail = detail_of(file, script, runner, mismatch);
  } catch (const Refusal& refusal) {
    const bool is_mistake = refusal.kind() == Refusal::Kind::mistake;
    result.verdict = is_mistake ? DrillVerdict::failed : DrillVerdict::skipped;
    result.reason = refusal.what();
    result.detail = fmt::format("{}:{}: {}\n", file, runner.line(), refusal.what());
  }
  if (result.verdict != DrillVerdict::passed) result.line = runner.line();
  result.notes = runner.notes();
  result.log = runner.log();
}

}  // namespace

std::string_view name(DrillVerdict verdict) {
  switch (verdict) {
    case DrillVerdict::passed:
      return "passed";
    case DrillVerdict::failed:
      return "failed";
    default:
      return "skipped";
  }
}

DrillResult drill(std::string_view file, std::string_view text, const DrillOptions& options) {
  DrillResult result;
  const auto script = parse_script(text, options.defines);
  if (!script) {
    result.verdict = DrillVerdict::failed;
    result.line = script.error().line;
    result.reason = script.error().what;
    result.detail = fmt::format("{}:{}: {}\n", file, result.line, result.reason);
    return result;
  }
  Runner runner(*script, options);
  run(file, *script, runner, result);
  if (options.recorded && runner.recording()) options.recorded(*runner.recording());
  return result;
}

}  // namespace estab::drill
