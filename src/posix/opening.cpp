// listen, accept, connect: with Linux's checks in Linux's order (inet_listen, inet_csk_accept,
// inet_stream_connect).

#include <algorithm>

#include <fcntl.h>

#include "posix/endpoint_codec.h"
#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

// ---- listen

Outcome Sockets::Impl::listen(Instant, Socket& socket, int backlog) {
  if (!socket.is_tcp()) return failed(EOPNOTSUPP);
  if (socket.stream || socket.link != Link::unconnected) return failed(EINVAL);
  // A full queue is one that has more than `backlog` (sk_acceptq_is_full); somaxconn is 4096.
  const auto most = std::min(static_cast<std::uint32_t>(backlog), 4096u) + 1;
  socket.backlog = most;
  if (socket.is_listening()) {
    (void)stack.set_backlog(socket.listener, most);
    return done();
  }
  if (!socket.bound)
    if (const Outcome named = choose_name(socket); named.error != 0) return named;
  if (defaults.quirks.listen_opens_fast && socket.options.fast_open == 0)
    socket.options.fast_open = backlog;
  ListenOptions options{.local = *socket.bound, .backlog = most, .tcp = config(socket)};
  options.ipv6_only = socket.options.ipv6_only != 0;
  const auto listener = stack.listen(options);
  if (!listener) return failed(errno_of(listener.error()));
  socket.listener = *listener;
  socket.shut_read = socket.shut_write = false;
  return done();
}

// ---- accept

// TCP_DEFER_ACCEPT: a connection is not offered until data has come, or its time is up.
void Sockets::Impl::defer(Instant now, Socket& socket) {
  const Instant until = now + Duration(std::chrono::seconds(1)) * socket.options.defer_accept;
  while (const auto stream = stack.accept(now, socket.listener))
    socket.deferred.emplace_back(*stream, until);
}

bool Sockets::Impl::is_due(Instant now, const std::pair<StreamId, Instant>& deferred) const {
  const auto& [stream, until] = deferred;
  return now >= until || stack.readable(stream) > 0 || stack.state(stream) != State::established;
}

std::size_t Sockets::Impl::acceptable(Instant now, Socket& socket) {
  if (socket.options.defer_accept > 0) defer(now, socket);
  const auto due = std::ranges::count_if(
      socket.deferred, [&](const auto& deferred) { return is_due(now, deferred); });
  return stack.acceptable(socket.listener) + static_cast<std::size_t>(due);
}

std::optional<StreamId> Sockets::Impl::next_to_accept(Instant now, Socket& socket) {
  if (socket.options.defer_accept > 0) defer(now, socket);
  const auto due = std::ranges::find_if(
      socket.deferred, [&](const auto& deferred) { return is_due(now, deferred); });
  if (due != socket.deferred.end()) {
    const StreamId stream = due->first;
    socket.deferred.erase(due);
    return stream;
  }
  const auto stream = stack.accept(now, socket.listener);
  return stream ? std::optional(*stream) : std::nullopt;
}

