// Round: packet-timed round trips (draft-ietf-ccwg-bbr §5.5.1). One ends when something is
// delivered that was sent after it began. Law: it is counted in octets delivered, so it survives
// pauses, losses and ACKs that answer for many segments; rounds need not begin with a burst.
#pragma once

#include <cstdint>

#include "tcp/congestion/delivery_rate.h"

namespace estab::tcp::congestion {

/// Whether an ACK ends a round trip.
enum class RoundTrip : bool { goes_on, ended };

class Round {
 public:
  /// The next begins with what is sent from now on.
  RoundTrip on_ack(const RateSample& sample, std::uint64_t total_delivered) {
    const auto past = static_cast<std::uint32_t>(sample.prior_delivered) - end_;
    if (!sample.has_data || past >= kHalf) return RoundTrip::goes_on;
    start(total_delivered);
    return RoundTrip::ended;
  }
  /// A new round trip begins here, whatever became of the last.
  void start(std::uint64_t total_delivered) { end_ = static_cast<std::uint32_t>(total_delivered); }

  /// Octets delivered since it began: what tells two of them apart.
  std::uint32_t delivered_since(std::uint64_t total_delivered) const {
    return static_cast<std::uint32_t>(total_delivered) - end_;
  }
  friend bool operator==(const Round&, const Round&) = default;

 private:
  static constexpr std::uint32_t kHalf = 1u << 31;
  std::uint32_t end_ = 0;  // next_round_delivered, modulo 2^32
};

}  // namespace estab::tcp::congestion
