#include "oracle/conversation.h"

#include <algorithm>
#include <array>

#include "base/byte_order.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

namespace estab::oracle {

namespace {

wire::IpHeader header_between(const IpAddress& source, const IpAddress& destination,
                              std::uint8_t protocol, std::uint8_t ecn) {
  wire::IpHeader ip{.source = source, .destination = destination};
  ip.protocol = protocol;
  ip.traffic_class = ecn;
  return ip;
}

OctetVector with_header(const wire::IpHeader& ip, Octets transport) {
  OctetVector octets(wire::kIpV6HeaderLength);
  octets.resize(wire::emit_ip(ip, transport.size(), octets.data()));
  octets.insert(octets.end(), transport.begin(), transport.end());
  return octets;
}

// A letter an option, in the order they stand in.
std::string order_of_options(Octets tcp) {
  static constexpr std::string_view kLetters = "enmwp.s.t";  // by kind
  std::string order;
  const std::size_t end = std::min<std::size_t>(std::size_t{tcp[12]} / 16 * 4, tcp.size());
  for (std::size_t at = wire::kTcpHeaderLength; at < end;) {
    const std::uint8_t kind = tcp[at];
    order += kind == 5 ? 's' : kind < kLetters.size() ? kLetters[kind] : '?';
    if (kind == 0) break;
    const std::size_t length = kind == 1 ? 1 : at + 1 < end ? tcp[at + 1] : 0;
    if (length == 0) break;
    at += length;
  }
  return order;
}

wire::IcmpError::Kind kind_of(IcmpStep::Kind kind) {
  using Kind = wire::IcmpError::Kind;
  static constexpr std::array kKinds = {Kind::net_unreachable,
                                        Kind::host_unreachable,
                                        Kind::port_unreachable,
                                        Kind::protocol_unreachable,
                                        Kind::administratively_prohibited,
                                        Kind::packet_too_big,
                                        Kind::time_exceeded,
                                        Kind::parameter_problem,
                                        Kind::source_quench};
  return kKinds[static_cast<std::size_t>(kind)];
}

}  // namespace

std::uint8_t pattern(Direction direction, std::uint32_t place) {
  const std::uint32_t x = place * 2654435761u ^ static_cast<std::uint32_t>(direction) * 40503u;
  return static_cast<std::uint8_t>((x ^ x >> 15) >> 3);
}

// ---- from steps to datagrams

std::uint32_t Conversation::seq_of(const Place& place) const {
  const std::uint32_t base = place.base == Place::Base::origin ? 0
                             : place.base == Place::Base::edge ? edge_
                                                               : next_;
  return base + static_cast<std::uint32_t>(place.delta);
}

std::uint32_t Conversation::ack_of(const Place& place) const {
  const std::uint32_t base = place.base == Place::Base::origin ? 0 : sent_;
  return base + static_cast<std::uint32_t>(place.delta);
}

Conversation::Resolved Conversation::resolve(const SegmentStep& step) const {
  const std::uint32_t seq = seq_of(step.seq);
  const std::uint32_t length =
      step.payload + (step.flags.syn() ? 1u : 0u) + (step.flags.fin() ? 1u : 0u);
  return {seq, step.flags.ack() ? ack_of(step.ack) : 0, next_, edge_, seq + length};
}

Conversation::Resolved Conversation::resolve(const IcmpStep& step) const {
  const std::uint32_t quoted = ack_of(step.seq);
  return {quoted, 0, sent_, sent_, quoted};
}

Segment Conversation::segment_of(const SegmentStep& step) const {
  Segment segment;
  const SeqNum iss = iss_.value_or(SeqNum(0));
  segment.source_port = tuple_.remote_port;
  segment.destination_port = tuple_.local_port;
  segment.seq = isn_ + seq_of(step.seq);
  if (step.flags.ack()) segment.ack = iss + ack_of(step.ack);
  segment.flags = step.flags;
  segment.window = step.window;
  segment.urgent_pointer = step.urgent_pointer;
  segment.options.mss = step.mss;
  segment.options.window_scale = step.window_scale;
  segment.options.sack_permitted = step.sack_permitted;
  if (step.timestamps) {
    const std::uint32_t echo = step.timestamps->echo == TimestampStep::Echo::latest ? clock_
                               : step.timestamps->echo == TimestampStep::Echo::zero
                                   ? 0
                                   : clock_ + 1'000'000;
    segment.options.timestamps = TcpTimestamps{step.timestamps->value, echo};
  }
  for (const SackStep& block : step.sack)
    segment.options.sack.add({iss + ack_of(block.left), iss + ack_of(block.right)});
  return segment;
}

OctetVector Conversation::make(const SegmentStep& step) {
  const Segment segment = segment_of(step);
  const std::uint32_t begin = seq_of(step.seq);
  if (step.seq.base == Place::Base::edge || begin > kFarFromStart)
    injected_.push_back({begin, step.payload + 2u});
  if (step.flags.syn()) last_syn_scales_ = step.window_scale.has_value();
  if (step.flags.syn() && next_ == 0) peer_scales_ = last_syn_scales_;
  return datagram(segment, step);
}

OctetVector Conversation::datagram(const Segment& segment, const SegmentStep& step) const {
  OctetVector tcp(wire::kMaxTcpHeaderLength);
  tcp.resize(wire::emit_tcp(segment, tcp.data()));
  const std::size_t room = wire::kMaxTcpHeaderLength - tcp.size();
  const auto raw = std::min(step.raw_options.size(), room);
  tcp.insert(tcp.end(), step.raw_options.begin(),
             step.raw_options.begin() + static_cast<std::ptrdiff_t>(raw));
  tcp.resize((tcp.size() + 3) / 4 * 4);
  tcp[12] = static_cast<std::uint8_t>(tcp.size() / 4 << 4 | (step.reserved & 0x0f));
  const std::uint32_t first = seq_of(step.seq) + (step.flags.syn() ? 1 : 0);
  const std::size_t head = tcp.size();
  for (std::uint32_t i = 0; i < step.payload; ++i)
    tcp.push_back(pattern(Direction::from_peer, first + i));
  const std::array<Octets, 1> pieces = {Octets(tcp).subspan(head)};
  wire::finish_tcp_checksum(MutableOctets(tcp).first(head), tuple_.remote_address,
                            tuple_.local_address, pieces);
  if (step.wrong_checksum) tcp[wire::kTcpChecksumOffset] ^= 0x55;
  return with_header(
      header_between(tuple_.remote_address, tuple_.local_address, wire::kProtocolTcp, step.ecn),
      tcp);
}

OctetVector Conversation::make(const IcmpStep& step) const {
  Segment quoted;
  quoted.source_port = tuple_.local_port;
  quoted.destination_port = tuple_.remote_port;
  quoted.seq = iss_.value_or(SeqNum(0)) + ack_of(step.seq);
  quoted.ack = isn_ + next_;
  quoted.flags = kAck;
  OctetVector tcp(wire::kMaxTcpHeaderLength);
  tcp.resize(wire::emit_tcp(quoted, tcp.data()));
  wire::finish_tcp_checksum(tcp, tuple_.local_address, tuple_.remote_address);
  const OctetVector original = with_header(
      header_between(tuple_.local_address, tuple_.remote_address, wire::kProtocolTcp, 0), tcp);
  const Family family = tuple_.family();
  const wire::IcmpMessage message =
      wire::make_icmp_error(family, kind_of(step.kind), step.mtu, original);
  OctetVector icmp(wire::kMaxIcmpErrorV6);
  icmp.resize(
      wire::emit_icmp_error(message, tuple_.remote_address, tuple_.local_address, icmp.data()));
  return with_header(
      header_between(tuple_.remote_address, tuple_.local_address, wire::icmp_protocol(family), 0),
      icmp);
}

OctetVector Conversation::make_reset() const {
  Segment segment;
  segment.source_port = tuple_.remote_port;
  segment.destination_port = tuple_.local_port;
  segment.seq = isn_ + next_;
  segment.ack = iss_.value_or(SeqNum(0)) + sent_;
  segment.flags = kRst | kAck;
  return datagram(segment, SegmentStep{});
}

// ---- from frames to answers

std::int64_t Conversation::comparable(std::uint32_t number) const {
  if (number <= kFarFromStart) return number;
  for (std::size_t i = 0; i < injected_.size(); ++i)
    if (number == injected_[i].begin) return kToldByPlace * static_cast<std::int64_t>(i + 1);
  for (std::size_t i = injected_.size(); i-- > 0;) {
    const std::uint32_t into = number - injected_[i].begin;
    if (into <= injected_[i].length) return kToldByPlace * static_cast<std::int64_t>(i + 1) + into;
  }
  return number;
}

Window Conversation::window_of(const Segment& segment) {
  if (segment.flags.rst()) return Window::shut;
  const bool scaled = peer_scales_ && host_shift_ && !segment.flags.syn();
  const std::uint32_t window = std::uint32_t{segment.window} << (scaled ? *host_shift_ : 0);
  if (!segment.flags.ack()) return window == 0 ? Window::shut : Window::open;
  const std::uint32_t edge = segment.ack - isn_ + window;
  const std::int32_t moved = static_cast<std::int32_t>(edge - edge_);
  const std::int32_t unit = scaled ? 1 << *host_shift_ : 1;
  const bool first = edge_ == 0;
  if (first || moved > 0) edge_ = edge;
  if (!first && moved <= -unit) return Window::moved_back;
  return window == 0 ? Window::shut : Window::open;
}

void Conversation::learn(const Segment& segment) {
  if (segment.flags.rst()) return;
  if (segment.flags.syn() && segment.seq != iss_.value_or(segment.seq + 1)) {
    if (iss_) peer_scales_ = last_syn_scales_;  // the SYN of before has opened anew
    iss_ = segment.seq;
    sent_ = 0;
    edge_ = 0;
    next_ = 0;
    host_shift_ = segment.options.window_scale;
    first_window_ = segment.window;
  }
  if (segment.flags.syn()) host_shift_ = segment.options.window_scale;
  if (segment.options.timestamps) clock_ = segment.options.timestamps->value;
  if (!iss_) return;
  const std::uint32_t end = segment.seq + segment.length() - *iss_;
  if (static_cast<std::int32_t>(end - sent_) > 0) sent_ = end;
  if (!segment.flags.ack()) return;
  const std::uint32_t acked = segment.ack - isn_;
  if (next_ == 0 || static_cast<std::int32_t>(acked - next_) > 0) next_ = acked;
}

void Conversation::read_segment(const wire::IpPacket& packet, Answer& answer) {
  const auto segment = wire::parse_tcp(packet.payload);
  if (!segment) {
    answer.other.push_back("an unreadable TCP header");
    return;
  }
  if (segment->source_port != tuple_.local_port || segment->destination_port != tuple_.remote_port)
    return;
  learn(*segment);
  SentSegment sent;
  sent.flags = segment->flags;
  sent.seq = iss_ ? static_cast<std::int32_t>(segment->seq - *iss_)
                  : static_cast<std::int64_t>(segment->seq.value());
  if (segment->flags.rst() && segment->seq.value() == 0) sent.seq = 0;  // RFC 9293 §3.10.7.1
  if (segment->flags.ack()) sent.ack = comparable(static_cast<std::uint32_t>(segment->ack - isn_));
  sent.payload = static_cast<std::uint32_t>(segment->payload.size());
  const auto first = static_cast<std::uint32_t>(sent.seq) + (segment->flags.syn() ? 1u : 0u);
  for (std::uint32_t i = 0; i < sent.payload; ++i)
    sent.payload_right =
        sent.payload_right && segment->payload[i] == pattern(Direction::from_host, first + i);
  sent.window = window_of(*segment);
  sent.urgent_pointer = segment->flags.urg() ? segment->urgent_pointer : 0;
  sent.mss = segment->options.mss;
  sent.window_scale = segment->options.window_scale.has_value();
  sent.sack_permitted = segment->options.sack_permitted;
  if (segment->options.timestamps) sent.timestamp_echo = segment->options.timestamps->echo;
  for (const SackBlock& block : segment->options.sack)
    sent.sack.push_back({comparable(static_cast<std::uint32_t>(block.left - isn_)),
                         comparable(static_cast<std::uint32_t>(block.right - isn_))});
  sent.option_order = order_of_options(packet.payload);
  sent.ecn = packet.ecn();
  sent.reserved_clear = (packet.payload[12] & 0x0f) == 0;
  answer.sent.push_back(std::move(sent));
}

void Conversation::read(Octets frame, Answer& answer) {
  const auto packet = wire::parse_ip(frame);
  if (!packet) {
    answer.other.push_back("an unreadable datagram");
    return;
  }
  if (packet->header.destination != tuple_.remote_address ||
      packet->header.source != tuple_.local_address)
    return;
  if (packet->header.protocol == wire::kProtocolTcp) return read_segment(*packet, answer);
  const auto icmp = wire::parse_icmp(*packet);
  answer.other.push_back(icmp ? "ICMP type " + std::to_string(icmp->type) + " code " +
                                    std::to_string(icmp->code)
                              : "protocol " + std::to_string(packet->header.protocol));
}

}  // namespace estab::oracle
