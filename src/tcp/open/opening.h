// Opening: what a completed handshake, of whichever kind, hands to the Connection it becomes.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/config.h"
#include "estab/info.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "tcp/ecn/feedback.h"
#include "tcp/ecn/negotiation.h"

namespace estab::tcp {

/// What both sides offered, and so may be used (RFC 7323, RFC 2018, RFC 3168, RFC 9768).
struct Negotiated {
  bool window_scale : 1 = false;
  bool timestamps : 1 = false;
  bool sack : 1 = false;
  bool ect : 1 = false;  ///< what is sent may say that marks are understood
  EcnMode ecn : 2 = EcnMode::none;
  std::uint8_t send_shift = 0;     ///< for windows the peer announces
  std::uint8_t receive_shift = 0;  ///< for windows announced to the peer
  std::uint16_t peer_mss = 536;    ///< MUST-15: the default when the peer's SYN had none

  /// Octets of options in every data segment: timestamps with their two NOPs.
  std::uint32_t option_octets() const { return timestamps ? 12 : 0; }
  friend bool operator==(const Negotiated&, const Negotiated&) = default;
  void hash_into(auto& hasher) const {
    const auto& [scales, stamps, sacks, marks, feedback, sent_by, announced_by, mss] = *this;
    hasher.add_all(scales, stamps, sacks, marks, feedback, sent_by, announced_by, mss);
  }
};

/// "TSval < TS.Recent" (RFC 7323 §5.2): s < t if 0 < (t - s) < 2^31. Values half the circle apart
/// are neither.
constexpr bool is_older(std::uint32_t value, std::uint32_t recent) {
  const std::uint32_t behind = recent - value;
  return behind != 0 && behind < 0x80000000u;
}

struct Opening {
  FourTuple tuple;
  SeqNum iss, irs;
  Negotiated negotiated;
  std::uint32_t send_window = 0;       ///< as last announced by the peer, scaled
  std::uint32_t receive_window = 0;    ///< as announced in our SYN or SYN-ACK
  std::uint32_t timestamp_offset = 0;  ///< added to the clock in every TSval (RFC 7323 §5.4)
  std::uint32_t ts_recent = 0;
  std::optional<Duration> rtt{};  ///< of the handshake, if it was measured without ambiguity
  bool syn_repeated = false;
  AccurateOpening accurate{};        ///< if Negotiated::ecn says so
  State state = State::established;  ///< SYN-RECEIVED if it is there before our SYN is acknowledged
  std::uint32_t octets_acked = 0;    ///< of those that went with our SYN (RFC 7413)
  FastOpenOutcome fast_open = FastOpenOutcome::unused;
};

/// The default send MSS of RFC 9293 MUST-15.
// [RFC 9293 MUST-15]
constexpr std::uint16_t default_mss(Family family) {
  return family == Family::ipv4 ? 536 : 1220;
}

/// The clock of the timestamps option: one tick a millisecond (RFC 7323 §5.4).
// [RFC 7323 4.1-1, 5.4-1, 5.4-2, 5.4-3]
inline std::uint32_t timestamp_clock(Instant now, std::uint32_t offset) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return static_cast<std::uint32_t>(ms.count()) + offset;
}

}  // namespace estab::tcp
