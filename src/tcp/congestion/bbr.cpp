// What BBR concludes from its model: the pace, the quantum, the window (draft-ietf-ccwg-bbr §5.6).

#include "tcp/congestion/bbr.h"

#include <algorithm>

#include "base/hasher.h"
#include "tcp/congestion/window.h"

namespace estab::tcp::congestion {

namespace {

// Gains are hundredths.
constexpr std::uint64_t kOne = 100;
constexpr std::uint64_t kPacingMargin = 99;  // 100 - PacingMarginPercent

std::uint32_t to_window(std::uint64_t octets) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(octets, kMaxWindow));
}

}  // namespace

Bbr::Bbr(const Settings& settings)
    : settings_(settings), chance_(settings.seed), cwnd_(initial_window(settings)) {}

// The table of §5.6.1.
std::uint64_t Bbr::pacing_gain() const {
  switch (state_) {
    case State::startup:
      return restart_round_ ? kOne : 277;
    case State::drain:
      return 50;
    case State::probe_bw_down:
      return 90;
    case State::probe_bw_up:
      return 125;
    default:
      return kOne;
  }
}

std::uint64_t Bbr::cwnd_gain() const {
  switch (state_) {
    case State::probe_bw_up:
      return 225;
    case State::probe_rtt:
      return 50;
    default:
      return 200;
  }
}

void Bbr::on_ack(const AckEvent& event) {
  if (!event.rate.has_data) return;
  cwnd_limited_ |= event.limit == Limit::congestion_window;
  // UpdateModelAndState, in the order of §5.2.3.
  update_latest_delivery_signals(event);
  update_congestion_signals(event);
  update_ack_aggregation(event);
  check_full_bw_reached(event);
  check_startup_done(event);
  check_drain_done(event);
  update_probe_bw_cycle_phase(event);
  update_min_rtt(event);
  check_probe_rtt(event);
  advance_latest_delivery_signals(event);
  // UpdateControlParameters. Before the first sample there is a nominal pace.
  if (pacing_rate_ == 0) pacing_rate_ = nominal_rate(event.srtt);
  set_pacing_rate();
  set_cwnd(event);
  if (!round_start_) return;
  cwnd_limited_before_ = cwnd_limited_;
  cwnd_limited_ = false;
}

/// HandleRestartFromIdle (§5.4.1).
void Bbr::on_sent(const SentEvent& event) {
  if (event.in_flight != 0 || !event.app_limited) return;
  idle_restart_ = true;
  extra_acked_interval_start_ = event.now;
  if (state_ == State::probe_rtt) {
    check_probe_rtt_done(event.now, probe_rtt_limited_until_);
  } else if (max_bw() != 0) {
    restart_round_ = state_ == State::startup;
    if (restart_round_ || is_in_a_probe_bw_state())
      pacing_rate_ = std::max<std::uint64_t>(bw() * kPacingMargin / kOne, 1);
  }
}

void Bbr::on_congestion(Cause cause, const LossEvent& event) {
  if (cause == Cause::ecn) {
    // §3.5: marks are congestion; the draft leaves open what kind. They count as lost octets do.
    note_loss(event.total_delivered);
    if (state_ == State::startup && full_bw_count_ > 0) end_startup_for_congestion();
    if (is_bw_probe_sample_)
      handle_inflight_too_high(event.in_flight, {.now = event.now,
                                                 .app_limited = event.limit == Limit::application,
                                                 .total_delivered = event.total_delivered});
    return;
  }
  // OnEnterRTO, OnEnterFastRecovery (§5.6.4.4).
  save_cwnd();
  save_state_upon_loss();
  in_loss_recovery_ = true;
  if (cause == Cause::timeout)
    cwnd_ = event.in_flight - std::min(event.lost, event.in_flight) + settings_.mss;
}

void Bbr::on_recovered() {
  if (!in_loss_recovery_) return;
  in_loss_recovery_ = undo_is_open_ = false;
  restore_cwnd();
  bound_cwnd_for_model();
}

/// HandleSpuriousLossDetection (§5.5.11.2).
void Bbr::on_spurious() {
  if (!in_loss_recovery_) return;
  in_loss_recovery_ = undo_is_open_ = false;
  restore_cwnd();
  is_loss_in_round_ = false;
  reset_full_bw();
  bw_shortterm_ = std::max(bw_shortterm_, undo_bw_shortterm_);
  inflight_shortterm_ = std::max(inflight_shortterm_, undo_inflight_shortterm_);
  inflight_longterm_ = std::max(inflight_longterm_, undo_inflight_longterm_);
  if (undo_state_ == State::startup && state_ != State::startup) {
    full_bw_reached_ = false;
    if (state_ != State::probe_rtt) state_ = State::startup;
  } else if (undo_state_ == State::probe_bw_up && is_in_a_probe_bw_state() &&
             state_ != State::probe_bw_up) {
    // Probing starts anew with the next ACK, which knows what a round trip is.
    bw_probe_wait_ = Duration{};
  }
  undo_state_ = kNoState;
}

void Bbr::save_cwnd() {
  if (!in_loss_recovery_ && state_ != State::probe_rtt)
    prior_cwnd_ = cwnd_;
  else
    prior_cwnd_ = std::max(prior_cwnd_, cwnd_);
}

void Bbr::restore_cwnd() {
  cwnd_ = std::max(cwnd_, prior_cwnd_);
}

// ---- pace

/// InitPacingRate (§5.6.2).
std::uint64_t Bbr::nominal_rate(Duration srtt) const {
  if (srtt <= Duration::zero()) srtt = std::chrono::milliseconds(1);
  const std::uint64_t window = initial_window(settings_);
  return window * 10'000'000 / static_cast<std::uint64_t>(srtt.count()) * 277;  // 10^9 / kOne
}

