// ICMP messages of both families, and the errors among them sorted by what they mean.
#include "wire/icmp.h"

#include <algorithm>
#include <iterator>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/tcp.h"

namespace estab::wire {
namespace {

using base::load_be16;
using base::load_be32;
using base::store_be16;
using base::store_be32;
using Kind = IcmpError::Kind;

// What RFC 792 promises to quote behind the IP header, and all that is needed of it.
constexpr std::size_t kQuotedTransport = 8;

// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1; a code of later days says so much at least. A
// failed source route (5) is a soft error like an unreachable host (RFC 9293 §3.9.2.2).
Kind unreachable_kind_v4(std::uint8_t code) {
  constexpr Kind kKinds[16] = {
      Kind::net_unreachable,
      Kind::host_unreachable,
      Kind::protocol_unreachable,
      Kind::port_unreachable,
      Kind::packet_too_big,
      Kind::host_unreachable,
      Kind::net_unreachable,
      Kind::host_unreachable,
      Kind::host_unreachable,
      Kind::administratively_prohibited,
      Kind::administratively_prohibited,
      Kind::net_unreachable,
      Kind::host_unreachable,
      Kind::administratively_prohibited,
      Kind::administratively_prohibited,
      Kind::administratively_prohibited,
  };
  return code < std::size(kKinds) ? kKinds[code] : Kind::host_unreachable;
}

// RFC 4443 §3.1.
Kind unreachable_kind_v6(std::uint8_t code) {
  constexpr Kind kKinds[7] = {
      Kind::net_unreachable,
      Kind::administratively_prohibited,
      Kind::net_unreachable,
      Kind::host_unreachable,
      Kind::port_unreachable,
      Kind::administratively_prohibited,
      Kind::administratively_prohibited,
  };
  return code < std::size(kKinds) ? kKinds[code] : Kind::host_unreachable;
}

Kind error_kind(const IcmpMessage& message, Family family) {
  if (family == Family::ipv4) {
    switch (message.type) {
      case icmp_v4::kUnreachable:
        return unreachable_kind_v4(message.code);
      case icmp_v4::kSourceQuench:
        return Kind::source_quench;
      case icmp_v4::kTimeExceeded:
        return Kind::time_exceeded;
      case icmp_v4::kParameterProblem:
        return Kind::parameter_problem;
      default:
        return Kind::other;
    }
  }
  switch (message.type) {
    case icmp_v6::kUnreachable:
      return unreachable_kind_v6(message.code);
    case icmp_v6::kPacketTooBig:
      return Kind::packet_too_big;
    case icmp_v6::kTimeExceeded:
      return Kind::time_exceeded;
    case icmp_v6::kParameterProblem:
      return Kind::parameter_problem;
    default:
      return Kind::other;
  }
}

bool read_quoted_transport(IcmpError& error) {
  const std::uint8_t protocol = error.original.protocol;
  if (protocol != kProtocolTcp && protocol != kProtocolUdp) return true;
  if (error.transport.size() < kQuotedTransport) return false;
  error.source_port = load_be16(error.transport.data());
  error.destination_port = load_be16(error.transport.data() + 2);
  if (protocol == kProtocolTcp) error.seq = SeqNum(load_be32(error.transport.data() + 4));
  return true;
}

// [RFC 1122 3.2.2.2-1]
IcmpMessage make_error_v4(Kind kind, std::uint32_t detail) {
  using namespace icmp_v4;
  switch (kind) {
    case Kind::net_unreachable:
      return {kUnreachable, kNet, 0, {}};
    case Kind::protocol_unreachable:
      return {kUnreachable, kProtocol, 0, {}};
    case Kind::port_unreachable:
      return {kUnreachable, kPort, 0, {}};
    case Kind::packet_too_big:
      return {kUnreachable, kFragmentationNeeded, std::min(detail, 0xffffU), {}};
    case Kind::administratively_prohibited:
      return {kUnreachable, kCommunicationProhibited, 0, {}};
    case Kind::time_exceeded:
      return {kTimeExceeded, kTtlExceeded, 0, {}};
    case Kind::parameter_problem:
      return {kParameterProblem, 0, detail << 24, {}};
    case Kind::source_quench:
      return {kSourceQuench, 0, 0, {}};
    case Kind::host_unreachable:
    case Kind::other:
      break;
  }
  return {kUnreachable, kHost, 0, {}};
}

IcmpMessage make_error_v6(Kind kind, std::uint32_t detail) {
  using namespace icmp_v6;
  switch (kind) {
    case Kind::net_unreachable:
      return {kUnreachable, kNoRoute, 0, {}};
    case Kind::protocol_unreachable:
      return {kParameterProblem, kUnknownNextHeader, detail, {}};
    case Kind::port_unreachable:
      return {kUnreachable, kPort, 0, {}};
    case Kind::packet_too_big:
      return {kPacketTooBig, 0, detail, {}};
    case Kind::administratively_prohibited:
      return {kUnreachable, kProhibited, 0, {}};
    case Kind::time_exceeded:
      return {kTimeExceeded, kTtlExceeded, 0, {}};
    case Kind::parameter_problem:
      return {kParameterProblem, 0, detail, {}};
    case Kind::host_unreachable:
    case Kind::source_quench:
    case Kind::other:
      break;
  }
  return {kUnreachable, kAddress, 0, {}};
}

}  // namespace

bool is_icmp_error(Family family, std::uint8_t type) {
  if (family == Family::ipv6) return type < 128;  // RFC 4443 §2.1
  using namespace icmp_v4;
  return type == kUnreachable || type == kSourceQuench || type == kRedirect ||
         type == kTimeExceeded || type == kParameterProblem;
}

std::expected<IcmpMessage, Verdict> parse_icmp(const IpPacket& packet) {
  const Octets octets = packet.payload;
  if (octets.size() < kIcmpHeaderLength) return std::unexpected(Verdict::malformed);
  const IpHeader& header = packet.header;
  const bool good =
      header.family() == Family::ipv4
          ? checksum(octets) == 0
          : verify_transport_checksum(header.source, header.destination, kProtocolIcmpV6, octets);
  if (!good) return std::unexpected(Verdict::bad_checksum);
  return IcmpMessage{octets[0], octets[1], load_be32(octets.data() + 4),
                     octets.subspan(kIcmpHeaderLength)};
}

std::size_t emit_icmp(const IcmpMessage& message, const IpAddress& source,
                      const IpAddress& destination, std::uint8_t* out) {
  const std::size_t length = kIcmpHeaderLength + message.body.size();
  out[0] = message.type;
  out[1] = message.code;
  store_be16(out + 2, 0);
  store_be32(out + 4, message.rest);
  OnesSum sum;
  sum.add({out, kIcmpHeaderLength});
  sum.add_copy(out + kIcmpHeaderLength, message.body);
  if (source.family() == Family::ipv6)
    add_pseudo_header(sum, source, destination, kProtocolIcmpV6,
                      static_cast<std::uint32_t>(length));
  store_be16(out + 2, sum.checksum());
  return length;
}

std::optional<IcmpError> parse_icmp_error(const IcmpMessage& message, Family family) {
  const bool redirect = family == Family::ipv4 && message.type == icmp_v4::kRedirect;
  // [RFC 1122 3.2.2-1, 3.2.2.2-4, 3.2.2.7-1, 3.2.2.9-10]
  if (!is_icmp_error(family, message.type) || redirect) return std::nullopt;
  IcmpError error;
  error.kind = error_kind(message, family);
  error.type = message.type;
  error.code = message.code;
  if (error.kind == Kind::packet_too_big)
    error.mtu = family == Family::ipv4 ? message.rest & 0xffff : message.rest;
  const std::optional<QuotedIp> quoted = parse_quoted_ip(message.body, family);
  if (!quoted) return std::nullopt;
  error.original = quoted->header;
  // [RFC 1122 3.4-7]
  error.transport = quoted->transport;
  if (!read_quoted_transport(error)) return std::nullopt;
  return error;
}

IcmpMessage make_icmp_error(Family family, IcmpError::Kind kind, std::uint32_t detail,
                            Octets datagram) {
  IcmpMessage message =
      family == Family::ipv4 ? make_error_v4(kind, detail) : make_error_v6(kind, detail);
  message.body = datagram;
  return message;
}

// [RFC 1122 3.2.2-2]
std::size_t emit_icmp_error(const IcmpMessage& error, const IpAddress& source,
                            const IpAddress& destination, std::uint8_t* out) {
  const std::size_t most = source.family() == Family::ipv4 ? kMaxIcmpErrorV4 : kMaxIcmpErrorV6;
  IcmpMessage cut = error;
  cut.body = error.body.first(std::min(error.body.size(), most - kIcmpHeaderLength));
  return emit_icmp(cut, source, destination, out);
}

}  // namespace estab::wire
