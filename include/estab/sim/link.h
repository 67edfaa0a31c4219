// What a simulated link is: a rate with a queue before it, a delay, and what it does to datagrams
// on their way. Settings only; sim/pipe.h is the link itself.
//
//   sim::LinkConfig path{.rate_bits_per_second = 50'000'000, .delay = 30ms,
//                        .queue = {.packets = 250}, .impairments = {.loss = 0.01}};
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "estab/time.h"

namespace estab::sim {

/// What waits before the link, and who goes without. A queue without a limit holds everything.
struct Queue {
  enum class Discipline : std::uint8_t {
    drop_tail,  ///< one that finds the queue full is lost
    codel,      ///< RFC 8289: and those that have waited too long for too long
  };
  Discipline discipline = Discipline::drop_tail;
  std::size_t packets = 0;  ///< most that wait; 0: any number
  std::size_t octets = 0;   ///< most octets that wait; 0: any number
  Duration target = std::chrono::milliseconds(5);
  Duration interval = std::chrono::milliseconds(100);
  /// CoDel marks what can be marked (ECT) instead of dropping it (RFC 3168).
  bool ecn = false;
  /// Marks whatever can be marked once so many packets wait (the step of DCTCP, RFC 8257 §3.1).
  std::optional<std::size_t> mark_from{};
  friend bool operator==(const Queue&, const Queue&) = default;
};

/// Loss in bursts (Gilbert, Elliott): a packet takes the link from good to bad by `enter`, from bad
/// to good by `leave`, and is then lost by the chance of where it is.
struct BurstLoss {
  double enter = 0, leave = 1;
  double loss_good = 0, loss_bad = 1;
  friend bool operator==(const BurstLoss&, const BurstLoss&) = default;
};

/// Nothing gets through from `begin` on, for `length`. Counted from when the link was made.
struct Blackout {
  Duration begin{0}, length{0};
  friend bool operator==(const Blackout&, const Blackout&) = default;
};

/// From `at` on the delay is this one, as after a change of route.
struct DelayChange {
  Duration at{0}, delay{0};
  friend bool operator==(const DelayChange&, const DelayChange&) = default;
};

/// A box on the way that rewrites SYNs, as some do.
struct Middlebox {
  std::optional<std::uint16_t> clamp_mss{};
  bool strip_timestamps = false, strip_sack = false, strip_window_scale = false;

  bool none() const {
    return !clamp_mss && !strip_timestamps && !strip_sack && !strip_window_scale;
  }
  friend bool operator==(const Middlebox&, const Middlebox&) = default;
};

/// What a link does to the packets of one direction. Chances are per packet, 0 to 1.
struct Impairments {
  double loss = 0;
  std::optional<BurstLoss> burst_loss{};
  double ack_loss = 0;  ///< of segments without text, SYN, FIN and RST, besides `loss`
  double duplicate = 0;
  double corrupt = 0;  ///< one bit or one octet is changed
  double reorder = 0;  ///< the packet is held back for `reorder_delay`, and others overtake it
  Duration reorder_delay = std::chrono::milliseconds(2);
  /// Segments without text wait for each other so long, and then go together.
  Duration ack_compression{0};
  std::vector<Blackout> blackouts{};
  /// Larger packets vanish, and nobody says so (RFC 2923 §2.1). 0: none do.
  std::uint16_t black_hole_above = 0;
  Middlebox middlebox{};
  friend bool operator==(const Impairments&, const Impairments&) = default;
};

/// One direction.
struct LinkConfig {
  std::uint64_t rate_bits_per_second = 0;  ///< of IP datagrams; 0: no limit
  Duration delay{0};
  Duration jitter{0};  ///< up to this much more, drawn for each packet; keeps the order
  std::vector<DelayChange> delay_changes{};  ///< in order of `at`
  std::uint16_t mtu = 1500;
  Queue queue{};
  Impairments impairments{};
  friend bool operator==(const LinkConfig&, const LinkConfig&) = default;
};

/// What became of the packets of one direction.
struct PipeCounters {
  std::uint64_t entered = 0, octets_entered = 0;
  std::uint64_t delivered = 0, octets_delivered = 0;  ///< duplicates included
  std::uint64_t lost = 0;                             ///< by chance, in a blackout, in a black hole
  std::uint64_t queue_dropped = 0;                    ///< by the queue, full or by CoDel
  std::uint64_t marked = 0;                           ///< congestion experienced
  std::uint64_t duplicated = 0, reordered = 0, corrupted = 0;
  std::size_t most_waiting = 0;  ///< packets, at any time
  friend bool operator==(const PipeCounters&, const PipeCounters&) = default;
};

}  // namespace estab::sim
