// The timers of one connection as a table of deadlines. Setting one is an assignment: the stack
// keeps a single wheel entry for the earliest of them and re-arms it lazily.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

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

/// Whether a timer is served while this host keeps up. One served much later than it was due tells
/// of a standstill here (stopped, suspended, starved), not of the peer: what the peer has said in
/// the meantime has not been read. Nothing is given up then; it is sent once more, and has its time
/// to be answered.
enum class Served : std::uint8_t { in_time, after_standstill };

/// `wait`: what the timer is set to. A host that is always late is no reason to wait for ever: with
/// each repetition the wait grows, its lateness does not.
inline Served served(Instant now, Instant deadline, Duration wait) {
  constexpr Duration kLeast = std::chrono::seconds(1);
  return now - deadline < std::max(wait, kLeast) ? Served::in_time : Served::after_standstill;
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
  void hash_into(auto& hasher) const { hasher.add(deadlines_); }

 private:
  // TIME-WAIT has its own record and its own deadline: see time_wait.h.
  static constexpr std::size_t kCount = static_cast<std::size_t>(Timer::time_wait);
  static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  std::array<Instant, kCount> deadlines_;
};

}  // namespace estab::tcp
