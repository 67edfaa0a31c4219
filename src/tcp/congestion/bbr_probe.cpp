// BBR's machine of states: Startup, Drain, the cycle of ProbeBW, ProbeRTT (draft-ietf-ccwg-bbr
// §5.3).

#include <algorithm>

#include "base/prng.h"
#include "tcp/congestion/bbr.h"

namespace estab::tcp::congestion {

namespace {

constexpr std::uint8_t kStartupFullLossCount = 6;
constexpr Duration kProbeRttDuration = std::chrono::milliseconds(200);
constexpr std::uint32_t kMostRenoRounds = 63;

}  // namespace

// ---- Startup (§5.3.1)

void Bbr::reset_full_bw() {
  full_bw_ = 0;
  full_bw_count_ = 0;
  full_bw_now_ = false;
}

/// Three round trips without a quarter more.
void Bbr::check_full_bw_reached(const AckEvent& event) {
  if (full_bw_now_ || !round_start_ || is_limited(event.rate)) return;
  if (event.rate.rate >= full_bw_ + full_bw_ / 4) {
    reset_full_bw();
    full_bw_ = event.rate.rate;
    return;
  }
  full_bw_now_ = ++full_bw_count_ >= 3;
  full_bw_reached_ |= full_bw_now_;
}

void Bbr::check_startup_done(const AckEvent& event) {
  if (state_ == State::startup && has_high_loss_in_startup(event)) end_startup_for_congestion();
  if (loss_round_start_) loss_events_in_round_ = 0;
  if (state_ == State::startup && full_bw_reached_) enter_drain();
}

/// Losses say that the pipe is full only if more is no longer delivered.
bool Bbr::has_high_loss_in_startup(const AckEvent& event) const {
  return loss_round_start_ && in_loss_recovery_ && full_bw_count_ > 0 &&
         loss_events_in_round_ >= kStartupFullLossCount &&
         is_inflight_too_high(event.rate.lost, event.rate.tx_in_flight);
}

void Bbr::end_startup_for_congestion() {
  undo_state_ = State::startup;
  full_bw_reached_ = true;
  inflight_longterm_ = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(inflight_latest_, bdp_multiple(bw(), 100), kMaxWindow));
}

// ---- Drain (§5.3.2)

void Bbr::enter_drain() {
  state_ = State::drain;
  drain_start_round_ = round_count_;
}

void Bbr::check_drain_done(const AckEvent& event) {
  if (state_ != State::drain) return;
  if (event.in_flight > inflight(bw(), 100) && round_count_ <= drain_start_round_ + 3) return;
  start_probe_bw_down(event.now, event.total_delivered);
}

// ---- ProbeBW (§5.3.3)

void Bbr::start_probe_bw_down(Instant now, std::uint64_t total_delivered) {
  reset_congestion_signals();
  probe_up_acked_per_inc_ = kNoBound;  // not growing inflight_longterm
  pick_probe_wait();
  cycle_stamp_ = now;
  ack_phase_ = AckPhase::probe_stopping;
  round_.start(total_delivered);
  state_ = State::probe_bw_down;
}

void Bbr::start_probe_bw_refill(std::uint64_t total_delivered) {
  reset_short_term_model();
  bw_probe_up_rounds_ = 0;
  bw_probe_up_acked_ = 0;
  prev_probe_precautionary_ = false;
  ack_phase_ = AckPhase::refilling;
  round_.start(total_delivered);
  state_ = State::probe_bw_refill;
}

void Bbr::start_probe_bw_up(const AckEvent& event) {
  ack_phase_ = AckPhase::probe_starting;
  round_.start(event.total_delivered);
  reset_full_bw();
  full_bw_ = event.rate.rate;
  state_ = State::probe_bw_up;
  raise_inflight_longterm_slope();
}

void Bbr::update_probe_bw_cycle_phase(const AckEvent& event) {
  if (!full_bw_reached_ || adapt_long_term_model(event)) return;
  switch (state_) {
    case State::probe_bw_down:
      if (is_time_to_probe_bw(event))
        start_probe_bw_refill(event.total_delivered);
      else if (is_time_to_cruise(event))
        state_ = State::probe_bw_cruise;
      break;
    case State::probe_bw_cruise:
      if (is_time_to_probe_bw(event)) start_probe_bw_refill(event.total_delivered);
      break;
    case State::probe_bw_refill:
      if (!round_start_) break;
      is_bw_probe_sample_ = true;
      start_probe_bw_up(event);
      break;
    case State::probe_bw_up:
      if (!is_time_to_go_down(event)) break;
      prev_probe_too_high_ = false;  // no high loss yet
      start_probe_bw_down(event.now, event.total_delivered);
      break;
    default:
      break;
  }
}

