// Fast Open where it is listened (RFC 7413 §4.2.2, "Server: receiving SYN"): whether the octets of
// a SYN are taken, and what the SYN-ACK says of cookies. A pure decision, and the count it rests
// on.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/segment.h"
#include "estab/time.h"

#include "base/hasher.h"
#include "tcp/open/fast_open_cookie.h"

namespace estab::tcp {

/// PendingFastOpenRequests of one listener (RFC 7413 §5.1). One that its peer has reset goes on
/// being counted for a while: else the resets of those whose addresses are used would make room for
/// the next flood.
class PendingFastOpens {
 public:
  bool has_room(std::uint32_t limit, Instant now);
  void add() { ++waiting_; }
  /// Its SYN-ACK has been acknowledged, or it has ended in another way than by a reset.
  void remove() { --waiting_; }
  void remove_reset(Instant now) {
    remove();
    age(now);
    ++recent_;
  }

  std::uint32_t waiting() const { return waiting_; }
  friend bool operator==(const PendingFastOpens& a, const PendingFastOpens& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  void age(Instant now);
  auto fields() const;

  std::uint32_t waiting_ = 0;
  std::uint32_t recent_ = 0, earlier_ = 0;  // reset since then, and in the minute before
  Instant since_;
};

/// What LISTEN does with a SYN.
struct FastOpenAnswer {
  bool takes_octets = false;               ///< and acknowledges them
  std::optional<FastOpenOption> option{};  ///< of the SYN-ACK
};

/// `issuer` is asked only if the SYN has a cookie, or asks for one.
FastOpenAnswer answer_fast_open(const FastOpen& settings, const CookieIssuer& issuer,
                                const FourTuple& tuple, const Segment& syn);

/// Whether a SYN has anything to do with Fast Open.
inline bool concerns_fast_open(const FastOpen& settings, const Segment& syn) {
  return settings.pending > 0 &&
         (syn.options.fast_open || (!settings.cookies && !syn.payload.empty()));
}

}  // namespace estab::tcp
