// The scripts that `estab drill` is to run, and how their results are told to other programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "drill/drill.h"

namespace estab::tools {

struct DrillRun {
  std::string file;
  drill::DrillResult result;
};

/// Each file as it is; of each directory all *.pkt below it, in order. Throws a Failure.
std::vector<std::string> find_scripts(const std::vector<std::string>& arguments);
std::string read_script(const std::string& file);

struct DrillCount {
  std::size_t passed = 0, failed = 0, skipped = 0;
};
DrillCount count_results(const std::vector<DrillRun>& runs);

nlohmann::ordered_json drill_json(const std::vector<DrillRun>& runs);
/// The XML that JUnit writes and CI services read.
std::string drill_junit(const std::vector<DrillRun>& runs);

}  // namespace estab::tools
