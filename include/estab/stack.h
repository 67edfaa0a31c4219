// Stack: a whole TCP/IP host as one value. It does no input or output and reads no clock: frames,
// deadlines and commands come in with the time they happened; frames, events and the next deadline
// come out. A host loop around it is five lines:
//
//   while (running) {
//     wait until a frame arrives or stack.next_deadline();
//     stack.handle_frame(now, interface, frame);            // for each that came
//     stack.handle_deadline(now);
//     while (auto event = stack.poll_event()) ...;          // the application's turn
//     while (stack.poll_transmit(now, out)) device.send(out);
//   }
//
// Law of time: a call that may change a connection, arm a timer or owe a segment takes `now` as its
// first argument, and no other call takes it. So questions take none, nor does what only prepares:
// links, addresses and routes that are added, what is listened to, the settings of datagram ports.
// `now` must not go backwards from one call to the next.
//
// A Stack can be copied (the copy lives its own life and handles name the same things in it),
// compared and hashed, down to every octet queued and every timer. It belongs to one thread at a
// time. Nothing it does throws, save std::bad_alloc.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "estab/address.h"
#include "estab/block.h"
#include "estab/config.h"
#include "estab/error.h"
#include "estab/event.h"
#include "estab/forward.h"
#include "estab/frame.h"
#include "estab/icmp_report.h"
#include "estab/id.h"
#include "estab/info.h"
#include "estab/octets.h"
#include "estab/time.h"
#include "estab/trace.h"

namespace estab {

struct InterfaceConfig {
  std::string name;
  std::uint16_t mtu = 1500;                ///< largest IP datagram, octets
  bool checksum_offload = false;           ///< the device finishes TCP and UDP checksums
  bool segmentation_v4 = false;            ///< the device takes TCP super-segments over IPv4
  bool segmentation_v6 = false;            ///< and over IPv6
  bool ignore_received_checksums = false;  ///< for links that cannot corrupt
  Forwarding forwarding{};                 ///< what it takes for others: estab/forward.h
  friend bool operator==(const InterfaceConfig&, const InterfaceConfig&) = default;
};

struct Route {
  Cidr destination;
  InterfaceId interface;
  std::optional<IpAddress> gateway{};  ///< none: the destination is on the link
  friend bool operator==(const Route&, const Route&) = default;
};

/// What Stack::route has found.
struct RouteInfo {
  IpAddress local, remote;
  InterfaceId interface;
  IpAddress next_hop;     ///< a gateway, or `remote` itself
  std::uint16_t mtu = 0;  ///< of the path, as far as it is known: the largest datagram, octets
  friend bool operator==(const RouteInfo&, const RouteInfo&) = default;
};

struct ListenOptions {
  /// Unspecified address: any of the stack's; `::` takes both families. Port 0: an ephemeral one on
  /// which nobody listens (RFC 6056 §3.3.1), which local_endpoint() tells.
  Endpoint local;
  std::uint32_t backlog =
      128;  ///< completed connections waiting for accept (and openings under way)
  std::optional<TcpConfig> tcp{};  ///< for connections accepted here; else StackConfig::tcp
  bool ipv6_only = false;          ///< `::` takes IPv6 alone
};

/// One line of Stack::table: a listener, or two endpoints in any state but CLOSED.
struct SocketRow {
  Endpoint local;
  std::optional<Endpoint> remote{};  ///< none for a listener
  State state = State::closed;
  std::uint64_t recv_queue = 0;  ///< octets not yet read; of a listener: connections not accepted
  std::uint64_t send_queue = 0;  ///< octets not yet acknowledged; of a listener: its backlog
  friend bool operator==(const SocketRow&, const SocketRow&) = default;
};

struct ConnectOptions {
  Endpoint remote;
  std::optional<IpAddress> local_address{};  ///< MUST-43; else chosen by the route (MUST-44)
  std::uint16_t local_port = 0;              ///< 0: an ephemeral one (RFC 6056)
  /// The SYN does not leave before the first send, which may be one of no octets, or shutdown: so
  /// that it can take octets along (TcpConfig::fast_open) however long they take to come.
  bool hold_syn = false;
  /// Sent at once, all or Error::message_too_long: in the SYN, as far as it takes them, with
  /// TcpConfig::fast_open and a cookie; else behind it.
  Octets first_octets{};
  std::optional<TcpConfig> tcp{};
};

/// How the end of a send is marked (RFC 9293 §3.9.1, SEND).
enum class SendMode : std::uint8_t {
  normal,  ///< PSH is set when the send queue empties
  push,    ///< PSH on the last octet of this call, and no waiting for more (Nagle)
  more,    ///< more follows at once: hold back a last segment that is not full
  urgent,  ///< the last octet of this call ends urgent data (RFC 6093)
};

/// What is left of urgent data (MUST-33).
struct UrgentMark {
  std::uint64_t octets_before_end;  ///< unread octets up to and including the last urgent one
  std::optional<std::uint8_t>
      out_of_band;  ///< the octet set aside, if TcpConfig::urgent_inline is off
};

struct ReceivedDatagram {
  Endpoint from;
  Endpoint to;
  std::size_t length = 0;  ///< of the datagram; more than the buffer held if it was cut
};

class Stack {
 public:
  explicit Stack(const StackConfig& config = {});
  Stack(const Stack& other);  ///< without other's observer
  Stack& operator=(const Stack& other);
  Stack(Stack&& other) noexcept;
  Stack& operator=(Stack&& other) noexcept;
  ~Stack();

