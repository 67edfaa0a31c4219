// What became of a frame. Each verdict has a counter of the same name (StackCounters::verdicts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace estab {

enum class Verdict : std::uint8_t {
  // TCP, in the order of the checks of RFC 9293 §3.10.7
  accepted,           ///< every check passed
  predicted,          ///< accepted on the short path
  answered_reset,     ///< no connection: RST sent (§3.10.7.1)
  no_connection,      ///< no connection, and the segment was itself a RST, or nobody may be told
  out_of_window,      ///< first check: not acceptable, an ACK was sent
  paws,               ///< first check: an old timestamp (RFC 7323 §5.3)
  missing_timestamp,  ///< negotiated, but not in the segment (RFC 7323 §3.2)
  reset_accepted,     ///< second check: the connection was reset
  reset_challenged,   ///< second check: in the window but not exact (RFC 5961 §3)
  reset_ignored,      ///< second check: outside the window
  syn_challenged,     ///< fourth check: SYN on a synchronised connection (RFC 5961 §4)
  no_ack_bit,         ///< fifth check: ACK off
  ack_unacceptable,  ///< fifth check: acknowledges what was never sent, or is too old (RFC 5961 §5)
  data_after_close,  ///< seventh check: data for an application that has let go: RST
  time_wait_acked,   ///< TIME-WAIT: answered again and the wait restarted
  time_wait_reopened,   ///< TIME-WAIT: a new SYN took the pair over (RFC 6191)
  syn_queued,           ///< LISTEN: a SYN entered the cache
  syn_opened,           ///< LISTEN: a SYN with a Fast Open cookie: its octets were taken (RFC 7413)
  syn_cookie_sent,      ///< LISTEN: answered without state
  syn_dropped,          ///< LISTEN: no room and no cookie
  syn_held,             ///< for another host: the application is to decide (estab/forward.h)
  handshake_completed,  ///< SYN-RECEIVED or SYN-SENT became ESTABLISHED
  // below TCP
  datagram,          ///< UDP, delivered
  echo_answered,     ///< ICMP echo request
  icmp,              ///< other ICMP, acted on or not needed
  fragment_held,     ///< waits for the rest of its datagram
  fragment_refused,  ///< overlap, limit or nonsense
  malformed,         ///< a header that cannot be read
  bad_checksum,
  bad_address,   ///< a source that cannot be answered, or a broadcast (MUST-57, MUST-63)
  not_for_us,    ///< somebody else's destination
  no_interface,  ///< handed in by an interface that is not there
  unknown_protocol,
  port_unreachable,  ///< UDP to a port nobody bound
  queue_full,        ///< a limit of StackLimits
  count_             // not a verdict
};

inline constexpr std::size_t kVerdictCount = static_cast<std::size_t>(Verdict::count_);

/// The enumerator's own name.
std::string_view name(Verdict verdict);

}  // namespace estab
