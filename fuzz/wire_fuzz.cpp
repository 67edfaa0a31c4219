// Any octets into every parser of the wire layer. Law: none reads outside its input, and what a
// parser understood, written out and read again, is the same value.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "estab/notation.h"

#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace {

using namespace estab;
using namespace estab::wire;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const Segment& a, const Segment& b) {
  return a.seq == b.seq && a.ack == b.ack && a.flags == b.flags && a.window == b.window &&
         a.urgent_pointer == b.urgent_pointer && a.options == b.options;
}

// Only SACK blocks may be fewer when the parsed options stood closer than emit_tcp sets them.
void check_tcp(Octets octets) {
  std::optional<Segment> segment = parse_tcp(octets);
  if (!segment) return;
  SackBlocks fitting;
  for (std::size_t i = 0; i < fitting_sack_blocks(segment->options); ++i)
    fitting.add(segment->options.sack[i]);
  segment->options.sack = fitting;
  std::array<std::uint8_t, kMaxTcpHeaderLength> header;
  const std::size_t length = emit_tcp(*segment, header.data());
  require(length == tcp_header_length(segment->options));
  const std::optional<Segment> again = parse_tcp({header.data(), length});
  require(again && same(*again, *segment) && again->source_port == segment->source_port &&
          again->destination_port == segment->destination_port);

  if (!segment->flags.ack()) segment->ack = SeqNum(0);
  const auto noted = parse_segment(to_string(*segment, SeqNum(7), SeqNum(9)), SeqNum(7), SeqNum(9));
  require(noted && same(noted->segment, *segment) &&
          noted->payload_length == segment->payload.size());
}

void check_udp(Octets octets, Family family) {
  const std::optional<UdpDatagram> datagram = parse_udp(octets, family);
  if (!datagram) return;
  std::array<std::uint8_t, kUdpHeaderLength> header;
  emit_udp({datagram->source_port, datagram->destination_port,
            static_cast<std::uint16_t>(datagram->octets.size()), 1},
           header.data());
  require(std::equal(header.begin(), header.begin() + 6, octets.begin()));
}

void check_icmp(const IpPacket& packet) {
  const auto message = parse_icmp(packet);
  const Octets body = packet.payload;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    if (message) parse_icmp_error(*message, family);
    // As if the checksum had been right.
    if (body.size() < kIcmpHeaderLength) continue;
    const IcmpMessage any{body[0], body[1], 0, body.subspan(kIcmpHeaderLength)};
    const auto error = parse_icmp_error(any, family);
    require(!error || error->original.family() == family);
  }
  std::array<std::uint8_t, kMaxIcmpErrorV6> out;
  const IpHeader& ip = packet.header;
  emit_icmp_error(
      make_icmp_error(ip.family(), IcmpError::Kind::port_unreachable, 0, packet.octets()),
      ip.destination, ip.source, out.data());
}

void check_ip(Octets frame) {
  const auto packet = parse_ip(frame);
  if (!packet) return;
  require(packet->octets().data() == frame.data() && packet->octets().size() <= frame.size());
  std::array<std::uint8_t, kIpV6HeaderLength + kMaxIpV4Options> header;
  const bool is_v4 = packet->header.family() == Family::ipv4;
  const Octets options = is_v4 ? packet->options : Octets();
  const std::size_t length = emit_ip(packet->header, 0, header.data(), options);
  const auto again = parse_ip({header.data(), length});
  // Without its chain the next header of IPv6 may name one again, which then is missing.
  require(again ? again->header == packet->header : !is_v4);
  return_route(packet->options, packet->header.source);
  check_tcp(packet->payload);
  check_udp(packet->payload, packet->header.family());
  check_icmp(*packet);
}

void check_checksum(Octets octets) {
  if (octets.empty()) return;
  const std::size_t cut = octets[0] % octets.size();
  OnesSum pieces;
  pieces.add(octets.first(cut));
  pieces.add(octets.subspan(cut));
  require(pieces.checksum() == checksum(octets));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets octets(data, size);
  check_ip(octets);
  check_tcp(octets);
  check_udp(octets, Family::ipv4);
  parse_quoted_ip(octets, Family::ipv4);
  parse_quoted_ip(octets, Family::ipv6);
  parse_segment(as_text(octets));
  check_checksum(octets);
  return 0;
}
