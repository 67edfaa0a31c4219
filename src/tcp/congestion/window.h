// What the window-based algorithms share: the window and its threshold in octets, the snapshot from
// before a reduction, and whether the window is used at all.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/congestion/event.h"
#include "tcp/congestion/round.h"
#include "tcp/congestion/settings.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::congestion {

/// cwnd and ssthresh, and what both were before they were reduced.
struct Window {
  std::uint32_t cwnd = 0;
  std::uint32_t ssthresh = kNoThreshold;

  bool in_slow_start() const { return cwnd < ssthresh; }
  /// RFC 7661 §4.4.3: half of it was not used for five minutes. What was in use is found again
  /// quickly.
  // [RFC 7661 4.4.3-1, 4.4.3-2]
  void leave_unused(std::uint32_t initial) {
    ssthresh = std::max(ssthresh, cwnd / 4 * 3);
    cwnd = std::min(cwnd, std::max(cwnd / 2, initial));
  }
  void grow(std::uint64_t by) {
    cwnd = static_cast<std::uint32_t>(std::min<std::uint64_t>(cwnd + by, kMaxWindow));
  }
  friend bool operator==(const Window&, const Window&) = default;
};

/// Whether the window was used since the last round trip began, and how much of it. A window that
/// is not used proves nothing about the path and may not grow (RFC 7661 §4.3). While losses are
/// repaired nothing is measured, and then anew.
class WindowUse {
 public:
  RoundTrip on_ack(const AckEvent& event);
  /// Octets: the most there was in flight within a round trip (RFC 7661's pipeACK).
  // [RFC 7661 4.2-3, 4.2-4]
  std::uint32_t most_in_flight() const { return std::max(most_, most_before_); }
  /// Half of the window has to be in use; in congestion avoidance its own limits, too, have to be
  /// what stopped the sender at least once.
  // [RFC 7661 4.4-3, 4.4-4, 4.4-7, 4.4-8]
  bool lets_grow(const Window& window) const {
    return is_validated(window) && (window.in_slow_start() || limited_ || limited_before_);
  }
  /// A window beyond the initial one has not been validated for five minutes; asked at each ACK.
  // [RFC 7661 4.4-2]
  bool has_expired(const Window& window, std::uint32_t initial, Instant now) {
    if (window.cwnd <= initial || is_validated(window)) {
      unused_since_ = kNever;
      return false;
    }
    if (unused_since_ == kNever) unused_since_ = now;
    if (now - unused_since_ < kNonValidatedPeriod) return false;
    unused_since_ = now;
    return true;
  }

  friend bool operator==(const WindowUse&, const WindowUse&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  static constexpr Duration kNonValidatedPeriod = std::chrono::minutes(5);  // NVP

  // [RFC 7661 4.4-1]
  bool is_validated(const Window& window) const {
    return window.cwnd < 2 * std::uint64_t{most_in_flight()};
  }

  Round round_;
  std::uint32_t most_ = 0, most_before_ = 0;  // in this round trip, in the last
  Instant unused_since_ = kNever;             // the window has been larger than twice that
  bool limited_ = false, limited_before_ = false;
  bool repairing_ = false;
};

// [RFC 7661 4.4-5, 4.4.1-1]
/// RFC 5681 §3.1 (4) asks for FlightSize; the window of a sender with pauses says too much, and
/// what it has in flight just now too little.
inline std::uint32_t used_window(const Window& window, const WindowUse& use,
                                 const LossEvent& event) {
  return std::min(window.cwnd, std::max(use.most_in_flight(), event.in_flight));
}

/// What Linux's fq is told: twice the window a round trip in slow start, 1.2 times later. The
/// margin keeps pacing from being what limits.
std::uint64_t pace_of(const Window& window, Duration srtt);
/// A millisecond's worth, two segments at least, 64 KiB at most.
std::uint32_t quantum_of(std::uint64_t rate, std::uint32_t mss);

}  // namespace estab::tcp::congestion