  // ---- getters: change nothing

  const StackConfig& config() const;
  const StackCounters& counters() const;
  /// CLOSED for a handle that is stale or whose connection is over. Alone of all getters it goes on
  /// after close(), so that whoever has closed can see when the rest has been delivered.
  State state(StreamId stream) const;
  Result<TcpInfo> info(StreamId stream) const;
  /// The same as of `now`: without it what is timed goes up to the last time the stack was told.
  Result<TcpInfo> info(Instant now, StreamId stream) const;
  Result<FourTuple> endpoints(StreamId stream) const;
  Result<Endpoint> local_endpoint(ListenerId listener) const;
  /// Whether an address is one of this stack's own; link-local without a zone: of any interface.
  bool is_local(const IpAddress& address) const;
  /// The own address that is meant: with its zone, if it is link-local.
  /// Error::address_not_available if there is none; Error::invalid_argument if several interfaces
  /// have it and the zone is not said.
  Result<IpAddress> own_address(const IpAddress& address) const;
  /// How a datagram from here to `remote` would go: from which address, unless `local` says, by
  /// which interface. The addresses come with their zones. Error::no_route, or as own_address.
  Result<RouteInfo> route(const IpAddress& remote, const IpAddress& local = {}) const;
  /// 255.255.255.255, or the directed broadcast of a prefix of any interface.
  bool is_broadcast(const IpAddress& address) const;
  /// The interface of that name: the first, if several have it.
  std::optional<InterfaceId> find_interface(std::string_view name) const;
  /// Octets recv would return now.
  std::size_t readable(StreamId stream) const;
  /// Octets there is room for as the send buffer is now; send may enlarge it first
  /// (BufferSize::adaptive), await_room tells of that too.
  std::size_t writable(StreamId stream) const;
  /// Octets that the SYN of this stream, which has not left yet, will carry if they are sent before
  /// it does (TcpConfig::fast_open): 0 without a cookie.
  std::size_t syn_room(StreamId stream) const;
  /// The peer's direction has ended and all of it has been read.
  bool at_end(StreamId stream) const;
  /// Urgent data not yet read to its end; nothing if there is none (RFC 9293 §3.8.5).
  std::optional<UrgentMark> urgent(StreamId stream) const;
  /// Why the stream ended before its time, if it did.
  std::optional<Error> failure(StreamId stream) const;
  /// The last ICMP error about the opening of the stream, and who sent it: what failure() goes back
  /// to, if it is one of Error::..._unreachable.
  std::optional<IcmpReport> icmp_report(StreamId stream) const;
  /// Why the listener has ended, if it did: Error::address_removed.
  std::optional<Error> failure(ListenerId listener) const;
  /// The settings in force.
  Result<TcpConfig> settings(StreamId stream) const;
  Result<TcpConfig> settings(ListenerId listener) const;
  /// Connections that wait for accept.
  std::size_t acceptable(ListenerId listener) const;
  /// Every listener, opening, connection and TIME-WAIT record, also of streams the application has
  /// let go: listeners first, then by local and remote endpoint.
  std::vector<SocketRow> table() const;
  /// Connections, openings, TIME-WAIT records and datagram ports now held.
  struct Census {
    std::size_t streams = 0, syn_cache = 0, time_wait = 0, listeners = 0, datagram_ports = 0,
                timers = 0, held_syns = 0;
    std::size_t forwarded = 0;  ///< held SYNs, and the streams made of them
    std::size_t datagram_flows = 0;
    friend bool operator==(const Census&, const Census&) = default;
  };
  Census census() const;
  /// Memory held now, all told: octets allocated, free pools included.
  std::size_t memory() const;
  std::uint64_t hash() const;
  friend bool operator==(const Stack& a, const Stack& b) { return a.equals(b); }

