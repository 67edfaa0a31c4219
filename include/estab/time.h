// Time as the core sees it: it is handed in, never read. StackClock has no now() on purpose, so
// that nothing in the core can ask the machine what time it is.
//
// Durations and instants are those of std::chrono, in nanoseconds, and take and give its units as
// usual. Only their arithmetic is stricter: it stops at the ends (saturating.h). So kForever may be
// given wherever a duration is asked for, and whatever is added to it, it means "never".
#pragma once

#include <chrono>
#include <cstdint>

#include "estab/saturating.h"

namespace estab {

using Duration = std::chrono::duration<Saturating, std::nano>;

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

/// No limit of time.
inline constexpr Duration kForever = Duration::max();
/// A deadline that never comes.
inline constexpr Instant kNever = Instant::max();

}  // namespace estab
