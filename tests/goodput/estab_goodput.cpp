// estab_goodput: the golden table of goodput, round trip x loss x queue x congestion control.
//
//   estab_goodput --check table.csv    compares, says what is different, and fails if anything is
//   estab_goodput --write table.csv    writes it anew
//
// Law: a cell follows from its own settings and a seed alone, in virtual time; so it comes out the
// same on every machine, and a difference is a change of behaviour.

#include <atomic>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "estab/sim/bulk.h"

namespace estab::goodput {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRate = 50'000'000, kOctets = 4'000'000;
constexpr int kSeeds = 3;  // one run says little where loss is by chance

struct Named {
  const char* name;
  double value;
};
constexpr Named kRtts[] = {{"10ms", 10}, {"60ms", 60}, {"150ms", 150}};
constexpr Named kLosses[] = {{"0", 0}, {"0.1%", 0.001}, {"1%", 0.01}, {"3%", 0.03}};
constexpr Named kQueues[] = {{"0.25bdp", 0.25}, {"1bdp", 1}, {"4bdp", 4}};
constexpr std::pair<const char*, CongestionControl> kControls[] = {
    {"reno", CongestionControl::new_reno},
    {"cubic", CongestionControl::cubic},
    {"bbr", CongestionControl::bbr}};

constexpr const char* kHead = "rtt,loss,queue,cc,kbit_s,retransmits,needless,recoveries,timeouts\n";

struct Cell {
  Named rtt, loss, queue;
  std::pair<const char*, CongestionControl> cc;
  std::string key() const {
    return fmt::format("{},{},{},{}", rtt.name, loss.name, queue.name, cc.first);
  }
};

std::vector<Cell> cells() {
  std::vector<Cell> all;
  for (const auto& rtt : kRtts)
    for (const auto& loss : kLosses)
      for (const auto& queue : kQueues)
        for (const auto& cc : kControls) all.push_back({rtt, loss, queue, cc});
  return all;
}

sim::BulkConfig config_of(const Cell& cell, int seed) {
  sim::BulkConfig config;
  config.octets = kOctets;
  config.seed = static_cast<std::uint64_t>(seed);
  config.path.rate_bits_per_second = kRate;
  config.path.delay = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::duration<double, std::milli>(cell.rtt.value / 2));
  const double bdp = static_cast<double>(kRate) / 8 * cell.rtt.value / 1000;
  config.path.queue.octets = static_cast<std::size_t>(bdp * cell.queue.value);
  config.path.impairments.loss = cell.loss.value;
  config.sender.tcp.congestion_control = cell.cc.second;
  return config;
}

/// What a cell comes to: the mean goodput (geometric) and sums of all seeds.
std::string run(const Cell& cell) {
  double logarithms = 0;
  std::uint64_t retransmits = 0, needless = 0, recoveries = 0, timeouts = 0;
  const int seeds = cell.loss.value > 0 ? kSeeds : 1;
  for (int seed = 1; seed <= seeds; ++seed) {
    const sim::BulkReport report = sim::run_bulk(config_of(cell, seed));
    logarithms += std::log(report.goodput_bit_s / 1000);
    retransmits += report.retransmits;
    needless += report.spurious_retransmits;
    recoveries += report.recoveries;
    timeouts += report.timeouts;
    if (!report.complete) return "incomplete";
  }
  return fmt::format("{:.0f},{},{},{},{}", std::exp(logarithms / seeds), retransmits, needless,
                     recoveries, timeouts);
}

std::vector<std::string> run_all(const std::vector<Cell>& all) {
  std::vector<std::string> results(all.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) results[i] = run(all[i]);
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(std::thread::hardware_concurrency(), 1u); ++i)
      threads.emplace_back(work);
  }
  return results;
}

std::map<std::string, std::string> read(const std::string& file) {
  std::map<std::string, std::string> table;
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (std::getline(stream, line)) {
    std::size_t comma = 0;
    for (int i = 0; i < 4 && comma != std::string::npos; ++i)
      comma = line.find(',', comma + (i > 0));
    if (comma != std::string::npos) table.emplace(line.substr(0, comma), line.substr(comma + 1));
  }
  return table;
}

double goodput(const std::string& result) {
  return std::atof(result.c_str());
}

/// Prints what is different, and in which direction all of it goes for each algorithm.
int check(const std::string& file, const std::vector<Cell>& all,
          const std::vector<std::string>& results) {
  const auto table = read(file);
  std::map<std::string, std::pair<double, int>> change;
  int different = table.size() == all.size() ? 0 : 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = table.find(all[i].key());
    const std::string before = found == table.end() ? "missing" : found->second;
    if (before == results[i]) continue;
    if (different++ == 0) fmt::print("  {}", kHead);
    const double ratio = goodput(results[i]) / std::max(goodput(before), 1.0);
    fmt::print("- {},{}\n+ {},{}   {:+.1f} %\n", all[i].key(), before, all[i].key(), results[i],
               100 * (ratio - 1));
    auto& [logarithms, cells] = change[all[i].cc.first];
    logarithms += std::log(std::max(ratio, 1e-9));
    ++cells;
  }
  if (different == 0) return 0;
  for (const auto& [cc, sum] : change)
    fmt::print("{}: {} cells are different, goodput {:+.1f} % in their geometric mean\n", cc,
               sum.second, 100 * (std::exp(sum.first / sum.second) - 1));
  fmt::print("If that is what the change was to do: estab_goodput --write {}\n", file);
  return 1;
}

int write(const std::string& file, const std::vector<Cell>& all,
          const std::vector<std::string>& results) {
  std::ofstream stream(file);
  stream << kHead;
  for (std::size_t i = 0; i < all.size(); ++i) stream << all[i].key() << ',' << results[i] << '\n';
  if (stream.flush()) return 0;
  fmt::print(stderr, "estab_goodput: {} cannot be written\n", file);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 3 ? argv[1] : "";
  if (mode != "--check" && mode != "--write") {
    std::cerr << "usage: estab_goodput --check FILE | --write FILE\n";
    return 2;
  }
  const std::vector<Cell> all = cells();
  const std::vector<std::string> results = run_all(all);
  return mode == "--check" ? check(argv[2], all, results) : write(argv[2], all, results);
}

}  // namespace estab::goodput

int main(int argc, char** argv) {
  return estab::goodput::main(argc, argv);
}
