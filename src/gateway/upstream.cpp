#include "gateway/upstream.h"

#include <cerrno>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "device/netlink.h"
#include "gateway/socket_address.h"

namespace estab::gateway {

using host::OwnedDescriptor;

Refusal refusal_of(int number) {
  switch (number) {
    case ENETUNREACH:
    case ENETDOWN:
      return Refusal::network_unreachable;
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return Refusal::host_unreachable;
    case EACCES:
    case EPERM:
      return Refusal::prohibited;
    case ETIMEDOUT:
      return Refusal::silence;
    default:
      return Refusal::reset;
  }
}

namespace {

void set_option(int socket, int level, int name) {
  const int on = 1;
  ::setsockopt(socket, level, name, &on, sizeof on);
}

int error_of(int socket) {
  int number = 0;
  socklen_t length = sizeof number;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &length) == 0 ? number : errno;
}

}  // namespace

Task<std::expected<OwnedDescriptor, int>> connect_socket(Host& host, Endpoint to) {
  const SocketAddress address(to);
  OwnedDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return std::unexpected(errno);
  // What the guest sends goes at once, as it has waited already; one that is silent for hours may
  // have a host that is gone.
  set_option(socket.number(), IPPROTO_TCP, TCP_NODELAY);
  set_option(socket.number(), SOL_SOCKET, SO_KEEPALIVE);
  int failed = ::connect(socket.number(), address.get(), address.length) == 0 ? 0 : errno;
  if (failed == EINPROGRESS) {
    const auto writable = co_await host.writable(socket.number());
    failed = writable ? error_of(socket.number()) : EIO;
  }
  if (failed != 0) co_return std::unexpected(failed);
  co_return std::move(socket);
}

Task<std::expected<OwnedDescriptor, Refusal>> DirectUpstream::dial(Endpoint destination) {
  const auto to = resolve(destination);
  if (!to) co_return std::unexpected(to.error());
  auto socket = co_await connect_socket(host_, *to);
  if (!socket) co_return std::unexpected(refusal_of(socket.error()));
  co_return std::move(*socket);
}

std::expected<Endpoint, Refusal> DirectUpstream::route_datagram(const Endpoint& destination) {
  return resolve(destination);
}

// The kernel is asked each time: its addresses and routes change, and a list of them kept here
// would be wrong at some moment.
std::expected<Endpoint, Refusal> DirectUpstream::resolve(const Endpoint& destination) const {
  const IpAddress& to = destination.address;
  for (const Alias& alias : options_.aliases) {
    const bool is_meant = alias.meant.address == to &&
                          (alias.meant.port == 0 || alias.meant.port == destination.port);
    if (!is_meant) continue;
    const std::uint16_t port = alias.target.port != 0 ? alias.target.port : destination.port;
    return Endpoint{alias.target.address, port};
  }
  for (const Cidr& network : options_.guest_networks)
    if (network.contains(to)) return std::unexpected(Refusal::host_unreachable);
  const auto route = device::route_to(to);
  if (!route) return std::unexpected(refusal_of(route.error()));
  const bool leads_back = options_.own_interface != 0 && route->interface == options_.own_interface;
  if (leads_back || (!route->to_itself && !route->to_one))
    return std::unexpected(Refusal::host_unreachable);
  const bool near = route->to_itself || to.is_loopback() || to.is_link_local();
  if (near && !options_.host_loopback) return std::unexpected(Refusal::prohibited);
  return destination;
}

}  // namespace estab::gateway