  // ---- configuration: links, addresses, routes
  //
  // An IPv6 link-local address belongs to one link (RFC 4007), so it is meant in a zone: that of
  // the interface (zone_of). What arrives is given the zone of the interface it came by. One that
  // the application names without a zone is meant where the rest of the call says: in the zone of
  // the other address of the pair, of the only interface that has it as its own, or of the
  // interface that the routes lead to. Error::invalid_argument if an own address leaves it open.

  /// An id that names nothing if StackLimits::interfaces is reached.
  InterfaceId add_interface(const InterfaceConfig& config);
  /// Error::no_such_id.
  Result<InterfaceConfig> interface(InterfaceId id) const;
  /// What arrives for others from now on. Streams and held SYNs stay. Error::no_such_id.
  Result<void> set_forwarding(InterfaceId id, const Forwarding& forwarding);
  /// Error::no_such_id; Error::mtu_too_small below 1280 if the interface has IPv6 addresses.
  Result<void> set_mtu(InterfaceId id, std::uint16_t mtu);
  /// Also adds the route to its prefix. Error::no_such_id, address_in_use, address_not_available
  /// for one that names no single host, mtu_too_small for IPv6 on a link under 1280 octets.
  Result<void> add_address(InterfaceId id, const Cidr& address);
  /// Error::no_such_id; Error::no_route if the gateway is not on the link itself: no route without
  /// a gateway leads to it by that interface.
  Result<void> add_route(const Route& route);

  // What is removed is gone at once, and silently: nothing more is sent from the address, so that
  // peers find out by their own time-outs. Whoever wants them to be told aborts the streams first.

  /// Ends all that uses the address. Streams, also those under way and those not yet accepted, end
  /// with Error::address_removed; so do the listeners and datagram ports bound to this very
  /// address: their ids stay good until they are closed, and answer with that error (what has been
  /// received may still be read). Half-open records, TIME-WAIT records and answers not yet polled
  /// are forgotten. The route to its prefix goes with it, unless another address of the interface
  /// has the same prefix. Error::no_such_id, address_not_available.
  Result<void> remove_address(Instant now, InterfaceId id, const IpAddress& address);
  /// Connections that took this way look for another with the next segment. While there is none
  /// they go on as over a link that loses everything, until their time-outs or a new route.
  /// Error::no_route if it is not there.
  Result<void> remove_route(const Route& route);
  /// Removes its addresses and every route through it, as above, and ends the streams to
  /// link-local addresses of that link. The id is stale afterwards. Error::no_such_id.
  Result<void> remove_interface(Instant now, InterfaceId id);

