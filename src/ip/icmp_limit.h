// RateLimit: a token bucket. One token is one ICMP error that may be sent; tokens come back at a
// steady rate up to a burst, so that a traceroute is answered at once and a flood is not
// (RFC 4443 §2.4 (f), RFC 1812 §4.3.2.8). What an error costs can be left to chance, so that
// nobody who sees only whether the limit is reached can count the errors (CVE-2020-25705).
// Integer arithmetic only: the same on every machine, and
// no fraction of a token is lost however often it is asked.
#pragma once

#include <algorithm>
#include <cstdint>

#include "estab/time.h"

#include "base/hasher.h"

namespace estab::ip {

class RateLimit {
 public:
  /// Full at first. A rate of zero never gives tokens back.
  constexpr RateLimit(std::uint32_t per_second, std::uint32_t burst)
      : per_second_(per_second), burst_(burst), credit_(full()) {}

  /// Takes so many tokens, the last of them perhaps on credit; false if there is not one.
  constexpr bool take(Instant now, std::uint32_t tokens = 1) {
    refill(now);
    if (credit_ < kToken) return false;
    credit_ -= tokens * kToken;
    return true;
  }

  bool operator==(const RateLimit&) const = default;
  void hash_into(base::Hasher& hasher) const {
    const auto& [per_second, burst, credit, updated] = *this;
    if (hasher.takes_history()) return hasher.add_all(per_second, burst, credit, updated);
    RateLimit then = *this;
    then.refill(hasher.origin());
    hasher.add_all(per_second_, burst_, then.credit_);
  }

 private:
  // Credit is counted in billionths of a token: n tokens a second are n units a nanosecond.
  static constexpr std::int64_t kToken = 1'000'000'000;

  constexpr std::int64_t full() const { return burst_ * kToken; }

  constexpr void refill(Instant now) {
    if (now <= updated_) return;
    const auto elapsed = static_cast<std::uint64_t>((now - updated_).count());
    updated_ = now;
    if (per_second_ == 0) return;
    // Compared before it is multiplied, so that no length of time overflows.
    const auto missing = static_cast<std::uint64_t>(full() - credit_);
    if (elapsed > missing / per_second_) {
      credit_ = full();
    } else {
      credit_ += static_cast<std::int64_t>(elapsed * per_second_);
    }
  }

  std::uint32_t per_second_;
  std::uint32_t burst_;
  std::int64_t credit_;
  Instant updated_{};
};

}  // namespace estab::ip
