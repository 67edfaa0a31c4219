// Listener: a passive OPEN (RFC 9293 §3.10.1). It holds no connection's state: openings under way
// are HalfOpen records in the SYN cache or only cookies; what is complete waits in its queue.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "estab/config.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/stack.h"

#include "base/ring.h"

namespace estab::tcp {

struct Listener {
  Endpoint local;
  std::uint32_t backlog = 128;
  std::uint32_t half_open = 0;  // records in the SYN cache
  bool ipv6_only = false;       // `::` does not stand for IPv4 too
  std::shared_ptr<const TcpConfig> config;
  base::Ring<StreamId> queue;      // complete, waiting for accept
  std::optional<Error> failure{};  // it listens no more: its address is gone
  bool in_events = false;          // in the queue of listeners with something to tell

  bool has_room() const { return queue.size() < backlog; }
  friend bool operator==(const Listener& a, const Listener& b) {
    return a.local == b.local && a.backlog == b.backlog && a.half_open == b.half_open &&
           a.ipv6_only == b.ipv6_only && *a.config == *b.config && a.queue == b.queue &&
           a.failure == b.failure && a.in_events == b.in_events;
  }
};

}  // namespace estab::tcp
