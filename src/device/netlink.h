// Netlink: sets up an interface through rtnetlink: addresses, MTU, up. Law: what is already so is
// not requested again, so that it needs no privilege.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "estab/address.h"

namespace estab::device {

/// Each returns 0 or errno.
int give_address(const std::string& interface, const Cidr& address);
/// Everything that has no other way leaves by this interface, which has no gateway behind it.
int add_default_route(const std::string& interface, Family family);
int set_link_up(const std::string& interface, std::optional<std::uint16_t> mtu);

/// The interface's MTU now; nothing if there is no such interface.
std::optional<std::uint16_t> mtu_of(const std::string& interface);

/// Where the kernel would send a datagram for this address.
struct KernelRoute {
  bool to_itself = false;       ///< it is one of its own addresses, whichever interface has it
  bool to_one = false;          ///< one host elsewhere: no broadcast, group or unreachable network
  std::uint32_t interface = 0;  ///< by which it would leave
};
/// Or the errno that sending there would give.
std::expected<KernelRoute, int> route_to(const IpAddress& address);

/// Queues of a TUN interface that are open now, by whichever program; 0 or 1 of one that has no
/// several.
std::uint32_t queues_of(const std::string& interface);

}  // namespace estab::device
