// Datagrams that are no TCP segments, for scripts: ICMP errors that quote what the stack sent, echo
// requests, UDP, and anything cut into fragments.
#pragma once

#include <algorithm>

#include "base/byte_order.h"
#include "stack/testing/peer.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/udp.h"

namespace estab::script {

inline OctetVector datagram(wire::IpHeader header, Octets payload) {
  OctetVector octets(wire::kIpV6HeaderLength);
  octets.resize(wire::emit_ip(header, payload.size(), octets.data()));
  octets.insert(octets.end(), payload.begin(), payload.end());
  return octets;
}

inline OctetVector icmp(const IpAddress& from, const IpAddress& to,
                        const wire::IcmpMessage& message) {
  OctetVector body(wire::kIcmpHeaderLength + message.body.size());
  wire::emit_icmp(message, from, to, body.data());
  wire::IpHeader header{.source = from, .destination = to};
  header.protocol = wire::icmp_protocol(from.family());
  return datagram(header, body);
}

/// A router on the way reports this about a frame of the stack's; it quotes `quote` octets.
inline OctetVector icmp_error(const Sent& about, wire::IcmpError::Kind kind,
                              std::uint32_t detail = 0, std::size_t quote = 1 << 16) {
  const bool v4 = about.ip.family() == Family::ipv4;
  const IpAddress router = v4 ? IpAddress::v4(192, 0, 2, 254) : *IpAddress::parse("2001:db8::fe");
  const Octets quoted = Octets(about.octets).first(std::min(quote, about.octets.size()));
  auto message = wire::make_icmp_error(about.ip.family(), kind, detail, quoted);
  message.body = message.body.first(std::min<std::size_t>(message.body.size(), 540));
  return icmp(router, about.ip.source, message);
}

inline OctetVector udp(const Endpoint& from, const Endpoint& to, Octets payload) {
  const auto length = static_cast<std::uint16_t>(wire::kUdpHeaderLength + payload.size());
  OctetVector octets(wire::kUdpHeaderLength);
  wire::emit_udp({from.port, to.port, length, 0}, octets.data());
  const std::array<Octets, 1> pieces = {payload};
  wire::finish_udp_checksum(octets, from.address, to.address, pieces);
  octets.insert(octets.end(), payload.begin(), payload.end());
  wire::IpHeader header{.source = from.address, .destination = to.address};
  header.protocol = wire::kProtocolUdp;
  return datagram(header, octets);
}

/// The segment with this option area instead of its own (a multiple of four octets).
inline OctetVector with_options(const OctetVector& segment, Octets options) {
  const auto packet = wire::parse_ip(segment).value();
  const std::size_t old_header = std::size_t{packet.payload[12]} / 16 * 4;
  OctetVector tcp(packet.payload.begin(), packet.payload.begin() + 20);
  tcp[12] = static_cast<std::uint8_t>((20 + options.size()) / 4 << 4);
  base::store_be16(&tcp[wire::kTcpChecksumOffset], 0);
  tcp.insert(tcp.end(), options.begin(), options.end());
  tcp.insert(tcp.end(), packet.payload.begin() + static_cast<std::ptrdiff_t>(old_header),
             packet.payload.end());
  wire::finish_tcp_checksum(tcp, packet.header.source, packet.header.destination);
  return datagram(packet.header, tcp);
}

/// The IPv4 datagram with these options (a multiple of four octets).
inline OctetVector with_ip_options(const OctetVector& whole, Octets options) {
  const auto packet = wire::parse_ip(whole).value();
  OctetVector octets(60);
  octets.resize(wire::emit_ip(packet.header, packet.payload.size(), octets.data(), options));
  octets.insert(octets.end(), packet.payload.begin(), packet.payload.end());
  return octets;
}

/// The datagram in pieces of at most `size` octets of payload (a multiple of eight).
inline std::vector<OctetVector> fragments(const OctetVector& whole, std::size_t size,
                                          std::uint16_t identification = 7) {
  const auto packet = wire::parse_ip(whole).value();
  std::vector<OctetVector> result;
  for (std::size_t at = 0; at < packet.payload.size(); at += size) {
    const Octets part = packet.payload.subspan(at, std::min(size, packet.payload.size() - at));
    const std::uint16_t more = at + part.size() < packet.payload.size() ? 1 : 0;
    wire::IpHeader header = packet.header;
    if (header.family() == Family::ipv4) {
      header.dont_fragment = false;
      header.identification = identification;
      OctetVector octets = datagram(header, part);
      base::store_be16(&octets[6], static_cast<std::uint16_t>(more << 13 | at / 8));
      base::store_be16(&octets[10], 0);
      base::store_be16(&octets[10], wire::checksum(Octets(octets).first(20)));
      result.push_back(octets);
    } else {
      OctetVector body = {header.protocol, 0, 0, 0, 0, 0, 0, 0};
      base::store_be16(&body[2], static_cast<std::uint16_t>(at | more));
      base::store_be32(&body[4], identification);
      body.insert(body.end(), part.begin(), part.end());
      header.protocol = wire::kProtocolFragment;
      result.push_back(datagram(header, body));
    }
  }
  return result;
}

}  // namespace estab::script
