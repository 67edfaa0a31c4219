#include "stack/frame_builder.h"

#include <algorithm>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/tcp.h"

namespace estab::stack {

namespace {

// The sum of the pseudo-header alone, where the device adds the rest.
std::uint16_t pseudo_header_sum(const FourTuple& tuple, std::size_t length) {
  wire::OnesSum sum;
  wire::add_pseudo_header(sum, tuple.local_address, tuple.remote_address, wire::kProtocolTcp,
                          static_cast<std::uint32_t>(length));
  return sum.folded();
}

// [RFC 9293 MUST-2]
void put_tcp_checksum(const InterfaceConfig& link, const FourTuple& tuple, std::uint8_t* tcp,
                      std::size_t header_length, TransmitFrame& frame) {
  frame.checksum_partial = link.checksum_offload;
  frame.checksum_offset = wire::kTcpChecksumOffset;
  const std::uint16_t checksum =
      link.checksum_offload
          ? pseudo_header_sum(tuple, header_length + frame.payload_length)
          : wire::tcp_checksum(tuple.local_address, tuple.remote_address, {tcp, header_length},
                               {frame.pieces.data(), frame.piece_count});
  base::store_be16(tcp + wire::kTcpChecksumOffset, checksum);
}

}  // namespace

// [RFC 1122 3.4-1, 3.4-2]
void build_tcp_frame(Core& core, const Path& path, const FourTuple& tuple,
                     const tcp::Emission& emission, const IpService& service,
                     TransmitFrame& frame) {
  frame.interface = path.hop.interface;
  frame.next_hop = path.hop.next_hop;
  frame.piece_count = static_cast<std::uint8_t>(emission.pieces);
  frame.payload_length = emission.payload_length;
  frame.gso_size = emission.gso_size;

  wire::IpHeader ip{.source = tuple.local_address, .destination = tuple.remote_address};
  ip.protocol = wire::kProtocolTcp;
  // [RFC 1122 3.2.1.7-1, 3.2.1.7-3, 3.2.1.7-4]
  ip.ttl = service.ttl;
  // [RFC 1122 3.2.1.6-1]
  ip.traffic_class = service.traffic_class;
  // [RFC 3168 5-1, 5.3-1, 6.1.2-1]
  if (emission.ect) ip.traffic_class |= wire::kEcnEct0;  // RFC 3168 §6.1.2: ECT(0) if one suffices
  std::array<std::uint8_t, wire::kMaxIpV4Options> options;
  std::size_t options_length = 0;
  if (service.source_route && !service.source_route->empty())
    // [RFC 9293 MUST-51] [RFC 1122 3.2.1.8-1]
    options_length = wire::emit_source_route(*service.source_route, tuple.remote_address,
                                             options.data(), ip.destination);
  std::size_t ip_length = wire::ip_header_length(tuple.family()) + options_length;
  std::uint8_t* tcp = frame.head.data() + ip_length;
  const std::size_t tcp_length = wire::emit_tcp(emission.segment, tcp);
  ip_length = wire::emit_ip(ip, tcp_length + frame.payload_length, frame.head.data(),
                            Octets(options.data(), options_length));
  frame.transport_offset = static_cast<std::uint16_t>(ip_length);
  frame.head_length = static_cast<std::uint16_t>(ip_length + tcp_length);
  put_tcp_checksum(core.interfaces.config(path.hop.interface), tuple, tcp, tcp_length, frame);
  ++core.counters.frames_out;
  ++core.counters.segments_out;
}

namespace {

/// What the IP header of a raw reply is made of.
struct RawHeader {
  wire::IpHeader ip;
  std::array<std::uint8_t, wire::kMaxIpV4Options> options;
  std::size_t options_length;

  explicit RawHeader(const RawReply& reply) : ip(reply.header) {
    options_length = wire::emit_source_route(reply.source_route, reply.header.destination,
                                             options.data(), ip.destination);
  }
  Octets v4_options() const { return {options.data(), options_length}; }
};

void put_raw_payload(Octets payload, std::size_t header_length, TransmitFrame& frame) {
  frame.head_length = frame.transport_offset = static_cast<std::uint16_t>(header_length);
  frame.piece_count = payload.empty() ? 0 : 1;
  frame.pieces[0] = payload;
  frame.payload_length = static_cast<std::uint32_t>(payload.size());
}

// The path may change between two fragments: each is cut for the one it takes.
// [RFC 1122 3.3.3-1]
ip::Cut build_fragment(Core& core, const Path& path, const RawHeader& header, RawReply& reply,
                       TransmitFrame& frame) {
  const std::size_t headers =
      wire::fragment_header_length(header.ip.family()) + header.options_length;
  const ip::Cut cut = ip::next_cut(reply.transport.size() - reply.sent, path.mtu - headers);
  if (reply.sent == 0)
    reply.identification = core.fragment_ids.next(header.ip.source, reply.header.destination);
  const std::size_t length =
      wire::emit_fragment(header.ip, {reply.identification, reply.sent, cut.more}, cut.length,
                          frame.head.data(), header.v4_options());
  put_raw_payload(Octets(reply.transport).subspan(reply.sent, cut.length), length, frame);
  reply.sent += static_cast<std::uint32_t>(cut.length);
  ++core.counters.fragments_out;
  return cut;
}

}  // namespace

bool build_raw_frame(Core& core, const Path& path, RawReply& reply,
                     std::vector<std::uint8_t>& storage, TransmitFrame& frame) {
  frame.interface = path.hop.interface;
  frame.next_hop = path.hop.next_hop;
  frame.gso_size = 0;
  frame.checksum_partial = false;
  ++core.counters.frames_out;
  const RawHeader header(reply);
  const std::size_t whole =
      wire::ip_header_length(header.ip.family()) + header.options_length + reply.transport.size();
  if (reply.sent > 0 || whole > path.mtu) {
    if (build_fragment(core, path, header, reply, frame).more) return false;
  } else {
    const std::size_t length =
        wire::emit_ip(header.ip, reply.transport.size(), frame.head.data(), header.v4_options());
    put_raw_payload(reply.transport, length, frame);
  }
  storage = std::move(reply.transport);  // a moved vector keeps its octets where they are
  return true;
}

}  // namespace estab::stack