Outcome Sockets::Impl::accept(Instant now, Socket& socket, sockaddr* address, socklen_t* length,
                              int flags) {
  if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return failed(EINVAL);
  if (!socket.is_tcp()) return failed(EOPNOTSUPP);
  if (!socket.is_listening()) return failed(EINVAL);
  const auto stream = next_to_accept(now, socket);
  if (!stream) {
    if (const auto ended = stack.failure(socket.listener)) return failed(errno_of(*ended));
    if (socket.nonblocking) return failed(EAGAIN);
    return wait_or_fail(now, socket.accepting, socket.options.receive_timeout, EAGAIN);
  }
  socket.accepting = {};
  socket.queued = acceptable(now, socket);
  Socket child;
  child.domain = socket.domain;
  child.type = socket.type;
  child.protocol = socket.protocol;
  child.options = socket.options;
  child.stream = *stream;
  child.link = Link::connected;
  child.nonblocking = (flags & SOCK_NONBLOCK) != 0 ||
                      (profile == Profile::freebsd && socket.nonblocking);  // accept(2) of FreeBSD
  child.descriptor_flags = (flags & SOCK_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
  const auto tuple = stack.endpoints(*stream);
  if (tuple) write_endpoint(socket.domain, tuple->remote(), address, length);
  const int fd = add(std::move(child));
  if (fd >= 0) return done(fd);
  (void)stack.abort(now, *stream);
  return failed(EMFILE);
}

// ---- connect

Outcome Sockets::Impl::connect(Instant now, Socket& socket, const sockaddr* address,
                               socklen_t length) {
  if (length < sizeof(sa_family_t)) return failed(EINVAL);
  if (address->sa_family == AF_UNSPEC) return disconnect(now, socket);
  if (!socket.is_tcp()) {
    const auto remote = read_endpoint(socket.domain, address, length);
    return remote ? connect_datagram(now, socket, *remote) : failed(remote.error());
  }
  sync(socket);
  switch (socket.link) {
    case Link::connected:
      return failed(EISCONN);
    case Link::connecting:
      return finish_connect(now, socket, EALREADY);
    case Link::unconnected:
      break;
  }
  if (state(socket) != State::closed) return failed(EISCONN);
  const auto remote = read_endpoint(socket.domain, address, length);
  if (!remote) return failed(remote.error());
  if (socket.options.fast_open_connect) return connect_fast_open(now, socket, *remote);
  return start_connect(now, socket, *remote, Opening::plain);
}

Outcome Sockets::Impl::start_connect(Instant now, Socket& socket, const Endpoint& remote,
                                     Opening how) {
  const Outcome opened = open_stream(now, socket, remote, how);
  return opened.error != 0 ? opened : finish_connect(now, socket, EINPROGRESS);
}

// The socket has a stream, and is connecting.
Outcome Sockets::Impl::open_stream(Instant now, Socket& socket, const Endpoint& remote,
                                   Opening how) {
  if (remote.address.is_v4() && socket.options.ipv6_only) return failed(ENETUNREACH);
  ConnectOptions options{
      .remote = remote, .hold_syn = how == Opening::fast_held, .tcp = config(socket)};
  options.tcp->fast_open.connect = how != Opening::plain;
  // The unspecified address means this host.
  if (remote.address.is_unspecified())
    options.remote.address =
        remote.address.is_v4() ? IpAddress::v4(127, 0, 0, 1) : *IpAddress::parse("::1");
  if (socket.bound) {
    if (!socket.bound->address.is_unspecified()) options.local_address = socket.bound->address;
    options.local_port = socket.bound->port;
  }
  if (socket.stream) (void)stack.abort(now, socket.stream);  // what is left of a failed attempt
  const auto stream = stack.connect(now, options);
  if (!stream) {
    socket.stream = {};
    const Error why = stream.error();
    // Linux has no route for a destination that is not unicast.
    if (why == Error::address_not_available) return failed(ENETUNREACH);
    if (why == Error::address_in_use) return failed(EADDRNOTAVAIL);
    return failed(errno_of(why));
  }
  socket.stream = *stream;
  socket.link = Link::connecting;
  socket.failure_seen = socket.peer_closed = false;
  socket.error = socket.soft_error = 0;
  socket.shut_read = socket.shut_write = false;
  return done();
}

Outcome Sockets::Impl::finish_connect(Instant now, Socket& socket, int pending) {
  const State in = state(socket);
  if (in == State::syn_sent || in == State::syn_received) {
    if (socket.nonblocking) return failed(pending);
    return wait_or_fail(now, socket.opening, socket.options.send_timeout, pending);
  }
  socket.opening = {};
  if (in != State::closed) {
    socket.link = Link::connected;
    return done();
  }
  sync(socket);
  // Reset, timed out, or refused by ICMP: the socket may try again.
  const int error = take_error(socket);
  socket.link = Link::unconnected;
  (void)stack.abort(now, socket.stream);
  socket.stream = {};
  return failed(error != 0 ? error : ECONNABORTED);
}

// A connected UDP socket sends to its peer, and receives from it alone.
Outcome Sockets::Impl::connect_datagram(Instant, Socket& socket, const Endpoint& remote) {
  const auto route = stack.route(remote.address);
  if (!route) return failed(errno_of(route.error()));
  if (!may_broadcast(socket, remote.address)) return failed(EACCES);
  if (!socket.port)
    if (const Outcome named = choose_name(socket); named.error != 0) return named;
  socket.peer = Endpoint{route->remote, remote.port};
  socket.link = Link::connected;
  std::erase_if(socket.datagrams,
                [&](const QueuedDatagram& waiting) { return waiting.from != *socket.peer; });
  return done();
}

// connect to AF_UNSPEC: back to where socket() left it, except for the name it was bound to.
Outcome Sockets::Impl::disconnect(Instant now, Socket& socket) {
  close_listener(now, socket);
  const State in = state(socket);
  if (socket.stream) {
    (void)stack.abort(now, socket.stream);
    if (in != State::closed && in != State::closing && in != State::last_ack)
      socket.error = ECONNRESET;
  }
  socket.stream = {};
  socket.syn_held = false;
  socket.peer.reset();
  socket.link = Link::unconnected;
  socket.shut_read = socket.shut_write = socket.peer_closed = socket.failure_seen = false;
  socket.reading = socket.writing = socket.opening = socket.accepting = {};
  return done();
}

}  // namespace estab::posix
