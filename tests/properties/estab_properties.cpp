// estab_properties: the property test for as many seeds as one likes, and one seed in full view.
//
//   estab_properties [--first S] [--seeds N] [--trace]

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "properties/run.h"

namespace {

struct Options {
  std::uint64_t first = 1, seeds = 1000;
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
    std::cerr << "usage: estab_properties [--first S] [--seeds N] [--trace]\n";
    return 2;
  }
  estab::properties::Report all;
  std::uint64_t bad = 0;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    const auto report =
        estab::properties::run_seed(options.first + i, options.trace ? &std::cout : nullptr);
    all += report;
    if (report.good()) continue;
    ++bad;
    std::cout << report.complaint << "\n\n";
  }
  std::cout << estab::properties::summary(all);
  if (bad > 0) std::cout << bad << " seeds failed\n";
  return bad > 0 ? 1 : 0;
}
