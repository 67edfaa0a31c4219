// Pipe: one direction of a simulated link, for whole IP datagrams. Law: what becomes of a packet
// follows from the settings, the seed and the packets before it, and from nothing else; a pipe is a
// value, and a copy has the same luck ahead. It reads no clock: whoever has one, virtual or real,
// tells the time (the two of `estab impair` stand between two TUNs).
//
//   sim::Pipe pipe({.rate_bits_per_second = 1'000'000, .delay = 10ms}, seed, now);
//   pipe.enter(now, octets);
//   while (auto packet = pipe.take(now)) deliver(*packet);      // again at pipe.next_deadline()
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "estab/octets.h"
#include "estab/sim/link.h"

namespace estab::sim {

class Pipe {
 public:
  /// `made`: from when on blackouts and changes of delay are counted.
  Pipe(const LinkConfig& config, std::uint64_t seed, Instant made);
  Pipe(const Pipe& other);
  Pipe& operator=(const Pipe& other);
  Pipe(Pipe&&) noexcept;
  Pipe& operator=(Pipe&&) noexcept;
  ~Pipe();

  /// A datagram is put on the link. Times must not go back.
  void enter(Instant now, std::vector<std::uint8_t> packet);
  /// The next packet that has come through by `now`.
  std::optional<std::vector<std::uint8_t>> take(Instant now);
  /// When take() may have something; not after now if it does, kNever if nothing is under way.
  Instant next_deadline() const;

  const LinkConfig& config() const;
  const PipeCounters& counters() const;
  /// Packets that wait for the link, and that are on their way.
  std::size_t waiting() const;
  std::size_t under_way() const;

  /// From the next packet on.
  void set_config(const LinkConfig& config);

  friend bool operator==(const Pipe& a, const Pipe& b) { return a.equals(b); }

 private:
  bool equals(const Pipe& other) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab::sim
