#include "tools/sim_campaign.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

namespace estab::tools {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "estab.sim.campaign/1";

/// Median, extremes and geometric mean of the runs' goodput, and what they have in sum.
Json summary_of(const Json& runs) {
  std::vector<double> goodputs;
  std::uint64_t retransmits = 0, spurious = 0, timeouts = 0, incomplete = 0;
  double logarithms = 0;
  for (const Json& run : runs) {
    const double goodput = run.at("goodput_bit_s").get<double>();
    goodputs.push_back(goodput);
    logarithms += std::log(std::max(goodput, 1.0));
    retransmits += run.at("retransmits").get<std::uint64_t>();
    spurious += run.at("spurious_retransmits").get<std::uint64_t>();
    timeouts += run.at("timeouts").get<std::uint64_t>();
    incomplete += !run.at("complete").get<bool>();
  }
  if (goodputs.empty()) return {{"runs", 0}};
  std::ranges::sort(goodputs);
  return {{"runs", goodputs.size()},
          {"incomplete", incomplete},
          {"goodput_bit_s",
           {{"geometric_mean", std::exp(logarithms / static_cast<double>(goodputs.size()))},
            {"median", goodputs[goodputs.size() / 2]},
            {"least", goodputs.front()},
            {"most", goodputs.back()}}},
          {"retransmits", retransmits},
          {"spurious_retransmits", spurious},
          {"timeouts", timeouts}};
}

Json document(const Json& scenario, const Json& seeds, const Json& runs) {
  return {{"schema", kSchema},
          {"scenario", scenario},
          {"seeds", seeds},
          {"summary", summary_of(runs)},
          {"runs", runs}};
}

Read<Json> read_campaign(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return std::unexpected(file + ": cannot be opened");
  Json read = Json::parse(stream, nullptr, false);
  if (read.is_discarded() || !read.is_object() || read.value("schema", "") != kSchema ||
      !read.contains("runs") || !read.contains("seeds") || !read.contains("scenario"))
    return std::unexpected(file + ": is no output of `estab sim --seeds A..B --json`");
  return read;
}

}  // namespace

Json run_campaign(const SimScenario& scenario, const SeedRange& seeds, const Shard& shard) {
  Json runs = Json::array();
  for (const std::uint64_t seed : seeds_of(seeds, shard)) {
    SimScenario one = scenario;
    one.seed = seed;
    Json run = describe_report(one, sim::run_bulk(one.config()));
    run.erase("scenario");  // it is the campaign's
    runs.push_back(std::move(run));
  }
  return document(describe_scenario(scenario), {{"first", seeds.first}, {"last", seeds.last}},
                  runs);
}

Read<Json> merge_campaigns(const std::vector<std::string>& files) {
  Json first;
  std::map<std::uint64_t, Json> by_seed;
  for (const std::string& file : files) {
    auto read = read_campaign(file);
    if (!read) return read;
    if (first.is_null()) first = *read;
    if (read->at("scenario") != first.at("scenario") || read->at("seeds") != first.at("seeds"))
      return std::unexpected(file + ": is of another campaign than " + files.front());
    try {
      for (const Json& run : read->at("runs")) {
        const auto seed = run.at("seed").get<std::uint64_t>();
        if (!by_seed.emplace(seed, run).second)
          return std::unexpected(file + ": seed " + std::to_string(seed) + " comes twice");
      }
      summary_of(read->at("runs"));
    } catch (const nlohmann::json::exception& error) {
      return std::unexpected(file + ": " + error.what());
    }
  }
  const auto from = first.at("seeds").value("first", std::uint64_t{0});
  const auto to = first.at("seeds").value("last", std::uint64_t{0});
  Json runs = Json::array();
  for (std::uint64_t seed = from; seed <= to; ++seed) {
    const auto found = by_seed.find(seed);
    if (found == by_seed.end())
      return std::unexpected("seed " + std::to_string(seed) + " is missing: run its shard too");
    runs.push_back(found->second);
  }
  return document(first.at("scenario"), first.at("seeds"), runs);
}

}  // namespace estab::tools
