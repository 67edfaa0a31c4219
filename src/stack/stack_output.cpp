// The way down: answers that belong to no connection, then the connections' segments, then
// datagrams. What is addressed to this stack itself goes up again and never reaches a link (RFC
// 1122 §3.2.1.3).

#include <algorithm>

#include "stack/frame_builder.h"
#include "stack/stack_impl.h"

namespace estab {

bool Stack::Impl::poll_transmit(Instant now, TransmitFrame& frame) {
  while (next_frame(now, frame))
    if (!loop_back(now, frame)) return true;
  return false;
}

// False if no way leads to where the answer should go: it is dropped.
bool Stack::Impl::build_next_reply(Instant now, TransmitFrame& frame) {
  stack::Reply& reply = core.replies.front();
  auto* segment = std::get_if<stack::TcpReply>(&reply);
  auto* raw = std::get_if<stack::RawReply>(&reply);
  const IpAddress& to = segment ? segment->tuple.remote_address : raw->header.destination;
  const auto& route = segment ? segment->source_route : raw->source_route;
  const auto path = core.find_path(now, tcp::first_hop(route, to));
  if (path && segment) stack::TcpLayer::build_reply(core, now, *path, *segment, frame);
  if (path && raw) stack::build_raw_frame(core, *path, std::move(*raw), raw_frame, frame);
  core.replies.drop_front();
  return path.has_value();
}

void Stack::Impl::take_back(Instant now, const TransmitFrame& frame) {
  std::vector<std::uint8_t> octets(frame.size());
  frame.copy_to(octets.data());
  handle_frame(now, frame.interface, ReceivedFrame{.octets = octets, .checksum_verified = true},
               Origin::self);
}

// The header of a datagram to `remote`, or why there can be none.
Result<wire::IpHeader> Stack::Impl::address_datagram(Instant now, const IpAddress& local,
                                                     const IpAddress& remote, std::size_t length) {
  const auto path = core.find_path(now, remote);
  if (!path) return std::unexpected(Error::no_route);
  wire::IpHeader header{.source = local, .destination = remote};
  // [RFC 1122 4.1.3.5-2, 4.1.3.6-1]
  if (local.is_unspecified()) {
    const auto source = core.interfaces.is_local(remote)
                            ? std::optional(remote)
                            : core.interfaces.select_source(path->hop.interface, remote);
    if (!source) return std::unexpected(Error::no_route);
    header.source = *source;
  }
  if (header.source.family() != remote.family()) return std::unexpected(Error::invalid_argument);
  // [RFC 1122 3.3.3-3] [RFC 1191 6.2-8, 6.5-2]
  // No fragments are sent: what does not fit the path is refused.
  if (wire::ip_header_length(remote.family()) + length > path->mtu)
    return std::unexpected(Error::message_too_long);
  return header;
}

Result<void> Stack::Impl::send_datagram(Instant now, DatagramId port, const Endpoint& to,
                                        Octets octets) {
  const auto local = datagrams.local_endpoint(port);
  if (!local) return std::unexpected(local.error());
  const std::size_t length = wire::kUdpHeaderLength + octets.size();
  auto header = address_datagram(now, local->address, to.address, length);
  if (!header) return std::unexpected(header.error());
  if (core.replies.size() >= core.config.limits.pending_replies)
    return std::unexpected(Error::would_block);
  header->protocol = wire::kProtocolUdp;
  stack::RawReply raw{*header, std::vector<std::uint8_t>(length)};
  wire::emit_udp({local->port, to.port, static_cast<std::uint16_t>(length), 0},
                 raw.transport.data());
  std::copy(octets.begin(), octets.end(), raw.transport.begin() + wire::kUdpHeaderLength);
  wire::finish_udp_checksum(MutableOctets(raw.transport).first(wire::kUdpHeaderLength),
                            header->source, header->destination, {{octets}});
  core.reply(std::move(raw));
  return {};
}

// [RFC 1122 3.2.2.6-2, 3.2.2.6-7]
Result<void> Stack::Impl::send_echo(Instant now, const IpAddress& to, std::uint16_t identifier,
                                    std::uint16_t sequence, Octets data) {
  const std::size_t length = wire::kIcmpHeaderLength + data.size();
  auto header = address_datagram(now, IpAddress::any(to.family()), to, length);
  if (!header) return std::unexpected(header.error());
  header->protocol = wire::icmp_protocol(to.family());
  stack::RawReply raw{*header, std::vector<std::uint8_t>(length)};
  const wire::IcmpMessage request{wire::echo_request_type(to.family()), 0,
                                  std::uint32_t{identifier} << 16 | sequence, data};
  wire::emit_icmp(request, header->source, to, raw.transport.data());
  ++core.counters.icmp_out;
  core.reply(std::move(raw));
  return {};
}

}  // namespace estab
