// estab_properties: the property test for as many seeds as one likes, and one seed in full view.
//
//   estab_properties [--first S] [--seeds N] [--trace]

#include <cstdint>
#include <iostream>

#include "properties/run.h"
#include "support/seed_options.h"

int main(int argc, char** argv) {
  const auto options = estab::test::parse_seed_options(argc, argv, 1000);
  if (!options) {
    std::cerr << "usage: estab_properties [--first S] [--seeds N] [--trace]\n";
    return 2;
  }
  estab::properties::Report all;
  std::uint64_t bad = 0;
  for (std::uint64_t i = 0; i < options->seeds; ++i) {
    const auto report =
        estab::properties::run_seed(options->first + i, options->trace ? &std::cout : nullptr);
    all += report;
    if (report.good()) continue;
    ++bad;
    std::cout << report.complaint << "\n\n";
  }
  std::cout << estab::properties::summary(all);
  if (bad > 0) std::cout << bad << " seeds failed\n";
  return bad > 0 ? 1 : 0;
}
