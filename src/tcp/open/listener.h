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

#include "base/public_fields.h"
#include "base/ring.h"
#include "tcp/open/fast_open_server.h"

namespace estab::tcp {

struct Listener {
  Endpoint local;
  std::uint32_t backlog = 128;
  std::uint32_t half_open = 0;  // records in the SYN cache
  PendingFastOpens fast_opens;  // connections that a SYN alone has opened
  bool ipv6_only = false;       // `::` does not stand for IPv4 too
  std::shared_ptr<const TcpConfig> config;
  base::Ring<StreamId> queue;      // complete, waiting for accept
  std::optional<Error> failure{};  // it listens no more: its address is gone
  bool in_events = false;          // in the queue of listeners with something to tell

  bool has_room() const { return queue.size() < backlog; }

 private:
  auto fields() const {
    const auto& [at, most, opening, by_syn, only_v6, settings, complete, why_ended, to_be_told] =
        *this;
    return base::fields(at, most, opening, by_syn, only_v6, settings, complete, why_ended,
                        to_be_told);
  }

 public:
  friend bool operator==(const Listener& a, const Listener& b) { return a.fields() == b.fields(); }
  void hash_into(base::Hasher& hasher) const { hasher.add(fields()); }
};

}  // namespace estab::tcp
