// CoDel (RFC 8289): a queue that keeps its packets' waiting time, not its length, in bounds. Law:
// as long as some packet in each interval has waited less than the target, nothing is dropped; else
// packets are, at times that come closer by the square root of how many were.
//
// Names are those of RFC 8289 §5. It decides; the queue acts.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "estab/time.h"

namespace estab::sim {

class Codel {
 public:
  Codel(Duration target, Duration interval) : target_(target), interval_(interval) {}

  /// Whether the packet at the head, which leaves at `now` and has waited for `sojourn`, is to go
  /// on (false: drop it, or mark it, and ask about the next). `octets_left`: behind it.
  bool passes(Instant now, Duration sojourn, std::size_t octets_left) {
    const bool ok_to_drop = has_stood(now, sojourn, octets_left);
    if (dropping_) {
      if (!ok_to_drop) {
        dropping_ = false;
        return true;
      }
      if (now < drop_next_) return true;
      ++count_;
      drop_next_ = control_law(drop_next_);
      return false;
    }
    if (!ok_to_drop) return true;
    dropping_ = true;
    // If it was dropping a short while ago, it goes on near the rate that controlled the queue
    // then.
    const std::uint32_t delta = count_ - last_count_;
    count_ = delta > 1 && now - drop_next_ < 16 * interval_ ? delta : 1;
    drop_next_ = control_law(now);
    last_count_ = count_;
    return false;
  }

  friend bool operator==(const Codel&, const Codel&) = default;

 private:
  static constexpr std::size_t kMaxPacket = 1514;

  /// Whether the sojourn time has stood above the target for an interval.
  bool has_stood(Instant now, Duration sojourn, std::size_t octets_left) {
    if (sojourn < target_ || octets_left <= kMaxPacket) {
      first_above_time_ = kNever;
      return false;
    }
    if (first_above_time_ == kNever) {
      first_above_time_ = now + interval_;
      return false;
    }
    return now >= first_above_time_;
  }
  Instant control_law(Instant from) const {
    const double step = static_cast<double>(interval_.count().value()) / std::sqrt(count_);
    return from + Duration(static_cast<std::int64_t>(step));
  }

  Duration target_, interval_;
  Instant first_above_time_ = kNever;
  Instant drop_next_{};
  std::uint32_t count_ = 0, last_count_ = 0;
  bool dropping_ = false;
};

}  // namespace estab::sim
