// The fixed part of the TCP header, read and written, and the checksum over all of it.
#include "wire/tcp.h"

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp_options.h"

namespace estab::wire {

using base::load_be16;
using base::load_be32;
using base::store_be16;
using base::store_be32;

namespace {
constexpr std::uint16_t kFlagBits = 0x1ff;  // AE to FIN
}

bool parse_tcp_into(Octets tcp, Segment& segment) {
  if (tcp.size() < kTcpHeaderLength) return false;
  const std::uint8_t* in = tcp.data();
  const std::size_t header_length = static_cast<std::size_t>(in[12] >> 4) * 4;
  if (header_length < kTcpHeaderLength || header_length > tcp.size()) return false;
  segment.source_port = load_be16(in);
  segment.destination_port = load_be16(in + 2);
  segment.seq = SeqNum(load_be32(in + 4));
  segment.ack = SeqNum(load_be32(in + 8));
  segment.flags = TcpFlags(load_be16(in + 12) & kFlagBits);
  segment.window = load_be16(in + 14);
  segment.urgent_pointer = load_be16(in + 18);
  segment.options = TcpOptions{};
  parse_tcp_options(tcp.subspan(kTcpHeaderLength, header_length - kTcpHeaderLength),
                    segment.options);
  segment.payload = tcp.subspan(header_length);
  return true;
}

std::optional<Segment> parse_tcp(Octets tcp) {
  std::optional<Segment> segment(std::in_place);
  if (!parse_tcp_into(tcp, *segment)) segment.reset();
  return segment;
}

std::size_t emit_tcp(const Segment& segment, std::uint8_t* out) {
  store_be16(out, segment.source_port);
  store_be16(out + 2, segment.destination_port);
  store_be32(out + 4, segment.seq.value());
  store_be32(out + 8, segment.ack.value());
  // [RFC 9293 MUST-69]
  // Options come in groups of four octets, so the padding of MUST-69 is never needed.
  const std::size_t length =
      kTcpHeaderLength + emit_tcp_options(segment.options, out + kTcpHeaderLength);
  store_be16(out + 12, static_cast<std::uint16_t>(length / 4 << 12 | segment.flags.wire()));
  store_be16(out + 14, segment.window);
  store_be16(out + kTcpChecksumOffset, 0);
  store_be16(out + 18, segment.urgent_pointer);
  return length;
}

std::uint16_t tcp_checksum(const IpAddress& source, const IpAddress& destination, Octets header,
                           std::span<const Octets> payload_pieces) {
  std::size_t length = header.size();
  OnesSum sum;
  sum.add(header);
  for (const Octets piece : payload_pieces) {
    sum.add(piece);
    length += piece.size();
  }
  add_pseudo_header(sum, source, destination, kProtocolTcp, static_cast<std::uint32_t>(length));
  return sum.checksum();
}

void finish_tcp_checksum(MutableOctets header, const IpAddress& source,
                         const IpAddress& destination, std::span<const Octets> payload_pieces) {
  if (header.size() < kTcpHeaderLength) return;
  store_be16(header.data() + kTcpChecksumOffset, 0);
  store_be16(header.data() + kTcpChecksumOffset,
             tcp_checksum(source, destination, header, payload_pieces));
}

bool verify_transport_checksum(const IpAddress& source, const IpAddress& destination,
                               std::uint8_t protocol, Octets transport) {
  OnesSum sum;
  sum.add(transport);
  add_pseudo_header(sum, source, destination, protocol,
                    static_cast<std::uint32_t>(transport.size()));
  return sum.checksum() == 0;
}

}  // namespace estab::wire
