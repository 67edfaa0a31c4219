// UDP headers, read and written.
#include "wire/udp.h"

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/ip.h"

namespace estab::wire {

using base::load_be16;
using base::store_be16;

std::optional<UdpDatagram> parse_udp(Octets udp, Family family) {
  if (udp.size() < kUdpHeaderLength) return std::nullopt;
  const std::size_t length = load_be16(udp.data() + 4);
  if (length < kUdpHeaderLength || length > udp.size()) return std::nullopt;
  UdpDatagram datagram;
  datagram.source_port = load_be16(udp.data());
  datagram.destination_port = load_be16(udp.data() + 2);
  datagram.has_checksum = load_be16(udp.data() + kUdpChecksumOffset) != 0;
  datagram.octets = udp.first(length);
  datagram.payload = datagram.octets.subspan(kUdpHeaderLength);
  if (family == Family::ipv6 && !datagram.has_checksum) return std::nullopt;  // RFC 8200 §8.1
  return datagram;
}

std::size_t emit_udp(const UdpHeader& header, std::uint8_t* out) {
  store_be16(out, header.source_port);
  store_be16(out + 2, header.destination_port);
  store_be16(out + 4, header.length);
  store_be16(out + kUdpChecksumOffset, header.checksum);
  return kUdpHeaderLength;
}

// [RFC 1122 4.1.3.4-1, 4.1.3.4-2]
std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, Octets header,
                           std::span<const Octets> payload_pieces) {
  std::size_t length = header.size();
  OnesSum sum;
  sum.add(header);
  for (const Octets piece : payload_pieces) {
    sum.add(piece);
    length += piece.size();
  }
  add_pseudo_header(sum, source, destination, kProtocolUdp, static_cast<std::uint32_t>(length));
  // "If the computed checksum is zero, it is transmitted as all ones" (RFC 768).
  const std::uint16_t checksum = sum.checksum();
  return checksum == 0 ? 0xffff : checksum;
}

void finish_udp_checksum(MutableOctets header, const IpAddress& source,
                         const IpAddress& destination, std::span<const Octets> payload_pieces) {
  if (header.size() < kUdpHeaderLength) return;
  store_be16(header.data() + kUdpChecksumOffset, 0);
  store_be16(header.data() + kUdpChecksumOffset,
             udp_checksum(source, destination, header, payload_pieces));
}

}  // namespace estab::wire