  /// poll_transmit gives no frame for this interface until it is resumed: the device behind it is
  /// full. What goes by others goes on. Connections that take this way lose nothing, they wait, and
  /// are first when it is resumed; of other answers and datagrams as many wait as
  /// StackLimits::pending_replies and pending_reply_octets allow, for each interface.
  /// Error::no_such_id.
  Result<void> pause_interface(InterfaceId id);
  Result<void> resume_interface(InterfaceId id);

  /// Null detaches. The observer must outlive the stack or be detached.
  void set_observer(Observer* observer);

  // ---- handle: something came in

  /// Verdict::no_interface if the id is stale or was never given out.
  Verdict handle_frame(Instant now, InterfaceId interface, const ReceivedFrame& frame);
  /// Lets every timer whose deadline is not after `now` fire.
  void handle_deadline(Instant now);
  /// A block to receive into, from the stack's pool (see ReceivedFrame::owner).
  Block take_block(std::size_t octets);
  void give_block(Block&& block);

  // ---- commands of the application

  /// Error::address_in_use, address_not_available, limit_reached; no_ports if it is to choose one
  /// and every one is taken.
  Result<ListenerId> listen(const ListenOptions& options);
  /// Stops listening; connections not yet accepted are reset.
  Result<void> close(Instant now, ListenerId listener);
  /// Error::would_block if none waits; Error::address_removed if none ever will.
  Result<StreamId> accept(Instant now, ListenerId listener);
  Result<StreamId> connect(Instant now, const ConnectOptions& options);

  /// Answers a held SYN in the name of the host it is for (estab/forward.h). The stream is there at
  /// once, in SYN-RECEIVED: what is sent on it is queued, and StreamEvent::connected tells when the
  /// guest's ACK has come. Error::no_such_id if it has been decided, or the guest has gone;
  /// limit_reached or no_route, after which it waits as before; invalid_argument.
  Result<StreamId> accept(Instant now, OfferId offer, const std::optional<TcpConfig>& tcp = {});
  /// Error::no_such_id.
  Result<void> reject(Instant now, OfferId offer, Refusal refusal);
  /// Whether it still waits to be accepted or rejected.
  bool is_waiting(OfferId offer) const;

  /// Takes as many octets as the send buffer has room for and returns how many. While the
  /// connection opens they are queued (RFC 9293 §3.10.2). Error::would_block if there is no room.
  Result<std::size_t> send(Instant now, StreamId stream, Octets octets,
                           SendMode mode = SendMode::normal);
  /// Sends octets in place, without copying: `owner` keeps them alive and unchanged until the peer
  /// has acknowledged them. Takes all or nothing (Error::would_block), and may overfill the buffer.
  Result<void> send_owned(Instant now, StreamId stream, Octets octets,
                          const std::shared_ptr<const void>& owner,
                          SendMode mode = SendMode::normal);
  /// How many octets send would take. Error::would_block if none: StreamEvent::writable will tell
  /// of room, as after a send that found none. Otherwise as send.
  Result<std::size_t> await_room(Instant now, StreamId stream);
  /// Copies received octets out. Error::would_block if none, Error::end_of_stream at the end.
  Result<std::size_t> recv(Instant now, StreamId stream, MutableOctets into);
  /// Views of what has been received, in place; returns how many views were filled. Valid until the
  /// next non-const call.
  std::size_t peek(StreamId stream, std::span<Octets> views) const;
  /// Marks the first `octets` received octets as read.
  Result<void> consume(Instant now, StreamId stream, std::size_t octets);
  /// Ends this side's direction (FIN after what is queued); the other goes on (half-close). While
  /// the connection opens this is noted, and done once it is open.
  Result<void> shutdown(Instant now, StreamId stream);
  /// Lets go of the stream: ends this side's direction, and refuses whatever still comes. With
  /// octets unread it sends RST instead (SHLD-3). The handle is stale afterwards: nothing can be
  /// read, and no event tells of the stream.
  Result<void> close(Instant now, StreamId stream);
  /// RST, at once; what is queued is lost. The handle is stale afterwards.
  Result<void> abort(Instant now, StreamId stream);

