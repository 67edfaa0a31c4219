// What ICMP said about a connection, and who said it. The sender of an ICMP message proves nothing
// but that it has seen, or guessed, what is quoted (RFC 5927): good for telling a person where to
// look, not for deciding whom to trust.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "estab/address.h"

namespace estab {

struct IcmpReport {
  IpAddress from;         ///< a router on the way, or the destination itself
  std::uint8_t type = 0;  ///< of ICMP (RFC 792) or ICMPv6 (RFC 4443), by the family of `from`
  std::uint8_t code = 0;
  friend bool operator==(const IcmpReport&, const IcmpReport&) = default;
};

/// What the type and code mean: "host unreachable", "no route to destination". "an unknown error"
/// for those that no RFC of ours names.
std::string_view meaning(const IcmpReport& report);

/// "192.0.2.1 says: host unreachable".
std::string to_string(const IcmpReport& report);

}  // namespace estab
