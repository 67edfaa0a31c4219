// What BBR measures: rounds, bandwidth, round-trip time, aggregation, losses (draft-ietf-ccwg-bbr
// §5.5).

#include <algorithm>

#include "tcp/congestion/bbr.h"

namespace estab::tcp::congestion {

namespace {

constexpr Duration kMinRttFilterLength = std::chrono::seconds(10);
constexpr Duration kProbeRttInterval = std::chrono::seconds(5);
constexpr Duration kTimerNoise = std::chrono::milliseconds(1);
constexpr std::uint64_t kWhole = 4096;         // shares are in these
constexpr std::uint8_t kExtraAckedRounds = 5;  // half of ExtraAckedFilterLen

/// BBR.Beta: 0.7.
template <class Number>
Number reduced(Number number) {
  return static_cast<Number>(std::uint64_t{number} * 7 / 10);
}

}  // namespace

bool Bbr::is_limited(const RateSample& sample) const {
  return sample.app_limited || sample.prior_delivered < probe_rtt_limited_until_;
}

// ---- rounds and bandwidth

/// UpdateRound (§5.5.1).
void Bbr::update_round(const AckEvent& event) {
  round_start_ = round_.on_ack(event.rate, event.total_delivered) == RoundTrip::ended;
  if (!round_start_) return;
  ++round_count_;
  ++rounds_since_probe_up_;
  restart_round_ = false;
}

/// UpdateMaxBw (§5.5.5). A sample that the application limits counts only if it is higher.
void Bbr::update_max_bw(const RateSample& sample) {
  if (sample.rate == 0 || (sample.rate < max_bw() && is_limited(sample))) return;
  max_bw_[1] = std::max(max_bw_[1], sample.rate);
}

/// AdvanceMaxBwFilter (§5.5.6): two cycles of probing count. One without samples is none.
void Bbr::advance_max_bw_filter() {
  if (max_bw_[1] == 0) return;
  max_bw_[0] = max_bw_[1];
  max_bw_[1] = 0;
}

// ---- what came of the last round trip (§5.5.10.3)

void Bbr::update_latest_delivery_signals(const AckEvent& event) {
  bw_latest_ = std::max(bw_latest_, event.rate.rate);
  inflight_latest_ = std::max(inflight_latest_, event.rate.delivered);
  loss_round_start_ = loss_round_.on_ack(event.rate, event.total_delivered) == RoundTrip::ended;
}

void Bbr::advance_latest_delivery_signals(const AckEvent& event) {
  if (!loss_round_start_) return;
  bw_latest_ = event.rate.rate;
  inflight_latest_ = event.rate.delivered;
}

void Bbr::update_congestion_signals(const AckEvent& event) {
  update_round(event);
  update_max_bw(event.rate);
  if (event.lost > 0 && loss_events_in_round_ < 255) ++loss_events_in_round_;
  if (event.rtt) round_rtt_ = std::min(round_rtt_, *event.rtt);
  lost_in_round_ += event.lost;
  delivered_in_round_ += event.delivered;
  if (!loss_round_start_) return;
  if (was_without_queue())
    learn_background_loss();
  else
    adapt_lower_bounds_from_congestion();
  undo_is_open_ = in_loss_recovery_ || (undo_is_open_ && is_loss_in_round_);
  is_loss_in_round_ = false;
  round_rtt_ = kNoRtt;
  lost_in_round_ = delivered_in_round_ = 0;
}

/// The shortest RTT of the round is that of the path, give or take what timers do.
bool Bbr::was_without_queue() const {
  return min_rtt_ != kNoRtt && round_rtt_ <= min_rtt_ + std::max(min_rtt_ / 16, kTimerNoise);
}

/// What is lost while nothing waits in a queue was lost to something else.
void Bbr::learn_background_loss() {
  if (is_probing_bw()) return;
  const std::uint64_t sent = lost_in_round_ + delivered_in_round_;
  const std::uint64_t share = sent == 0 ? 0 : lost_in_round_ * kWhole / sent;
  background_loss_ += static_cast<std::uint16_t>((share + 7) / 8) - (background_loss_ + 7) / 8;
}

/// Once a round trip with a loss, outside of probing: down to what was delivered, by 0.7 at most.
void Bbr::adapt_lower_bounds_from_congestion() {
  if (is_probing_bw() || !is_loss_in_round_) return;
  if (bw_shortterm_ == kNoRate) bw_shortterm_ = max_bw();
  if (inflight_shortterm_ == kNoBound) inflight_shortterm_ = cwnd_;
  bw_shortterm_ = std::max(bw_latest_, reduced(bw_shortterm_));
  inflight_shortterm_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      inflight_latest_, reduced(inflight_shortterm_), inflight_shortterm_));
}

void Bbr::reset_congestion_signals() {
  is_loss_in_round_ = false;
  bw_latest_ = 0;
  inflight_latest_ = 0;
}

