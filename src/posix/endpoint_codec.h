// sockaddr to Endpoint and back. An AF_INET6 socket sees an IPv4 endpoint as an IPv4-mapped address
// (RFC 3493 §3.7); the zone of a link-local address is its sin6_scope_id (§3.3).
#pragma once

#include <expected>

#include <sys/socket.h>

#include "estab/address.h"

namespace estab::posix {

/// The endpoint a caller named for a socket of this domain (AF_INET, AF_INET6), or the errno:
/// EINVAL if it is too short, EAFNOSUPPORT if it is of another family.
std::expected<Endpoint, int> read_endpoint(int domain, const sockaddr* address, socklen_t length);

/// The same for bind, which takes AF_UNSPEC for AF_INET if the address is the unspecified one.
std::expected<Endpoint, int> read_bound_endpoint(int domain, const sockaddr* address,
                                                 socklen_t length);

/// Writes as much as fits into *length octets, and sets it to the full size. A null `address` asks
/// for nothing.
void write_endpoint(int domain, const Endpoint& endpoint, sockaddr* address, socklen_t* length);

/// The unspecified address and port 0 of a domain.
Endpoint any_endpoint(int domain);

}  // namespace estab::posix
