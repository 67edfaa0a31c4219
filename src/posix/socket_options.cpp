#include "posix/socket_options.h"

#include <algorithm>
#include <array>
#include <utility>

namespace estab::posix {

namespace {
using std::chrono_literals::operator""s;

// In the order of the enumeration, by the names Linux gives them.
constexpr std::array<std::pair<std::string_view, CongestionControl>, 4> kCongestionControls{{
    {"reno", CongestionControl::new_reno},
    {"cubic", CongestionControl::cubic},
    {"bbr", CongestionControl::bbr},
    {"dctcp", CongestionControl::dctcp},
}};

// Linux counts its own bookkeeping against the buffers, and so doubles what it is asked for.
int shown(std::uint32_t octets, BufferSizes sizes) {
  return static_cast<int>(octets * (sizes == BufferSizes::doubled ? 2u : 1u));
}

// The SYN is sent 1 + n times, with exponential backoff.
Duration opening_time(const TcpConfig& base, int repeats) {
  Duration total{}, wait = base.rto_initial;
  for (int i = 0; i <= repeats; ++i, wait = std::min(wait * 2, base.rto_max)) total += wait;
  return total;
}
}  // namespace

SocketOptions default_options(const TcpConfig& base, BufferSizes sizes) {
  SocketOptions options;
  options.receive_buffer = shown(base.receive_buffer.initial, sizes);
  options.send_buffer = static_cast<int>(base.send_buffer.initial);
  options.oob_inline = base.urgent_inline ? 1 : 0;
  options.no_delay = base.nagle ? 0 : 1;
  return options;
}

int syn_count_of(const TcpConfig& base) {
  int count = 0;
  while (count < 127 && opening_time(base, count + 1) <= base.r2_syn) ++count;
  return count;
}

std::optional<CongestionControl> congestion_control_of(std::string_view name) {
  for (const auto& [known, control] : kCongestionControls)
    if (known == name) return control;
  return std::nullopt;
}

std::string_view name_of(CongestionControl control) {
  return kCongestionControls[static_cast<std::size_t>(control)].first;
}

TcpConfig config_of(const SocketOptions& o, const TcpConfig& base, BufferSizes sizes) {
  TcpConfig config = base;
  config.congestion_control = congestion_control_of(o.congestion).value_or(base.congestion_control);
  // Who connects takes part if the call says so.
  config.fast_open.connect = false;
  config.fast_open.connect_cookies = base.fast_open.connect_cookies && o.fast_open_no_cookie == 0;
  config.fast_open.pending = static_cast<std::uint32_t>(o.fast_open);
  config.fast_open.cookies = base.fast_open.cookies && o.fast_open_no_cookie == 0;
  if (!o.fast_open_keys.empty()) config.fast_open.keys = o.fast_open_keys;
  config.nagle = o.no_delay == 0;
  config.cork = o.cork != 0;
  config.urgent_inline = o.oob_inline != 0;
  config.keep_alive = {o.keep_alive != 0, Duration(1s) * o.keep_idle,
                       Duration(1s) * o.keep_interval, static_cast<std::uint8_t>(o.keep_count)};
  if (o.receive_buffer_set)
    config.receive_buffer =
        static_cast<std::uint32_t>(o.receive_buffer) / (sizes == BufferSizes::doubled ? 2 : 1);
  if (o.window_clamp > 0) {
    const auto clamp = static_cast<std::uint32_t>(o.window_clamp);
    config.receive_buffer = BufferSize::growing(std::min(config.receive_buffer.initial, clamp),
                                                std::min(config.receive_buffer.most, clamp));
  }
  if (o.send_buffer_set) config.send_buffer = static_cast<std::uint32_t>(o.send_buffer);
  if (o.max_segment > 0)
    config.mss_limit = std::min(config.mss_limit, static_cast<std::uint16_t>(o.max_segment));
  if (o.user_timeout > 0) config.user_timeout = std::chrono::milliseconds(o.user_timeout);
  if (o.syn_count > 0) config.r2_syn = opening_time(base, o.syn_count);
  if (o.linger2 > 0) config.fin_wait_2_timeout = Duration(1s) * o.linger2;
  if (o.ttl > 0) config.ttl = static_cast<std::uint8_t>(o.ttl);
  if (o.unicast_hops > 0) config.ttl = static_cast<std::uint8_t>(o.unicast_hops);
  config.dscp = static_cast<std::uint8_t>((o.tos | o.traffic_class) >> 2 & 63);
  return config;
}

// IP_PMTUDISC_DO and IP_PMTUDISC_PROBE refuse what the path does not take; the others let it go in
// fragments (ip(7)).
DatagramConfig datagram_config_of(const SocketOptions& o, const TcpConfig& base, Family family) {
  const bool v4 = family == Family::ipv4;
  const int hops = v4 ? o.ttl : o.unicast_hops;
  const int discovery = v4 ? o.mtu_discover : o.mtu_discover6;
  const bool whole = discovery == IP_PMTUDISC_DO || discovery == IP_PMTUDISC_PROBE ||
                     (!v4 && o.dont_fragment6 != 0);
  DatagramConfig config;
  config.ttl = static_cast<std::uint8_t>(hops >= 0 ? hops : base.ttl);
  config.multicast_ttl = static_cast<std::uint8_t>(v4 ? o.multicast_ttl : o.multicast_hops);
  config.dscp = static_cast<std::uint8_t>((v4 ? o.tos : o.traffic_class) >> 2 & 63);
  config.fragment = !whole;
  return config;
}

}  // namespace estab::posix
