// getsockopt and setsockopt: the options that do more than store a number (see option_table.cpp).

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>

#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "posix/errno_of.h"
#include "posix/option_table.h"
#include "posix/sockets_impl.h"
#include "posix/tcp_info.h"

namespace estab::posix {

namespace {

constexpr int kMinBuffer = 2304, kMinSendBuffer = 4608;  // SOCK_MIN_RCVBUF, SOCK_MIN_SNDBUF

// ---- values as octets

Outcome give(const void* octets, std::size_t size, void* value, socklen_t* length) {
  if (!length || (!value && *length > 0)) return failed(EFAULT);
  if (static_cast<int>(*length) < 0) return failed(EINVAL);
  const auto n = static_cast<socklen_t>(std::min<std::size_t>(*length, size));
  if (octets && value) std::memcpy(value, octets, n);
  *length = n;
  return done();
}

Outcome give_number(int number, void* value, socklen_t* length) {
  return give(&number, sizeof number, value, length);
}

template <class T>
std::optional<T> read_as(const void* value, socklen_t length) {
  if (!value || length < sizeof(T)) return std::nullopt;
  T result;
  std::memcpy(&result, value, sizeof result);
  return result;
}

/// Options at IP level accept a single octet too (do_ip_setsockopt).
std::optional<int> read_number(int level, const void* value, socklen_t length) {
  if (auto number = read_as<int>(value, length)) return number;
  const bool short_form = level == IPPROTO_IP && value && length >= 1;
  if (short_form) return *static_cast<const std::uint8_t*>(value);
  return std::nullopt;
}

timeval to_timeval(Duration duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return {us / 1000000, us % 1000000};
}

// ---- setting

Outcome set_time_limit(Duration& limit, const void* value, socklen_t length) {
  const auto time = read_as<timeval>(value, length);
  if (!time) return failed(EINVAL);
  if (time->tv_usec < 0 || time->tv_usec >= 1000000) return failed(EDOM);
  limit = Duration::zero();
  if (time->tv_sec >= 0)
    limit = Duration(std::chrono::seconds(time->tv_sec)) + std::chrono::microseconds(time->tv_usec);
  return done();
}

Outcome set_linger(SocketOptions& options, const void* value, socklen_t length) {
  const auto wanted = read_as<linger>(value, length);
  if (!wanted) return failed(EINVAL);
  options.linger_on = wanted->l_onoff != 0;
  if (options.linger_on) options.linger_seconds = wanted->l_linger < 0 ? INT_MAX : wanted->l_linger;
  return done();
}

Outcome set_buffer(SocketOptions& options, int name, int octets, BufferSizes sizes) {
  const int factor = sizes == BufferSizes::doubled ? 2 : 1;
  const int wanted = std::clamp(octets, 0, INT_MAX / 2) * factor;
  if (name == SO_SNDBUF || name == SO_SNDBUFFORCE) {
    options.send_buffer = std::max(wanted, sizes == BufferSizes::doubled ? kMinSendBuffer : 1);
    options.send_buffer_set = true;
  } else {
    options.receive_buffer = std::max(wanted, sizes == BufferSizes::doubled ? kMinBuffer : 1);
    options.receive_buffer_set = true;
  }
  return done();
}

Outcome set_socket_option(SocketOptions& options, int name, const void* value, socklen_t length,
                          BufferSizes sizes) {
  switch (name) {
    case SO_LINGER:
      return set_linger(options, value, length);
    case SO_RCVTIMEO:
      return set_time_limit(options.receive_timeout, value, length);
    case SO_SNDTIMEO:
      return set_time_limit(options.send_timeout, value, length);
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUF:
    case SO_RCVBUFFORCE: {
      const auto octets = read_as<int>(value, length);
      return octets ? set_buffer(options, name, *octets, sizes) : failed(EINVAL);
    }
    case SO_MAX_PACING_RATE: {
      const auto rate = read_as<std::uint32_t>(value, length);
      if (!rate) return failed(EINVAL);
      options.pacing_rate = *rate == ~0u ? ~std::uint64_t{0} : *rate;
      return done();
    }
    case SO_BINDTODEVICE:  // there is one way out
    case SO_ATTACH_FILTER:
    case SO_DETACH_FILTER:
      return done();
    default:
      return failed(ENOPROTOOPT);
  }
}

Outcome set_congestion(SocketOptions& options, const void* value, socklen_t length) {
  if (!value || length < 1) return failed(EINVAL);
  std::string name(static_cast<const char*>(value), std::min<socklen_t>(length, 15));
  name.resize(std::strlen(name.c_str()));
  if (!congestion_control_of(name)) return failed(ENOENT);
  options.congestion = name;
  return done();
}

/// The levels that mean anything to a socket of this kind.
bool knows_level(const Socket& socket, int level) {
  if (level == IPPROTO_TCP) return socket.is_tcp();
  if (level == IPPROTO_IPV6) return socket.domain == AF_INET6;
  return level == SOL_SOCKET || level == IPPROTO_IP;
}

// TCP_DEFER_ACCEPT is stored as a number of SYN-ACKs, and reported as the time they take.
int deferred_seconds(int seconds) {
  int covered = 0;
  for (int wait = 1; covered < seconds && covered < 255; wait = std::min(wait * 2, 120))
    covered += wait;
  return covered;
}

/// Options of which Linux stores something other than it was given.
int as_kept(const SocketOptions& options, const NumberOption& option, int number) {
  constexpr int kTosBits = 0xfc;  // the others are ECN's (INET_ECN_MASK)
  const auto is = [&](int level, int name) { return option.level == level && option.name == name; };
  if (is(IPPROTO_IP, IP_TOS)) return number & kTosBits;
  if (is(IPPROTO_IPV6, IPV6_TCLASS)) return number < 0 ? 0 : number;
  const bool hops_to_groups =
      is(IPPROTO_IP, IP_MULTICAST_TTL) || is(IPPROTO_IPV6, IPV6_MULTICAST_HOPS);
  if (hops_to_groups) return number < 0 ? 1 : number;
  if (is(IPPROTO_TCP, TCP_QUICKACK)) return number != 0 ? 1 : 0;
  if (is(IPPROTO_TCP, TCP_LINGER2)) return std::clamp(number, -1, 120);
  if (is(IPPROTO_TCP, TCP_DEFER_ACCEPT)) return number <= 0 ? 0 : deferred_seconds(number);
  if (is(SOL_SOCKET, SO_RCVLOWAT))
    return std::clamp(number < 0 ? INT_MAX : number, 1, std::max(options.receive_buffer / 2, 1));
  return number;
}

}  // namespace

bool Sockets::Impl::is_unused(const Socket& socket) const {
  return state(socket) == State::closed || state(socket) == State::listen;
}

Outcome Sockets::Impl::set_tcp_option(Socket& socket, int name, const void* value,
                                      socklen_t length) {
  if (name == TCP_CONGESTION) return set_congestion(socket.options, value, length);
  if (name == TCP_FASTOPEN_KEY) return set_fast_open_keys(socket, value, length);
  const auto number = read_as<int>(value, length);
  if (!number) return failed(EINVAL);
  switch (name) {
    case TCP_MAXSEG:
      if (*number != 0 && (*number < 88 || *number > 32767)) return failed(EINVAL);
      socket.options.max_segment = *number;
      return done();
    case TCP_WINDOW_CLAMP:
      if (*number == 0 && state(socket) != State::closed) return failed(EINVAL);
      socket.options.window_clamp = *number == 0 ? 0 : std::max(*number, kMinBuffer / 2);
      return done();
    case TCP_FASTOPEN:
      if (*number < 0 || !is_unused(socket)) return failed(EINVAL);
      socket.options.fast_open = std::min(*number, 4096);  // somaxconn
      return done();
    case TCP_FASTOPEN_CONNECT:
      if (*number < 0 || *number > 1) return failed(EINVAL);
      if (!defaults.fast_open.connect) return failed(EOPNOTSUPP);
      if (state(socket) != State::closed) return failed(EINVAL);
      socket.options.fast_open_connect = *number;
      return done();
    case TCP_FASTOPEN_NO_COOKIE:
      if (*number < 0 || *number > 1 || !is_unused(socket)) return failed(EINVAL);
      socket.options.fast_open_no_cookie = *number;
      return done();
    default:
      return failed(ENOPROTOOPT);
  }
}

Outcome Sockets::Impl::set_option(Instant now, Socket& socket, int level, int option,
                                  const void* value, socklen_t length) {
  Outcome outcome;
  if (!knows_level(socket, level)) return failed(ENOPROTOOPT);
  if (const NumberOption* known = find_number_option(level, option)) {
    const auto number = read_number(level, value, length);
    if (!number) return failed(EINVAL);
    const bool flag = known->kind == NumberOption::Kind::on_or_off;
    if (!flag && (*number < known->least || *number > known->most)) return failed(EINVAL);
    if (option == IPV6_V6ONLY && level == IPPROTO_IPV6 && (socket.bound || socket.stream))
      return failed(EINVAL);
    if (level == IPPROTO_IP && option == IP_TTL && *number == 0) return failed(EINVAL);
    const int kept = flag ? (*number != 0 ? 1 : 0) : *number;
    socket.options.*(known->member) = as_kept(socket.options, *known, kept);
  } else if (level == SOL_SOCKET) {
    outcome = set_socket_option(socket.options, option, value, length, sizes);
  } else if (level == IPPROTO_TCP) {
    outcome = set_tcp_option(socket, option, value, length);
  } else {
    outcome = failed(ENOPROTOOPT);
  }
  if (outcome.error == 0 && socket.is_tcp()) {
    apply_options(now, socket);
    if (level == IPPROTO_TCP) apply_at_once(now, socket, option);
  }
  return outcome;
}

// The stack's settings follow from the options; what can no longer change stays.
void Sockets::Impl::apply_options(Instant now, Socket& socket) {
  if (socket.is_listening()) {
    (void)stack.reconfigure(now, socket.listener, config(socket));
  } else if (socket.stream) {
    // Of a connection that is over nothing can be set; the option stays with the socket.
    const auto in_force = stack.settings(socket.stream);
    if (!in_force) return;
    TcpConfig wanted = config(socket);
    wanted.mss_limit = in_force->mss_limit;
    wanted.source_route = in_force->source_route;
    wanted.fast_open = in_force->fast_open;
    if (is_synchronized(stack.state(socket.stream))) {
      wanted.r2_syn = in_force->r2_syn;
      wanted.congestion_control = in_force->congestion_control;
    }
    (void)stack.reconfigure(now, socket.stream, wanted);
  }
}

// What an option does besides changing a setting.
void Sockets::Impl::apply_at_once(Instant now, Socket& socket, int option) {
  if (!socket.stream) return;
  const SocketOptions& o = socket.options;
  // TCP_NODELAY sends what is held back, corked or not (tcp_push_pending_frames).
  if (option == TCP_NODELAY && o.no_delay) (void)stack.send(now, socket.stream, {}, SendMode::push);
  constexpr std::uint8_t kQuickAcks = 16;  // TCP_MAX_QUICKACKS
  if (option == TCP_QUICKACK)
    (void)stack.set_quick_acks(now, socket.stream, o.quick_ack ? kQuickAcks : 0);
}

// ---- getting

Outcome Sockets::Impl::get_socket_option(Socket& socket, int name, void* value, socklen_t* length) {
  const SocketOptions& o = socket.options;
  switch (name) {
    case SO_ERROR:
      socket.is_tcp() ? sync(socket) : drain_port(socket);
      // Without one, the ICMP soft error (RFC 9293 SHLD-25), which Linux reports here and nowhere
      // else.
      if (socket.error == 0) std::swap(socket.error, socket.soft_error);
      return give_number(take_error(socket), value, length);
    case SO_TYPE:
      return give_number(socket.type, value, length);
    case SO_PROTOCOL:
      return give_number(socket.protocol, value, length);
    case SO_DOMAIN:
      return give_number(socket.domain, value, length);
    case SO_ACCEPTCONN:
      return give_number(socket.is_listening() ? 1 : 0, value, length);
    case SO_SNDBUF:
      return give_number(o.send_buffer, value, length);
    case SO_RCVBUF:
      return give_number(o.receive_buffer, value, length);
    case SO_SNDLOWAT:
      return give_number(1, value, length);
    case SO_PEEK_OFF:
      return give_number(-1, value, length);
    case SO_RXQ_OVFL:
    case SO_LOCK_FILTER:
    case SO_SELECT_ERR_QUEUE:
      return give_number(0, value, length);
    case SO_BINDTODEVICE:
      return give(nullptr, 0, value, length);
    case SO_LINGER: {
      const linger told{o.linger_on, o.linger_seconds};
      return give(&told, sizeof told, value, length);
    }
    case SO_RCVTIMEO:
    case SO_SNDTIMEO: {
      const timeval told = to_timeval(name == SO_RCVTIMEO ? o.receive_timeout : o.send_timeout);
      return give(&told, sizeof told, value, length);
    }
    case SO_MAX_PACING_RATE:
      return give_number(static_cast<int>(std::min<std::uint64_t>(o.pacing_rate, ~0u)), value,
                         length);
    default:
      return failed(ENOPROTOOPT);
  }
}

// The current maximum payload; before there is a connection what was asked for, or the default
// (MUST-15).
int Sockets::Impl::max_segment(const Socket& socket) const {
  const State in = state(socket);
  const auto info = stack.info(socket.stream);
  if (in != State::closed && in != State::listen && info && info->snd_mss > 0)
    return static_cast<int>(info->snd_mss);
  return socket.options.max_segment > 0 ? socket.options.max_segment : 536;
}

Outcome Sockets::Impl::get_tcp_option(Instant now, Socket& socket, int name, void* value,
                                      socklen_t* length) {
  switch (name) {
    case TCP_MAXSEG:
      return give_number(max_segment(socket), value, length);
    case TCP_WINDOW_CLAMP:
      return give_number(socket.options.window_clamp, value, length);
    case TCP_FASTOPEN:
      return give_number(socket.options.fast_open, value, length);
    case TCP_FASTOPEN_CONNECT:
      return give_number(socket.options.fast_open_connect, value, length);
    case TCP_FASTOPEN_NO_COOKIE:
      return give_number(socket.options.fast_open_no_cookie, value, length);
    case TCP_FASTOPEN_KEY: {
      const auto& own = socket.options.fast_open_keys;
      const auto& keys = own.empty() ? defaults.fast_open.keys : own;
      return give(keys.data(), keys.size() * sizeof(FastOpenKey), value, length);
    }
    case TCP_INFO: {
      const bool keeps_time_wait = profile == Profile::freebsd;
      const State shown = keeps_time_wait && socket.stream && !socket.is_listening()
                              ? stack.state(socket.stream)
                              : state(socket);
      const auto octets = linux_tcp_info(stack.info(now, socket.stream).value_or(TcpInfo{}), shown);
      return give(octets.data(), octets.size(), value, length);
    }
    case TCP_CONGESTION: {
      std::array<char, 16> told{};
      const std::string_view chosen = socket.options.congestion;
      std::ranges::copy(chosen.empty() ? name_of(defaults.congestion_control) : chosen,
                        told.begin());
      return give(told.data(), told.size(), value, length);
    }
    default:
      return failed(ENOPROTOOPT);
  }
}

Outcome Sockets::Impl::get_ip_option(Socket& socket, int level, int name, void* value,
                                     socklen_t* length) {
  const bool mtu =
      (level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU);
  if (!mtu) return failed(ENOPROTOOPT);
  if (socket.peer) {
    const auto route = stack.route(socket.peer->address);
    return route ? give_number(route->mtu, value, length) : failed(errno_of(route.error()));
  }
  const auto info = stack.info(socket.stream);
  if (!info || info->pmtu == 0) return failed(ENOTCONN);
  return give_number(static_cast<int>(info->pmtu), value, length);
}

Outcome Sockets::Impl::get_option(Instant now, Socket& socket, int level, int option, void* value,
                                  socklen_t* length) {
  if (!knows_level(socket, level)) return failed(EOPNOTSUPP);
  if (const NumberOption* known = find_number_option(level, option))
    return give_number(shown_number(socket, *known), value, length);
  switch (level) {
    case SOL_SOCKET:
      return get_socket_option(socket, option, value, length);
    case IPPROTO_TCP:
      return get_tcp_option(now, socket, option, value, length);
    case IPPROTO_IP:
    case IPPROTO_IPV6:
      return get_ip_option(socket, level, option, value, length);
    default:
      return failed(EOPNOTSUPP);
  }
}

// An option that was never set reads as the value in force.
int Sockets::Impl::shown_number(const Socket& socket, const NumberOption& option) const {
  const int number = socket.options.*(option.member);
  const bool tcp = option.level == IPPROTO_TCP;
  const TcpConfig& base = defaults;
  const bool hops = (option.level == IPPROTO_IP && option.name == IP_TTL) ||
                    (option.level == IPPROTO_IPV6 && option.name == IPV6_UNICAST_HOPS);
  if (hops && number < 0) return base.ttl;
  if (tcp && option.name == TCP_LINGER2 && number == 0)
    return static_cast<int>(base.fin_wait_2_timeout / std::chrono::seconds(1));
  if (tcp && option.name == TCP_SYNCNT && number == 0) return syn_count_of(base);
  return number;
}

}  // namespace estab::posix
