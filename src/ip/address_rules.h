// What kind of address it is, beyond what IpAddress itself answers. Pure questions; none knows any
// interface.
#pragma once

#include <cstdint>

#include "estab/address.h"

namespace estab::ip {

constexpr unsigned address_bits(Family family) {
  return family == Family::ipv4 ? 32 : 128;
}

/// True for an address that may name one host on a network: neither unspecified (nor any other of
/// 0.0.0.0/8), loopback, multicast nor limited broadcast (RFC 1122 §3.2.1.3, RFC 4291 §2.5).
/// Directed broadcasts it cannot know.
bool is_single_host(const IpAddress& address);

/// 240.0.0.0/4 (RFC 1122 calls it Class E). It is routed in places, but never told of errors.
bool is_reserved_v4(const IpAddress& address);

/// RFC 6724 §3.1, as far as unicast goes; a greater number is a wider scope.
enum class Scope : std::uint8_t { link_local, global };
Scope scope_of(const IpAddress& address);

/// Leading bits the two have in common, at most `limit` (RFC 6724 §2.2). 0 across families.
unsigned common_prefix_length(const IpAddress& a, const IpAddress& b, unsigned limit);

}  // namespace estab::ip
