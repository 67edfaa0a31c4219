#include "device/lane.h"

#include <algorithm>
#include <utility>

#include "trace/finish_checksum.h"

namespace estab::device {
namespace {

void corrupt(FlyingFrame& frame, base::Prng& prng) {
  if (frame.octets.empty()) return;
  // On a link that corrupts frames checksums are computed and verified.
  if (frame.partial_checksum) trace::finish_checksum(frame.octets, *frame.partial_checksum);
  frame.partial_checksum.reset();
  std::uint8_t& octet = frame.octets[prng.below(frame.octets.size())];
  const bool one_bit = prng.below(2) == 0;
  octet ^= static_cast<std::uint8_t>(one_bit ? 1u << prng.below(8) : 1 + prng.below(255));
}

}  // namespace

Fate Lane::draw() {
  Fate fate;
  const auto happens = [this](double chance) { return chance > 0 && prng_.chance(chance); };
  fate.lost = happens(impairments_.loss);
  fate.duplicated = happens(impairments_.duplicate);
  fate.reordered = happens(impairments_.reorder);
  fate.corrupted = happens(impairments_.corrupt);
  return fate;
}

/// When the frame's last octet has been sent; nothing if the queue is full.
std::optional<Instant> Lane::departure(Instant now, std::size_t octets) {
  const std::uint64_t rate = impairments_.rate_bits_per_second;
  if (rate == 0) return now;
  const auto time_for = [rate](double count) {
    return Duration(static_cast<Duration::rep>(count * 8e9 / static_cast<double>(rate)));
  };
  const Instant start = std::max(now, line_free_at_);
  const Duration most_wait = time_for(static_cast<double>(impairments_.queue_octets));
  if (impairments_.queue_octets != 0 && start - now > most_wait) return std::nullopt;
  line_free_at_ = start + time_for(static_cast<double>(octets));
  return line_free_at_;
}

Instant Lane::arrival(Instant departure, const Fate& fate) {
  Instant instant = departure + impairments_.delay;
  if (impairments_.jitter > Duration{0}) {
    const auto most = static_cast<std::uint64_t>(impairments_.jitter.count());
    instant += Duration(static_cast<Duration::rep>(prng_.below(most + 1)));
  }
  if (fate.reordered) return std::max(instant, last_arrival_) + impairments_.reorder_delay;
  last_arrival_ = std::max(instant, last_arrival_);
  return last_arrival_;
}

void Lane::enter(Instant now, FlyingFrame frame, const Fate& fate) {
  const auto left_at = departure(now, frame.octets.size());
  if (!left_at) {
    ++counters.overflowed;
    return;
  }
  counters.lost += fate.lost;
  if (fate.lost) return;
  if (fate.duplicated) {
    FlyingFrame again = frame;
    again.arrival = arrival(*left_at, {});
    flight_.add(std::move(again));
    ++counters.duplicated;
  }
  if (fate.corrupted) {
    corrupt(frame, prng_);
    ++counters.corrupted;
  }
  counters.reordered += fate.reordered;
  frame.arrival = arrival(*left_at, fate);
  flight_.add(std::move(frame));
}

}  // namespace estab::device
