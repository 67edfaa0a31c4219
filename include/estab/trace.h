// What an observer sees of a stack: every segment with the reason it was sent or what became of it,
// every change of state, timer and congestion window. With no observer attached none of this is
// computed.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "estab/error.h"
#include "estab/id.h"
#include "estab/segment.h"
#include "estab/state.h"
#include "estab/time.h"
#include "estab/verdict.h"

namespace estab {

/// Why a segment was sent.
enum class SendReason : std::uint8_t {
  open,                 ///< the SYN of an active OPEN
  open_reply,           ///< SYN-ACK
  open_complete,        ///< the third segment of the handshake
  data,                 ///< new octets (with FIN if the stream ends here)
  fin,                  ///< the application has no more to send
  urgent,               ///< the urgent pointer moved
  ack_immediate,        ///< in-order data, at once: a second full segment, a quick ACK, PSH or FIN
  ack_delayed,          ///< in-order data, the delayed-ACK timer ran out
  ack_duplicate,        ///< out-of-order data: says again what is expected (RFC 5681 §3.2)
  ack_gap_filled,       ///< a gap was filled
  ack_mark,             ///< marks to be told at once (RFC 9768 §3.2.2.5.1)
  ack_unacceptable,     ///< answer to an unacceptable segment (first check)
  window_update,        ///< the application read, the window opened
  retransmit_timeout,   ///< the RTO ran out (RFC 6298 5.4)
  retransmit_fast,      ///< later ones were delivered (RFC 8985 §6, RFC 5681 §3.2)
  retransmit_partial,   ///< a partial ACK during recovery (RFC 6582)
  retransmit_smaller,   ///< it was too big for the path (RFC 1191 §6.4)
  retransmit_tail,      ///< nothing was heard of the last segment for two round trips (RFC 8985 §7)
  zero_window_probe,    ///< the peer's window is shut (MUST-36)
  keep_alive,           ///< nothing heard for long (RFC 9293 §3.8.4)
  challenge_ack,        ///< RFC 5961
  time_wait_ack,        ///< the peer's FIN came again (RFC 9293 §3.10.7.4)
  reset_no_connection,  ///< answer to a segment for no connection (RFC 9293 §3.5.2 group 1)
  reset_bad_ack,        ///< wrong acknowledgement while opening (RFC 9293 §3.5.2 group 2)
  reset_abort,          ///< the application aborted
  reset_unread_data,    ///< closed with octets unread, or octets after close (SHLD-3)
  reset_timeout,        ///< given up
  count_                // not a reason
};

/// The enumerator's own name.
std::string_view name(SendReason reason);

/// The timers of one connection.
enum class Timer : std::uint8_t {
  retransmit,  ///< RFC 6298
  tail_probe,  ///< RFC 8985 §7: nothing was heard of the end of a burst
  reordering,  ///< RFC 8985 §6: what was overtaken is not merely late
  pacing,      ///< the next segment may leave
  persist,     ///< RFC 9293 §3.8.6: a shut window, or one too small
  delayed_ack,
  keep_alive,
  fin_wait_2,
  time_wait,
  count_
};
std::string_view name(Timer timer);

struct SegmentSent {
  FourTuple flow;
  Segment segment;
  SendReason reason;
  State state;  ///< of this end, after sending
  std::uint16_t gso_size = 0;
};
struct SegmentReceived {
  FourTuple flow;
  Segment segment;
  Verdict verdict;
  State before, after;  ///< of this end
};
struct StateChanged {
  FourTuple flow;
  State from, to;
};
struct TimerFired {
  FourTuple flow;
  Timer timer;
};
struct CongestionChanged {
  FourTuple flow;
  std::uint32_t cwnd, ssthresh;   ///< octets
  std::string_view phase;         ///< `slow start`, `congestion avoidance`, `recovery`, `loss`
  std::uint64_t in_flight = 0;    ///< octets sent and neither acknowledged, SACKed nor lost
  Duration srtt{}, rto{};         ///< RFC 6298
  std::uint64_t pacing_rate = 0;  ///< octets a second; ~0: not paced
};
/// The rule by which a segment was taken for lost.
enum class LossRule : std::uint8_t {
  rack,  ///< what was sent later was delivered, and the reordering window is over (RFC 8985)
  duplicate_acks,  ///< three of them, from a peer without SACK (RFC 5681 §3.2)
  partial_ack,     ///< the same, during recovery (RFC 6582)
  timeout,         ///< the retransmission timer ran out (RFC 6298)
  too_big,         ///< the path takes only smaller ones (RFC 1191 §6.4)
};
std::string_view name(LossRule rule);

struct SegmentLost {
  FourTuple flow;
  SeqNum first;
  std::uint32_t length;  ///< a FIN counts one
  LossRule rule;
  Duration age;                ///< since it was last sent
  Duration rtt;                ///< RACK.rtt: of what was delivered though sent later
  Duration reordering_window;  ///< RACK.reo_wnd
};

/// What proved that nothing had been lost.
enum class UndoProof : std::uint8_t {
  timestamps,  ///< an original was acknowledged (Eifel, RFC 3522)
  duplicates,  ///< the peer reported every retransmission as a duplicate (RFC 3708)
  f_rto,       ///< what was never sent again was acknowledged (RFC 5682)
};
std::string_view name(UndoProof proof);

/// The window is as it was before, and nothing counts as lost.
struct RecoveryUndone {
  FourTuple flow;
  UndoProof proof;
};
struct ConnectionFailed {
  FourTuple flow;
  Error error;
};

using TraceEvent = std::variant<SegmentSent, SegmentReceived, StateChanged, TimerFired,
                                CongestionChanged, SegmentLost, RecoveryUndone, ConnectionFailed>;

/// Attach with Stack::set_observer. Called in the midst of the stack's work: it must not call the
/// stack. Views in the event are valid during the call only.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_trace(Instant now, const TraceEvent& event) = 0;
};

}  // namespace estab
