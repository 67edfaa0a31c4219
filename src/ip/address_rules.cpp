#include "ip/address_rules.h"

#include <algorithm>
#include <bit>

namespace estab::ip {

bool is_single_host(const IpAddress& address) {
  if (!address.is_v4())
    return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
  const std::uint32_t number = address.v4_number();
  const std::uint32_t network = number >> 24;
  return network != 0 && network != 127 && network >> 4 != 0xe && number != 0xffffffff;
}

bool is_reserved_v4(const IpAddress& address) {
  return address.is_v4() && address.v4_number() >> 28 == 0xf;
}

Scope scope_of(const IpAddress& address) {
  if (address.is_link_local()) return Scope::link_local;
  // ff02::/16 (RFC 4291 §2.7) and 224.0.0.0/24 (RFC 5771 §4) stay on the link.
  if (!address.is_multicast()) return Scope::global;
  if (address.is_v4()) {
    return address.v4_number() >> 8 == 0xe00000 ? Scope::link_local : Scope::global;
  }
  return (address.octets()[1] & 0xf) <= 2 ? Scope::link_local : Scope::global;
}

unsigned common_prefix_length(const IpAddress& a, const IpAddress& b, unsigned limit) {
  if (a.family() != b.family()) return 0;
  if (a.is_v4())
    return std::min(static_cast<unsigned>(std::countl_zero(a.v4_number() ^ b.v4_number())), limit);
  const Octets x = a.wire_octets();
  const Octets y = b.wire_octets();
  unsigned bits = 0;
  for (std::size_t i = 0; i < x.size() && bits < limit; ++i) {
    const auto difference = static_cast<std::uint8_t>(x[i] ^ y[i]);
    bits += static_cast<unsigned>(std::countl_zero(difference));
    if (difference != 0) break;
  }
  return std::min(bits, limit);
}

}  // namespace estab::ip
