// Secrets: everything in TCP that an outsider must not be able to predict, each from a key of its
// own derived from the stack's seed: initial sequence numbers, timestamps, ports, cookies, and the
// place of a connection in the flow table.
#pragma once

#include <array>
#include <cstdint>

#include "estab/segment.h"
#include "estab/time.h"

namespace estab::tcp {

class Secrets {
 public:
  explicit Secrets(const std::array<std::uint64_t, 2>& seed);

  /// ISN = M + F(tuple, secret), M a clock of 4 microseconds (RFC 6528 §3, MUST-8, SHLD-1).
  SeqNum initial_sequence(const FourTuple& tuple, Instant now) const;
  /// Where this pair's timestamp clock begins (RFC 7323 §5.4, §7.1).
  std::uint32_t timestamp_offset(const FourTuple& tuple) const;
  /// Where the search for an ephemeral port begins for a destination (RFC 6056 §3.3.3).
  std::uint32_t port_offset(const IpAddress& local, const Endpoint& remote) const;
  /// The place in the flow table: not to be found out, so that nobody can fill one bucket.
  std::uint64_t flow_hash(const FourTuple& tuple) const;
  /// A tag over what a SYN cookie must remember (RFC 4987 §3.6).
  std::uint64_t cookie_tag(const FourTuple& tuple, SeqNum irs, std::uint64_t epoch,
                           std::uint8_t mss_index) const;

  friend bool operator==(const Secrets&, const Secrets&) = default;

 private:
  using Key = std::array<std::uint64_t, 2>;
  Key isn_, timestamp_, port_, flow_, cookie_;
};

}  // namespace estab::tcp
