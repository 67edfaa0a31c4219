// Forwarding: a stack that stands in for the hosts beyond it. What comes by an interface that
// forwards, for an address that is none of the stack's own, is not dropped but offered to the
// application, which answers in that host's name. With it one makes gateways, proxies and
// sandboxes: the guest believes that it talks to 192.0.2.7 port 443, and the application carries
// the octets there by whatever means it has.
//
//   stack.set_forwarding(interface, {.tcp = true});
//   while (auto event = stack.poll_event())
//     if (const auto* offer = std::get_if<OfferEvent>(&*event)) ask_upstream(*offer);
//   ...
//   auto stream = stack.accept(now, offer);                       // upstream has answered: SYN-ACK
//   stack.reject(now, offer, Refusal::reset);                     // or it has refused
//
// Until then the SYN is held, and nothing is answered: so a guest learns of its opening what
// upstream made of it. It costs the stack at most 256 octets, however often the guest repeats it.
//
// Datagrams have no opening: those of one port of a guest's are a flow, wherever they go (RFC 4787
// REQ-1: the mapping does not depend on the destination), from the first one until nothing has gone
// either way for StackConfig::datagram_flow_timeout or the application closes it.
//
//   if (const auto* event = std::get_if<DatagramFlowEvent>(&*event))
//     while (auto datagram = stack.recv_datagram(event->flow, buffer)) ...;  // `to`: whom it means
//   stack.send_datagram(now, flow, {far_address, far_port}, answer);      // in that host's name
//
// Law: what a guest can make the stack hold is bounded by StackLimits::held_syns, ::forwarded and
// ::forwarded_per_source. A SYN beyond them is dropped and counted (StackCounters::offers_refused);
// the guest repeats it, and there may be room by then. The same holds for ::datagram_flows and
// ::datagram_flows_per_source (StackCounters::datagram_flows_refused); what waits in a flow is
// bounded by ::datagram_queue.
#pragma once

#include <cstdint>

namespace estab {

/// What an interface takes that is not for this stack.
struct Forwarding {
  bool tcp = false;  ///< each SYN becomes an OfferEvent
  bool udp = false;  ///< datagrams of each guest's port become DatagramFlowEvents
  friend bool operator==(const Forwarding&, const Forwarding&) = default;
};

/// How an opening is turned down, and what a guest is told of a datagram.
enum class Refusal : std::uint8_t {
  /// Nobody listens there: RST (RFC 9293 §3.10.7.1); of a datagram, ICMP port unreachable, in the
  /// name of the host it went to.
  reset,
  network_unreachable,  ///< ICMP, from the stack's own address if it has one of the family
  host_unreachable,
  prohibited,  ///< ICMP: administratively prohibited (RFC 1812 §5.2.7.1, RFC 4443 §3.1)
  silence,     ///< nothing; should the guest repeat its SYN, that is offered anew
};

}  // namespace estab
