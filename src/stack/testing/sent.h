// A frame the stack has sent, and what must be true of every one of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "estab/stack.h"

#include "base/byte_order.h"
#include "stack/testing/pattern.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::script {

/// A frame the stack has sent.
struct Sent {
  Instant at;
  OctetVector octets;
  InterfaceId interface{};
  IpAddress next_hop{};
  std::uint16_t gso_size = 0;
  wire::IpHeader ip{};                 ///< its header, with the ultimate destination
  std::vector<IpAddress> route{};      ///< the hops of its source route
  std::optional<Segment> segment{};    ///< if it is TCP; the payload lies in `octets`
  std::optional<SendReason> reason{};  ///< if it is TCP and the stack is watched
};

/// Reads a source route as the routers on it do: the header names the first hop, the option the
/// others, and the destination at its end.
inline void follow_source_route(Sent& sent, const wire::IpPacket& packet) {
  constexpr std::uint8_t kLooseRoute = 131;
  const Octets option = packet.options;
  if (sent.ip.family() == Family::ipv6 || option.empty() || option[0] != kLooseRoute) return;
  for (std::size_t at = 3; at < option[1]; at += 4) {
    sent.route.push_back(sent.ip.destination);
    sent.ip.destination = IpAddress::v4(base::load_be32(option.data() + at));
  }
}

inline bool has_right_checksum(const Sent& sent, const wire::IpPacket& packet,
                               const TransmitFrame& frame) {
  const IpAddress& from = sent.ip.source;
  const IpAddress& to = sent.ip.destination;
  if (!frame.checksum_partial)
    return wire::verify_transport_checksum(from, to, wire::kProtocolTcp, packet.payload);
  wire::OnesSum sum;
  wire::add_pseudo_header(sum, from, to, wire::kProtocolTcp,
                          static_cast<std::uint32_t>(packet.payload.size()));
  const std::uint8_t* field = packet.payload.data() + wire::kTcpChecksumOffset;
  return sum.folded() == (field[0] << 8 | field[1]);
}

/// Reads the segment in the frame; what is wrong with it, or nothing.
inline std::string read_segment(Sent& sent, const wire::IpPacket& packet,
                                const TransmitFrame& frame) {
  if (!has_right_checksum(sent, packet, frame)) return "sent a wrong TCP checksum";
  sent.segment = wire::parse_tcp(packet.payload);
  if (!sent.segment) return "sent a TCP header that cannot be read";
  if ((packet.payload[12] & 0x0e) != 0) return "sent reserved bits";
  const TcpFlags flags = sent.segment->flags;
  if (!flags.ack() && !flags.syn() && !flags.rst())
    return "sent a segment without ACK after the handshake";
  return {};
}

/// Reads the whole frame; what is wrong with it, or nothing.
inline std::string read_frame(Sent& sent, const TransmitFrame& frame, std::uint16_t mtu) {
  sent.octets.resize(frame.size());
  frame.copy_to(sent.octets.data());
  sent.interface = frame.interface;
  sent.next_hop = frame.next_hop;
  sent.gso_size = frame.gso_size;
  const auto packet = wire::parse_ip(sent.octets);  // verifies the IPv4 header checksum
  if (!packet) return "sent a datagram that cannot be read";
  sent.ip = packet->header;
  follow_source_route(sent, *packet);
  const std::size_t whole = packet->header_octets.size() + packet->payload.size();
  if (whole != sent.octets.size()) return "sent a wrong total length";
  if (sent.gso_size == 0 && whole > mtu) return "sent a datagram larger than the link takes";
  if (packet->fragment && sent.ip.protocol == wire::kProtocolTcp)
    return "sent a segment in fragments";
  if (sent.ip.protocol == wire::kProtocolTcp) return read_segment(sent, *packet, frame);
  return {};
}

}  // namespace estab::script
