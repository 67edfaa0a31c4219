// estab_paths: transfers over random paths in virtual time, and what a sender must keep to on any.
//
//   estab_paths [--first S] [--seeds N] [--trace]
//
// It runs N seeds on all processors and prints those that break a law, with the command that shows
// one again; --trace describes the path first.

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "paths/run.h"

namespace {

struct Options {
  std::uint64_t first = 1, seeds = 10'000;
  bool trace = false;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--trace") {
      options.trace = true;
    } else if ((word == "--first" || word == "--seeds") && i + 1 < argc) {
      char* end = nullptr;
      const std::uint64_t number = std::strtoull(argv[++i], &end, 10);
      if (*end != '\0') return false;
      (word == "--first" ? options.first : options.seeds) = number;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "usage: estab_paths [--first S] [--seeds N] [--trace]\n";
    return 2;
  }
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  estab::paths::Report sum;
  std::uint64_t bad = 0;
  const auto work = [&] {
    for (std::uint64_t i = next++; i < options.seeds; i = next++) {
      const auto report = estab::paths::run_seed(options.first + i, options.trace);
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
  std::cout << options.seeds << " seeds, " << sum.clean << " of them clean paths: " << sum.octets
            << " octets, " << sum.retransmits << " retransmissions, " << sum.needless
            << " of them for nothing, " << sum.timeouts << " timeouts; " << bad
            << " seeds broke a law\n";
  return bad > 0 ? 1 : 0;
}
