// DatagramTable: the bound UDP ports and what waits on them (RFC 768, RFC 1122 §4.1). Law: an
// endpoint has at most one binding, and a datagram goes to the most specific one that takes it: its
// own address, then any of its family, then any at all. What waits on a port is bounded in octets;
// beyond that datagrams are lost, as datagrams may be.
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
#include "estab/verdict.h"

#include "base/flat_index.h"
#include "base/hasher.h"
#include "base/prng.h"
#include "base/ring.h"
#include "base/slab.h"

namespace estab::udp {

struct DatagramTableConfig {
  std::uint32_t ports = 1 << 12;                     ///< StackLimits::datagram_ports
  std::uint32_t queue = 256 << 10;                   ///< StackLimits::datagram_queue
  std::uint16_t port_min = 32768, port_max = 60999;  ///< ephemeral ports (RFC 6056)
  friend bool operator==(const DatagramTableConfig&, const DatagramTableConfig&) = default;
};

class DatagramTable {
 public:
  /// What one waiting datagram costs against the queue's limit, besides its octets: so that a flood
  /// of empty ones is bounded too.
  static constexpr std::size_t kCostOfDatagram = 128;

  explicit DatagramTable(const DatagramTableConfig& config) : config_(config) {}

  /// The unspecified address takes every address of its family, `::` of both; such a binding and
  /// those of single addresses may share a port. Port 0: an ephemeral one that nobody has, drawn as
  /// in RFC 6056 §3.3.1. Whether the address is one of this host's, the caller has found out.
  /// Error::address_in_use, no_ports, limit_reached; address_not_available for a group's address.
  Result<DatagramId> bind(const Endpoint& local, base::Prng& prng,
                          const DatagramConfig& config = {});
  Result<void> reconfigure(DatagramId id, const DatagramConfig& config);
  Result<void> close(DatagramId id);
  /// Ends every binding of this very address: it takes and sends nothing any more, and what has
  /// come may still be received. Their handles stay good until they are closed.
  void on_address_removed(const IpAddress& address);

  Result<Endpoint> local_endpoint(DatagramId id) const;
  struct Sender {
    Endpoint local;
    DatagramConfig config;
  };
  /// What a datagram sent from there begins with. Error::no_such_id, address_removed.
  Result<Sender> sender(DatagramId id) const;
  /// Who takes datagrams to `destination`; also, whom an ICMP error about a datagram from there
  /// concerns.
  std::optional<DatagramId> lookup(const Endpoint& destination) const;

  /// Verdict::datagram, or queue_full. The handle must be fresh from lookup.
  Verdict deliver(DatagramId id, const Endpoint& from, const Endpoint& to, Octets payload);
  /// An ICMP error about what was sent from this port (RFC 1122 §4.1.3.3). The next receive tells
  /// of it; of several, of the last.
  void report(DatagramId id, Error error);

  /// Takes the oldest datagram; as much of it as `into` holds is copied, the rest is lost, and
  /// `length` tells of both. A reported error comes first, once. Error::would_block if nothing
  /// waits; Error::address_removed if nothing will.
  Result<ReceivedDatagram> receive(DatagramId id, MutableOctets into);
  /// Whether receive has something to tell. False for a stale handle.
  bool is_readable(DatagramId id) const;

  /// A port with something to tell, and what receive would fail with. Told again for each that
  /// comes, and whenever one is received and more wait.
  std::optional<DatagramEvent> poll_event();

  std::size_t size() const { return bindings_.size(); }
  std::size_t memory() const;
  bool operator==(const DatagramTable&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Waiting {
    Endpoint from, to;
    std::vector<std::uint8_t> payload;
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };
  struct Binding {
    Endpoint local;
    std::uint32_t next_on_port = kNone;
    std::uint32_t queued = 0;  // cost of all that waits
    DatagramConfig config{};
    bool ended = false;      // its address is gone; it is in no list of its port
    bool in_events = false;  // in the queue of those with something to tell
    std::optional<Error> failure{};
    base::Ring<Waiting> queue{};
    friend bool operator==(const Binding&, const Binding&) = default;
  };

  std::optional<std::uint32_t> first_on_port(std::uint16_t port) const;
  bool is_taken(const Endpoint& local) const;
  Result<std::uint16_t> choose_port(base::Prng& prng) const;
  void unlink(std::uint32_t index);
  void queue_event(std::uint32_t index);

  DatagramTableConfig config_;
  base::Slab<Binding> bindings_;
  base::FlatIndex ports_;  // to the last bound of each port; the others follow by next_on_port
  base::Ring<std::uint32_t> tellers_;  // with something to tell
};

}  // namespace estab::udp
