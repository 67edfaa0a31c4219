// Building what a script sends, and reading what the stack sent. The headers are written here octet
// by octet rather than by wire/: a script may ask for what no stack would emit.
#include <algorithm>

#include "base/byte_order.h"
#include "drill/icmp_names.h"
#include "drill/option_kinds.h"
#include "drill/packet.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace estab::drill {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMostOptions = 40;
constexpr std::uint16_t kDefaultWindow = 65535;
/// Octets quoted behind the IP header by an ICMP error: the least that RFC 792 asks for.
constexpr std::size_t kQuotedTransport = 8;
constexpr std::uint32_t kLargestPayload = 65535 - 60;

void append16(Bytes& out, std::uint32_t number) {
  out.push_back(static_cast<std::uint8_t>(number >> 8));
  out.push_back(static_cast<std::uint8_t>(number));
}
void append32(Bytes& out, std::uint32_t number) {
  append16(out, number >> 16);
  append16(out, number & 0xffff);
}

Bytes option_octets(const std::vector<TcpOption>& options) {
  Bytes out;
  for (const TcpOption& option : options) {
    out.push_back(option.kind);
    if (option.kind <= option_kind::kNop && !option.length) continue;
    const std::size_t length = option.length.value_or(option.body.size() + 2);
    out.push_back(static_cast<std::uint8_t>(length));
    out.insert(out.end(), option.body.begin(), option.body.end());
  }
  while (out.size() % 4 != 0) out.push_back(0);
  out.resize(std::min(out.size(), kMostOptions));
  return out;
}

Bytes tcp_octets(const TcpSpec& tcp, std::uint16_t source, std::uint16_t destination) {
  Bytes out;
  const Bytes options = option_octets(tcp.options);
  append16(out, source);
  append16(out, destination);
  append32(out, tcp.seq);
  append32(out, tcp.ack.value_or(0));
  append16(out, static_cast<std::uint32_t>((5 + options.size() / 4) << 12 | tcp.flags));
  append16(out, tcp.window.value_or(kDefaultWindow));
  append16(out, 0);
  append16(out, tcp.urgent.value_or(0));
  out.insert(out.end(), options.begin(), options.end());
  out.resize(out.size() + std::min(tcp.length, kLargestPayload));
  return out;
}

Bytes udp_octets(std::uint32_t length, std::uint16_t source, std::uint16_t destination) {
  Bytes out;
  append16(out, source);
  append16(out, destination);
  append16(out, length + wire::kUdpHeaderLength);
  append16(out, 0);
  out.resize(out.size() + length);
  return out;
}

std::uint8_t traffic_class(const IpMarks& marks) {
  static constexpr std::uint8_t kBits[] = {wire::kEcnNotEct, wire::kEcnEct0, wire::kEcnEct1,
                                           wire::kEcnEct0, wire::kEcnCe};
  std::uint8_t octet = marks.tos.value_or(0);
  if (marks.ecn)
    octet = static_cast<std::uint8_t>((octet & ~3) | kBits[static_cast<int>(*marks.ecn)]);
  return octet;
}

Bytes with_ip_header(const wire::IpHeader& header, const Bytes& transport) {
  Bytes out(wire::ip_header_length(header.family()));
  wire::emit_ip(header, transport.size(), out.data());
  out.insert(out.end(), transport.begin(), transport.end());
  return out;
}

void store_checksum(Bytes& transport, std::size_t at, const wire::IpHeader& header) {
  wire::OnesSum sum;
  const bool has_pseudo_header = header.protocol != wire::kProtocolIcmp;
  if (has_pseudo_header)
    wire::add_pseudo_header(sum, header.source, header.destination, header.protocol,
                            static_cast<std::uint32_t>(transport.size()));
  sum.add(transport);
  std::uint16_t checksum = sum.checksum();
  if (checksum == 0 && header.protocol == wire::kProtocolUdp) checksum = 0xffff;
  base::store_be16(transport.data() + at, checksum);
}

