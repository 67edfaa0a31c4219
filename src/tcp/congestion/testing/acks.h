// Acks: makes the events of a sender that always has something to send, one ACK at a time, so that
// a test says only what it is about.
#pragma once

#include <cstdint>

#include "tcp/congestion/event.h"

namespace estab::tcp::congestion::testing {

/// A round trip by the clock, and nothing measured but that.
inline constexpr Duration kRtt = std::chrono::milliseconds(60);

class Acks {
 public:
  /// An ACK of `octets` new ones, with the window full before it. Each is a round trip of its own.
  AckEvent next(std::uint32_t octets, std::uint32_t in_flight) {
    AckEvent event{.now = now_,
                   .acked = octets,
                   .delivered = octets,
                   .in_flight_before = in_flight,
                   .in_flight = in_flight - std::min(octets, in_flight),
                   .rtt = kRtt,
                   .srtt = kRtt,
                   .min_rtt = kRtt,
                   .limit = Limit::congestion_window};
    event.rate = {.prior_delivered = delivered_, .delivered = octets, .has_data = true};
    delivered_ += octets;
    event.total_delivered = delivered_;
    return event;
  }
  void pass(Duration time) { now_ += time; }
  Instant now() const { return now_; }
  std::uint64_t delivered() const { return delivered_; }

 private:
  Instant now_{};
  std::uint64_t delivered_ = 0;
};

}  // namespace estab::tcp::congestion::testing
