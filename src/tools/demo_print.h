// How a demonstration is put on the screen, or into JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "estab/ladder.h"

#include "tools/demo_case.h"
#include "tools/exit_code.h"
#include "tools/report.h"

namespace estab::tools {

struct DemoView {
  ReportFormat format = ReportFormat::text;
  Glyphs glyphs = Glyphs::unicode;
};

/// Glyphs, width and colours that suit standard output.
LadderOptions suited_to_output(const LadderOptions& options, const DemoView& view);

/// A paragraph, wrapped to the ladder's width.
void print_paragraph(std::string_view text, const LadderOptions& options);
/// A title: a name and what is shown.
void print_title(std::string_view name, std::string_view shows);

nlohmann::ordered_json as_json(const Ladder& ladder);
nlohmann::ordered_json as_json(const Performance& performance);

/// Prints text or JSON. Says on stderr what did not happen as claimed; the exit code says whether.
ExitCode print_performance(const Performance& performance, const DemoView& view);
ExitCode report_failures(std::string_view what, const std::vector<std::string>& failures);

}  // namespace estab::tools
