// What every controller is made with and bounded by.
#pragma once

#include <algorithm>
#include <cstdint>

namespace estab::tcp::congestion {

/// "Arbitrarily high" (RFC 5681 §3.1): no loss has been seen yet.
inline constexpr std::uint32_t kNoThreshold = 0xffffffff;
/// Beyond any window that can be announced.
inline constexpr std::uint32_t kMaxWindow = 1u << 30;
/// The answer of an algorithm that does not pace.
inline constexpr std::uint64_t kUnpaced = ~std::uint64_t{0};

/// What a controller is made with.
struct Settings {
  std::uint32_t mss = 536;
  std::uint32_t seed = 0;  ///< of what is left to chance
  std::uint16_t initial_window_segments = 10;
  bool paced = true;  ///< the sender keeps to pacing_rate()
  friend bool operator==(const Settings&, const Settings&) = default;
};

/// RFC 6928 §2 (1): min(10*MSS, max(2*MSS, 14600)), with the 10 as a setting.
// [RFC 6928 2-1]
inline std::uint32_t initial_window(const Settings& settings) {
  const std::uint32_t mss = settings.mss;
  const std::uint32_t segments = std::max<std::uint32_t>(settings.initial_window_segments, 1);
  if (segments != 10) return std::min(segments, kMaxWindow / mss) * mss;
  return std::min(10 * mss, std::max(2 * mss, 14600u));
}

/// RFC 3390: min(4*MSS, max(2*MSS, 4380)), and no more than the setting.
inline std::uint32_t older_initial_window(const Settings& settings) {
  const std::uint32_t mss = settings.mss;
  return std::min(initial_window(settings), std::min(4 * mss, std::max(2 * mss, 4380u)));
}

}  // namespace estab::tcp::congestion
