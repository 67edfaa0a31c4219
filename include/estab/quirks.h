// What no application sets: where Linux does otherwise than the RFCs ask for or than this stack
// would, so that scripts written against its behaviour can be run, and what tests pin down so that
// an input has one outcome. The defaults are what everybody else wants.
#pragma once

#include <cstdint>
#include <optional>

namespace estab {

/// Of a connection: TcpConfig::quirks.
struct Quirks {
  /// PSH on the last segment of what a segmentation offload engine would be given in one piece:
  /// what the pace of sending gives for a millisecond, but least_burst segments at least and half
  /// of the congestion window at most. Else where the queue ends and where the application asks
  /// (RFC 9293 §3.9.1.2).
  bool push_bursts = false;
  std::uint8_t least_burst = 2;
  bool drop_syn_fin = false;       ///< LISTEN ignores a SYN that has FIN too
  bool listen_opens_fast = false;  ///< sockets that listen take part in Fast Open unasked
  bool ack_releases_more = false;  ///< SendMode::more holds octets back until an ACK comes
  /// The short path for the expected segment. The result is the same without it.
  bool header_prediction = true;
  friend bool operator==(const Quirks&, const Quirks&) = default;
};

/// Of a whole stack: StackConfig::quirks.
struct StackQuirks {
  std::optional<std::uint32_t> fixed_isn{};  ///< every ISN is this number, as nobody ever should
  friend bool operator==(const StackQuirks&, const StackQuirks&) = default;
};

}  // namespace estab
