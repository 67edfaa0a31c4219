// What the values of the public interface consist of, for hashing (see fields.h): they are compared
// by the compiler, and know nothing of hashes. A member added to one of them and not here stops the
// compiler.
#pragma once

#include "estab/address.h"
#include "estab/config.h"
#include "estab/event.h"
#include "estab/id.h"
#include "estab/info.h"
#include "estab/segment.h"
#include "estab/stack.h"

#include "base/fields.h"

namespace estab {

template <class Tag>
auto public_fields(const Id<Tag>& id) {
  const auto& [index, generation] = id;
  return base::fields(index, generation);
}

inline auto public_fields(const Cidr& cidr) {
  const auto& [address, prefix_length] = cidr;
  return base::fields(address, prefix_length);
}

inline auto public_fields(const FourTuple& tuple) {
  const auto& [local_address, remote_address, local_port, remote_port] = tuple;
  return base::fields(local_address, remote_address, local_port, remote_port);
}

// ---- segments

inline auto public_fields(const TcpTimestamps& timestamps) {
  const auto& [value, echo] = timestamps;
  return base::fields(base::timestamp(value), base::timestamp(echo));
}

inline auto public_fields(const SackBlock& block) {
  const auto& [left, right] = block;
  return base::fields(left, right);
}

inline auto public_fields(const AccurateEcnOption& option) {
  const auto& [order, fields, e0b, ceb, e1b] = option;
  return base::fields(order, fields, e0b, ceb, e1b);
}

inline auto public_fields(const FastOpenOption& option) {
  const auto& [cookie, experimental] = option;
  return base::fields(cookie, experimental);
}

inline auto public_fields(const TcpOptions& options) {
  const auto& [mss, window_scale, sack_permitted, timestamps, sack, accurate_ecn, fast_open] =
      options;
  return base::fields(mss, window_scale, sack_permitted, timestamps, sack, accurate_ecn, fast_open);
}

inline auto public_fields(const Segment& segment) {
  const auto& [source, destination, seq, ack, flags, window, urgent_pointer, options, payload] =
      segment;
  return base::fields(source, destination, seq, ack, flags, window, urgent_pointer, options,
                      payload);
}

// ---- settings

inline auto public_fields(const KeepAlive& keep_alive) {
  const auto& [enabled, idle, interval, probes] = keep_alive;
  return base::fields(enabled, idle, interval, probes);
}

inline auto public_fields(const FastOpen& fast_open) {
  const auto& [connect, connect_cookies, pending, cookies, keys] = fast_open;
  return base::fields(connect, connect_cookies, pending, cookies, keys);
}

inline auto public_fields(const Quirks& quirks) {
  const auto& [push_bursts, least_burst, drop_syn_fin, listen_opens_fast, ack_releases_more,
               header_prediction] = quirks;
  return base::fields(push_bursts, least_burst, drop_syn_fin, listen_opens_fast, ack_releases_more,
                      header_prediction);
}

inline auto public_fields(const StackQuirks& quirks) {
  const auto& [fixed_isn] = quirks;
  return base::fields(fixed_isn);
}

inline auto public_fields(const BufferSize& size) {
  const auto& [initial, most] = size;
  return base::fields(initial, most);
}

inline auto public_fields(const TcpConfig& config) {
  const auto& [receive_buffer, send_buffer, initial_window_segments, congestion_control, pacing,
               slow_start_after_idle, mss_limit, window_scale, use_window_scale, use_timestamps,
               require_timestamps, use_sack, ecn, accurate_ecn, fast_open, tail_loss_probe,
               detect_black_holes, cork, nagle, urgent_inline, ttl, dscp, source_route, delayed_ack,
               quick_acks, rto_initial, rto_min, rto_max, r1, r2, r2_syn, user_timeout,
               soft_errors_end_opening, fin_wait_2_timeout, keep_alive, quirks] = config;
  return base::fields(receive_buffer, send_buffer, initial_window_segments, congestion_control,
                      pacing, slow_start_after_idle, mss_limit, window_scale, use_window_scale,
                      use_timestamps, require_timestamps, use_sack, ecn, accurate_ecn, fast_open,
                      tail_loss_probe, detect_black_holes, cork, nagle, urgent_inline, ttl, dscp,
                      source_route, delayed_ack, quick_acks, rto_initial, rto_min, rto_max, r1, r2,
                      r2_syn, user_timeout, soft_errors_end_opening, fin_wait_2_timeout, keep_alive,
                      quirks);
}

inline auto public_fields(const DatagramConfig& config) {
  const auto& [ttl, multicast_ttl, dscp, fragment] = config;
  return base::fields(ttl, multicast_ttl, dscp, fragment);
}

inline auto public_fields(const StackLimits& limits) {
  const auto& [connections, time_wait, syn_cache, listeners, interfaces, datagram_ports,
               datagram_queue, buffer_growth, out_of_order_pieces, transmissions, fragment_octets,
               fragments_per_datagram, path_mtu_entries, pending_replies, pending_reply_octets,
               icmp_errors_per_second, challenge_acks_per_second, echo_requests, echo_events,
               held_syns, forwarded, forwarded_per_source, datagram_flows,
               datagram_flows_per_source, fast_open_cookies] = limits;
  return base::fields(connections, time_wait, syn_cache, listeners, interfaces, datagram_ports,
                      datagram_queue, buffer_growth, out_of_order_pieces, transmissions,
                      fragment_octets, fragments_per_datagram, path_mtu_entries, pending_replies,
                      pending_reply_octets, icmp_errors_per_second, challenge_acks_per_second,
                      echo_requests, echo_events, held_syns, forwarded, forwarded_per_source,
                      datagram_flows, datagram_flows_per_source, fast_open_cookies);
}

inline auto public_fields(const StackConfig& config) {
  const auto& [seed, tcp, limits, msl, time_wait_ignores_resets, fragment_timeout,
               path_mtu_lifetime, fast_open_key_lifetime, fast_open_pause, port_min, port_max,
               held_syn_timeout, datagram_flow_timeout, syn_cookies, answer_echo, quirks] = config;
  return base::fields(seed, tcp, limits, msl, time_wait_ignores_resets, fragment_timeout,
                      path_mtu_lifetime, fast_open_key_lifetime, fast_open_pause, port_min,
                      port_max, held_syn_timeout, datagram_flow_timeout, syn_cookies, answer_echo,
                      quirks);
}

inline auto public_fields(const Forwarding& forwarding) {
  const auto& [tcp, udp] = forwarding;
  return base::fields(tcp, udp);
}

inline auto public_fields(const InterfaceConfig& config) {
  const auto& [name, mtu, checksum_offload, segmentation_v4, segmentation_v6,
               ignore_received_checksums, forwarding] = config;
  return base::fields(name, mtu, checksum_offload, segmentation_v4, segmentation_v6,
                      ignore_received_checksums, forwarding);
}

// ---- events

inline auto public_fields(const IcmpReport& report) {
  const auto& [from, type, code] = report;
  return base::fields(from, type, code);
}

inline auto public_fields(const StreamEvent& event) {
  const auto& [stream, connected, readable, writable, peer_closed, urgent, closed, failure,
               soft_error, reported] = event;
  return base::fields(stream, connected, readable, writable, peer_closed, urgent, closed, failure,
                      soft_error, reported);
}

inline auto public_fields(const AcceptEvent& event) {
  const auto& [listener] = event;
  return base::fields(listener);
}

inline auto public_fields(const DatagramEvent& event) {
  const auto& [port, failure] = event;
  return base::fields(port, failure);
}

inline auto public_fields(const EchoEvent& event) {
  const auto& [from, identifier, sequence, length] = event;
  return base::fields(from, identifier, sequence, length);
}

// ---- counters

inline auto public_fields(const StackCounters& counters) {
  const auto& [verdicts, frames_in, frames_out, segments_in, segments_out, retransmitted_segments,
               resets_out, challenge_acks_out, active_opens, passive_opens, failed_opens,
               resets_in_established, syn_cookies_sent, syn_cookies_accepted, syn_cache_overflow,
               fast_opens_in, fast_opens_out, fast_open_bad_cookies, fast_open_overflow,
               accept_queue_overflow, time_wait_overflow, replies_dropped, icmp_in, icmp_out,
               icmp_rate_limited, out_of_order_refused, buffer_growth_refused,
               echo_replies_unsolicited, echo_events_dropped, segments_without_route, fragments_out,
               offers, offers_refused, datagram_flows, datagram_flows_refused, offers_expired] =
      counters;
  return base::fields(verdicts, frames_in, frames_out, segments_in, segments_out,
                      retransmitted_segments, resets_out, challenge_acks_out, active_opens,
                      passive_opens, failed_opens, resets_in_established, syn_cookies_sent,
                      syn_cookies_accepted, syn_cache_overflow, fast_opens_in, fast_opens_out,
                      fast_open_bad_cookies, fast_open_overflow, accept_queue_overflow,
                      time_wait_overflow, replies_dropped, icmp_in, icmp_out, icmp_rate_limited,
                      out_of_order_refused, buffer_growth_refused, echo_replies_unsolicited,
                      echo_events_dropped, segments_without_route, fragments_out, offers,
                      offers_refused, datagram_flows, datagram_flows_refused, offers_expired);
}

}  // namespace estab
