// Core: what every layer of a Stack shares: settings, counters, addresses and routes, the pool, and
// the queue of answers that belong to no connection. Layers are lent it for the length of a call.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "estab/event.h"
#include "estab/stack.h"

#include "base/prng.h"
#include "base/ring.h"
#include "ip/icmp_limit.h"
#include "ip/interfaces.h"
#include "ip/path_mtu.h"
#include "ip/routes.h"
#include "tcp/connection.h"
#include "tcp/context.h"
#include "tcp/secrets.h"
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
};

/// A datagram whose transport part is finished: UDP or ICMP.
struct RawReply {
  wire::IpHeader header;
  std::vector<std::uint8_t> transport;
  std::vector<IpAddress> source_route{};
};

using Reply = std::variant<TcpReply, RawReply>;

/// Where a datagram leaves, and what fits through.
struct Path {
  ip::Hop hop;
  std::uint16_t link_mtu = 1500;
  std::uint16_t mtu = 1500;
};

/// Where a datagram comes from: a link, or this stack itself.
enum class Origin : std::uint8_t { link, self };

struct Core {
  explicit Core(const StackConfig& stack_config);
  Core(const Core& other);
  Core& operator=(const Core&) = delete;

  StackConfig config;
  StackCounters counters;
  BlockPool blocks;
  Observer* observer = nullptr;
  tcp::Secrets secrets;
  base::Prng prng;
  ip::InterfaceTable interfaces;
  ip::RouteTable routes;
  ip::PathMtuCache path_mtu;
  ip::RateLimit icmp_limit;
  std::vector<std::uint8_t> traced_text;  // for an observer: a segment's text in one piece
  base::Ring<Reply> replies;
  base::Ring<Event> events;  // of datagram ports, listeners and echoes; streams keep their own
  Instant latest{};          // the latest time any call has named
  std::uint32_t path_version = 0;  // changes whenever a cached Path may be out of date

  tcp::Context context(Instant now) { return {now, config, blocks, counters, observer}; }
  std::optional<Path> find_path(Instant now, const IpAddress& destination) const;
  /// Negative advice to IP (MUST-20): retransmissions by this hop have reached R1.
  void advise_against(Instant now, const ip::Hop& hop);
  /// Queues an answer; counts and drops it if too many wait.
  template <class T>
  void reply(T&& reply) {
    if (replies.size() < config.limits.pending_replies)
      replies.emplace_back(std::forward<T>(reply));
    else
      ++counters.replies_dropped;
  }
  void tell(Event event);
  /// Counts what became of a frame or segment, and passes it on.
  // [RFC 1122 3.1-7]
  Verdict count(Verdict verdict) {
    ++counters.verdicts[static_cast<std::size_t>(verdict)];
    return verdict;
  }

  bool equals(const Core& other) const;
  void hash_into(base::Hasher& hasher) const;
};

}  // namespace estab::stack
