// Cubes and cube roots of whole numbers, for CUBIC: a floating-point cube root is not the same on
// every machine.
#pragma once

#include <cstdint>

namespace estab::tcp::congestion {

/// The greatest r with r^3 <= n.
constexpr std::uint64_t cube_root(std::uint64_t n) {
  std::uint64_t root = 0;
  for (int bit = 21; bit >= 0; --bit) {
    const std::uint64_t tried = root | std::uint64_t{1} << bit;
    // 2642245^3 is the last cube below 2^64.
    if (tried <= 2642245 && tried * tried * tried <= n) root = tried;
  }
  return root;
}

}  // namespace estab::tcp::congestion
