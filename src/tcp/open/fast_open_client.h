// Fast Open of who connects (RFC 7413 §4.2.2, "Client"): what the SYN says and carries, and what
// its answer, or that there was none, teaches for the next time.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/config.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "base/hasher.h"
#include "tcp/open/fast_open_cache.h"

namespace estab::tcp {

class Handshake;

/// Fast Open in the SYN of an active open.
struct FastOpenSyn {
  std::optional<FastOpenOption> option{};  ///< with a cookie, or to ask for one
  std::uint32_t room = 0;                  ///< octets it may carry

  friend bool operator==(const FastOpenSyn&, const FastOpenSyn&) = default;
  void hash_into(base::Hasher& hasher) const;
};

/// What to try with that peer. `largest`: payload octets of the largest segment that the path and
/// the settings allow, without options.
FastOpenSyn plan_fast_open(const FastOpenCache& cache, const FourTuple& tuple,
                           const FastOpen& settings, std::uint32_t largest, Instant now);

/// The SYN-ACK has come, and the handshake has taken it.
void learn_from_syn_ack(FastOpenCache& cache, const Handshake& handshake, const Segment& syn_ack,
                        Instant now);

}  // namespace estab::tcp
