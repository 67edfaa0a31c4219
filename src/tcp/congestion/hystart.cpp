#include "tcp/congestion/hystart.h"

#include <algorithm>
#include <utility>

#include "base/hasher.h"

namespace estab::tcp::congestion {

namespace {

// RFC 9406 §4.3: the recommended constants.
// [RFC 9406 4.3-3]
constexpr Duration kMinRttThreshold = std::chrono::milliseconds(4);
constexpr Duration kMaxRttThreshold = std::chrono::milliseconds(16);
constexpr int kMinRttDivisor = 8;
constexpr std::uint8_t kRttSamples = 8;
constexpr std::uint32_t kCssGrowthDivisor = 4;
constexpr std::uint8_t kCssRounds = 5;
constexpr std::uint32_t kUnpacedLimit = 8;  // L, segments
constexpr std::uint32_t kBlocksAWindow = 16;

Duration threshold(Duration rtt) {
  return std::clamp(rtt / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
}

}  // namespace

HyStart::Phase HyStart::on_ack(const AckEvent& event, RoundTrip round, std::uint32_t cwnd,
                               std::uint32_t mss) {
  if (event.rtt) take_sample(event.now, *event.rtt, cwnd);
  block_octets_ += event.delivered;
  round_octets_ += event.delivered;
  if (round == RoundTrip::ended) end_round(mss);
  return phase_;
}

void HyStart::take_sample(Instant now, Duration rtt, std::uint32_t cwnd) {
  round_min_ = std::min(round_min_, rtt);
  if (now != sampled_at_) {
    if (samples_ >= kRttSamples && block_octets_ >= cwnd / kBlocksAWindow) judge();
    if (samples_ < kRttSamples) ++samples_;
    sampled_at_ = now;
  }
  block_min_ = std::min(block_min_, rtt);
}

/// The block is complete: does it show a queue?
void HyStart::judge() {
  const Duration shortest = block_min_;
  begin_block();
  judged_ = true;
  const Duration base = phase_ == Phase::conservative ? baseline_ : last_min_;
  if (base == kNone || shortest < base + threshold(base)) return;
  delayed_ = true;
  if (phase_ == Phase::slow_start) {
    phase_ = Phase::conservative;
    baseline_ = base;
    css_rounds_ = 0;
  } else if (css_rounds_ > 0) {
    phase_ = Phase::done;  // another round confirms it
  }
}

void HyStart::begin_block() {
  block_min_ = kNone;
  samples_ = 0;
  block_octets_ = 0;
}

void HyStart::end_round(std::uint32_t mss) {
  if (!judged_ && round_octets_ / kRttSamples >= mss) judge();
  if (phase_ == Phase::conservative && judged_) {
    // The round in which CSS began counts.
    if (!delayed_)
      phase_ = Phase::slow_start;
    else if (++css_rounds_ == kCssRounds)
      phase_ = Phase::done;
  }
  begin_block();
  last_min_ = std::exchange(round_min_, kNone);
  round_octets_ = 0;
  judged_ = delayed_ = false;
}

// [RFC 9406 4.3-4]
std::uint32_t HyStart::growth(std::uint32_t acked, const Settings& settings) const {
  if (!settings.paced) acked = std::min(acked, kUnpacedLimit * settings.mss);
  return phase_ == Phase::conservative ? acked / kCssGrowthDivisor : acked;
}

void HyStart::hash_into(base::Hasher& hasher) const {
  hasher.add_all(last_min_, round_min_, block_min_, baseline_, sampled_at_, block_octets_,
                 round_octets_, samples_, css_rounds_, judged_, delayed_, phase_);
}

}  // namespace estab::tcp::congestion
