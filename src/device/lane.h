// Lane: one direction of a memory link: what it does to frames, and those in flight. A value. Law:
// the fate of a frame depends on the seed and the frames before it, and on nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/memory_link.h"
#include "estab/time.h"

#include "base/prng.h"
#include "device/flight.h"

namespace estab::device {

/// What is to be done to one frame.
struct Fate {
  bool lost = false, duplicated = false, reordered = false, corrupted = false;
};

class Lane {
 public:
  Lane(const Impairments& of, std::uint64_t seed) : prng_(seed) { impair_by(of); }

  void impair_by(const Impairments& of) {
    impairments_ = of;
    impairs_ = !of.none();
  }
  /// The next frame will not be impaired, and none is ahead of it.
  bool is_straight() const { return !impairs_ && flight_.size() == 0; }

  /// Draws the next frame's fate.
  Fate draw();
  /// Lets a frame in; its arrival is decided here. It may never arrive.
  void enter(Instant now, FlyingFrame frame, const Fate& fate);
  Instant next_arrival() const { return flight_.next_arrival(); }
  std::size_t frames_in_flight() const { return flight_.size(); }
  /// The next frame if it has arrived by `now`.
  std::optional<FlyingFrame> take_arrived(Instant now) {
    if (flight_.next_arrival() > now) return std::nullopt;
    ++counters.delivered;
    return flight_.take();
  }

  /// Counters are left out: they decide nothing.
  friend bool operator==(const Lane& x, const Lane& y) {
    return x.impairments_ == y.impairments_ && x.prng_ == y.prng_ && x.flight_ == y.flight_ &&
           x.line_free_at_ == y.line_free_at_ && x.last_arrival_ == y.last_arrival_;
  }

  LinkCounters counters{};

 private:
  std::optional<Instant> departure(Instant now, std::size_t octets);
  Instant arrival(Instant departure, const Fate& fate);

  Impairments impairments_;
  bool impairs_ = false;
  base::Prng prng_;
  Flight flight_{};
  Instant line_free_at_ = Instant::min();  // when all that was sent has left at the link's rate
  Instant last_arrival_ = Instant::min();  // of the frames in order
};

}  // namespace estab::device
