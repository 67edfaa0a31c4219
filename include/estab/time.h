// Time as the core sees it: it is handed in, never read. StackClock has no now() on purpose, so
// that nothing in the core can ask the machine what time it is.
#pragma once

#include <chrono>
#include <cstdint>

namespace estab {

using Duration = std::chrono::nanoseconds;

/// A steady clock that only the caller advances: a real monotonic clock in a host, a counter in a
/// test. Its epoch has no meaning.
struct StackClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<StackClock>;
  static constexpr bool is_steady = true;
};

using Instant = StackClock::time_point;

/// A deadline that never comes.
inline constexpr Instant kNever = Instant::max();

}  // namespace estab
