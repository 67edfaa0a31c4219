// What a Stack is made of: the layers, and the way a frame takes up through them and down again.
#pragma once

#include "estab/stack.h"

#include "ip/reassembler.h"
#include "stack/core.h"
#include "stack/tcp_layer.h"
#include "udp/flows.h"
#include "udp/ports.h"
#include "wire/icmp.h"
#include "wire/udp.h"

namespace estab {

struct Stack::Impl {
  explicit Impl(const StackConfig& config);

  // ---- up (stack_input.cpp)
  using Origin = stack::Origin;
  Verdict handle_frame(Instant now, InterfaceId interface, const ReceivedFrame& frame,
                       Origin origin);
  Verdict handle_packet(Instant now, InterfaceId interface, const ReceivedFrame& frame,
                        Origin origin);
  struct Arrived {
    InterfaceId interface;
    const wire::IpPacket& packet;
    const ReceivedFrame& frame;
    Origin origin;
    stack::Reach reach;
  };
  /// Whom a destination is; nothing for one that is none of this stack's business.
  std::optional<stack::Reach> reach_of(InterfaceId interface, const IpAddress& to) const;
  /// Whether a destination is that of many hosts, of which this is one.
  bool is_for_many(InterfaceId interface, const IpAddress& to) const {
    return to.is_multicast() || core.interfaces.is_broadcast(interface, to);
  }
  void report_faulty_chain(Instant now, InterfaceId interface, const ReceivedFrame& frame,
                           Origin origin);
  Verdict handle_fragment(Instant now, InterfaceId interface, const wire::IpPacket& packet,
                          Origin origin);
  Verdict handle_transport(Instant now, const Arrived& in);
  Verdict handle_tcp(Instant now, const Arrived& in);
  Verdict handle_udp(Instant now, const Arrived& in);
  Verdict handle_icmp(Instant now, const Arrived& in);
  void handle_icmp_error(Instant now, const Arrived& in, const wire::IcmpMessage& message,
                         const wire::IcmpError& error);
  void handle_path_mtu(Instant now, const wire::IcmpMessage& message, const wire::IcmpError& error);
  bool is_outstanding(const wire::IcmpError& error) const;
  void answer_echo(const Arrived& in, const wire::IcmpMessage& request);
  /// Sends an ICMP error about a packet, if one may be sent (RFC 1122 §3.2.2) and the rate allows.
  void send_icmp_error(Instant now, InterfaceId interface, const wire::IpPacket& about,
                       wire::IcmpError::Kind kind, std::uint32_t detail);
  void send_reassembly_timeout(Instant now, const wire::IpPacket& first);
  void send_icmp_message(Instant now, InterfaceId interface, const wire::IpPacket& about,
                         const wire::IcmpMessage& message,
                         wire::Telling telling = wire::Telling::sender);

  // ---- down (stack_output.cpp)
  bool has_output() const { return !core.replies.empty() || tcp.has_output(); }
  bool poll_transmit(Instant now, TransmitFrame& frame);
  bool next_frame(Instant now, TransmitFrame& frame) {
    core.replies.follow(core.path_version);
    while (core.replies.next(core.interfaces))
      if (build_next_reply(now, frame)) return true;
    return tcp.poll_transmit(core, now, frame);
  }
  bool build_next_reply(Instant now, TransmitFrame& frame);
  /// What is addressed to this stack itself goes up again; false if the frame is another's.
  bool loop_back(Instant now, const TransmitFrame& frame) {
    if (!core.interfaces.is_local(frame.next_hop)) return false;
    take_back(now, frame);
    return true;
  }
  void take_back(Instant now, const TransmitFrame& frame);
  Result<void> send_datagram(Instant now, DatagramId port, const Endpoint& to, Octets octets);
  void queue_datagram(wire::IpHeader header, std::uint16_t source_port,
                      std::uint16_t destination_port, Octets octets);
  Result<void> send_echo(Instant now, const IpAddress& to, std::uint16_t identifier,
                         std::uint16_t sequence, Octets data);
  /// Whether a datagram may go in fragments.
  enum class Fragments : std::uint8_t { allowed, refused };
  Result<wire::IpHeader> address_datagram(Instant now, const IpAddress& local,
                                          const IpAddress& remote, std::size_t length,
                                          Fragments fragments_allowed);
  Result<void> check_datagram(const stack::Path& path, Family family, std::size_t length,
                              Fragments fragments_allowed) const;
  void on_removed(Instant now, const stack::Removed& gone);

  // ---- for others (stack_forwarding.cpp)
  Result<void> reject(Instant now, OfferId offer, Refusal refusal);
  Result<void> reject(Instant now, DatagramFlowId flow, const Endpoint& destination,
                      Refusal refusal);
  Verdict take_foreign_datagram(Instant now, const Arrived& in, const wire::UdpDatagram& datagram);
  Result<void> send_foreign_datagram(Instant now, DatagramFlowId flow, const Endpoint& from,
                                     Octets octets);

  stack::Core core;
  stack::TcpLayer tcp;
  udp::DatagramTable datagrams;
  udp::FlowTable datagram_flows;
  ip::Reassembler fragments;
  std::vector<std::uint8_t> raw_frame;  // what the last frame of a raw reply points into
};

}  // namespace estab
