// Secrets: everything in TCP that an outsider must not be able to predict, each from a key of its
// own derived from the stack's seed: initial sequence numbers, timestamps, ports, cookies, and the
// place of a connection in the flow table.
#pragma once

#include <array>
#include <cstdint>

#include "estab/segment.h"
#include "estab/time.h"

#include "base/siphash.h"

namespace estab::tcp {

class Secrets {
 public:
  explicit Secrets(const std::array<std::uint64_t, 2>& seed);

  /// What a connection begins to count from: two halves of one hash, neither of which says anything
  /// of the other.
  struct InitialNumbers {
    SeqNum isn;
    std::uint32_t timestamp_offset;
  };
  InitialNumbers initial_numbers(const FourTuple& tuple, Instant now) const;
  /// ISN = M + F(tuple, secret), M a clock of 4 microseconds (RFC 6528 §3, MUST-8, SHLD-1).
  SeqNum initial_sequence(const FourTuple& tuple, Instant now) const {
    return initial_numbers(tuple, now).isn;
  }
  /// Where this pair's timestamp clock begins (RFC 7323 §5.4, §7.1).
  // [RFC 7323 7-1]
  std::uint32_t timestamp_offset(const FourTuple& tuple) const {
    return static_cast<std::uint32_t>(keyed_hash(begin_, tuple) >> 32);
  }
  /// Where the search for an ephemeral port begins for a destination (RFC 6056 §3.3.3).
  std::uint32_t port_offset(const IpAddress& local, const Endpoint& remote) const;
  /// The place in the flow table: not to be found out, so that nobody can fill one bucket.
  std::uint32_t flow_hash(const FourTuple& tuple) const {
    return static_cast<std::uint32_t>(keyed_hash(flow_, tuple));
  }
  /// A tag over what a SYN cookie must remember (RFC 4987 §3.6).
  std::uint64_t cookie_tag(const FourTuple& tuple, SeqNum irs, std::uint64_t epoch,
                           std::uint8_t mss_index) const;

  /// What Fast Open cookies are made with in this period.
  base::SipKey fast_open_key(std::uint64_t period) const;

  friend bool operator==(const Secrets&, const Secrets&) = default;

 private:
  using Key = base::SipKey;
  static std::uint64_t keyed_hash(const Key& key, const FourTuple& tuple);

  Key begin_, port_, flow_, cookie_, fast_open_;
};

// Twelve octets in IPv4, thirty-six in IPv6: SipHash takes the ports together with the length.
inline std::uint64_t Secrets::keyed_hash(const Key& key, const FourTuple& tuple) {
  const std::uint64_t ports = std::uint64_t{tuple.local_port} << 16 | tuple.remote_port;
  base::SipHash<1, 3> sip(key);
  if (tuple.local_address.is_v4()) {
    sip.add(std::uint64_t{base::load_be32(tuple.local_address.octets().data() + 12)} << 32 |
            base::load_be32(tuple.remote_address.octets().data() + 12));
    return sip.finish(ports, 12);
  }
  for (const IpAddress& address : {tuple.local_address, tuple.remote_address}) {
    sip.add(base::load_be64(address.octets().data()));
    sip.add(base::load_be64(address.octets().data() + 8));
  }
  return sip.finish(ports, 36);
}

}  // namespace estab::tcp
