// Netlink: sets up an interface through rtnetlink: addresses, MTU, up. Law: what is already so is
// not requested again, so that it needs no privilege.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "estab/address.h"

namespace estab::device {

/// Each returns 0 or errno.
int give_address(const std::string& interface, const Cidr& address);
int set_link_up(const std::string& interface, std::optional<std::uint16_t> mtu);

/// The interface's MTU now; nothing if there is no such interface.
std::optional<std::uint16_t> mtu_of(const std::string& interface);

/// Queues of a TUN interface that are open now, by whichever program; 0 or 1 of one that has no
/// several.
std::uint32_t queues_of(const std::string& interface);

}  // namespace estab::device
