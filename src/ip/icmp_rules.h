// What the RFCs say about ICMP that needs no state: when an error may be sent, and what one that
// came in means to a transport. Every function decides and changes nothing.
#pragma once

#include <cstdint>

#include "estab/error.h"
#include "estab/id.h"

#include "ip/interfaces.h"
#include "wire/icmp.h"
#include "wire/ip.h"

namespace estab::ip {

/// Whether an ICMP error may be sent because of a packet that came over `arrived_on`, and that is
/// discarded for a reason of which this is to be told. Not if it is an ICMP error or redirect
/// itself, was sent to a broadcast or (but for the exceptions) multicast address, or does not come
/// from a single host; in IPv4 not if it is a fragment other than the first (RFC 1122 §3.2.2,
/// RFC 1812 §4.3.2.7, RFC 4443 §2.4 (e)).
bool may_answer_with_error(const wire::IpPacket& packet, const InterfaceTable& interfaces,
                           InterfaceId arrived_on, wire::Telling telling = wire::Telling::sender);

/// Whether an echo request is answered: one to a broadcast or multicast address is not, which
/// RFC 1122 §3.2.2.6 and RFC 4443 §4.2 leave open, lest a third party be flooded.
bool may_answer_echo(const wire::IpPacket& packet, const InterfaceTable& interfaces,
                     InterfaceId arrived_on);

/// How a transport takes an error about what it sent.
enum class Severity : std::uint8_t {
  none,      ///< silently dropped: source quench (MUST-55)
  soft,      ///< the connection goes on, the application is told (MUST-56, SHLD-25)
  hard,      ///< ends an opening, and may end a connection (SHLD-26, RFC 5927 §5.2)
  path_mtu,  ///< no error: see PathMtuCache
};

struct IcmpEffect {
  Severity severity = Severity::none;
  Error error = Error::host_unreachable;  ///< in the words of the application, if soft or hard
  friend bool operator==(const IcmpEffect&, const IcmpEffect&) = default;
};

/// RFC 9293 §3.9.2.2.
IcmpEffect effect_of(wire::IcmpError::Kind kind);

/// The MTU a "packet too big" claims. A router older than RFC 1191 names none; then the next
/// plateau below the length of the datagram it quotes. `estimate` is the path's MTU now in force.
std::uint32_t claimed_mtu(const wire::IcmpMessage& message, const wire::IcmpError& error,
                          std::uint16_t estimate);

}  // namespace estab::ip
