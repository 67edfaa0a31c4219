// What the stack tells the application. Events are values, polled with Stack::poll_event; they are
// hints that something may be done now, never the data itself.
//
// Law: what an event of a stream, listener or port tells is kept with that object until it has been
// polled, so that nothing from the network can displace it. Whoever accepts one connection, or
// takes one datagram, while more wait is told again. Only the answers to echo requests stand in a
// queue; what finds that full is counted (StackCounters::echo_events_dropped).
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/icmp_report.h"
#include "estab/id.h"
#include "estab/segment.h"

namespace estab {

/// Several things may have become true of a stream since its last event; each is told once.
struct StreamEvent {
  StreamId stream;
  bool connected = false;          ///< the handshake is complete
  bool readable = false;           ///< octets, or the end of the stream, are there to be read
  bool writable = false;           ///< room in the send buffer after it had been full
  bool peer_closed = false;        ///< the peer's FIN has arrived in order
  bool urgent = false;             ///< the urgent pointer moved forward (MUST-32)
  bool closed = false;             ///< nothing more will come: both directions ended, or it failed
  std::optional<Error> failure{};  ///< why it ended before its time
  std::optional<Error> soft_error{};  ///< advice, the connection goes on (MUST-47, SHLD-9, SHLD-25)
  std::optional<IcmpReport> reported{};  ///< if `failure` or `soft_error` came by ICMP: from whom
  friend bool operator==(const StreamEvent&, const StreamEvent&) = default;
};

/// At least one connection waits in the listener's queue for accept, or the listener has ended.
struct AcceptEvent {
  ListenerId listener;
  friend bool operator==(const AcceptEvent&, const AcceptEvent&) = default;
};

/// At least one datagram, or an error ICMP reported, waits on a bound UDP port.
struct DatagramEvent {
  DatagramId port;
  std::optional<Error> failure{};
  friend bool operator==(const DatagramEvent&, const DatagramEvent&) = default;
};

/// The reply to Stack::send_echo came back (RFC 792, RFC 4443 §4.2); others are dropped and
/// counted.
struct EchoEvent {
  IpAddress from;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  std::uint32_t length = 0;  ///< octets of echoed data
  friend bool operator==(const EchoEvent&, const EchoEvent&) = default;
};

/// Somebody opens a connection to another host (estab/forward.h). The SYN waits for Stack::accept
/// or Stack::reject.
struct OfferEvent {
  OfferId offer;
  FourTuple endpoints;    ///< as the guest wrote them: `local` is the host it means
  InterfaceId interface;  ///< by which it came
  friend bool operator==(const OfferEvent&, const OfferEvent&) = default;
};

/// At least one datagram of a guest's to another host waits (estab/forward.h), or the flow has
/// ended.
struct DatagramFlowEvent {
  DatagramFlowId flow;
  Endpoint source;        ///< the guest's
  InterfaceId interface;  ///< by which the flow began
  bool opened = false;    ///< the first that is told of this flow
  bool ended = false;     ///< nothing has gone either way for too long, or its interface is gone
  friend bool operator==(const DatagramFlowEvent&, const DatagramFlowEvent&) = default;
};

using Event =
    std::variant<StreamEvent, AcceptEvent, DatagramEvent, EchoEvent, OfferEvent, DatagramFlowEvent>;

}  // namespace estab
