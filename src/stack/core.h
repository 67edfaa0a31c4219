// Core: what every layer of a Stack shares: settings, counters, addresses and routes, the pool, and
// the queue of answers that belong to no connection. Layers are lent it for the length of a call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "estab/event.h"
#include "estab/stack.h"

#include "base/prng.h"
#include "base/ring.h"
#include "ip/echo_requests.h"
#include "ip/fragmenter.h"
#include "ip/icmp_limit.h"
#include "ip/interfaces.h"
#include "ip/path_mtu.h"
#include "ip/routes.h"
#include "stack/output_queue.h"
#include "tcp/connection/connection.h"
#include "tcp/connection/context.h"
#include "tcp/open/fast_open_cache.h"
#include "tcp/open/secrets.h"
#include "wire/ip.h"

namespace estab::stack {

/// A segment without text that no connection sends: a RST, a SYN-ACK, an ACK from TIME-WAIT.
struct TcpReply {
  FourTuple tuple;
  tcp::Emission emission;
  State state = State::closed;
  std::uint8_t ttl = 64;
  std::uint8_t traffic_class = 0;
  std::vector<IpAddress> source_route{};

  friend bool operator==(const TcpReply& a, const TcpReply& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;
};

/// A datagram whose transport part is finished: UDP or ICMP. What does not fit the path goes in
/// fragments, so it stays in the queue until the last of them is out.
struct RawReply {
  wire::IpHeader header;
  std::vector<std::uint8_t> transport;
  std::vector<IpAddress> source_route{};
  std::uint32_t sent = 0;            // octets of `transport` that have gone in fragments
  std::uint32_t identification = 0;  // of these

  friend bool operator==(const RawReply&, const RawReply&) = default;
  void hash_into(base::Hasher& hasher) const;
};

using Reply = std::variant<TcpReply, RawReply>;

/// Of the datagrams; segments without text count as nothing.
struct ReplyOctets {
  std::size_t operator()(const Reply& reply) const {
    const auto* raw = std::get_if<RawReply>(&reply);
    return raw ? raw->transport.size() : 0;
  }
};

/// Where a datagram leaves, and what fits through.
struct Path {
  ip::Hop hop;
  std::uint16_t link_mtu = 1500;
  std::uint16_t mtu = 1500;
};

/// The two ends of a flow as this stack writes them, with their zones, and the way between.
struct Way {
  IpAddress local, remote;
  Path path;
};

/// What has been removed from the stack: addresses, and the zone of an interface, 0 for none.
struct Removed {
  std::vector<IpAddress> addresses;
  std::uint16_t zone = 0;

  bool has(const IpAddress& own) const {
    return std::ranges::find(addresses, own) != addresses.end();
  }
  bool concerns(const FourTuple& tuple) const {
    return has(tuple.local_address) || (zone != 0 && tuple.remote_address.zone() == zone);
  }
};

/// Where a datagram comes from: a link, or this stack itself.
enum class Origin : std::uint8_t { link, self };

/// Whom a datagram is for: this host, many hosts of which it is one, or one that it stands in for.
enum class Reach : std::uint8_t { own, many, foreign };

/// Who watches a stack. A copy of the stack is watched by nobody: it lives a life of its own.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) {}
  Watch& operator=(Observer* observer) {
    observer_ = observer;
    return *this;
  }
  Observer* get() const { return observer_; }

 private:
  Observer* observer_ = nullptr;
};

struct Core {
  explicit Core(const StackConfig& stack_config);
  Core(const Core&) = default;
  Core& operator=(const Core&) = delete;

  StackConfig config;
  StackCounters counters;
  BlockPool blocks;
  tcp::BufferBudget buffers;
  Watch observer;
  tcp::Secrets secrets;
  base::Prng prng;
  ip::InterfaceTable interfaces;
  ip::RouteTable routes;
  ip::PathMtuCache path_mtu;
  tcp::FastOpenCache fast_open;  // what servers are known to do
  ip::RateLimit icmp_limit;
  std::vector<std::uint8_t> traced_text;  // for an observer: a segment's text in one piece
  ip::FragmentIds fragment_ids;
  OutputQueue<Reply, ReplyOctets> replies;
  ip::EchoRequests echo_requests;
  base::Ring<EchoEvent> echo_events;  // all else that is to be told stands with its object
  Instant latest{};                   // the latest time any call has named
  std::uint32_t path_version = 0;     // changes whenever a cached Path may be out of date

  tcp::Context context(Instant now) {
    return {now, config, blocks, counters, buffers, observer.get()};
  }
  /// The way to a destination. A zone is kept to: that of the destination, else `source_zone`, that
  /// of the address it is sent from (RFC 4007 §9).
  std::optional<Path> find_path(Instant now, const IpAddress& destination,
                                std::uint16_t source_zone = 0) const;
  /// The ends of a flow from `local`, or from an address chosen for it if that is unspecified, to
  /// `remote`: see the rules in estab/stack.h. `via` is where its datagrams go first.
  /// Error::no_route, address_not_available, invalid_argument.
  Result<Way> find_way(Instant now, const IpAddress& local, const IpAddress& remote,
                       const std::vector<IpAddress>& source_route = {}) const;
  /// The route as it stands in the table: a link-local gateway in the zone of its interface.
  /// Error::invalid_argument for one in another zone; Error::no_route for one that is not on the
  /// link.
  Result<Route> complete(const Route& route) const;
  /// Negative advice to IP (MUST-20): retransmissions by this hop have reached R1.
  void advise_against(Instant now, const ip::Hop& hop);
  /// Queues an answer; counts and drops it if too many wait.
  void reply(TcpReply&& reply);
  void reply(RawReply&& reply);
  /// Whether the limits allow one more, of so many octets, that leaves by this interface.
  bool has_room_for_reply(InterfaceId by, std::size_t octets) const {
    return has_room(replies.load(), octets) && has_room(replies.load(by), octets);
  }
  /// The one whose turn it is waits for its interface, if the limits allow it; else it is dropped.
  void set_reply_aside(InterfaceId by);
  /// The interface by which this would leave takes no frames for now.
  bool has_to_wait(const ip::Hop& hop) const {
    return interfaces.is_paused(hop.interface) && !interfaces.is_local(hop.next_hop);
  }
  /// Answers from an address that is no more.
  void forget_replies(const Removed& gone);
  /// An echo reply from there, with so many octets of data.
  void on_echo_reply(const EchoEvent& reply);
  /// Counts what became of a frame or segment, and passes it on.
  // [RFC 1122 3.1-7]
  Verdict count(Verdict verdict) {
    ++counters.verdicts[static_cast<std::size_t>(verdict)];
    return verdict;
  }

  bool equals(const Core& other) const;
  void hash_into(base::Hasher& hasher) const;

 private:
  bool has_room(const OutputQueue<Reply, ReplyOctets>::Load& load, std::size_t octets) const {
    return load.count < config.limits.pending_replies &&
           (load.octets == 0 || load.octets + octets <= config.limits.pending_reply_octets);
  }

  auto fields() const;
};

}  // namespace estab::stack
