// TCP Fast Open in the calls (RFC 7413 appendix A): MSG_FASTOPEN, TCP_FASTOPEN_CONNECT and the
// keys, as in tcp_sendmsg_fastopen, tcp_fastopen_defer_connect and do_tcp_setsockopt of Linux.

#include <algorithm>
#include <cstring>

#include "posix/endpoint_codec.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {

/// The first octets of what is to be written.
std::vector<std::uint8_t> first_of(std::span<const iovec> from, std::size_t most) {
  std::vector<std::uint8_t> octets;
  for (const iovec& vector : from) {
    const auto* begin = static_cast<const std::uint8_t*>(vector.iov_base);
    const std::size_t wanted = std::min(vector.iov_len, most - octets.size());
    octets.insert(octets.end(), begin, begin + wanted);
  }
  return octets;
}

}  // namespace

// connect and write in one. With a cookie the first octets have gone when it returns; without, the
// SYN asks for one, and they wait for the handshake, or are given back.
Outcome Sockets::Impl::transmit_fast_open(Instant now, Socket& socket, std::span<const iovec> from,
                                          int flags, const std::optional<Endpoint>& to) {
  if (socket.writing.active) return transmit_stream(now, socket, from, flags);  // goes on waiting
  if (socket.syn_held) {
    socket.syn_held = false;
    socket.link = Link::connecting;
    return start_fast_open(now, socket, from, flags);
  }
  if (!defaults.fast_open.connect) return failed(EOPNOTSUPP);
  switch (socket.link) {
    case Link::connected:
      return failed(EISCONN);
    case Link::connecting: {
      const State in = state(socket);
      if (in == State::syn_sent || in == State::syn_received) return failed(EALREADY);
      if (in != State::closed) socket.link = Link::connected;
      return transmit_stream(now, socket, from, flags);
    }
    case Link::unconnected:
      break;
  }
  if (state(socket) != State::closed) return failed(EISCONN);
  if (!to) return failed(EDESTADDRREQ);
  const Outcome opened = open_stream(now, socket, *to, Opening::fast_held);
  return opened.error != 0 ? opened : start_fast_open(now, socket, from, flags);
}

// The SYN leaves, with what it can carry. Who waits has given the rest too, which then goes with
// the third segment (in Linux: "Save one ACK. Data will be ready after several ticks").
Outcome Sockets::Impl::start_fast_open(Instant now, Socket& socket, std::span<const iovec> from,
                                       int flags) {
  const bool at_once = socket.nonblocking || (flags & MSG_DONTWAIT) != 0;
  const std::size_t total = total_size(from);
  const std::size_t most = at_once ? std::min(stack.syn_room(socket.stream), total) : total;
  const auto taken = stack.send(now, socket.stream, first_of(from, most), SendMode::normal);
  if (!at_once) {
    socket.writing.done = taken.value_or(0);
    return transmit_stream(now, socket, from, flags);
  }
  return taken.value_or(0) == 0 ? failed(EINPROGRESS) : done(static_cast<std::int64_t>(*taken));
}

// TCP_FASTOPEN_CONNECT: with a cookie connect() has nothing to wait for, and the SYN leaves with
// the first write.
Outcome Sockets::Impl::connect_fast_open(Instant now, Socket& socket, const Endpoint& remote) {
  const Outcome opened = open_stream(now, socket, remote, Opening::fast_held);
  if (opened.error != 0) return opened;
  if (stack.syn_room(socket.stream) == 0) {
    (void)stack.send(now, socket.stream, {}, SendMode::normal);
    return finish_connect(now, socket, EINPROGRESS);
  }
  socket.syn_held = true;
  socket.link = Link::connected;
  return done();
}

Outcome Sockets::Impl::set_fast_open_keys(Socket& socket, const void* value, socklen_t length) {
  constexpr std::size_t kOne = sizeof(FastOpenKey);
  if (!value || (length != kOne && length != 2 * kOne)) return failed(EINVAL);
  socket.options.fast_open_keys.resize(length / kOne);
  std::memcpy(socket.options.fast_open_keys.data(), value, length);
  return done();
}

}  // namespace estab::posix
