#include "ip/icmp_rules.h"

#include "base/byte_order.h"
#include "ip/address_rules.h"
#include "ip/path_mtu.h"

namespace estab::ip {
namespace {

constexpr std::uint8_t kRedirectV6 = 137;  // RFC 4861 §4.5

bool is_to_many(const wire::IpPacket& packet, const InterfaceTable& interfaces,
                InterfaceId arrived_on) {
  const IpAddress& destination = packet.header.destination;
  return destination.is_multicast() || interfaces.is_broadcast(arrived_on, destination);
}

bool is_later_fragment(const wire::IpPacket& packet) {
  return packet.fragment && packet.fragment->offset != 0;
}

/// Whether the packet is an ICMP message that no error may answer. One that does not show its type
/// might be an error, so it counts as one.
bool is_unanswerable_icmp(const wire::IpPacket& packet) {
  const Family family = packet.header.family();
  if (packet.header.protocol != wire::icmp_protocol(family)) return false;
  if (packet.payload.empty() || is_later_fragment(packet)) return true;
  const std::uint8_t type = packet.payload[0];
  if (family == Family::ipv6 && type == kRedirectV6) return true;
  return wire::is_icmp_error(family, type);
}

/// One host, elsewhere or (what it sent to itself) this one.
bool can_be_answered(const IpAddress& source, const InterfaceTable& interfaces) {
  return is_single_host(source) && !interfaces.is_any_broadcast(source);
}

}  // namespace

// [RFC 1122 3.2.2-5]
bool may_answer_with_error(const wire::IpPacket& packet, const InterfaceTable& interfaces,
                           InterfaceId arrived_on, wire::Telling telling) {
  if (telling == wire::Telling::nobody || is_unanswerable_icmp(packet)) return false;
  if (packet.header.family() == Family::ipv4 && is_later_fragment(packet)) return false;
  const bool even_if_many = telling == wire::Telling::sender_even_if_many;
  if (!even_if_many && is_to_many(packet, interfaces, arrived_on)) return false;
  const IpAddress& source = packet.header.source;
  return can_be_answered(source, interfaces) && !is_reserved_v4(source);
}

// [RFC 1122 3.2.2.6-3]
bool may_answer_echo(const wire::IpPacket& packet, const InterfaceTable& interfaces,
                     InterfaceId arrived_on) {
  return !is_to_many(packet, interfaces, arrived_on) &&
         can_be_answered(packet.header.source, interfaces);
}

IcmpEffect effect_of(wire::IcmpError::Kind kind) {
  using Kind = wire::IcmpError::Kind;
  switch (kind) {
    case Kind::net_unreachable:
      return {Severity::soft, Error::network_unreachable};
    case Kind::host_unreachable:
    // [RFC 1122 3.2.2.4-1, 3.2.2.5-2]
    case Kind::time_exceeded:
    case Kind::parameter_problem:
    case Kind::administratively_prohibited:
    case Kind::other:  // RFC 4443 §2.4 (a): passed on
      // [RFC 9293 MUST-56, SHLD-25]
      return {Severity::soft, Error::host_unreachable};
    case Kind::protocol_unreachable:
      return {Severity::hard, Error::protocol_unreachable};
    case Kind::port_unreachable:
      return {Severity::hard, Error::port_unreachable};
    case Kind::packet_too_big:
      return {Severity::path_mtu, Error::message_too_long};
    // [RFC 9293 MUST-55]
    case Kind::source_quench:
      break;
  }
  return {};
}

std::uint32_t claimed_mtu(const wire::IcmpMessage& message, const wire::IcmpError& error,
                          std::uint16_t estimate) {
  const bool names_one = error.mtu != 0 || error.original.family() == Family::ipv6;
  if (names_one || message.body.size() < wire::kIpV4HeaderLength) return error.mtu;
  const auto header_length = static_cast<std::uint16_t>((message.body[0] & 0xf) * 4);
  // [RFC 1191 3-7, 5-2]
  return next_plateau(base::load_be16(&message.body[2]), header_length, estimate);
}

}  // namespace estab::ip
