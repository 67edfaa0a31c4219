// What the stack does for the hosts it stands in for (estab/forward.h), beyond what concerns TCP
// alone.

#include <array>

#include "stack/stack_impl.h"

namespace estab {

namespace {

std::optional<wire::IcmpError::Kind> icmp_of(Refusal refusal) {
  using Kind = wire::IcmpError::Kind;
  switch (refusal) {
    case Refusal::network_unreachable:
      return Kind::net_unreachable;
    case Refusal::host_unreachable:
      return Kind::host_unreachable;
    case Refusal::prohibited:
      return Kind::administratively_prohibited;
    case Refusal::reset:
    case Refusal::silence:
      break;
  }
  return std::nullopt;
}

/// What a guest sent, as far as an ICMP error needs it.
std::vector<std::uint8_t> datagram(const IpAddress& guest, const IpAddress& host,
                                   std::uint8_t protocol, Octets transport) {
  wire::IpHeader header{.source = guest, .destination = host};
  header.protocol = protocol;
  std::vector<std::uint8_t> octets(wire::ip_header_length(guest.family()));
  wire::emit_ip(header, transport.size(), octets.data());
  octets.insert(octets.end(), transport.begin(), transport.end());
  return octets;
}

}  // namespace

Result<void> Stack::set_forwarding(InterfaceId id, const Forwarding& forwarding) {
  return impl_->core.interfaces.set_forwarding(id, forwarding);
}

Result<StreamId> Stack::accept(Instant now, OfferId offer, const std::optional<TcpConfig>& tcp) {
  impl_->core.latest = now;
  return impl_->tcp.accept(impl_->core, now, offer, tcp);
}

bool Stack::is_waiting(OfferId offer) const {
  return impl_->tcp.is_waiting(offer);
}

Result<void> Stack::reject(Instant now, OfferId offer, Refusal refusal) {
  impl_->core.latest = now;
  return impl_->reject(now, offer, refusal);
}

Result<void> Stack::Impl::reject(Instant now, OfferId offer, Refusal refusal) {
  const auto syn = tcp.take(core, offer);
  if (!syn) return std::unexpected(syn.error());
  if (refusal == Refusal::reset) stack::TcpLayer::reset(core, *syn);
  const auto kind = icmp_of(refusal);
  if (!kind || !core.interfaces.contains(syn->interface)) return {};
  const FourTuple& tuple = syn->tuple;
  const auto octets =
      datagram(tuple.remote_address, tuple.local_address, wire::kProtocolTcp, syn->octets());
  if (const auto packet = wire::parse_ip(octets))
    send_icmp_error(now, syn->interface, *packet, *kind, 0);
  return {};
}

// ---- datagrams

Result<ReceivedDatagram> Stack::recv_datagram(DatagramFlowId flow, MutableOctets into) {
  return impl_->datagram_flows.receive(flow, into);
}

Result<void> Stack::send_datagram(Instant now, DatagramFlowId flow, const Endpoint& from,
                                  Octets octets) {
  impl_->core.latest = now;
  return impl_->send_foreign_datagram(now, flow, from, octets);
}

Result<void> Stack::reject(Instant now, DatagramFlowId flow, const Endpoint& destination,
                           Refusal refusal) {
  impl_->core.latest = now;
  return impl_->reject(now, flow, destination, refusal);
}

Result<void> Stack::close(DatagramFlowId flow) {
  return impl_->datagram_flows.close(flow);
}

Verdict Stack::Impl::take_foreign_datagram(Instant now, const Arrived& in,
                                           const wire::UdpDatagram& datagram) {
  const Endpoint from{in.packet.header.source, datagram.source_port};
  const Endpoint to{in.packet.header.destination, datagram.destination_port};
  if (from.port == 0 || to.port == 0) return Verdict::malformed;
  const udp::FlowTable::Source source{from,
                                      core.secrets.flow_hash({{}, from.address, 0, from.port}),
                                      core.secrets.flow_hash({{}, from.address, 0, 0})};
  auto flow = datagram_flows.find(source);
  if (!flow && !core.interfaces.config(in.interface).forwarding.udp) return Verdict::not_for_us;
  if (!flow) {
    flow = datagram_flows.open(now, source, in.interface);
    ++(flow ? core.counters.datagram_flows : core.counters.datagram_flows_refused);
  }
  return flow ? datagram_flows.deliver(now, *flow, to, datagram.payload) : Verdict::queue_full;
}

Result<void> Stack::Impl::send_foreign_datagram(Instant now, DatagramFlowId flow,
                                                const Endpoint& from, Octets octets) {
  if (from.port == 0) return std::unexpected(Error::invalid_argument);
  const auto guest = datagram_flows.use(now, flow);
  if (!guest) return std::unexpected(guest.error());
  if (from.address.family() != guest->address.family())
    return std::unexpected(Error::invalid_argument);
  const auto path = core.find_path(now, guest->address);
  if (!path) return std::unexpected(Error::no_route);
  const auto may = check_datagram(*path, from.address.family(),
                                  wire::kUdpHeaderLength + octets.size(), Fragments::allowed);
  if (!may) return may;
  queue_datagram({.source = from.address, .destination = guest->address}, from.port, guest->port,
                 octets);
  return {};
}

// Of the datagram that could not be delivered only the addresses and ports are known; they are what
// its sender looks for in the quote.
Result<void> Stack::Impl::reject(Instant now, DatagramFlowId flow, const Endpoint& destination,
                                 Refusal refusal) {
  const auto guest = datagram_flows.use(now, flow);
  if (!guest) return std::unexpected(guest.error());
  if (refusal == Refusal::silence) return {};
  const auto kind = icmp_of(refusal).value_or(wire::IcmpError::Kind::port_unreachable);
  std::array<std::uint8_t, wire::kUdpHeaderLength> udp;
  wire::emit_udp({guest->port, destination.port, wire::kUdpHeaderLength, 0}, udp.data());
  const auto octets = datagram(guest->address, destination.address, wire::kProtocolUdp, udp);
  const auto interface = datagram_flows.interface(flow);
  const auto packet = wire::parse_ip(octets);
  if (!packet || !interface || !core.interfaces.contains(*interface)) return {};
  send_icmp_error(now, *interface, *packet, kind, 0);
  return {};
}

}  // namespace estab
