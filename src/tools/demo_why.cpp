#include "tools/demo_why.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace estab::tools {

std::string_view name(Rule rule) {
  return rule == Rule::taken_out ? "taken out" : "in force";
}

const std::vector<Contrast>& contrasts() {
  static const std::vector<Contrast> kAll = {why_three(), why_four(), why_two_msl()};
  return kAll;
}

const Contrast* find_contrast(std::string_view name) {
  const auto found = std::ranges::find(contrasts(), name, &Contrast::name);
  return found == contrasts().end() ? nullptr : &*found;
}

const DemoCase* find_contrast_scene(std::string_view name) {
  for (const Contrast& contrast : contrasts())
    for (const ContrastPart& part : contrast.parts)
      if (part.scene.name == name) return &part.scene;
  return nullptr;
}

PerformedContrast perform(const Contrast& contrast, const SceneOptions& options) {
  PerformedContrast performed{.contrast = &contrast};
  for (const ContrastPart& part : contrast.parts)
    performed.parts.push_back(perform(part.scene, options));
  return performed;
}

nlohmann::ordered_json as_json(const PerformedContrast& performed) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  bool ok = true;
  for (std::size_t i = 0; i < performed.parts.size(); ++i) {
    nlohmann::ordered_json part = as_json(performed.parts[i]);
    part["rule"] = name(performed.contrast->parts[i].rule);
    ok = ok && performed.parts[i].failures.empty();
    parts.push_back(std::move(part));
  }
  return {{"schema", "estab.demo-contrast/1"},
          {"contrast", performed.contrast->name},
          {"asks", performed.contrast->asks},
          {"answers", performed.contrast->answers},
          {"ok", ok},
          {"parts", std::move(parts)}};
}

ExitCode print_contrast(const PerformedContrast& performed, const DemoView& view) {
  const Contrast& contrast = *performed.contrast;
  if (view.format == ReportFormat::json) {
    print_json(stdout, as_json(performed));
  } else {
    print_title(contrast.name, contrast.asks);
    for (std::size_t i = 0; i < performed.parts.size(); ++i) {
      const Performance& part = performed.parts[i];
      const LadderOptions options = suited_to_output(part.ladder_options, view);
      print_title(fmt::format("{}. The rule {}", i + 1, name(contrast.parts[i].rule)),
                  part.demo->shows);
      fmt::print("{}\n", render_ladder(part.ladder, options));
      print_paragraph(fmt::format("What is seen: {}", part.demo->look), options);
      fmt::print("\n");
    }
    print_paragraph(fmt::format("Why: {}", contrast.answers), suited_to_output({}, view));
  }
  ExitCode code = ExitCode::ok;
  for (const Performance& part : performed.parts)
    code = std::max(
        code,
        report_failures(fmt::format("demo {}, {}", contrast.name, part.demo->name), part.failures));
  return code;
}

void make_late_by(SimulationConfig& config, Duration age) {
  config.link.both_ways.reorder_delay = age - config.link.both_ways.delay;
}

}  // namespace estab::tools
