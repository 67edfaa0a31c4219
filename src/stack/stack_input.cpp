// The way up: a frame is parsed, addressed, put together if it is in pieces, verified, and handed
// to the transport it is for.

#include <algorithm>

#include "base/byte_order.h"
#include "ip/icmp_rules.h"
#include "stack/stack_impl.h"
#include "wire/tcp.h"

namespace estab {

namespace {

// A link-local address is that of the link it came by (RFC 4007 §9).
void set_zones(wire::IpHeader& header, InterfaceId interface) {
  header.source = header.source.in_zone(zone_of(interface));
  header.destination = header.destination.in_zone(zone_of(interface));
}

// [RFC 9293 MUST-50] [RFC 1122 3.2.1.8-3, 3.2.1.8-4, 3.2.1.8-6]
// MUST-50: of the IPv4 options, TCP understands a completed source route; it ignores the others.
tcp::ReturnRoute return_route_of(const wire::IpPacket& packet) {
  if (packet.options.empty() || packet.header.family() != Family::ipv4) return {};
  auto hops = wire::return_route(packet.options, packet.header.source);
  return hops ? tcp::ReturnRoute(std::move(*hops)) : tcp::ReturnRoute();
}

bool is_port_unreachable(const wire::IcmpMessage& message, Family family) {
  return family == Family::ipv4
             ? message.type == wire::icmp_v4::kUnreachable && message.code == wire::icmp_v4::kPort
             : message.type == wire::icmp_v6::kUnreachable && message.code == wire::icmp_v6::kPort;
}

}  // namespace

Verdict Stack::Impl::handle_frame(Instant now, InterfaceId interface, const ReceivedFrame& frame,
                                  Origin origin) {
  ++core.counters.frames_in;
  if (!core.interfaces.contains(interface)) return core.count(Verdict::no_interface);
  return core.count(handle_packet(now, interface, frame, origin));
}

Verdict Stack::Impl::handle_packet(Instant now, InterfaceId interface, const ReceivedFrame& frame,
                                   Origin origin) {
  auto packet = wire::parse_ip(frame.octets);
  if (!packet) {
    if (packet.error() == Verdict::malformed) report_faulty_chain(now, interface, frame, origin);
    return packet.error();
  }
  if (!packet->header.source.is_v4()) set_zones(packet->header, interface);
  // [RFC 1122 3.1-6, 3.2.1.3-10]
  const auto reach = reach_of(interface, packet->header.destination);
  if (!reach) return Verdict::not_for_us;
  // MUST-63: a source that is no single host, or is ourselves, cannot be answered. (TCP asks this
  // only of segments for no connection: a connection's peer was looked at when it was opened.)
  if (packet->header.protocol != wire::kProtocolTcp && origin == Origin::link &&
      !core.interfaces.is_valid_source(packet->header.source))
    return Verdict::bad_address;
  if (!packet->options.empty() && packet->header.family() == Family::ipv4 &&
      wire::is_under_way(packet->options)) {
    // [RFC 1122 3.3.5-10]
    // We are a hop, and forward nothing (RFC 1122 §3.3.5).
    send_icmp_message(
        now, interface, *packet,
        {wire::icmp_v4::kUnreachable, wire::icmp_v4::kSourceRouteFailed, 0, packet->octets()});
    return Verdict::not_for_us;
  }
  if (packet->fragment) return handle_fragment(now, interface, *packet, origin);
  return handle_transport(now, {interface, *packet, frame, origin, *reach});
}

// [RFC 1122 3.1-5]
std::optional<stack::Reach> Stack::Impl::reach_of(InterfaceId interface,
                                                  const IpAddress& to) const {
  if (core.interfaces.is_local(to)) return stack::Reach::own;
  if (is_for_many(interface, to)) return stack::Reach::many;
  const Forwarding& taken = core.interfaces.config(interface).forwarding;
  const bool wanted = taken.tcp || taken.udp || tcp.has_forwarded() || datagram_flows.size() > 0;
  if (wanted && core.interfaces.can_stand_in_for(to)) return stack::Reach::foreign;
  return std::nullopt;
}

// An IPv6 datagram that is discarded for an extension header: its sender is told, if RFC 8200 §4
// says so.
void Stack::Impl::report_faulty_chain(Instant now, InterfaceId interface,
                                      const ReceivedFrame& frame, Origin origin) {
  auto faulty = wire::find_faulty_chain(frame.octets);
  if (!faulty) return;
  wire::IpPacket& packet = faulty->packet;
  set_zones(packet.header, interface);
  const IpAddress& to = packet.header.destination;
  if (!core.interfaces.is_local(to) && !is_for_many(interface, to)) return;
  if (origin == Origin::link && !core.interfaces.is_valid_source(packet.header.source)) return;
  const wire::ChainFault& fault = faulty->fault;
  send_icmp_message(now, interface, packet,
                    {wire::icmp_v6::kParameterProblem, fault.code,
                     static_cast<std::uint32_t>(fault.pointer), packet.octets()},
                    fault.telling);
}

Verdict Stack::Impl::handle_fragment(Instant now, InterfaceId interface,
                                     const wire::IpPacket& packet, Origin origin) {
  auto whole = fragments.accept(now, packet);
  if (!whole) {
    if (whole.error().problem) {
      const wire::IcmpMessage problem{wire::icmp_v6::kParameterProblem, whole.error().problem->code,
                                      whole.error().problem->pointer, packet.octets()};
      send_icmp_message(now, interface, packet, problem);
    }
    return whole.error().verdict;
  }
  if (!*whole) return Verdict::fragment_held;
  return handle_packet(now, interface, ReceivedFrame{.octets = **whole}, origin);
}

// [RFC 1122 3.1-1]
Verdict Stack::Impl::handle_transport(Instant now, const Arrived& in) {
  switch (in.packet.header.protocol) {
    case wire::kProtocolTcp:
      return handle_tcp(now, in);
    case wire::kProtocolUdp:
      return handle_udp(now, in);
    case wire::kProtocolIcmp:
    case wire::kProtocolIcmpV6:
      if (in.packet.header.protocol == wire::icmp_protocol(in.packet.header.family()))
        return handle_icmp(now, in);
      break;
    case wire::kProtocolNoNext:
      return Verdict::accepted;
    default:
      break;
  }
  // Which protocols another host has is not for us to say.
  if (in.reach == stack::Reach::foreign) return Verdict::not_for_us;
  // [RFC 1122 3.2.2.1-1]
  send_icmp_error(now, in.interface, in.packet, wire::IcmpError::Kind::protocol_unreachable,
                  static_cast<std::uint32_t>(in.packet.protocol_at));
  return Verdict::unknown_protocol;
}

// ---- TCP

Verdict Stack::Impl::handle_tcp(Instant now, const Arrived& in) {
  const wire::IpHeader& ip = in.packet.header;
  // [RFC 9293 MUST-57]
  if (in.reach == stack::Reach::many) return Verdict::bad_address;  // MUST-57
  const bool trusted =
      in.frame.checksum_verified || core.interfaces.config(in.interface).ignore_received_checksums;
  if (!trusted && !wire::verify_transport_checksum(ip.source, ip.destination, wire::kProtocolTcp,
                                                   in.packet.payload))
    // [RFC 9293 MUST-3]
    return Verdict::bad_checksum;  // MUST-3
  Segment segment;
  if (!wire::parse_tcp_into(in.packet.payload, segment)) return Verdict::malformed;
  const FourTuple tuple{ip.destination, ip.source, segment.destination_port, segment.source_port};
  tcp::Carrier carrier{in.frame.owner, tcp::IpMark{in.packet.ecn()}};
  if (in.frame.gso_size > 0 && segment.payload.size() > in.frame.gso_size)
    carrier.segments =
        static_cast<std::uint16_t>((segment.payload.size() - 1) / in.frame.gso_size + 1);
  const bool routed = !in.packet.options.empty();  // hardly ever
  return tcp.on_segment(
      core, now, tuple, segment,
      {in.origin, carrier, routed ? return_route_of(in.packet) : tcp::ReturnRoute(), in.reach,
       in.interface, in.packet.payload});
}

// ---- UDP

Verdict Stack::Impl::handle_udp(Instant now, const Arrived& in) {
  const wire::IpHeader& ip = in.packet.header;
  const auto datagram = wire::parse_udp(in.packet.payload, ip.family());
  if (!datagram) return Verdict::malformed;
  // [RFC 1122 4.1.3.4-3]
  const bool check = datagram->has_checksum && !in.frame.checksum_verified;
  if (check && !wire::verify_transport_checksum(ip.source, ip.destination, wire::kProtocolUdp,
                                                datagram->octets))
    return Verdict::bad_checksum;
  if (in.reach == stack::Reach::foreign) return take_foreign_datagram(now, in, *datagram);
  // [RFC 1122 3.4-3, 4.1.3.5-1]
  const Endpoint to{ip.destination, datagram->destination_port};
  const auto port = datagrams.lookup(to);
  if (!port) {
    // [RFC 1122 3.4-5, 4.1.3.1-1]
    send_icmp_error(now, in.interface, in.packet, wire::IcmpError::Kind::port_unreachable, 0);
    return Verdict::port_unreachable;
  }
  return datagrams.deliver(*port, {ip.source, datagram->source_port}, to, datagram->payload);
}

// ---- ICMP

Verdict Stack::Impl::handle_icmp(Instant now, const Arrived& in) {
  ++core.counters.icmp_in;
  const Family family = in.packet.header.family();
  const auto message = wire::parse_icmp(in.packet);
  if (!message) return message.error();
  if (message->type == wire::echo_request_type(family)) {
    if (in.reach == stack::Reach::foreign) return Verdict::not_for_us;
    if (!core.config.answer_echo || !ip::may_answer_echo(in.packet, core.interfaces, in.interface))
      return Verdict::icmp;
    answer_echo(in, *message);
    return Verdict::echo_answered;
  }
  if (message->type == wire::echo_reply_type(family)) {
    core.on_echo_reply({in.packet.header.source, static_cast<std::uint16_t>(message->rest >> 16),
                        static_cast<std::uint16_t>(message->rest),
                        static_cast<std::uint32_t>(message->body.size())});
    return Verdict::icmp;
  }
  if (auto error = wire::parse_icmp_error(*message, family)) {
    if (family == Family::ipv6) set_zones(error->original, in.interface);
    handle_icmp_error(now, in, *message, *error);
  }
  return Verdict::icmp;
}

// With all its data, in fragments if need be (RFC 4443 §4.2).
// [RFC 1122 3.2.2.6-1, 3.2.2.6-4, 3.2.2.6-5]
void Stack::Impl::answer_echo(const Arrived& in, const wire::IcmpMessage& request) {
  const wire::IpHeader& ip = in.packet.header;
  const std::vector<IpAddress> route = return_route_of(in.packet).hops();
  wire::IcmpMessage reply = request;
  reply.type = wire::echo_reply_type(ip.family());
  reply.code = 0;
  stack::RawReply raw;
  // [RFC 1122 3.3.4.2-1]
  raw.header = {.source = ip.destination, .destination = ip.source};
  raw.header.protocol = ip.protocol;
  // [RFC 1122 3.2.2.6-9]
  raw.source_route = route;
  raw.header.traffic_class = static_cast<std::uint8_t>(ip.traffic_class & ~3);
  raw.transport.resize(wire::kIcmpHeaderLength + reply.body.size());
  wire::emit_icmp(reply, ip.destination, ip.source, raw.transport.data());
  ++core.counters.icmp_out;
  core.reply(std::move(raw));
}

// Whether what the error quotes may have been sent by us: of TCP, if the number is in flight (RFC
// 5927 §4); of UDP, if the port is bound. Else anyone could make all connections to a host send
// small segments (RFC 8201 §4).
// [RFC 8201 4-2]
bool Stack::Impl::is_outstanding(const wire::IcmpError& error) const {
  switch (error.original.protocol) {
    case wire::kProtocolTcp:
      return tcp.is_outstanding(core, error.tuple(), error.seq);
    case wire::kProtocolUdp:
      return datagrams.lookup({error.original.source, error.source_port}).has_value();
    default:
      return false;
  }
}

void Stack::Impl::handle_icmp_error(Instant now, const Arrived& in,
                                    const wire::IcmpMessage& message,
                                    const wire::IcmpError& error) {
  const IpAddress& from = in.packet.header.source;
  const bool ours =
      in.reach == stack::Reach::foreign || core.interfaces.is_local(error.original.source);
  if (!ours) return;
  // [RFC 1122 3.2.2.1-2, 3.2.2.1-3, 3.4-6]
  const ip::IcmpEffect effect = ip::effect_of(error.kind);
  if (effect.severity == ip::Severity::none) return;
  if (effect.severity == ip::Severity::path_mtu) return handle_path_mtu(now, message, error);
  // [RFC 1122 3.2.2-3]
  if (error.original.protocol == wire::kProtocolTcp)
    return tcp.on_icmp(core, now, error.tuple(), error.seq, effect, {from, error.type, error.code});
  if (error.original.protocol != wire::kProtocolUdp) return;
  if (const auto port = datagrams.lookup({error.original.source, error.source_port})) {
    // [RFC 1122 4.1.3.3-1]
    datagrams.report(*port, effect.error);
  }
}

// RFC 1191, RFC 8201.
// [RFC 7323 5.7-1] [RFC 1191 6.1-1, 6.2-4, 6.2-5, 6.2-6] [RFC 8201 1-1, 3-2]
void Stack::Impl::handle_path_mtu(Instant now, const wire::IcmpMessage& message,
                                  const wire::IcmpError& error) {
  if (!is_outstanding(error)) return;
  const IpAddress& destination = error.original.destination;
  const auto path = core.find_path(now, destination);
  if (!path) return;
  const std::uint32_t claimed = ip::claimed_mtu(message, error, path->mtu);
  if (!core.path_mtu.lower(now, destination, claimed, path->link_mtu)) return;
  ++core.path_version;
  if (error.original.protocol == wire::kProtocolTcp) tcp.on_path_mtu(core, now, error.tuple());
}

void Stack::Impl::send_icmp_error(Instant now, InterfaceId interface, const wire::IpPacket& about,
                                  wire::IcmpError::Kind kind, std::uint32_t detail) {
  send_icmp_message(now, interface, about,
                    wire::make_icmp_error(about.header.family(), kind, detail, about.octets()));
}

// The interface the fragments came by is not remembered: the way back to the sender stands for it.
// [RFC 1122 3.3.2-4, 3.3.2-5, 3.3.2-6]
void Stack::Impl::send_reassembly_timeout(Instant now, const wire::IpPacket& first) {
  const auto path = core.find_path(now, first.header.source, first.header.destination.zone());
  if (!path) return;
  const Family family = first.header.family();
  const wire::IcmpMessage message{
      family == Family::ipv4 ? wire::icmp_v4::kTimeExceeded : wire::icmp_v6::kTimeExceeded,
      wire::kReassemblyExceeded, 0, first.octets()};
  send_icmp_message(now, path->hop.interface, first, message);
}

// [RFC 1122 3.3.8-1]
void Stack::Impl::send_icmp_message(Instant now, InterfaceId interface, const wire::IpPacket& about,
                                    const wire::IcmpMessage& message, wire::Telling telling) {
  if (!ip::may_answer_with_error(about, core.interfaces, interface, telling)) return;
  // The address it was sent to, or of the interface it came by if that was a group's (RFC 4443
  // §2.2). For another host the stack speaks in its own name, as a router would, unless it is that
  // host's port that is not there, or the stack has no address.
  const IpAddress& to = about.header.destination;
  const bool in_its_name =
      core.interfaces.is_local(to) ||
      (core.interfaces.can_stand_in_for(to) && is_port_unreachable(message, to.family()));
  auto source = in_its_name ? std::optional(to)
                            : core.interfaces.select_source(interface, about.header.source);
  if (!source && core.interfaces.can_stand_in_for(to)) source = to;
  if (!source) return;
  // One token in the mean, 0 to 2.
  if (!core.icmp_limit.take(now, static_cast<std::uint32_t>(core.prng.below(3)))) {
    ++core.counters.icmp_rate_limited;
    return;
  }
  stack::RawReply raw;
  raw.header = {.source = *source, .destination = about.header.source};
  // [RFC 1122 3.2.2-4]
  raw.header.protocol = wire::icmp_protocol(about.header.family());
  raw.transport.resize(wire::kMaxIcmpErrorV6);
  raw.transport.resize(wire::emit_icmp_error(message, raw.header.source, raw.header.destination,
                                             raw.transport.data()));
  ++core.counters.icmp_out;
  core.reply(std::move(raw));
}

}  // namespace estab
