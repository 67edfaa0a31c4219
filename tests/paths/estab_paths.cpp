// estab_paths: transfers over random paths in virtual time, and what a sender must keep to on any.
//
//   estab_paths [--first S] [--seeds N] [--trace]
//
// It runs N seeds on all processors and prints those that break a law, with the command that shows
// one again; --trace describes the path first.

#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "paths/run.h"
#include "support/seed_options.h"

int main(int argc, char** argv) {
  const auto options = estab::test::parse_seed_options(argc, argv, 10'000);
  if (!options) {
    std::cerr << "usage: estab_paths [--first S] [--seeds N] [--trace]\n";
    return 2;
  }
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  estab::paths::Report sum;
  std::uint64_t bad = 0;
  const auto work = [&] {
    for (std::uint64_t i = next++; i < options->seeds; i = next++) {
      const auto report = estab::paths::run_seed(options->first + i, options->trace);
      const std::lock_guard lock(mutex);
      sum.octets += report.octets;
      sum.retransmits += report.retransmits;
      sum.timeouts += report.timeouts;
      sum.needless += report.needless;
      sum.clean += report.clean;
      if (report.complaint.empty()) continue;
      ++bad;
      std::cout << report.complaint << "\n\n";
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(std::thread::hardware_concurrency(), 1u); ++i)
      threads.emplace_back(work);
  }
  std::cout << options->seeds << " seeds, " << sum.clean << " of them clean paths: " << sum.octets
            << " octets, " << sum.retransmits << " retransmissions, " << sum.needless
            << " of them for nothing, " << sum.timeouts << " timeouts; " << bad
            << " seeds broke a law\n";
  return bad > 0 ? 1 : 0;
}
