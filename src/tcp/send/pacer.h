// Pacer: when the next piece may go out, so that octets leave at the rate of congestion control and
// not as a burst at the pace of the machine.
//
// Law: over any time the octets let out are at most rate times that time, but for one piece, a
// millisecond's worth, and what was allowed as a burst. A wait of less than a millisecond is not
// worth a timer: what is due within one goes at once, and what a late timer held up is made up for,
// so fast connections never wait and slow ones keep their rate.
// [RFC 7661 4.4.2-1] [RFC 9937 6.4-1]
#pragma once

#include <algorithm>
#include <cstdint>

#include "estab/time.h"

#include "base/hasher.h"

namespace estab::tcp {

class Pacer {
 public:
  static constexpr Duration kGrain = std::chrono::milliseconds(1);

  bool may_send(Instant now) const { return burst_ > 0 || next_ <= now + kGrain; }
  /// When may_send() is worth asking again. In the past: now.
  Instant next() const { return burst_ > 0 ? Instant::min() : next_; }

  /// `octets` have gone out while `rate` octets a second were allowed.
  void on_sent(Instant now, std::uint32_t octets, std::uint64_t rate) {
    if (burst_ > 0) {
      burst_ -= std::min(burst_, octets);
      next_ = now;
      return;
    }
    next_ = std::max(next_, now - kGrain) + time_for(octets, rate);
  }
  /// The first flight of a connection, and the first after a pause, may go at once up to this many
  /// octets: nothing is known yet that could tell a rate.
  void allow_burst(std::uint32_t octets) { burst_ = octets; }
  void end_burst() { burst_ = 0; }

  friend bool operator==(const Pacer&, const Pacer&) = default;
  /// A departure that is past holds up nothing, whenever it was.
  void hash_into(base::Hasher& hasher) const {
    hasher.add_all(burst_, std::max(next_, hasher.origin() - kGrain));
  }

 private:
  static Duration time_for(std::uint32_t octets, std::uint64_t rate) {
    const std::uint64_t nanoseconds =
        octets * std::uint64_t{1'000'000'000} / std::max<std::uint64_t>(rate, 1);
    return Duration(static_cast<std::int64_t>(nanoseconds));
  }

  Instant next_{};
  std::uint32_t burst_ = 0;
};

}  // namespace estab::tcp
