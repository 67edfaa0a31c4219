// One seed: the path, the transfers over it, and what they broke.
#pragma once

#include <cstdint>
#include <string>

namespace estab::paths {

struct Report {
  std::string complaint;  ///< empty: all laws were kept
  std::uint64_t octets = 0, frames = 0, retransmits = 0, timeouts = 0, needless = 0, clean = 0;
};

Report run_seed(std::uint64_t seed, bool trace = false);

}  // namespace estab::paths
