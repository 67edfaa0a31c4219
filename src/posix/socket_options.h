// What setsockopt has stored for one socket, in the units of the calls. Law: the connection's
// settings follow from these and the stack's defaults alone (see config_of), so that an accepted
// socket inherits all by a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>

#include "estab/config.h"
#include "estab/posix.h"
#include "estab/time.h"

namespace estab::posix {

struct SocketOptions {
  // SOL_SOCKET
  int reuse_address = 0, reuse_port = 0, keep_alive = 0, oob_inline = 0, broadcast = 0;
  int priority = 0, mark = 0, debug = 0, dont_route = 0, no_check = 0, time_stamp = 0;
  int busy_poll = 0, incoming_cpu = -1, zero_copy = 0;
  int send_buffer = 0, receive_buffer = 0;  ///< as getsockopt tells them
  int receive_low_water = 1;
  bool send_buffer_set = false, receive_buffer_set = false;
  int linger_on = 0, linger_seconds = 0;
  Duration receive_timeout{}, send_timeout{};  ///< zero: none
  std::uint64_t pacing_rate = ~std::uint64_t{0};
  // IPPROTO_TCP
  int no_delay = 0, cork = 0, max_segment = 0, quick_ack = 1;
  int keep_idle = 7200, keep_interval = 75, keep_count = 9;
  int syn_count = 0, linger2 = 0, defer_accept = 0, window_clamp = 0, user_timeout = 0;
  int not_sent_low_water = 0, fast_open = 0, save_syn = 0, thin_linear = 0, thin_dupack = 0;
  int repair = 0, time_stamp_offset = 0, fast_open_connect = 0, fast_open_no_cookie = 0, inq = 0;
  int tx_delay = 0;
  std::vector<FastOpenKey> fast_open_keys;  ///< empty: what the stack's settings say
  std::string congestion;                   ///< empty: what the stack's settings say
  // IPPROTO_IP
  int tos = 0, ttl = -1, mtu_discover = IP_PMTUDISC_WANT, receive_error = 0, receive_tos = 0;
  int receive_ttl = 0, packet_info = 0, free_bind = 0, transparent = 0, min_ttl = 0;
  int bind_no_port = 0, multicast_ttl = 1, multicast_loop = 1;
  // IPPROTO_IPV6
  int ipv6_only = 0, unicast_hops = -1, traffic_class = 0, receive_error6 = 0;
  int multicast_hops = 1, multicast_loop6 = 1;
  int mtu_discover6 = IPV6_PMTUDISC_WANT, receive_class6 = 0, receive_hops6 = 0;
  int packet_info6 = 0, flow_label_send = 0, auto_flow_label = 0, dont_fragment6 = 0;
};

/// How getsockopt's buffer sizes relate to the stack's: Linux doubles what it is given.
enum class BufferSizes : std::uint8_t { as_given, doubled };

/// What a socket has before anybody sets anything.
SocketOptions default_options(const TcpConfig& base, BufferSizes sizes);

/// What TCP_CONGESTION calls by this name.
std::optional<CongestionControl> congestion_control_of(std::string_view name);
std::string_view name_of(CongestionControl control);
/// The settings of a connection with these options.
TcpConfig config_of(const SocketOptions& options, const TcpConfig& base, BufferSizes sizes);

/// What a UDP socket's datagrams to addresses of this family are sent with.
DatagramConfig datagram_config_of(const SocketOptions& options, const TcpConfig& base,
                                  Family family);

/// How often a SYN is retransmitted (tcp_syn_retries) with these settings.
int syn_count_of(const TcpConfig& base);

}  // namespace estab::posix