  /// Octets the peer sends from now on are answered with RST (RFC 1122 §4.2.2.13) once this side's
  /// direction has ended; before that they are taken as ever.
  Result<void> refuse_input(Instant now, StreamId stream);
  /// Acknowledges what is owed at once, and the next `segments` segments without delay.
  Result<void> set_quick_acks(Instant now, StreamId stream, std::uint8_t segments);

  /// Changes the settings of a stream in any state from SYN-SENT to LAST-ACK; they hold at once. A
  /// larger send buffer wakes who waits for room (StreamEvent::writable); with a smaller one
  /// nothing is lost, and a window once announced is kept to. All or nothing:
  /// Error::already_negotiated for a change that comes too late (see TcpConfig); invalid_argument
  /// for a source route that no header holds; no_such_id; why the stream has ended, if it has, or
  /// not_connected.
  Result<void> reconfigure(Instant now, StreamId stream, const TcpConfig& config);
  /// For connections that open from now on; those that are opening take what is not yet settled.
  /// Error::no_such_id, invalid_argument.
  Result<void> reconfigure(Instant now, ListenerId listener, const TcpConfig& config);
  /// What differs from the settings in force: `change(config)` makes it.
  template <class Id, std::invocable<TcpConfig&> Change>
  Result<void> reconfigure(Instant now, Id id, Change&& change) {
    Result<TcpConfig> config = settings(id);
    if (!config) return std::unexpected(config.error());
    change(*config);
    return reconfigure(now, id, *config);
  }
  /// How many may wait for accept (and how many may be opening). Error::no_such_id.
  Result<void> set_backlog(ListenerId listener, std::uint32_t backlog);

  Result<DatagramId> bind_datagram(const Endpoint& local, const DatagramConfig& config = {});
  Result<void> reconfigure(DatagramId port, const DatagramConfig& config);
  Result<void> close(DatagramId port);
  Result<Endpoint> local_endpoint(DatagramId port) const;
  /// Up to 65507 octets (IPv4) or 65527 (IPv6), in fragments if the path takes no more at once.
  /// Error::message_too_long, no_route, address_not_available, address_removed;
  /// Error::would_block if StackLimits::pending_replies is reached.
  Result<void> send_datagram(Instant now, DatagramId port, const Endpoint& to, Octets octets);
  Result<ReceivedDatagram> recv_datagram(DatagramId port, MutableOctets into);
  /// A guest's datagram to another host (estab/forward.h): `from` is the guest, `to` whom it means.
  /// Error::would_block if none waits; Error::timed_out if the flow has ended; Error::no_such_id.
  Result<ReceivedDatagram> recv_datagram(DatagramFlowId flow, MutableOctets into);
  /// To the guest, in the name of `from`. Errors as of the call above, and Error::timed_out.
  Result<void> send_datagram(Instant now, DatagramFlowId flow, const Endpoint& from, Octets octets);
  /// Tells the guest by ICMP what has become of its datagrams to `destination`; the flow goes on.
  /// Error::no_such_id, timed_out.
  Result<void> reject(Instant now, DatagramFlowId flow, const Endpoint& destination,
                      Refusal refusal);
  Result<void> close(DatagramFlowId flow);
  /// Sends an ICMP echo request, in fragments if need be; the answer comes as an EchoEvent, the
  /// first for each request, and every one to a request for many.
  Result<void> send_echo(Instant now, const IpAddress& to, std::uint16_t identifier,
                         std::uint16_t sequence, Octets data);

  // ---- poll: what must go out, and when to call again

  /// Fills `frame` with the next frame to send. False if there is none.
  bool poll_transmit(Instant now, TransmitFrame& frame);
  std::optional<Event> poll_event();
  /// When handle_deadline should be called next; kNever if no timer runs. May be early, never late.
  Instant next_deadline() const;

 private:
  bool equals(const Stack& other) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab

template <>
struct std::hash<estab::Stack> {
  std::size_t operator()(const estab::Stack& stack) const { return stack.hash(); }
};
