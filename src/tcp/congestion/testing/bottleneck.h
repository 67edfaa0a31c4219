// A path with one bottleneck, packet by packet in virtual time.
//
// Law: nothing is left to chance but what the seed says; the same settings give the same packets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "estab/time.h"

#include "base/prng.h"

namespace estab::tcp::congestion::testing {

inline constexpr std::uint32_t kMss = 1448;

struct PathSettings {
  std::uint64_t bits_per_second = 50'000'000;  ///< in packets of 1500 octets
  Duration rtt = std::chrono::milliseconds(60);
  std::size_t queue = 250;                     ///< packets; the next one is dropped
  std::size_t mark_from = SIZE_MAX;            ///< packets waiting from which on CE is set
  double loss = 0;                             ///< of a packet, by chance
  std::function<bool(std::uint64_t)> drops{};  ///< the n-th packet of the path is dropped
  Duration ack_bundle{};                       ///< ACKs leave only at multiples of this
  Duration standstill_at{}, standstill{};      ///< what would be acknowledged then comes behind it
  std::uint64_t seed = 1;
};

/// The queue all flows share.
class Bottleneck {
 public:
  explicit Bottleneck(const PathSettings& settings)
      : settings_(settings),
        prng_(settings.seed),
        packet_time_(Duration(1500 * 8 * std::int64_t{1'000'000'000} /
                              static_cast<std::int64_t>(settings.bits_per_second))) {}

  struct Passage {
    Instant ack_at;
    bool marked;
  };
  /// When the ACK of a packet sent now arrives; nothing: the packet is lost.
  std::optional<Passage> carry(Instant now) {
    const std::uint64_t number = packets_++;
    if (settings_.drops && settings_.drops(number)) return {};
    if (settings_.loss > 0 &&
        static_cast<double>(prng_.below(1'000'000)) < settings_.loss * 1'000'000)
      return {};
    const auto waiting =
        static_cast<std::size_t>(std::max(free_at_ - now, Duration{}) / packet_time_);
    if (waiting >= settings_.queue) return {};
    free_at_ = std::max(free_at_, now) + packet_time_;
    return Passage{held(free_at_ + settings_.rtt), waiting >= settings_.mark_from};
  }
  Duration rtt() const { return settings_.rtt; }
  double bdp_packets() const {
    return static_cast<double>(settings_.rtt.count()) / static_cast<double>(packet_time_.count());
  }

 private:
  /// What the way back does to an ACK that would arrive then.
  Instant held(Instant ack_at) {
    const Instant still = Instant{} + settings_.standstill_at;
    const Instant again = still + settings_.standstill;
    if (ack_at >= still && ack_at < again) ack_at = std::max(again, last_ack_ + packet_time_);
    last_ack_ = ack_at = std::max(ack_at, last_ack_);
    if (settings_.ack_bundle == Duration{}) return ack_at;
    const Duration since = ack_at.time_since_epoch() + settings_.ack_bundle - Duration(1);
    return Instant(since / settings_.ack_bundle * settings_.ack_bundle);
  }

  PathSettings settings_;
  base::Prng prng_;
  Duration packet_time_;
  Instant free_at_{}, last_ack_{};
  std::uint64_t packets_ = 0;
};

}  // namespace estab::tcp::congestion::testing
