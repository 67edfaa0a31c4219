// Hand-made frames, as a stack would give them to a device.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "estab/frame.h"
#include "estab/segment.h"

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace estab::test {

/// Whether the device finishes the transport checksum.
enum class Checksums : std::uint8_t { finished, partial };

inline void finish_head(TransmitFrame& frame, const IpAddress& from, const IpAddress& to,
                        std::uint8_t protocol, std::uint16_t checksum_offset, Checksums checksums) {
  std::uint8_t* transport = frame.head.data() + frame.transport_offset;
  const std::size_t length = frame.size() - frame.transport_offset;
  wire::OnesSum sum;
  wire::add_pseudo_header(sum, from, to, protocol, static_cast<std::uint32_t>(length));
  frame.checksum_partial = checksums == Checksums::partial;
  frame.checksum_offset = checksum_offset;
  if (checksums == Checksums::finished) {
    sum.add({transport, std::size_t{frame.head_length} - frame.transport_offset});
    for (std::size_t i = 0; i < frame.piece_count; ++i) sum.add(frame.pieces[i]);
  }
  base::store_be16(transport + checksum_offset,
                   checksums == Checksums::partial ? sum.folded() : sum.checksum());
}

/// The payload is borrowed, and split into pieces of `piece` octets.
inline void add_payload(TransmitFrame& frame, Octets payload, std::size_t piece) {
  frame.payload_length = static_cast<std::uint32_t>(payload.size());
  frame.piece_count = 0;
  while (!payload.empty()) {
    const std::size_t size = std::min(piece, payload.size());
    frame.pieces[frame.piece_count++] = payload.first(size);
    payload = payload.subspan(size);
  }
}

inline Segment segment_of(SeqNum seq, TcpFlags flags, Octets payload = {}) {
  Segment segment;
  segment.seq = seq;
  segment.flags = flags;
  segment.window = 65535;
  segment.payload = payload;
  return segment;
}

inline TransmitFrame tcp_frame(const Endpoint& from, const Endpoint& to, Segment segment,
                               Checksums checksums, std::uint16_t gso_size = 0,
                               std::size_t piece = 4096) {
  TransmitFrame frame;
  segment.source_port = from.port;
  segment.destination_port = to.port;
  const std::size_t header = wire::tcp_header_length(segment.options);
  const wire::IpHeader ip{.source = from.address, .destination = to.address, .protocol = 6};
  frame.transport_offset = static_cast<std::uint16_t>(
      wire::emit_ip(ip, header + segment.payload.size(), frame.head.data()));
  wire::emit_tcp(segment, frame.head.data() + frame.transport_offset);
  frame.head_length = static_cast<std::uint16_t>(frame.transport_offset + header);
  frame.gso_size = gso_size;
  add_payload(frame, segment.payload, piece);
  finish_head(frame, from.address, to.address, ip.protocol, wire::kTcpChecksumOffset, checksums);
  return frame;
}

inline TransmitFrame udp_frame(const Endpoint& from, const Endpoint& to, Octets payload,
                               Checksums checksums) {
  TransmitFrame frame;
  const std::size_t length = wire::kUdpHeaderLength + payload.size();
  const wire::IpHeader ip{.source = from.address, .destination = to.address, .protocol = 17};
  frame.transport_offset = static_cast<std::uint16_t>(wire::emit_ip(ip, length, frame.head.data()));
  frame.head_length = static_cast<std::uint16_t>(frame.transport_offset + wire::kUdpHeaderLength);
  wire::emit_udp({.source_port = from.port,
                  .destination_port = to.port,
                  .length = static_cast<std::uint16_t>(length)},
                 frame.head.data() + frame.transport_offset);
  add_payload(frame, payload, 4096);
  finish_head(frame, from.address, to.address, ip.protocol, wire::kUdpChecksumOffset, checksums);
  return frame;
}

inline std::vector<std::uint8_t> flat(const TransmitFrame& frame) {
  std::vector<std::uint8_t> octets(frame.size());
  frame.copy_to(octets.data());
  return octets;
}

}  // namespace estab::test
