// Endpoints as the kernel's socket addresses, and back.
#pragma once

#include <array>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "estab/address.h"

#include "base/byte_order.h"

namespace estab::gateway {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const Endpoint& endpoint) {
    std::array<std::uint8_t, 2> port;
    base::store_be16(port.data(), endpoint.port);
    const Octets address = endpoint.address.wire_octets();
    if (endpoint.address.is_v4()) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      std::memcpy(&v4.sin_port, port.data(), port.size());
      std::memcpy(&v4.sin_addr, address.data(), address.size());
      length = sizeof v4;
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      std::memcpy(&v6.sin6_port, port.data(), port.size());
      std::memcpy(&v6.sin6_addr, address.data(), address.size());
      length = sizeof v6;
    }
  }

  int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  Endpoint endpoint() const {
    if (storage.ss_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
      return {IpAddress::v4(base::load_be32(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr))),
              base::load_be16(reinterpret_cast<const std::uint8_t*>(&v4.sin_port))};
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return {IpAddress::v6(octets),
            base::load_be16(reinterpret_cast<const std::uint8_t*>(&v6.sin6_port))};
  }
};

}  // namespace estab::gateway
