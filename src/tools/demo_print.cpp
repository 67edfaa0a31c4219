#include "tools/demo_print.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/live.h"

namespace estab::tools {

namespace {

bool set_to(const char* variable, std::string_view value) {
  const char* found = std::getenv(variable);
  return found != nullptr && found == value;
}

}  // namespace

LadderOptions suited_to_output(const LadderOptions& options, const DemoView& view) {
  LadderOptions suited = options;
  const int columns = terminal_width(Channel::output);
  if (columns > 0) suited.width = static_cast<std::uint16_t>(std::clamp(columns, 80, 140));
  // The console of Linux has few glyphs.
  const bool poor = columns > 0 && (set_to("TERM", "linux") || set_to("TERM", "dumb"));
  suited.glyphs = poor ? Glyphs::ascii : view.glyphs;
  suited.paint = wants_colour(Channel::output) ? Paint::ansi : Paint::plain;
  return suited;
}

void print_paragraph(std::string_view text, const LadderOptions& options) {
  const std::size_t width = std::clamp<std::size_t>(options.width, 80, 140) - 2;
  std::string line;
  const auto flush = [&] {
    print("{}\n", line);
    line.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() > width) flush();
    line += (line.empty() ? "" : " ") + std::string(word);
    at = end + 1;
  }
  if (!line.empty()) flush();
}

void print_title(std::string_view name, std::string_view shows) {
  print("{}: {}\n\n", paint(Channel::output, Colour::bold, name), shows);
}

nlohmann::ordered_json as_json(const Ladder& ladder) {
  return nlohmann::ordered_json::parse(ladder_json(ladder));
}

nlohmann::ordered_json as_json(const Performance& performance) {
  return {{"schema", "estab.demo/1"},
          {"case", performance.demo->name},
          {"shows", performance.demo->shows},
          {"look", performance.demo->look},
          {"seed", performance.options.seed},
          {"delay_ns", performance.options.delay.count().value()},
          {"msl_ns", Duration(Scene::kMsl).count().value()},
          {"ok", performance.failures.empty()},
          {"failures", performance.failures},
          {"ladder", as_json(performance.ladder)}};
}

ExitCode report_failures(std::string_view what, const std::vector<std::string>& failures) {
  for (const std::string& failure : failures)
    log_line(fmt::format("{}: this was expected and did not happen: {}", what, failure));
  return failures.empty() ? ExitCode::ok : ExitCode::found_wrong;
}

ExitCode print_performance(const Performance& performance, const DemoView& view) {
  const std::string what = fmt::format("demo {}", performance.demo->name);
  if (view.format == ReportFormat::json) {
    print_json(Channel::output, as_json(performance));
  } else {
    const LadderOptions options = suited_to_output(performance.ladder_options, view);
    print_title(performance.demo->name, performance.demo->shows);
    print("{}\n", render_ladder(performance.ladder, options));
    print_paragraph(fmt::format("What to look at: {}", performance.demo->look), options);
  }
  return judge_files(performance, report_failures(what, performance.failures));
}

ExitCode judge_files(const Performance& performance, ExitCode code) {
  if (performance.trace) code = performance.trace->judge(code);
  return judge_capture(performance.capture, code);
}

}  // namespace estab::tools
