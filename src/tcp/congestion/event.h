// What a congestion controller is told: that octets went out, that an ACK came, that something was
// lost. Law: sizes are octets of payload, rates octets a second, times come in with the event; no
// sequence number and no timer is in here.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/time.h"

#include "tcp/congestion/delivery_rate.h"

namespace estab::tcp::congestion {

/// What the window is reduced for.
enum class Cause : std::uint8_t {
  recovery,    ///< a segment is taken for lost, and fast recovery begins (RFC 5681 §3.2, RFC 8985)
  ecn,         ///< the peer echoes a mark (RFC 3168 §6.1.2, RFC 9768)
  timeout,     ///< the retransmission timer ran out (RFC 5681 §3.1, RFC 6298 §5)
  tail_probe,  ///< a tail loss probe repaired the one loss there was (RFC 8985 §7.4.2)
};

/// What decides how much is sent at the moment.
enum class Repairing : std::uint8_t {
  nothing,  ///< the congestion window alone: open, or reordering is suspected
  losses,   ///< fast recovery, or a reduction for ECN: PRR leads in flight down to ssthresh
  timeout,  ///< after a timeout the congestion window grows again from one segment
};

/// What stopped the sender from sending more, at the last look before the event.
enum class Limit : std::uint8_t {
  application,        ///< nothing was queued
  receiver,           ///< the peer's window
  congestion_window,  ///< it was used up
  pacing,             ///< only the time of the next departure
};

/// What sending came of.
enum class Transmission : std::uint8_t { first, again };

struct SentEvent {
  Instant now{};
  std::uint32_t octets = 0;
  std::uint32_t in_flight = 0;  ///< before these
  Transmission kind = Transmission::first;
  bool app_limited = false;  ///< DeliveryRate::is_app_limited(), before these
};

struct AckEvent {
  Instant now{};
  std::uint32_t acked = 0;      ///< what SND.UNA advanced by
  std::uint32_t delivered = 0;  ///< newly acknowledged, cumulatively or by SACK
  std::uint32_t lost = 0;       ///< newly taken for lost because of it
  std::uint32_t marked = 0;     ///< of the delivered: arrived with CE, as far as the peer says
  std::uint32_t in_flight_before = 0;  ///< as the ACK came
  std::uint32_t in_flight = 0;         ///< now
  std::optional<Duration> rtt{};       ///< of what was sent last among the newly delivered
  Duration srtt{};
  Duration min_rtt{};  ///< of the whole connection
  Limit limit = Limit::application;
  Repairing repairing = Repairing::nothing;
  RateSample rate{};
  std::uint64_t total_delivered = 0;  ///< DeliveryRate::delivered(), these included
};

/// Whether the octets that timed out had been sent again before (RFC 5681 §3.1).
enum class Repeat : std::uint8_t { first, again };

struct LossEvent {
  Instant now{};
  std::uint32_t in_flight = 0;  ///< before anything was taken for lost because of this event
  std::uint32_t lost = 0;
  Limit limit = Limit::congestion_window;
  Repeat repeat = Repeat::first;
  std::uint64_t total_delivered = 0;
};

/// Sending goes on after a pause (RFC 5681 §4.1): nothing was in flight.
struct RestartEvent {
  Instant now{};
  Duration idle{};  ///< since something was last sent
  Duration rto{};
  std::uint32_t window = 0;  ///< RW, what may go at once; the Controller fills it in
};

}  // namespace estab::tcp::congestion
