// estab demo: TCP shown by itself. `estab demo CASE` plays one case in memory; `estab demo` alone
// is the real thing, against this machine's kernel (demo_live.h).
#include <cstdlib>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/demo_case.h"
#include "tools/demo_live.h"
#include "tools/demo_print.h"
#include "tools/demo_why.h"
#include "tools/http_text.h"
#include "tools/options.h"
#include "tools/report.h"
#include "tools/suggestion.h"

namespace estab::tools {
namespace {

struct DemoOptions {
  std::string name;
  DemoView view;
  SceneOptions scene;
};

Read<Duration> parse_delay(std::string_view text) {
  auto delay = parse_duration(text);
  if (delay && (*delay < kShortestDelay || *delay > kLongestDelay))
    return std::unexpected("must be from 1us to 200ms");
  return delay;
}

[[noreturn]] void refuse_case(const std::string& name) {
  std::vector<std::string> names;
  for (const DemoCase& demo : demo_cases()) names.emplace_back(demo.name);
  for (const Contrast& contrast : contrasts()) names.emplace_back(contrast.name);
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("; the cases are {}", fmt::join(names, ", "));
  throw Failure(ExitCode::bad_input,
                fmt::format("demo: there is no case '{}'{}", escape_control(name), hint));
}

// These tell a story in which the delays play a part.
void refuse_other_delay(const DemoOptions& options) {
  if (options.scene.delay != SceneOptions{}.delay)
    throw Failure(
        ExitCode::bad_input,
        fmt::format("--delay: demo {} has delays of its own; leave it out", options.name));
}

// A file holds one scene, and a contrast has several.
void refuse_file(std::string_view option, const std::string& path, const Contrast& contrast,
                 const DemoOptions& options) {
  if (path.empty()) return;
  std::string scenes;
  for (const ContrastPart& part : contrast.parts)
    scenes += (scenes.empty() ? "" : ", ") + std::string(part.scene.name);
  throw Failure(ExitCode::bad_input,
                fmt::format("{}: demo {} plays {} scenes; name the one you want instead: {}",
                            option, options.name, contrast.parts.size(), scenes));
}

ExitCode run_contrast(const Contrast& contrast, const DemoOptions& options) {
  refuse_other_delay(options);
  refuse_file("--pcap", options.scene.pcap, contrast, options);
  refuse_file("--trace", options.scene.trace, contrast, options);
  return print_contrast(perform(contrast, options.scene), options.view);
}

ExitCode run_demo(const DemoOptions& options) {
  if (options.name.empty()) return demo_live(options.view, options.scene);
  if (const Contrast* contrast = find_contrast(options.name))
    return run_contrast(*contrast, options);
  const DemoCase* demo = find_contrast_scene(options.name);
  if (demo) refuse_other_delay(options);
  if (!demo) demo = find_demo_case(options.name);
  if (demo == nullptr) refuse_case(options.name);
  return print_performance(perform(*demo, options.scene), options.view);
}

std::string footer() {
  std::string text = "Cases:\n";
  for (const DemoCase& demo : demo_cases())
    text += fmt::format("  {:<20}{}\n", demo.name, demo.shows);
  text += "\nQuestions, each answered by what goes wrong without the rule, beside what TCP does:\n";
  for (const Contrast& contrast : contrasts())
    text += fmt::format("  {:<20}{}\n", contrast.name, contrast.asks);
  return text + "\nWithout CASE: serves a file to this machine's curl over a TUN device.";
}

void add_demo(CLI::App& program, ExitCode& exit_code) {
  auto* command = program.add_subcommand("demo", "Show how TCP opens, transfers, loses and closes");
  auto options = std::make_shared<DemoOptions>();
  command->add_option("CASE", options->name, "What to show, see below");
  add_value(*command, "--delay", "DURATION", parse_delay, options->scene.delay,
            "One-way delay of the wire, 1us to 200ms (default: 10ms)");
  add_value(*command, "--seed", "NUMBER", parse_count, options->scene.seed,
            "Seed for initial sequence numbers and all other random choices (default: 1)");
  command
      ->add_option("--pcap", options->scene.pcap,
                   "Capture every frame, as A sees it, into a pcapng file")
      ->type_name("FILE");
  add_trace_option(*command, options->scene.trace);
  command->add_flag_callback(
      "--ascii", [options] { options->view.glyphs = Glyphs::ascii; }, "Draw with ASCII only");
  add_json_flag(*command, options->view.format);
  command->footer(footer());
  command->callback([options, &exit_code] { exit_code = run_demo(*options); });
}

const Registration kDemo{{"demo", Order::show, add_demo}};

}  // namespace
}  // namespace estab::tools
