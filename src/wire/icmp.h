// ICMP (RFC 792) and ICMPv6 (RFC 4443) messages as one value. Law: every function is total, and an
// error that is emitted never exceeds what its RFC allows; whether one may be sent at all is not
// decided here.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/segment.h"
#include "estab/verdict.h"

#include "wire/ip.h"

namespace estab::wire {

inline constexpr std::size_t kIcmpHeaderLength = 8;

namespace icmp_v4 {
inline constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kSourceQuench = 4, kRedirect = 5,
                              kEchoRequest = 8, kTimeExceeded = 11, kParameterProblem = 12;
// Codes of kUnreachable.
inline constexpr std::uint8_t kNet = 0, kHost = 1, kProtocol = 2, kPort = 3,
                              kFragmentationNeeded = 4, kSourceRouteFailed = 5,
                              kCommunicationProhibited = 13;
}  // namespace icmp_v4

namespace icmp_v6 {
inline constexpr std::uint8_t kUnreachable = 1, kPacketTooBig = 2, kTimeExceeded = 3,
                              kParameterProblem = 4, kEchoRequest = 128, kEchoReply = 129;
// Codes of kUnreachable.
inline constexpr std::uint8_t kNoRoute = 0, kProhibited = 1, kAddress = 3, kPort = 4;
// Codes of kParameterProblem; the last is of RFC 7112 §6.
inline constexpr std::uint8_t kErroneousField = 0, kUnknownNextHeader = 1, kUnknownOption = 2,
                              kIncompleteChain = 3;
}  // namespace icmp_v6

/// Codes of time exceeded in both families.
inline constexpr std::uint8_t kTtlExceeded = 0, kReassemblyExceeded = 1;

/// Octets of an error message, header and quote: the datagram it travels in may have 576 (RFC 1812
/// §4.3.2.3) or 1280 (RFC 4443 §2.4(c)).
inline constexpr std::size_t kMaxIcmpErrorV4 = 576 - kIpV4HeaderLength;
inline constexpr std::size_t kMaxIcmpErrorV6 = 1280 - kIpV6HeaderLength;

struct IcmpMessage {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;  ///< the second word in host order: identifier and sequence, MTU, pointer
  Octets body;             ///< what follows: echo data, or the quoted datagram
};

constexpr std::uint8_t icmp_protocol(Family family) {
  return family == Family::ipv4 ? kProtocolIcmp : kProtocolIcmpV6;
}
constexpr std::uint8_t echo_request_type(Family family) {
  return family == Family::ipv4 ? icmp_v4::kEchoRequest : icmp_v6::kEchoRequest;
}
constexpr std::uint8_t echo_reply_type(Family family) {
  return family == Family::ipv4 ? icmp_v4::kEchoReply : icmp_v6::kEchoReply;
}
/// Whether the type reports an error, known to us or not: no error may answer it (RFC 1122 §3.2.2,
/// RFC 4443 §2.4(e)).
bool is_icmp_error(Family family, std::uint8_t type);

/// Reads the payload of a datagram whose protocol is icmp_protocol(its family) and verifies the
/// checksum. Else `malformed` or `bad_checksum`.
std::expected<IcmpMessage, Verdict> parse_icmp(const IpPacket& packet);

/// Writes header and body with the checksum; returns the length, 8 and the body's. The addresses
/// give the family, and in IPv6 the pseudo-header.
std::size_t emit_icmp(const IcmpMessage& message, const IpAddress& source,
                      const IpAddress& destination, std::uint8_t* out);

/// An error somebody sent about a datagram of ours.
struct IcmpError {
  enum class Kind : std::uint8_t {
    net_unreachable,
    host_unreachable,
    protocol_unreachable,
    port_unreachable,
    packet_too_big,
    time_exceeded,
    parameter_problem,
    administratively_prohibited,
    source_quench,
    other,  ///< ICMPv6 of a type nobody here knows
  };
  Kind kind = Kind::other;
  std::uint8_t type = 0, code = 0;  ///< as received
  std::uint32_t mtu = 0;            ///< packet_too_big; 0 from a router older than RFC 1191
  IpHeader original;                ///< the quoted datagram's: `source` is us
  std::uint16_t source_port = 0;    ///< quoted, when its protocol is TCP or UDP: ours
  std::uint16_t destination_port = 0;
  SeqNum seq;        ///< quoted, when its protocol is TCP
  Octets transport;  ///< what is quoted behind the IP header and its extensions

  /// The connection or binding it is about.
  FourTuple tuple() const {
    return {original.source, original.destination, source_port, destination_port};
  }
};

/// Reads an error message and what it quotes; for TCP and UDP eight quoted octets of transport
/// suffice. Nothing if it is no error, or quotes too little, or not the front of a datagram.
std::optional<IcmpError> parse_icmp_error(const IcmpMessage& message, Family family);

/// The message that reports `kind` about `datagram`. `detail` is the MTU of packet_too_big or the
/// pointer of parameter_problem; in IPv6 an unknown protocol is a parameter problem too, and
/// `detail` points at the field that named it.
IcmpMessage make_icmp_error(Family family, IcmpError::Kind kind, std::uint32_t detail,
                            Octets datagram);

/// Like emit_icmp, with the body cut to what an error may quote. `out` needs kMaxIcmpErrorV6.
std::size_t emit_icmp_error(const IcmpMessage& error, const IpAddress& source,
                            const IpAddress& destination, std::uint8_t* out);

}  // namespace estab::wire
