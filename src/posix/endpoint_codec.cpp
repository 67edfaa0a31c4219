#include "posix/endpoint_codec.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>

namespace estab::posix {

namespace {

constexpr socklen_t kOldV6Length = 24;  // before RFC 2553 added a scope

std::uint16_t swapped(std::uint16_t number) {
  if constexpr (std::endian::native == std::endian::big) return number;
  return static_cast<std::uint16_t>(number << 8 | number >> 8);
}

Endpoint from_v4(const sockaddr* address) {
  sockaddr_in in;
  std::memcpy(&in, address, sizeof in);
  std::array<std::uint8_t, 4> a;
  std::memcpy(a.data(), &in.sin_addr, a.size());
  return {IpAddress::v4(a[0], a[1], a[2], a[3]), swapped(in.sin_port)};
}

Endpoint from_v6(const sockaddr* address) {
  sockaddr_in6 in;
  std::memcpy(&in, address, sizeof in);
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), &in.sin6_addr, octets.size());
  const auto zone = static_cast<std::uint16_t>(std::min(in.sin6_scope_id, 0xffffU));
  return {IpAddress::v6(octets).in_zone(zone), swapped(in.sin6_port)};
}

}  // namespace

std::expected<Endpoint, int> read_endpoint(int domain, const sockaddr* address, socklen_t length) {
  if (!address) return std::unexpected(EFAULT);
  const socklen_t least = domain == AF_INET ? sizeof(sockaddr_in) : kOldV6Length;
  if (length < least) return std::unexpected(EINVAL);
  sa_family_t family;
  std::memcpy(&family, &address->sa_family, sizeof family);
  if (family != domain) return std::unexpected(EAFNOSUPPORT);
  if (family == AF_INET) return from_v4(address);
  if (length >= sizeof(sockaddr_in6)) return from_v6(address);
  sockaddr_in6 whole{};
  std::memcpy(&whole, address, length);
  return from_v6(reinterpret_cast<const sockaddr*>(&whole));
}

std::expected<Endpoint, int> read_bound_endpoint(int domain, const sockaddr* address,
                                                 socklen_t length) {
  const bool old_manner = address && domain == AF_INET && length >= sizeof(sockaddr_in) &&
                          address->sa_family == AF_UNSPEC;
  if (!old_manner) return read_endpoint(domain, address, length);
  const Endpoint endpoint = from_v4(address);
  if (!endpoint.address.is_unspecified()) return std::unexpected(EAFNOSUPPORT);
  return endpoint;
}

void write_endpoint(int domain, const Endpoint& endpoint, sockaddr* address, socklen_t* length) {
  if (!address || !length) return;
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (domain == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = swapped(endpoint.port);
    // The octets behind the mapping; of `::`, zeros.
    std::memcpy(&in.sin_addr, endpoint.address.octets().data() + 12, 4);
    size = sizeof in;
    std::memcpy(&storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = swapped(endpoint.port);
    std::memcpy(&in.sin6_addr, endpoint.address.octets().data(), 16);
    in.sin6_scope_id = endpoint.address.zone();
    size = sizeof in;
    std::memcpy(&storage, &in, sizeof in);
  }
  std::memcpy(address, &storage, std::min(*length, size));
  *length = size;
}

Endpoint any_endpoint(int domain) {
  return {IpAddress::any(domain == AF_INET ? Family::ipv4 : Family::ipv6), 0};
}

}  // namespace estab::posix
