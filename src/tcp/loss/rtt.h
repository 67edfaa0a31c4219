// RttEstimator: RFC 6298. Law: a sample never comes from a segment that was sent twice, unless the
// timestamp says which sending is answered (Karn's algorithm; RFC 7323 §4). And one sample alone
// hardly more than doubles the RTO: see on_sample.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "estab/config.h"
#include "estab/time.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

/// The settings leave the RTO no choice: whatever is measured, it stays the same.
inline bool is_rto_pinned(const TcpConfig& config) {
  return config.rto_min == config.rto_max && config.rto_initial == config.rto_max;
}

class RttEstimator {
 public:
  explicit RttEstimator(const TcpConfig& config);

  /// Also ends a back-off: only a new measurement does (RFC 6298 §5, the note behind (5.7)). There
  /// is to be one a round trip at most: what is measured was sent after the last sample was taken.
  void on_sample(Duration rtt, const TcpConfig& config);
  /// Another round trip, which is no sample: min_rtt() knows of every one.
  void on_round_trip(Duration rtt) {
    if (has_sample()) min_rtt_ = std::min(min_rtt_, std::max(rtt, Duration(1)));
  }
  /// What was measured before these last ones may have been of another path: see RecentRtt.
  void forget_older(Duration least) { min_rtt_ = least; }
  /// (5.5) RTO <- RTO * 2, up to the maximum.
  void back_off(const TcpConfig& config);
  /// (5.7) The SYN had to be repeated and no sample was taken: 3 s for the data.
  void on_syn_retransmitted(const TcpConfig& config);

  /// With the back-off in force.
  Duration rto(const TcpConfig& config) const;
  Duration srtt() const { return srtt_; }
  Duration rttvar() const { return rttvar_; }
  Duration min_rtt() const { return min_rtt_; }
  std::uint8_t backoff() const { return backoff_; }
  bool has_sample() const { return srtt_ > Duration::zero(); }

  friend bool operator==(const RttEstimator&, const RttEstimator&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  Duration believable(Duration rtt);

  Duration srtt_{}, rttvar_{}, min_rtt_{};
  Duration rto_;
  std::uint8_t backoff_ = 0;
  bool beyond_ = false;  // the last sample lay beyond the RTO
};

/// The least round trip of late, so that a path may become longer: the least of one period and of
/// what has passed of the next, 150 to 300 seconds.
// [RFC 8985 6.2-1]
class RecentRtt {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(150);

  /// At the end of a period: the least of it.
  std::optional<Duration> on_round_trip(Instant now, Duration rtt) {
    if (least_ == kNone) begun_ = now;
    least_ = std::min(least_, rtt);
    if (now - begun_ < kPeriod) return std::nullopt;
    return std::exchange(least_, kNone);
  }

  friend bool operator==(const RecentRtt&, const RecentRtt&) = default;
  void hash_into(auto& hasher) const {
    hasher.add(least_);
    if (least_ != kNone) hasher.add(begun_);
  }

 private:
  static constexpr Duration kNone = Duration::max();
  Duration least_ = kNone;
  Instant begun_{};
};

}  // namespace estab::tcp
