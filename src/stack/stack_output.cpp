// The way down: answers that belong to no connection, then the connections' segments, then
// datagrams. What is addressed to this stack itself goes up again and never reaches a link (RFC
// 1122 §3.2.1.3).

#include <algorithm>

#include "stack/frame_builder.h"
#include "stack/stack_impl.h"

namespace estab {

namespace {
constexpr std::size_t kMaxDatagram = 65535;
}  // namespace

bool Stack::Impl::poll_transmit(Instant now, TransmitFrame& frame) {
  while (next_frame(now, frame))
    if (!loop_back(now, frame)) return true;
  return false;
}

// False if no way leads to where the answer should go, and it is dropped, or if the way is paused.
bool Stack::Impl::build_next_reply(Instant now, TransmitFrame& frame) {
  stack::Reply& reply = core.replies.front();
  auto* segment = std::get_if<stack::TcpReply>(&reply);
  auto* raw = std::get_if<stack::RawReply>(&reply);
  const IpAddress& from = segment ? segment->tuple.local_address : raw->header.source;
  const IpAddress& to = segment ? segment->tuple.remote_address : raw->header.destination;
  const auto& route = segment ? segment->source_route : raw->source_route;
  const auto path = core.find_path(now, tcp::first_hop(route, to), from.zone());
  if (path && core.has_to_wait(path->hop)) {
    core.set_reply_aside(path->hop.interface);
    return false;
  }
  if (path && segment) stack::TcpLayer::build_reply(core, now, *path, *segment, frame);
  const std::size_t octets = stack::ReplyOctets()(reply);
  const bool is_last = !path || !raw || build_raw_frame(core, *path, *raw, raw_frame, frame);
  if (is_last) core.replies.drop_front(octets);
  return path.has_value();
}

void Stack::Impl::take_back(Instant now, const TransmitFrame& frame) {
  std::vector<std::uint8_t> octets(frame.size());
  frame.copy_to(octets.data());
  handle_frame(now, frame.interface, ReceivedFrame{.octets = octets, .checksum_verified = true},
               Origin::self);
}

// The header of a datagram of `length` octets behind it to `remote`, or why there can be none.
// [RFC 1122 4.1.3.5-2, 4.1.3.6-1]
Result<wire::IpHeader> Stack::Impl::address_datagram(Instant now, const IpAddress& local,
                                                     const IpAddress& remote, std::size_t length,
                                                     Fragments fragments_allowed) {
  const auto way = core.find_way(now, local, remote);
  if (!way) return std::unexpected(way.error());
  if (const auto may = check_datagram(way->path, remote.family(), length, fragments_allowed); !may)
    return std::unexpected(may.error());
  return wire::IpHeader{.source = way->local, .destination = way->remote};
}

// [RFC 1122 3.3.3-3] [RFC 1191 6.2-8, 6.5-2]
Result<void> Stack::Impl::check_datagram(const stack::Path& path, Family family, std::size_t length,
                                         Fragments fragments_allowed) const {
  const std::size_t most = kMaxDatagram - (family == Family::ipv4 ? wire::kIpV4HeaderLength
                                                                  : 0);  // IPv6 counts its payload
  const std::size_t fits = path.mtu - wire::ip_header_length(family);
  if (length > most || (length > fits && fragments_allowed == Fragments::refused))
    return std::unexpected(Error::message_too_long);
  if (!core.has_room_for_reply(path.hop.interface, length))
    return std::unexpected(Error::would_block);
  return {};
}

Result<void> Stack::Impl::send_datagram(Instant now, DatagramId port, const Endpoint& to,
                                        Octets octets) {
  if (to.port == 0) return std::unexpected(Error::invalid_argument);
  const auto sender = datagrams.sender(port);
  if (!sender) return std::unexpected(sender.error());
  const DatagramConfig& config = sender->config;
  const std::size_t length = wire::kUdpHeaderLength + octets.size();
  auto header = address_datagram(now, sender->local.address, to.address, length,
                                 config.fragment ? Fragments::allowed : Fragments::refused);
  if (!header) return std::unexpected(header.error());
  // [RFC 1122 3.2.1.7-1]
  header->ttl = to.address.is_multicast() ? config.multicast_ttl : config.ttl;
  if (header->ttl == 0) return {};  // it stays on this host (RFC 1112 §6.1)
  header->traffic_class = static_cast<std::uint8_t>((config.dscp & 63) << 2);
  queue_datagram(*header, sender->local.port, to.port, octets);
  return {};
}

void Stack::Impl::queue_datagram(wire::IpHeader header, std::uint16_t source_port,
                                 std::uint16_t destination_port, Octets octets) {
  const std::size_t length = wire::kUdpHeaderLength + octets.size();
  header.protocol = wire::kProtocolUdp;
  stack::RawReply raw{header, std::vector<std::uint8_t>(length)};
  wire::emit_udp({source_port, destination_port, static_cast<std::uint16_t>(length), 0},
                 raw.transport.data());
  std::copy(octets.begin(), octets.end(), raw.transport.begin() + wire::kUdpHeaderLength);
  wire::finish_udp_checksum(MutableOctets(raw.transport).first(wire::kUdpHeaderLength),
                            header.source, header.destination, {{octets}});
  core.reply(std::move(raw));
}

// [RFC 1122 3.2.2.6-2, 3.2.2.6-7]
Result<void> Stack::Impl::send_echo(Instant now, const IpAddress& to, std::uint16_t identifier,
                                    std::uint16_t sequence, Octets data) {
  const std::size_t length = wire::kIcmpHeaderLength + data.size();
  auto header = address_datagram(now, IpAddress::any(to.family()), to, length, Fragments::allowed);
  if (!header) return std::unexpected(header.error());
  header->protocol = wire::icmp_protocol(to.family());
  if (to.is_multicast()) header->ttl = DatagramConfig{}.multicast_ttl;
  stack::RawReply raw{*header, std::vector<std::uint8_t>(length)};
  const wire::IcmpMessage request{wire::echo_request_type(to.family()), 0,
                                  std::uint32_t{identifier} << 16 | sequence, data};
  wire::emit_icmp(request, header->source, header->destination, raw.transport.data());
  ++core.counters.icmp_out;
  core.echo_requests.add({header->destination, identifier, sequence});
  core.reply(std::move(raw));
  return {};
}

}  // namespace estab
