// What the programs that run a test over many seeds are told: [--first S] [--seeds N] [--trace].
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace estab::test {

struct SeedOptions {
  std::uint64_t first = 1, seeds = 0;
  bool trace = false;
};

/// Nothing if a word is none of these. `seeds`: how many, if nothing is said.
inline std::optional<SeedOptions> parse_seed_options(int argc, char** argv, std::uint64_t seeds) {
  SeedOptions options{.seeds = seeds};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--trace") {
      options.trace = true;
    } else if ((word == "--first" || word == "--seeds") && i + 1 < argc) {
      char* end = nullptr;
      const std::uint64_t number = std::strtoull(argv[++i], &end, 10);
      if (*end != '\0') return std::nullopt;
      (word == "--first" ? options.first : options.seeds) = number;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace estab::test
