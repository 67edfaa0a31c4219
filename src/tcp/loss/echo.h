// Echo: which sending an acknowledgement answers, as far as its timestamp tells (RFC 7323 §4, the
// Eifel detection of RFC 3522). Law: a doubt is a no.
#pragma once

#include <cstdint>
#include <optional>

#include "estab/time.h"

#include "tcp/open/opening.h"

namespace estab::tcp::loss {

struct Echo {
  std::optional<std::uint32_t> value{};  ///< TSecr; nothing: the ACK has none, or none that counts
  std::uint32_t clock_offset = 0;        ///< of our own timestamps

  /// What it answers was sent earlier than then.
  bool is_before(Instant sent_at) const {
    return value && is_older(*value, timestamp_clock(sent_at, clock_offset));
  }
  /// What it answers was sent then or later.
  bool is_since(Instant sent_at) const {
    return value && !is_older(*value, timestamp_clock(sent_at, clock_offset));
  }
  /// How long ago that was: whole milliseconds, one at least.
  std::optional<Duration> age(Instant now) const {
    if (!value) return std::nullopt;
    const std::uint32_t ticks = timestamp_clock(now, clock_offset) - *value;
    return std::chrono::milliseconds(ticks > 0 ? ticks : 1);
  }
};

}  // namespace estab::tcp::loss