/// Follows what the ACKs say of probing; true if that decided a transition.
bool Bbr::adapt_long_term_model(const AckEvent& event) {
  if (ack_phase_ == AckPhase::probe_starting && round_start_) ack_phase_ = AckPhase::probe_feedback;
  if (ack_phase_ == AckPhase::probe_stopping && round_start_) {
    is_bw_probe_sample_ = false;
    ack_phase_ = AckPhase::init;
    if (is_in_a_probe_bw_state() && !is_limited(event.rate)) advance_max_bw_filter();
    // Precautionary bandwidth probing: the cautious probe went well, so a real one follows.
    if (is_in_a_probe_bw_state() && prev_probe_precautionary_ && !prev_probe_too_high_) {
      start_probe_bw_refill(event.total_delivered);
      return true;
    }
  }
  if (is_inflight_too_high(event.rate.lost, event.rate.tx_in_flight)) return false;
  if (inflight_longterm_ == kNoBound) return false;
  inflight_longterm_ = std::max(inflight_longterm_, event.rate.tx_in_flight);
  if (state_ == State::probe_bw_up) probe_inflight_longterm_upward(event);
  return false;
}

/// 1, 2, 4, ... segments in successive round trips.
void Bbr::raise_inflight_longterm_slope() {
  const std::uint32_t growth_this_round = 1u << bw_probe_up_rounds_;
  bw_probe_up_rounds_ = std::min<std::uint8_t>(bw_probe_up_rounds_ + 1, 30);
  probe_up_acked_per_inc_ = std::max(cwnd_ / growth_this_round, settings_.mss);
}

void Bbr::probe_inflight_longterm_upward(const AckEvent& event) {
  if (!is_cwnd_limited() || cwnd_ < inflight_longterm_) return;  // it is not used up
  bw_probe_up_acked_ += event.delivered;
  const std::uint64_t increments = bw_probe_up_acked_ / probe_up_acked_per_inc_;
  bw_probe_up_acked_ %= probe_up_acked_per_inc_;
  inflight_longterm_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(inflight_longterm_ + increments * settings_.mss, kMaxWindow));
  if (round_start_) raise_inflight_longterm_slope();
}

bool Bbr::is_time_to_probe_bw(const AckEvent& event) const {
  if (event.now > cycle_stamp_ + bw_probe_wait_) return true;
  // IsRenoCoexistenceProbeTime: as often as Reno, on the same path, would reduce.
  const std::uint32_t reno_rounds = target_inflight() / settings_.mss;
  return rounds_since_probe_up_ >= std::min(reno_rounds, kMostRenoRounds);
}

bool Bbr::is_time_to_cruise(const AckEvent& event) const {
  return event.in_flight <= inflight_with_headroom() && event.in_flight <= inflight(max_bw(), 100);
}

bool Bbr::is_time_to_go_down(const AckEvent& event) {
  if (prev_probe_too_high_ && event.in_flight >= inflight_longterm_) {
    prev_probe_precautionary_ = true;
    return true;
  }
  if (is_cwnd_limited() && cwnd_ >= inflight_longterm_) {
    reset_full_bw();  // inflight_longterm is what limits
    full_bw_ = event.rate.rate;
    return false;
  }
  return full_bw_now_;
}

/// Two to three seconds, or a number of round trips that differs by one.
void Bbr::pick_probe_wait() {
  const std::uint64_t chance = base::splitmix64(chance_);
  rounds_since_probe_up_ = static_cast<std::uint32_t>(chance >> 63);
  bw_probe_wait_ = std::chrono::seconds(2) + std::chrono::microseconds(chance % 1'000'000);
}

// ---- ProbeRTT (§5.3.4)

void Bbr::check_probe_rtt(const AckEvent& event) {
  if (state_ != State::probe_rtt && probe_rtt_expired_ && !idle_restart_) {
    save_cwnd();
    state_ = State::probe_rtt;
    probe_rtt_done_stamp_ = kNever;
    ack_phase_ = AckPhase::probe_stopping;
    round_.start(event.total_delivered);
  }
  if (state_ == State::probe_rtt) handle_probe_rtt(event);
  if (event.rate.delivered > 0) idle_restart_ = false;
}

void Bbr::handle_probe_rtt(const AckEvent& event) {
  // MarkConnectionAppLimited: the rates of now say nothing of the path.
  probe_rtt_limited_until_ = event.total_delivered + event.in_flight;
  if (probe_rtt_done_stamp_ == kNever) {
    if (event.in_flight > probe_rtt_cwnd()) return;
    probe_rtt_done_stamp_ = event.now + kProbeRttDuration;
    probe_rtt_round_done_ = false;
    round_.start(event.total_delivered);
    return;
  }
  probe_rtt_round_done_ |= round_start_;
  if (probe_rtt_round_done_) check_probe_rtt_done(event.now, event.total_delivered);
}

void Bbr::check_probe_rtt_done(Instant now, std::uint64_t total_delivered) {
  if (probe_rtt_done_stamp_ == kNever || now <= probe_rtt_done_stamp_) return;
  probe_rtt_min_stamp_ = now;  // the next one is due an interval from now
  restore_cwnd();
  reset_short_term_model();
  if (!full_bw_reached_) {
    state_ = State::startup;
    return;
  }
  start_probe_bw_down(now, total_delivered);
  state_ = State::probe_bw_cruise;  // in flight is below the BDP already
}

}  // namespace estab::tcp::congestion
