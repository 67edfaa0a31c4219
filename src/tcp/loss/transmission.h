// Transmission: what a sender remembers of one segment, or super-segment, that it sent: which
// octets, when, and what was known then. Law: it stands for its last sending; sent again it gets a
// new time and a new snapshot. One cache line, since there are as many as segments in flight.
#pragma once

#include <cstdint>

#include "estab/time.h"
#include "estab/trace.h"

#include "tcp/congestion/delivery_rate.h"
#include "tcp/sequence.h"

namespace estab::tcp::loss {

/// Names a record of a Scoreboard, as long as it is there.
using RecordId = std::uint32_t;
inline constexpr RecordId kNoRecord = 0xffffffff;

struct Transmission {
  enum class State : std::uint8_t {
    in_flight,  ///< in the network, as far as is known
    sacked,     ///< the peer has it, and may still drop it (RFC 2018 §8)
    lost        ///< taken for lost, and to be sent again
  };

  StreamOffset begin;
  // [RFC 8985 4-2]
  Instant sent_at;  ///< the last time
  // The snapshot of the delivery rate: see congestion::DeliverySnapshot.
  Instant delivered_time, first_sent_time;
  std::uint32_t delivered = 0, lost = 0, tx_in_flight = 0;

  std::uint32_t length = 0;   ///< a FIN counts one
  RecordId next = kNoRecord;  ///< in the order of the octets
  /// Its neighbours in the list of those in flight or of those lost. Of one that is SACKed `behind`
  /// leads on towards the next that is not.
  RecordId before = kNoRecord, behind = kNoRecord;
  std::uint16_t segment_size = 0;  ///< what a super-segment is cut into
  std::uint8_t repeats = 0;        ///< how often it was sent again
  State state : 3 = State::in_flight;
  LossRule rule : 4 = LossRule::rack;  ///< of one that is lost
  bool app_limited : 1 = false;

  StreamOffset end() const { return begin + length; }
  /// Segments on the wire. A FIN may count one more than it took.
  std::uint32_t segments() const { return segments_in(length); }
  /// Of so many of its octets.
  std::uint32_t segments_in(std::uint32_t octets) const {
    return (octets + segment_size - 1) / segment_size;
  }
  bool sent_twice() const { return repeats > 0; }

  congestion::DeliverySnapshot snapshot() const {
    return {delivered_time, first_sent_time, delivered, lost, tx_in_flight, app_limited};
  }
  void set_snapshot(const congestion::DeliverySnapshot& snapshot) {
    delivered_time = snapshot.delivered_time;
    first_sent_time = snapshot.first_sent_time;
    delivered = snapshot.delivered;
    lost = snapshot.lost;
    tx_in_flight = snapshot.tx_in_flight;
    app_limited = snapshot.app_limited;
  }
};

static_assert(sizeof(Transmission) == 64);

}  // namespace estab::tcp::loss