/// The front of the datagram of ours that an ICMP message is about.
Bytes quoted_datagram(const IcmpSpec::Quote& quote, const FourTuple& flow) {
  const bool is_tcp = quote.protocol == IcmpSpec::Quote::Protocol::tcp;
  const wire::IpHeader header{.source = flow.local_address,
                              .destination = flow.remote_address,
                              .protocol = is_tcp ? wire::kProtocolTcp : wire::kProtocolUdp};
  TcpSpec tcp;
  tcp.seq = quote.seq;
  Bytes transport = is_tcp ? tcp_octets(tcp, flow.local_port, flow.remote_port)
                           : udp_octets(0, flow.local_port, flow.remote_port);
  if (!is_tcp) base::store_be16(transport.data() + 4, static_cast<std::uint16_t>(quote.length + 8));
  transport.resize(kQuotedTransport);
  Bytes datagram = with_ip_header(header, transport);
  // The lengths are those of the datagram as it was.
  const std::size_t whole = quote.length + (is_tcp ? wire::kTcpHeaderLength : 8);
  const std::size_t total = flow.family() == Family::ipv4 ? whole + wire::kIpV4HeaderLength : whole;
  const std::size_t field = flow.family() == Family::ipv4 ? 2 : 4;
  base::store_be16(datagram.data() + field, static_cast<std::uint16_t>(total));
  if (flow.family() == Family::ipv4) {
    base::store_be16(datagram.data() + 10, 0);
    base::store_be16(datagram.data() + 10,
                     wire::checksum(Octets(datagram).first(wire::kIpV4HeaderLength)));
  }
  return datagram;
}

Bytes icmp_octets(const IcmpSpec& icmp, const FourTuple& flow) {
  Bytes out = {icmp.type, icmp.code, 0, 0};
  append32(out, icmp.rest);
  if (icmp.quote) {
    const Bytes quoted = quoted_datagram(*icmp.quote, flow);
    out.insert(out.end(), quoted.begin(), quoted.end());
  }
  return out;
}

EcnMark ecn_of(std::uint8_t traffic_class) {
  switch (traffic_class & 3) {
    case wire::kEcnEct0:
      return EcnMark::ect0;
    case wire::kEcnEct1:
      return EcnMark::ect1;
    case wire::kEcnCe:
      return EcnMark::ce;
    default:
      return EcnMark::not_ect;
  }
}

std::vector<TcpOption> read_options(Octets area) {
  std::vector<TcpOption> options;
  while (!area.empty()) {
    TcpOption option{.kind = area[0]};
    std::size_t length = 1;
    if (option.kind > option_kind::kNop) {
      if (area.size() < 2 || area[1] < 2 || area[1] > area.size()) break;
      length = area[1];
      option.body.assign(area.begin() + 2, area.begin() + static_cast<std::ptrdiff_t>(length));
    }
    options.push_back(std::move(option));
    area = area.subspan(length);
  }
  return options;
}

std::expected<void, std::string> read_tcp(Octets octets, SentPacket& sent) {
  const auto segment = wire::parse_tcp(octets);
  if (!segment) return std::unexpected("its TCP header is broken");
  TcpSpec tcp;
  tcp.flags = base::load_be16(octets.data() + 12) & 0x1ff;
  tcp.seq = segment->seq.value();
  tcp.length = static_cast<std::uint32_t>(segment->payload.size());
  if (segment->flags.ack()) tcp.ack = segment->ack.value();
  tcp.window = segment->window;
  if (segment->urgent_pointer != 0) tcp.urgent = segment->urgent_pointer;
  const std::size_t header = octets.size() - segment->payload.size();
  tcp.options = read_options(octets.subspan(20, header - 20));
  sent.flow.local_port = segment->source_port;
  sent.flow.remote_port = segment->destination_port;
  sent.packet.transport = std::move(tcp);
  return {};
}

