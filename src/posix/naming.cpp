// Local and remote names: bind, the choice of a port, and who else has it.

#include <algorithm>

#include "base/port_range.h"
#include "posix/endpoint_codec.h"
#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {

/// Whether two local addresses on one port cannot be told apart.
bool overlap(const IpAddress& a, const IpAddress& b) {
  if (a == b) return true;
  const auto takes_both = [](const IpAddress& x) { return x == IpAddress::any(Family::ipv6); };
  if (takes_both(a) || takes_both(b)) return true;
  return a.family() == b.family() && (a.is_unspecified() || b.is_unspecified());
}

}  // namespace

// Two sockets share a port if both have SO_REUSEADDR and neither listens. What the stack still
// holds without a socket (TIME-WAIT and the like) is in the way of those that do not have it.
bool Sockets::Impl::is_taken(const Socket& socket, const Endpoint& endpoint) const {
  const bool shares = socket.options.reuse_address || socket.options.reuse_port;
  for (const auto& [fd, descriptor] : descriptors) {
    const Socket* other = std::get_if<Socket>(&descriptor);
    if (!other || other == &socket || other->type != socket.type) continue;
    const auto name = local_name(*other);
    if (!name || name->port != endpoint.port || !overlap(name->address, endpoint.address)) continue;
    const bool other_shares = other->options.reuse_address || other->options.reuse_port;
    if (!shares || !other_shares || other->is_listening()) return true;
  }
  if (shares || !socket.is_tcp()) return false;
  return std::ranges::any_of(stack.table(), [&](const SocketRow& row) {
    return row.local.port == endpoint.port && overlap(row.local.address, endpoint.address);
  });
}

std::optional<std::uint16_t> Sockets::Impl::choose_port(const Socket& socket,
                                                        const IpAddress& address) {
  const base::PortRange ports(stack.config().port_min, stack.config().port_max);
  for (std::uint32_t tries = 0; tries < ports.size(); ++tries) {
    const std::uint16_t port = ports.at(next_port++);
    if (!is_taken(socket, {address, port})) return port;
  }
  return std::nullopt;
}

Outcome Sockets::Impl::bind(Socket& socket, const Endpoint& endpoint) {
  const bool fresh = !socket.bound && !socket.stream && !socket.is_listening() && !socket.port;
  if (!fresh) return failed(EINVAL);
  if (endpoint.address.is_multicast() && socket.is_tcp()) return failed(EADDRNOTAVAIL);
  Endpoint name = endpoint;
  if (socket.domain == AF_INET6 && socket.options.ipv6_only && name.address.is_v4())
    return failed(EINVAL);
  if (!socket.is_tcp()) {
    const auto port = stack.bind_datagram(name);
    if (!port) return failed(errno_of(port.error()));
    socket.port = *port;
    socket.bound = stack.local_endpoint(*port).value_or(name);
    return done();
  }
  const bool anybody = name.address.is_unspecified() || socket.options.free_bind;
  if (!anybody) {
    const auto own = stack.own_address(name.address);
    if (!own) return failed(errno_of(own.error()));
    name.address = *own;
  }
  if (name.port == 0) {
    const auto port = choose_port(socket, name.address);
    if (!port) return failed(EADDRINUSE);
    name.port = *port;
  } else if (is_taken(socket, name)) {
    return failed(EADDRINUSE);
  }
  socket.bound = name;
  return done();
}

/// The implicit bind of listen and of an unbound UDP socket that sends.
Outcome Sockets::Impl::choose_name(Socket& socket) {
  return bind(socket, any_endpoint(socket.domain));
}

std::optional<Endpoint> Sockets::Impl::local_name(const Socket& socket) const {
  if (socket.stream)
    if (const auto tuple = stack.endpoints(socket.stream)) return tuple->local();
  return socket.bound;
}

std::optional<Endpoint> Sockets::Impl::remote_name(const Socket& socket) const {
  if (!socket.is_tcp()) return socket.peer;
  const State in = state(socket);
  if (!socket.stream || in == State::closed || in == State::syn_sent) return std::nullopt;
  const auto tuple = stack.endpoints(socket.stream);
  return tuple ? std::optional(tuple->remote()) : std::nullopt;
}

}  // namespace estab::posix
