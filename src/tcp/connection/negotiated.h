// What of a connection's settings may still be changed: a pure decision, the same for every state.
#pragma once

#include <algorithm>
#include <tuple>

#include "estab/config.h"
#include "estab/error.h"
#include "estab/state.h"

#include "wire/ip.h"

namespace estab::tcp {

/// A source route the IPv4 header can hold.
// [RFC 9293 MUST-51]
inline bool is_usable_route(const std::vector<IpAddress>& route) {
  return route.size() <= wire::kMaxSourceRoute &&
         std::ranges::all_of(route, [](const IpAddress& hop) { return hop.is_v4(); });
}

/// Whether two settings say the same of what the SYNs tell the peer.
inline bool agree_on_syn(const TcpConfig& a, const TcpConfig& b) {
  const auto said = [](const TcpConfig& c) {
    return std::tie(c.mss_limit, c.window_scale, c.use_window_scale, c.use_timestamps, c.use_sack,
                    c.ecn, c.accurate_ecn, c.fast_open.connect, c.fast_open.connect_cookies);
  };
  return said(a) == said(b);
}

/// The same of what has an effect only while a connection opens, or when it has just opened.
inline bool agree_on_opening(const TcpConfig& a, const TcpConfig& b) {
  const auto used = [](const TcpConfig& c) {
    return std::tie(c.initial_window_segments, c.congestion_control, c.pacing, c.quick_acks,
                    c.rto_initial, c.r2_syn, c.soft_errors_end_opening);
  };
  return used(a) == used(b);
}

/// Whether a stream in this state may go over from the settings in force to others.
inline Result<void> check_change(State state, const TcpConfig& in_force, const TcpConfig& wanted) {
  if (!is_usable_route(wanted.source_route)) return std::unexpected(Error::invalid_argument);
  const bool opening = state == State::syn_sent || state == State::syn_received;
  if (!agree_on_syn(in_force, wanted) || (!opening && !agree_on_opening(in_force, wanted)))
    return std::unexpected(Error::already_negotiated);
  return {};
}

}  // namespace estab::tcp
