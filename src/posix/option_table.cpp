#include "posix/option_table.h"

// The kernel's header has more of the names than the C library's; the two cannot be had together.
#include <algorithm>
#include <climits>
#include <iterator>

#include <linux/tcp.h>
#include <sys/socket.h>

namespace estab::posix {

namespace {

using enum NumberOption::Kind;
using O = SocketOptions;

constexpr int kIpV6FlowInfoSend = 33;  // only in the kernel's header

// Bounds as in sk_setsockopt, do_tcp_setsockopt, do_ip_setsockopt and do_ipv6_setsockopt.
const NumberOption kOptions[] = {
    {SOL_SOCKET, SO_REUSEADDR, &O::reuse_address},
    {SOL_SOCKET, SO_REUSEPORT, &O::reuse_port},
    {SOL_SOCKET, SO_KEEPALIVE, &O::keep_alive},
    {SOL_SOCKET, SO_OOBINLINE, &O::oob_inline},
    {SOL_SOCKET, SO_BROADCAST, &O::broadcast},
    {SOL_SOCKET, SO_DEBUG, &O::debug},
    {SOL_SOCKET, SO_DONTROUTE, &O::dont_route},
    {SOL_SOCKET, SO_NO_CHECK, &O::no_check},
    {SOL_SOCKET, SO_TIMESTAMP, &O::time_stamp},
    {SOL_SOCKET, SO_ZEROCOPY, &O::zero_copy, number},
    {SOL_SOCKET, SO_BUSY_POLL, &O::busy_poll, number, 0, INT_MAX},
    {SOL_SOCKET, SO_INCOMING_CPU, &O::incoming_cpu, number, INT_MIN, INT_MAX},
    {SOL_SOCKET, SO_PRIORITY, &O::priority, number, INT_MIN, INT_MAX},
    {SOL_SOCKET, SO_MARK, &O::mark, number, INT_MIN, INT_MAX},
    {SOL_SOCKET, SO_RCVLOWAT, &O::receive_low_water, number, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_NODELAY, &O::no_delay},
    {IPPROTO_TCP, TCP_CORK, &O::cork},
    {IPPROTO_TCP, TCP_QUICKACK, &O::quick_ack, number, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_KEEPIDLE, &O::keep_idle, number, 1, 32767},
    {IPPROTO_TCP, TCP_KEEPINTVL, &O::keep_interval, number, 1, 32767},
    {IPPROTO_TCP, TCP_KEEPCNT, &O::keep_count, number, 1, 127},
    {IPPROTO_TCP, TCP_SYNCNT, &O::syn_count, number, 1, 127},
    {IPPROTO_TCP, TCP_LINGER2, &O::linger2, number, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, &O::defer_accept, number, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, &O::user_timeout, number, 0, INT_MAX},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, &O::not_sent_low_water, number, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_SAVE_SYN, &O::save_syn, number, 0, 2},
    {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, &O::thin_linear, number},
    {IPPROTO_TCP, TCP_THIN_DUPACK, &O::thin_dupack, number},
    {IPPROTO_TCP, TCP_INQ, &O::inq, number},
    {IPPROTO_TCP, TCP_TX_DELAY, &O::tx_delay, number, INT_MIN, INT_MAX},
    {IPPROTO_IP, IP_TOS, &O::tos, number, INT_MIN, INT_MAX},
    {IPPROTO_IP, IP_TTL, &O::ttl, number, -1, 255},
    {IPPROTO_IP, IP_MTU_DISCOVER, &O::mtu_discover, number, 0, 5},
    {IPPROTO_IP, IP_RECVERR, &O::receive_error},
    {IPPROTO_IP, IP_RECVTOS, &O::receive_tos},
    {IPPROTO_IP, IP_RECVTTL, &O::receive_ttl},
    {IPPROTO_IP, IP_PKTINFO, &O::packet_info},
    {IPPROTO_IP, IP_FREEBIND, &O::free_bind},
    {IPPROTO_IP, IP_TRANSPARENT, &O::transparent},
    {IPPROTO_IP, IP_MINTTL, &O::min_ttl, number, 0, 255},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &O::bind_no_port},
    {IPPROTO_IP, IP_MULTICAST_TTL, &O::multicast_ttl, number, -1, 255},
    {IPPROTO_IP, IP_MULTICAST_LOOP, &O::multicast_loop},
    {IPPROTO_IPV6, IPV6_V6ONLY, &O::ipv6_only},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, &O::unicast_hops, number, -1, 255},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &O::multicast_hops, number, -1, 255},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &O::multicast_loop6},
    {IPPROTO_IPV6, IPV6_TCLASS, &O::traffic_class, number, -1, 255},
    {IPPROTO_IPV6, IPV6_RECVERR, &O::receive_error6},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, &O::mtu_discover6, number, 0, 5},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, &O::receive_class6},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &O::receive_hops6},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, &O::packet_info6},
    {IPPROTO_IPV6, kIpV6FlowInfoSend, &O::flow_label_send},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, &O::auto_flow_label},
    {IPPROTO_IPV6, IPV6_DONTFRAG, &O::dont_fragment6},
};

}  // namespace

const NumberOption* find_number_option(int level, int name) {
  const auto* found = std::ranges::find_if(
      kOptions, [&](const NumberOption& o) { return o.level == level && o.name == name; });
  return found == std::end(kOptions) ? nullptr : found;
}

}  // namespace estab::posix
