// What a SYN or SYN-ACK says and offers, and what two of them agree on. Shared by the active open
// (Handshake), the SYN cache and SYN cookies.
#pragma once

#include <algorithm>
#include <cstdint>

#include "estab/config.h"
#include "estab/segment.h"

#include "tcp/open/opening.h"

namespace estab::tcp {

/// MUST-67: what we can receive, from the link's MTU, not reduced by options.
// [RFC 9293 MUST-67] [RFC 1191 3.1-4]
inline std::uint16_t announced_mss(Family family, std::uint16_t link_mtu, const TcpConfig& config) {
  const int headers = family == Family::ipv4 ? 40 : 60;
  return static_cast<std::uint16_t>(std::clamp<int>(link_mtu - headers, 1, config.mss_limit));
}

/// The window field of a SYN is never scaled (RFC 7323 §2.2).
// [RFC 7323 2.2-8]
inline std::uint16_t syn_window(const TcpConfig& config) {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(config.receive_buffer.initial, 0xffff));
}

/// The least shift with which a window of the largest size can be told, 8 at least.
inline std::uint8_t shift_for(const BufferSize& buffer) {
  std::uint8_t shift = 8;
  while (shift < 14 && (std::uint64_t{0xffff} << shift) < buffer.most) ++shift;
  return shift;
}

/// The unit of a scaled window is at most an eighth of the buffer: in coarser ones a window could
/// hardly be opened once it has shut.
// [RFC 7323 2.3-2, 2.3-6]
inline std::uint8_t offered_shift(const TcpConfig& config) {
  const BufferSize& buffer = config.receive_buffer;
  std::uint8_t shift = std::min<std::uint8_t>(config.window_scale.value_or(shift_for(buffer)), 14);
  while (shift > 0 && (buffer.initial >> shift) < 8) --shift;
  return shift;
}

/// The ISN, unless a test has pinned it down.
inline SeqNum isn_of(const StackQuirks& quirks, SeqNum drawn) {
  return quirks.fixed_isn ? SeqNum(*quirks.fixed_isn) : drawn;
}

/// The options of an active opener's SYN: everything we are willing to use.
inline TcpOptions offer(const TcpConfig& config, std::uint16_t mss) {
  TcpOptions options;
  // [RFC 9293 MUST-65, MUST-14, SHLD-5, MAY-3]
  options.mss = mss;  // MUST-14
  // [RFC 7323 2.2-1, 2.2-5, 2.2-2, 2.2-4]
  if (config.use_window_scale) options.window_scale = offered_shift(config);
  // [RFC 2018 2-1]
  options.sack_permitted = config.use_sack;
  // [RFC 7323 3.2-1]
  if (config.use_timestamps) options.timestamps = TcpTimestamps{};
  return options;
}

/// What holds when the peer's SYN had `theirs` and we are willing to use what `config` says.
inline Negotiated negotiate(const TcpOptions& theirs, const TcpConfig& config, Family family) {
  Negotiated n;
  // [RFC 7323 2.2-3, 2.3-3, 2.2-7]
  n.window_scale = theirs.window_scale && config.use_window_scale;
  // [RFC 7323 3.2-7]
  n.timestamps = theirs.timestamps && config.use_timestamps;
  n.sack = theirs.sack_permitted && config.use_sack;
  // [RFC 7323 2.3-7]
  n.send_shift = n.window_scale ? std::min<std::uint8_t>(*theirs.window_scale, 14) : 0;
  n.receive_shift = n.window_scale ? offered_shift(config) : 0;
  // [RFC 9293 MUST-14]
  n.peer_mss = theirs.mss.value_or(default_mss(family));
  // An MSS too small to carry options and an octet would make sending impossible or absurd.
  n.peer_mss = std::max<std::uint16_t>(n.peer_mss, 48);
  return n;
}

/// The options of a SYN-ACK: only what the peer offered (RFC 7323 §1.3, RFC 2018 §2).
inline TcpOptions accept_offer(const Negotiated& n, std::uint16_t mss, TcpTimestamps timestamps) {
  TcpOptions options;
  options.mss = mss;
  // [RFC 7323 2.2-6, 2.3-1]
  if (n.window_scale) options.window_scale = n.receive_shift;
  options.sack_permitted = n.sack;
  // [RFC 7323 3.2-5]
  if (n.timestamps) options.timestamps = timestamps;
  return options;
}

}  // namespace estab::tcp
