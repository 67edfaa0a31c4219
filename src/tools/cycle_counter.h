// The processor's cycle counter, where it has one that a program may read.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

namespace estab::tools {

#if defined(__x86_64__)
inline std::uint64_t cycle_counter() {
  return __rdtsc();
}
#else
/// Nanoseconds stand in for cycles.
inline std::uint64_t cycle_counter() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
#endif

}  // namespace estab::tools
