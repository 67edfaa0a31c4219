// TailProbe: what a sender remembers for its tail loss probe (RFC 8985 §7). The loss of the end of
// a burst brings no duplicate ACKs; one segment sent after two round trips brings the peer's SACK,
// or repairs the loss itself, long before the timeout.
#pragma once

#include <cstdint>

#include "tcp/sequence.h"

namespace estab::tcp {

struct TailProbe {
  enum class Phase : std::uint8_t {
    off,
    armed,  ///< the retransmission timer runs for the probe
    due,    ///< it is the next to be sent
    out,    ///< sent, and what it led to is not known yet
  };
  Phase phase = Phase::off;
  bool repeats = false;    ///< it had octets that had been sent before
  StreamOffset end;        ///< TLP.end_seq: behind all that was sent when it went
  StreamOffset last_from;  ///< where the last segment sent begins

  friend bool operator==(const TailProbe&, const TailProbe&) = default;
  void hash_into(auto& hasher) const {
    const auto& [phase_now, repeated, ends, begins] = *this;
    hasher.add_all(phase_now, repeated, ends, begins);
  }
};

}  // namespace estab::tcp