void Bbr::reset_short_term_model() {
  bw_shortterm_ = kNoRate;
  inflight_shortterm_ = kNoBound;
}

// ---- aggregation (§5.5.9)

void Bbr::update_ack_aggregation(const AckEvent& event) {
  const Duration interval = event.now - extra_acked_interval_start_;
  const auto microseconds = static_cast<std::uint64_t>(interval.count()) / 1000;
  // An interval as long as a minute is not one of aggregation, and would not fit.
  const bool endless = interval > std::chrono::minutes(1);
  std::uint64_t expected = endless ? kNoRate : bw() * microseconds / 1'000'000;
  if (extra_acked_delivered_ <= expected) {
    extra_acked_delivered_ = 0;
    extra_acked_interval_start_ = event.now;
    expected = 0;
  }
  extra_acked_delivered_ += event.delivered;
  const std::uint64_t extra = std::min<std::uint64_t>(extra_acked_delivered_ - expected, cwnd_);
  // In Startup one round trip is remembered, later five to ten.
  const std::uint8_t length = full_bw_reached_ ? kExtraAckedRounds : 1;
  if (round_start_ && ++extra_acked_rounds_ >= length) {
    extra_acked_ = {extra_acked_[1], 0};
    extra_acked_rounds_ = 0;
  }
  extra_acked_[1] = std::max(extra_acked_[1], static_cast<std::uint32_t>(extra));
}

// ---- round-trip time (§5.3.4.3)

void Bbr::update_min_rtt(const AckEvent& event) {
  const bool first = probe_rtt_min_delay_ == kNoRtt;
  probe_rtt_expired_ = !first && event.now > probe_rtt_min_stamp_ + kProbeRttInterval;
  if (event.rtt && (*event.rtt < probe_rtt_min_delay_ || probe_rtt_expired_)) {
    probe_rtt_min_delay_ = *event.rtt;
    probe_rtt_min_stamp_ = event.now;
    // It went out with as little in flight as ProbeRTT would leave: there is nothing to drain.
    if (event.rate.tx_in_flight <= probe_rtt_cwnd()) probe_rtt_expired_ = false;
  }
  const bool min_rtt_expired = event.now > min_rtt_stamp_ + kMinRttFilterLength;
  if (probe_rtt_min_delay_ < min_rtt_ || min_rtt_expired) {
    min_rtt_ = probe_rtt_min_delay_;
    min_rtt_stamp_ = probe_rtt_min_stamp_;
  }
}

// ---- losses (§5.5.10)

/// HandleLostPacket.
void Bbr::on_lost(const LostPacket& packet) {
  note_loss(packet.total_delivered);
  if (!is_bw_probe_sample_ || !is_inflight_too_high(packet.lost, packet.tx_in_flight)) return;
  // InflightAtLoss: the prefix of this packet with which losses crossed LossThresh, 1/50:
  // (inflight_prev / 50 - lost_prev) / (1 - 1/50).
  const std::int64_t inflight_prev = std::int64_t{packet.tx_in_flight} - packet.octets;
  const std::int64_t lost_prev = std::int64_t{packet.lost} - packet.octets;
  const std::int64_t prefix = (inflight_prev - 50 * lost_prev) / 49;
  const std::int64_t at_loss = std::clamp<std::int64_t>(inflight_prev + prefix, 0, kMaxWindow);
  handle_inflight_too_high(static_cast<std::uint32_t>(at_loss), packet);
}

void Bbr::note_loss(std::uint64_t total_delivered) {
  if (!is_loss_in_round_) {
    loss_round_.start(total_delivered);
    save_cwnd();
    save_state_upon_loss();
  }
  is_loss_in_round_ = true;
}

void Bbr::save_state_upon_loss() {
  if (undo_is_open_) return;
  undo_is_open_ = true;
  undo_state_ = kNoState;
  undo_bw_shortterm_ = bw_shortterm_;
  undo_inflight_shortterm_ = inflight_shortterm_;
  undo_inflight_longterm_ = inflight_longterm_;
}

/// More than LossThresh, 2 %, of what was in flight, beside what the path loses anyway. That
/// varies: twice its mean.
bool Bbr::is_inflight_too_high(std::uint64_t lost, std::uint64_t tx_in_flight) const {
  return lost * kWhole > tx_in_flight * (kWhole / 50 + std::uint64_t{2} * background_loss_);
}

void Bbr::handle_inflight_too_high(std::uint32_t tx_in_flight, const LostPacket& packet) {
  prev_probe_too_high_ = true;
  is_bw_probe_sample_ = false;  // one answer for one probe
  if (!packet.app_limited) inflight_longterm_ = std::max(tx_in_flight, reduced(target_inflight()));
  if (state_ != State::probe_bw_up) return;
  undo_state_ = State::probe_bw_up;
  start_probe_bw_down(packet.now, packet.total_delivered);
}

}  // namespace estab::tcp::congestion
