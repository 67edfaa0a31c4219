// Campaigns: the same run with many seeds, in parts that may be made anywhere, and put together.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/sim_scenario.h"

namespace estab::tools {

/// What so many runs came to: of each its report, and the figures over all of them.
nlohmann::ordered_json run_campaign(const SimScenario& scenario, const SeedRange& seeds,
                                    const Shard& shard);

/// Puts the documents of several shards together, by their seeds. The error says which file does
/// not belong to the others, which seed comes twice, or which are missing.
Read<nlohmann::ordered_json> merge_campaigns(const std::vector<std::string>& files);

}  // namespace estab::tools
