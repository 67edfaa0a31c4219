// SYN-RECEIVED, the same for both ways into it (a listener's half-open record and a simultaneous
// open): RFC 9293 §3.10.7.4 for that state, as a pure decision.
#pragma once

#include <cstdint>

#include "estab/segment.h"

#include "tcp/ecn/reflector.h"
#include "tcp/open/opening.h"

namespace estab::tcp {

struct SynReceivedView {
  SeqNum iss, irs;
  SeqNum expected;          ///< RCV.NXT: IRS + 1, and what of a SYN's octets was taken (Fast Open)
  SeqNum sent;              ///< SND.NXT: ISS + 1, and what went with or behind the SYN
  std::uint32_t window;     ///< as announced in our SYN-ACK
  bool require_timestamps;  ///< as in TcpConfig
  Negotiated negotiated;
  std::uint32_t ts_recent;
};

enum class SynReceivedStep : std::uint8_t {
  establish,       ///< fifth check: our SYN is acknowledged
  repeat_syn_ack,  ///< the peer's SYN came again: our SYN-ACK was lost
  acknowledge,     ///< first check: not acceptable, say what is expected
  paws,            ///< first check: an old timestamp
  ignore,          ///< nothing to be done
  reset,           ///< second check: a RST with exactly the expected number
  challenge,       ///< second check: a RST inside the window (RFC 5961 §3)
  new_syn,         ///< fourth check: another SYN, inside the window (MUST-11: it depends)
  refuse_ack,      ///< acknowledges what was never sent: RST
};

inline SynReceivedStep check_syn_received(const SynReceivedView& view, const Segment& segment) {
  const TcpFlags flags = segment.flags;
  const std::int32_t ahead = segment.seq - view.expected;
  const auto acks_our_syn = [&] {
    return flags.ack() && segment.ack - view.iss > 0 && segment.ack - view.sent <= 0;
  };

  // An ACK of what was never sent is refused wherever the segment stands (RFC 9293 §3.5.2, group
  // 2). If that waited for the fifth check, an end of another connection and this one would answer
  // each other's unacceptable segments until one of them gave up.
  const bool refused = flags.ack() && !flags.rst() && !acks_our_syn();
  const bool known_syn = flags.syn() && segment.seq == view.irs && !flags.rst();
  if (refused && !known_syn) return SynReceivedStep::refuse_ack;
  if (view.negotiated.timestamps && !flags.rst()) {
    // RFC 7323 §3.2. A SYN without them may be that of a peer that has rebooted.
    if (view.require_timestamps && !segment.options.timestamps && !flags.syn())
      return SynReceivedStep::ignore;
    // RFC 7323 §5.3 (R1): SYN or not, an old duplicate must not undo an opening.
    const auto& timestamps = segment.options.timestamps;
    if (timestamps && is_older(timestamps->value, view.ts_recent)) return SynReceivedStep::paws;
  }
  // A SYN with the number we know. Alone it asks for our SYN-ACK again; with ACK it is the peer's
  // half of a simultaneous open (RFC 9293 figure 7), in which the SYN itself is old and the
  // acknowledgement new.
  if (known_syn)
    return acks_our_syn() ? SynReceivedStep::establish : SynReceivedStep::repeat_syn_ack;
  // First: the sequence number.
  const auto length = std::int64_t{segment.length()};
  const bool begins_inside = ahead >= 0 && ahead < static_cast<std::int32_t>(view.window);
  const bool reaches_inside = ahead < 0 && length > -std::int64_t{ahead};
  if (!begins_inside && !reaches_inside)
    return flags.rst() ? SynReceivedStep::ignore : SynReceivedStep::acknowledge;
  // Second: RST. Fourth: SYN.
  if (flags.rst()) return ahead == 0 ? SynReceivedStep::reset : SynReceivedStep::challenge;
  if (flags.syn()) return SynReceivedStep::new_syn;
  // Fifth: ACK.
  return flags.ack() ? SynReceivedStep::establish : SynReceivedStep::ignore;
}

/// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>; `clock` is TSval.
inline Segment make_syn_received_ack(const FourTuple& tuple, const SynReceivedView& view,
                                     std::uint32_t clock) {
  Segment segment;
  segment.source_port = tuple.local_port;
  segment.destination_port = tuple.remote_port;
  segment.seq = view.iss + 1;
  segment.ack = view.expected;
  segment.flags = kAck;
  if (view.negotiated.ecn == EcnMode::accurate)
    segment.flags = segment.flags | ace_flags(Reflector::kInitialCep);
  segment.window = static_cast<std::uint16_t>(view.window >> view.negotiated.receive_shift);
  if (view.negotiated.timestamps) segment.options.timestamps = TcpTimestamps{clock, view.ts_recent};
  return segment;
}

}  // namespace estab::tcp
