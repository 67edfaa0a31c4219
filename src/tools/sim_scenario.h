// One run of `estab sim`, as words say it: a path, who sends over it, and how much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "estab/sim/bulk.h"

#include "tools/congestion_name.h"
#include "tools/ecn_name.h"
#include "tools/path_spec.h"

namespace estab::tools {

struct SimScenario {
  PathSpec path{};
  std::optional<PathSpec> back{};  ///< nothing: as `path`, unharmed
  Duration rtt = std::chrono::milliseconds(60);
  CongestionControl cc = CongestionControl::cubic;
  EcnChoice ecn = EcnChoice::unsaid;
  std::uint64_t octets = 10'000'000;
  std::size_t flows = 1;
  Duration limit = std::chrono::hours(1), apart{0};
  std::uint64_t seed = 1;

  sim::BulkConfig config() const;
};

/// `rtt=60ms`, `cc=bbr`, `ecn=accurate`, `bytes=100M`, `flows=4`, `seed=7`, or a word of a path.
Read<void> set_scenario_word(SimScenario& scenario, std::string_view word);

nlohmann::ordered_json describe_scenario(const SimScenario& scenario);
nlohmann::ordered_json describe_report(const SimScenario& scenario, const sim::BulkReport& report);

/// `rtt=10ms,60ms loss=0,1% cc=cubic,bbr`: every combination, the last word varying fastest, each
/// with the words that make it.
struct SimCell {
  std::vector<std::string> words;
  SimScenario scenario;
};
Read<std::vector<SimCell>> expand_matrix(const SimScenario& base, std::string_view text);

/// `3..17`: both ends included.
struct SeedRange {
  std::uint64_t first = 1, last = 1;
};
Read<SeedRange> parse_seeds(std::string_view text);
/// `2/8`: the second of eight parts.
struct Shard {
  std::uint64_t part = 1, parts = 1;
};
Read<Shard> parse_shard(std::string_view text);
/// The seeds of a shard: every parts-th.
std::vector<std::uint64_t> seeds_of(const SeedRange& seeds, const Shard& shard);

}  // namespace estab::tools