std::uint64_t Bbr::pacing_rate(Duration srtt) const {
  return pacing_rate_ != 0 ? pacing_rate_ : nominal_rate(srtt);
}

/// SetPacingRateWithGain (§5.6.2).
void Bbr::set_pacing_rate() {
  const std::uint64_t rate = bw() * pacing_gain() / kOne * kPacingMargin / kOne;
  if (rate > pacing_rate_ || (full_bw_reached_ && rate > 0)) pacing_rate_ = rate;
}

std::uint32_t Bbr::quantum() const {
  return quantum_of(pacing_rate_, settings_.mss);
}

std::uint32_t Bbr::send_quantum(Duration srtt) const {
  return quantum_of(pacing_rate(srtt), settings_.mss);
}

// ---- volume

std::uint32_t Bbr::bdp_multiple(std::uint64_t bw, std::uint64_t gain) const {
  if (min_rtt_ == kNoRtt) return initial_window(settings_);
  const auto microseconds = static_cast<std::uint64_t>(min_rtt_.count()) / 1000;
  return to_window(bw * microseconds / 1'000'000 * gain / kOne);
}

std::uint32_t Bbr::quantization_budget(std::uint64_t inflight_cap) const {
  inflight_cap =
      std::max<std::uint64_t>(inflight_cap, std::uint64_t{3} * quantum());  // offload_budget
  inflight_cap = std::max<std::uint64_t>(inflight_cap, min_pipe_cwnd());
  if (state_ == State::probe_bw_up) inflight_cap += std::uint64_t{2} * settings_.mss;
  return to_window(inflight_cap);
}

std::uint32_t Bbr::inflight(std::uint64_t bw, std::uint64_t gain) const {
  return quantization_budget(bdp_multiple(bw, gain));
}

std::uint32_t Bbr::inflight_with_headroom() const {
  if (inflight_longterm_ == kNoBound) return kNoBound;
  const std::uint32_t headroom = std::max(settings_.mss, inflight_longterm_ / 100 * 15);
  return std::max(inflight_longterm_ - std::min(headroom, inflight_longterm_), min_pipe_cwnd());
}

std::uint32_t Bbr::target_inflight() const {
  return std::min(bdp_multiple(bw(), kOne), cwnd_);
}

std::uint32_t Bbr::probe_rtt_cwnd() const {
  return std::max(bdp_multiple(bw(), 50), min_pipe_cwnd());
}

/// SetCwnd (§5.6.4.6).
void Bbr::set_cwnd(const AckEvent& event) {
  const std::uint64_t extra = std::max(extra_acked_[0], extra_acked_[1]);
  const std::uint32_t max_inflight = quantization_budget(bdp_multiple(bw(), cwnd_gain()) + extra);
  const std::uint64_t grown = std::uint64_t{cwnd_} + event.delivered;
  if (full_bw_reached_)
    cwnd_ = to_window(std::min<std::uint64_t>(grown, max_inflight));
  else if (cwnd_ < max_inflight || event.total_delivered < initial_window(settings_))
    cwnd_ = to_window(grown);
  cwnd_ = std::max(cwnd_, min_pipe_cwnd());
  if (state_ == State::probe_rtt) cwnd_ = std::min(cwnd_, probe_rtt_cwnd());
  bound_cwnd_for_model();
}

void Bbr::bound_cwnd_for_model() {
  std::uint32_t cap = kNoBound;
  if (is_in_a_probe_bw_state() && state_ != State::probe_bw_cruise)
    cap = inflight_longterm_;
  else if (state_ == State::probe_rtt || state_ == State::probe_bw_cruise)
    cap = inflight_with_headroom();
  cap = std::max(std::min(cap, inflight_shortterm_), min_pipe_cwnd());
  cwnd_ = std::min(cwnd_, cap);
}

void Bbr::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  hasher.add_all(settings_.mss, state_, ack_phase_, chance_, cwnd_, prior_cwnd_, pacing_rate_,
                 round_.delivered_since(total_delivered), round_count_ - drain_start_round_,
                 cwnd_limited_, cwnd_limited_before_);
  hasher.add_all(max_bw_[0], max_bw_[1], bw_shortterm_, bw_latest_, min_rtt_, min_rtt_stamp_,
                 inflight_longterm_, inflight_shortterm_, inflight_latest_);
  hasher.add_all(extra_acked_interval_start_, extra_acked_delivered_, extra_acked_[0],
                 extra_acked_[1], extra_acked_rounds_);
  hasher.add_all(loss_round_.delivered_since(total_delivered), is_loss_in_round_,
                 loss_events_in_round_, in_loss_recovery_, undo_is_open_, undo_state_,
                 undo_bw_shortterm_, undo_inflight_shortterm_, undo_inflight_longterm_);
  hasher.add_all(full_bw_, full_bw_count_, full_bw_now_, full_bw_reached_, cycle_stamp_,
                 bw_probe_wait_, rounds_since_probe_up_, bw_probe_up_rounds_, bw_probe_up_acked_,
                 probe_up_acked_per_inc_, is_bw_probe_sample_, prev_probe_too_high_,
                 prev_probe_precautionary_);
  hasher.add_all(probe_rtt_min_delay_, probe_rtt_min_stamp_, probe_rtt_done_stamp_,
                 std::max(probe_rtt_limited_until_, total_delivered) - total_delivered,
                 probe_rtt_round_done_, idle_restart_, restart_round_);
}

}  // namespace estab::tcp::congestion