std::expected<void, std::string> read_udp(Octets octets, SentPacket& sent) {
  const auto datagram = wire::parse_udp(octets, sent.flow.family());
  if (!datagram) return std::unexpected("its UDP header is broken");
  sent.flow.local_port = datagram->source_port;
  sent.flow.remote_port = datagram->destination_port;
  sent.packet.transport = UdpSpec{static_cast<std::uint32_t>(datagram->payload.size())};
  return {};
}

std::expected<void, std::string> read_icmp(const wire::IpPacket& packet, SentPacket& sent) {
  const auto message = wire::parse_icmp(packet);
  if (!message) return std::unexpected("its ICMP message is broken");
  IcmpSpec icmp;
  icmp.type = message->type;
  icmp.code = message->code;
  icmp.type_name = icmp_type_name(sent.flow.family(), icmp.type);
  icmp.code_name = icmp_code_name(sent.flow.family(), icmp.type, icmp.code);
  icmp.rest = message->rest;
  sent.packet.transport = icmp;
  return {};
}

}  // namespace

std::expected<SentPacket, std::string> read_sent_packet(Instant when, Octets datagram) {
  const auto packet = wire::parse_ip(datagram);
  if (!packet) return std::unexpected("its IP header is broken");
  SentPacket sent;
  sent.when = when;
  sent.flow.local_address = packet->header.source;
  sent.flow.remote_address = packet->header.destination;
  sent.packet.direction = Direction::out;
  sent.packet.marks.ecn = ecn_of(packet->header.traffic_class);
  sent.packet.marks.tos = packet->header.traffic_class;
  sent.packet.marks.ttl = packet->header.ttl;
  sent.packet.marks.flow_label = packet->header.flow_label;
  const std::uint8_t protocol = packet->header.protocol;
  const bool is_icmp = protocol == wire::icmp_protocol(sent.flow.family());
  if (!is_icmp && !wire::verify_transport_checksum(
                      packet->header.source, packet->header.destination, protocol, packet->payload))
    return std::unexpected("its checksum is wrong");
  std::expected<void, std::string> read;
  if (protocol == wire::kProtocolTcp)
    read = read_tcp(packet->payload, sent);
  else if (protocol == wire::kProtocolUdp)
    read = read_udp(packet->payload, sent);
  else if (is_icmp)
    read = read_icmp(*packet, sent);
  else
    return std::unexpected("its protocol is neither TCP, UDP nor ICMP");
  if (!read) return std::unexpected(read.error());
  return sent;
}

std::vector<std::uint8_t> build_packet(const PacketSpec& packet, const FourTuple& flow) {
  wire::IpHeader header{.source = flow.remote_address, .destination = flow.local_address};
  header.ttl = packet.marks.ttl.value_or(64);
  header.traffic_class = traffic_class(packet.marks);
  header.flow_label = packet.marks.flow_label.value_or(0);
  Bytes transport;
  std::size_t checksum_at = 0;
  if (const auto* tcp = std::get_if<TcpSpec>(&packet.transport)) {
    header.protocol = wire::kProtocolTcp;
    transport = tcp_octets(*tcp, flow.remote_port, flow.local_port);
    checksum_at = wire::kTcpChecksumOffset;
  } else if (const auto* udp = std::get_if<UdpSpec>(&packet.transport)) {
    header.protocol = wire::kProtocolUdp;
    transport = udp_octets(udp->length, flow.remote_port, flow.local_port);
    checksum_at = wire::kUdpChecksumOffset;
  } else {
    header.protocol = wire::icmp_protocol(flow.family());
    transport = icmp_octets(std::get<IcmpSpec>(packet.transport), flow);
    checksum_at = 2;
  }
  store_checksum(transport, checksum_at, header);
  return with_ip_header(header, transport);
}

}  // namespace estab::drill
