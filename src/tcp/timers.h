// The timers of one connection as a table of deadlines. Setting one is an assignment: the stack
// keeps a single wheel entry for the earliest of them and re-arms it lazily.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>

#include "estab/time.h"
#include "estab/trace.h"

namespace estab::tcp {

/// A timer that sets itself again waits at least this long, whatever it was set to: else it would
/// be due again before anything else could happen.
inline constexpr Duration kLeastWait = std::chrono::milliseconds(1);

/// RFC 6298 (5.5): the wait before the next repetition, doubled with each, up to `most`.
inline Duration backed_off(Duration first, int repetitions, Duration most) {
  most = std::max(most, kLeastWait);
  Duration wait = std::max(first, kLeastWait);
  for (int i = 0; i < repetitions && wait < most; ++i) wait *= 2;
  return std::min(wait, most);
}

class TimerTable {
 public:
  TimerTable() { deadlines_.fill(kNever); }

  void set(Timer timer, Instant deadline) { deadlines_[index(timer)] = deadline; }
  void stop(Timer timer) { deadlines_[index(timer)] = kNever; }
  void stop_all() { deadlines_.fill(kNever); }
  bool runs(Timer timer) const { return deadlines_[index(timer)] != kNever; }
  Instant deadline(Timer timer) const { return deadlines_[index(timer)]; }
  Instant earliest() const { return *std::min_element(deadlines_.begin(), deadlines_.end()); }
  const auto& deadlines() const { return deadlines_; }

  friend bool operator==(const TimerTable&, const TimerTable&) = default;

 private:
  // TIME-WAIT has its own record and its own deadline: see time_wait.h.
  static constexpr std::size_t kCount = static_cast<std::size_t>(Timer::time_wait);
  static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  std::array<Instant, kCount> deadlines_;
};

}  // namespace estab::tcp
