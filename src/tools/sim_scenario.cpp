#include "tools/sim_scenario.h"

#include <algorithm>
#include <utility>

namespace estab::tools {

namespace {

constexpr std::uint64_t kMostFlows = 1000, kMostRuns = 1'000'000, kMostCells = 100'000;

Read<void> set_own_word(SimScenario& scenario, std::string_view key, std::string_view value) {
  const auto store = [](auto read, auto& into) -> Read<void> {
    if (!read) return std::unexpected(read.error());
    into = static_cast<std::remove_reference_t<decltype(into)>>(*read);
    return {};
  };
  if (key == "rtt") return store(parse_duration(value), scenario.rtt);
  if (key == "cc") return store(parse_congestion_control(value), scenario.cc);
  if (key == "ecn") return store(parse_ecn(value), scenario.ecn);
  if (key == "bytes") return store(parse_size(value), scenario.octets);
  if (key == "seed") return store(parse_whole(value), scenario.seed);
  return store(parse_whole(value, {.what = "a number of flows", .least = 1, .most = kMostFlows}),
               scenario.flows);
}

double milliseconds(Duration duration) {
  return static_cast<double>(duration.count().value()) / 1e6;
}

std::int64_t microseconds(Duration duration) {
  return duration.count().value() / 1000;
}

}  // namespace

Read<void> set_scenario_word(SimScenario& scenario, std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  if (key != "rtt" && key != "cc" && key != "ecn" && key != "bytes" && key != "flows" &&
      key != "seed")
    return set_path_word(scenario.path, word);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  if (auto set = set_own_word(scenario, key, value); !set)
    return std::unexpected(std::string(word) + ": " + set.error());
  return {};
}

// A path is told by its round trip; one told by its delay has that instead.
sim::BulkConfig SimScenario::config() const {
  sim::BulkConfig config;
  PathSpec there = path;
  if (there.link.delay == Duration{0}) there.link.delay = rtt / 2;
  PathSpec home = back.value_or(PathSpec{.link = there.link, .queue_bdps = there.queue_bdps});
  if (!back) home.link.impairments = {};
  if (home.link.delay == Duration{0}) home.link.delay = rtt - rtt / 2;
  const Duration whole = there.link.delay + home.link.delay;
  config.path = there.resolved(whole);
  config.back = home.resolved(whole);
  config.flows = flows;
  config.octets = octets;
  config.limit = limit;
  config.apart = apart;
  config.seed = seed;
  config.sender.tcp.congestion_control = cc;
  set_ecn(config.sender.tcp, ecn);
  set_ecn(config.receiver.tcp, ecn);
  if (cc == CongestionControl::dctcp && ecn == EcnChoice::unsaid)
    config.sender.tcp.ecn = config.receiver.tcp.ecn = Ecn::request;
  return config;
}

nlohmann::ordered_json describe_scenario(const SimScenario& scenario) {
  const sim::BulkConfig config = scenario.config();
  const sim::LinkConfig& path = config.path;
  return {{"rtt_ms", milliseconds(path.delay + config.back->delay)},
          {"rate_bit_s", path.rate_bits_per_second},
          {"loss", path.impairments.loss},
          {"reorder", path.impairments.reorder},
          {"queue_packets", path.queue.packets},
          {"queue_octets", path.queue.octets},
          {"cc", name_of(scenario.cc)},
          {"ecn", name_of(scenario.ecn)},
          {"octets", scenario.octets},
          {"flows", scenario.flows}};
}

nlohmann::ordered_json describe_report(const SimScenario& scenario, const sim::BulkReport& report) {
  nlohmann::ordered_json flows = nlohmann::ordered_json::array();
  Duration srtt{0};
  for (const sim::BulkFlow& flow : report.flows) {
    srtt = std::max(srtt, flow.srtt);
    flows.push_back({{"octets", flow.octets},
                     {"duration_s", milliseconds(flow.duration) / 1000},
                     {"goodput_bit_s", flow.goodput_bit_s},
                     {"retransmitted_octets", flow.retransmitted_octets},
                     {"retransmits", flow.retransmits},
                     {"spurious_retransmits", flow.spurious_retransmits},
                     {"timeouts", flow.timeouts},
                     {"recoveries", flow.recoveries},
                     {"tail_probes", flow.tail_probes},
                     {"srtt_us", microseconds(flow.srtt)},
                     {"min_rtt_us", microseconds(flow.min_rtt)},
                     {"cwnd", flow.cwnd},
                     {"complete", flow.complete}});
  }
  return {{"schema", "estab.sim/1"},
          {"seed", scenario.seed},
          {"scenario", describe_scenario(scenario)},
          {"goodput_bit_s", report.goodput_bit_s},
          {"duration_s", milliseconds(report.duration) / 1000},
          {"retransmitted_octets", report.retransmitted_octets},
          {"retransmits", report.retransmits},
          {"spurious_retransmits", report.spurious_retransmits},
          {"timeouts", report.timeouts},
          {"recoveries", report.recoveries},
          {"srtt_us", microseconds(srtt)},
          {"fairness", report.fairness},
          {"complete", report.complete},
          {"path",
           {{"packets", report.path.entered},
            {"lost", report.path.lost},
            {"queue_dropped", report.path.queue_dropped},
            {"marked", report.path.marked},
            {"reordered", report.path.reordered},
            {"duplicated", report.path.duplicated},
            {"most_waiting", report.path.most_waiting}}},
          {"flows", flows}};
}

// ---- many runs

Read<std::vector<SimCell>> expand_matrix(const SimScenario& base, std::string_view text) {
  std::vector<SimCell> cells{{{}, base}};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos)
      return std::unexpected("'" + std::string(word) + "': write key=value,value,...");
    std::vector<SimCell> more;
    std::string_view values = word.substr(equals + 1);
    std::vector<std::string> choices;
    do {
      const std::size_t comma = std::min(values.find(','), values.size());
      choices.push_back(std::string(word.substr(0, equals + 1)) +
                        std::string(values.substr(0, comma)));
      values.remove_prefix(std::min(comma + 1, values.size()));
    } while (!values.empty());
    if (cells.size() * choices.size() > kMostCells)
      return std::unexpected("more than " + std::to_string(kMostCells) + " cells");
    for (const SimCell& cell : cells) {
      for (const std::string& choice : choices) {
        SimCell next = cell;
        if (auto set = set_scenario_word(next.scenario, choice); !set)
          return std::unexpected(set.error());
        next.words.push_back(choice);
        more.push_back(std::move(next));
      }
    }
    cells = std::move(more);
  }
  return cells;
}

Read<SeedRange> parse_seeds(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto first = parse_whole(text.substr(0, dots));
  const auto last = dots == std::string_view::npos
                        ? first
                        : parse_whole(text.substr(std::min(dots + 2, text.size())));
  if (!first || !last || *last < *first)
    return std::unexpected("write the first and the last seed, as 1..100");
  if (*last - *first >= kMostRuns)
    return std::unexpected("more than " + std::to_string(kMostRuns) + " seeds");
  return SeedRange{*first, *last};
}

Read<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::unexpected("write the part and how many: 2/8");
  const auto part = parse_whole(text.substr(0, slash));
  const auto parts = parse_whole(text.substr(slash + 1));
  if (!part || !parts || *part < 1 || *part > *parts)
    return std::unexpected("write the part and how many: 1/8 to 8/8");
  return Shard{*part, *parts};
}

std::vector<std::uint64_t> seeds_of(const SeedRange& seeds, const Shard& shard) {
  std::vector<std::uint64_t> mine;
  for (std::uint64_t i = shard.part - 1; i <= seeds.last - seeds.first; i += shard.parts)
    mine.push_back(seeds.first + i);
  return mine;
}

}  // namespace estab::tools
