// FlowTable: datagrams to other hosts (estab/forward.h), by the guest's port they come from. Law: a
// port has one flow, wherever its datagrams go (RFC 4787 REQ-1); flows stand in the order in which
// something last went through them, so that the one that has been silent longest is the first to
// end. One that has ended is found by no datagram, and its handle stays good until it is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/event.h"
#include "estab/id.h"
#include "estab/octets.h"
#include "estab/stack.h"
#include "estab/time.h"
#include "estab/verdict.h"

#include "base/flat_index.h"
#include "base/hasher.h"
#include "base/ring.h"
#include "base/slab.h"
#include "ip/source_counts.h"

namespace estab::udp {

class FlowTable {
 public:
  /// What one waiting datagram costs against the queue's limit, besides its octets.
  static constexpr std::size_t kCostOfDatagram = 128;

  struct Limits {
    std::uint32_t flows = 1 << 12;             ///< StackLimits::datagram_flows
    std::uint32_t flows_per_source = 1 << 12;  ///< StackLimits::datagram_flows_per_source
    std::uint32_t queue = 256 << 10;           ///< StackLimits::datagram_queue, of each flow
    Duration timeout = std::chrono::minutes(2);
    friend bool operator==(const Limits&, const Limits&) = default;
  };
  explicit FlowTable(const Limits& limits) : limits_(limits) {}

  /// A guest's port, with its hash and that of its address, both keyed with a secret.
  struct Source {
    const Endpoint& endpoint;
    std::uint32_t hash;
    std::uint32_t address_hash;
  };
  std::optional<DatagramFlowId> find(const Source& source) const;
  /// A new one; nothing if a limit is reached. The source must have none.
  std::optional<DatagramFlowId> open(Instant now, const Source& source, InterfaceId interface);
  /// A datagram of the guest's. Verdict::datagram, or queue_full. The handle must be fresh.
  Verdict deliver(Instant now, DatagramFlowId id, const Endpoint& to, Octets payload);
  /// The guest's port; something is about to go there. Error::no_such_id, timed_out.
  Result<Endpoint> use(Instant now, DatagramFlowId id);
  /// The interface by which it began; nothing for a stale handle.
  std::optional<InterfaceId> interface(DatagramFlowId id) const;
  /// As DatagramTable::receive; Error::timed_out when nothing more will come.
  Result<ReceivedDatagram> receive(DatagramFlowId id, MutableOctets into);
  Result<void> close(DatagramFlowId id);

  void expire(Instant now);
  Instant next_deadline() const;
  /// Ends the flows of an interface.
  void on_interface_removed(std::uint16_t zone);
  std::optional<DatagramFlowEvent> poll_event();

  std::size_t size() const { return flows_.size(); }
  std::size_t memory() const;
  friend bool operator==(const FlowTable& a, const FlowTable& b) {
    return a.limits_ == b.limits_ && a.flows_ == b.flows_ && a.tellers_ == b.tellers_;
  }
  void hash_into(base::Hasher& hasher) const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Waiting {
    Endpoint to;
    std::vector<std::uint8_t> payload;
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };
  struct Flow {
    Endpoint source;
    InterfaceId interface;
    std::uint32_t hash = 0, address_hash = 0;
    std::uint32_t older = kNone, newer = kNone;
    Instant used_at{};
    std::uint32_t queued = 0;  // cost of all that waits
    bool told = false;         // the application knows of it
    bool ended = false;        // in no list and no index any more
    bool in_events = false;    // in the queue of those with something to tell
    base::Ring<Waiting> queue{};
    friend bool operator==(const Flow&, const Flow&) = default;
  };

  Flow* get(DatagramFlowId id) { return flows_.find(id.index, id.generation); }
  void link_newest(std::uint32_t index);
  void unlink(std::uint32_t index);
  void touch(std::uint32_t index, Instant now);
  void end(std::uint32_t index);
  /// No datagram finds it any more, and it does not age.
  void leave(std::uint32_t index);
  void queue_event(std::uint32_t index);

  Limits limits_;
  base::Slab<Flow> flows_;
  base::FlatIndex index_;
  base::Ring<std::uint32_t> tellers_;
  ip::SourceCounts sources_;
  std::uint32_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace estab::udp
