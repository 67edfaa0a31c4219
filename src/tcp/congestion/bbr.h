// BBR, version 3 (draft-ietf-ccwg-bbr): a model of the path, its bandwidth and its round-trip time,
// fed by delivery-rate samples; a machine of states that now and then sends faster or slower to
// keep the model true. Pace and window follow from the model, not from losses one by one.
//
// Law: the names are the draft's, and so is the order of the steps of an ACK (§5.2.3).
// bbr_probe.cpp has the machine of states, bbr_model.cpp what is measured, bbr.cpp what is
// concluded: pace, quantum, window. Chance comes from the seed.
//
// Where it departs from the draft, it is for something measured of BBR in Linux:
// - losses end Startup only if the rate has stopped to grow too: on a lossy path it would end at a
//   fraction of the bandwidth, and stay there;
// - what is lost in round trips without a queue is no sign of congestion: it neither lowers the
//   short-term model nor counts against LossThresh when the flow probes (background_loss_);
// - after a pause the first round trip is paced at the estimated bandwidth in Startup too, not
// at 2.77
//   times that;
// - a segment sent with as little in flight as ProbeRTT allows measures what ProbeRTT would, so no
//   ProbeRTT stands in front of what an application writes after it had little to say;
// - an episode of repair is undone to what was before its first loss, not before its last round
// trip.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "tcp/congestion/event.h"
#include "tcp/congestion/round.h"
#include "tcp/congestion/settings.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::congestion {

class Bbr {
 public:
  enum class State : std::uint8_t {
    startup,
    drain,
    probe_bw_down,
    probe_bw_cruise,
    probe_bw_refill,
    probe_bw_up,
    probe_rtt,
  };
  /// undo_state: no transition is to be undone. ProbeRTT is never returned to.
  static constexpr State kNoState = State::probe_rtt;

  explicit Bbr(const Settings& settings);

  std::uint32_t congestion_window() const { return cwnd_; }
  std::uint32_t ssthresh() const { return kNoThreshold; }
  std::uint64_t pacing_rate(Duration srtt) const;
  std::uint32_t send_quantum(Duration srtt) const;

  void on_sent(const SentEvent& event);
  void on_lost(const LostPacket& packet);
  void on_ack(const AckEvent& event);
  void on_congestion(Cause cause, const LossEvent& event);
  void on_spurious();
  void on_recovered();
  void on_mss(std::uint32_t mss) { settings_.mss = mss; }
  void on_restart_after_idle(const RestartEvent&) {}  // §5.4.1: on_sent sees it

  // The draft's variables, for tests and for eyes.
  State state() const { return state_; }
  std::uint64_t max_bw() const { return std::max(max_bw_[0], max_bw_[1]); }
  std::uint64_t bw() const { return std::min(max_bw(), bw_shortterm_); }
  Duration min_rtt() const { return min_rtt_; }
  std::uint32_t inflight_longterm() const { return inflight_longterm_; }
  bool full_bw_reached() const { return full_bw_reached_; }

  friend bool operator==(const Bbr&, const Bbr&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  enum class AckPhase : std::uint8_t {
    init,            // not probing, no feedback from probing
    refilling,       // sending at the estimated bandwidth to fill the pipe
    probe_starting,  // in flight rises
    probe_feedback,  // samples of probing arrive
    probe_stopping,  // no longer probing, samples still arrive
  };
  static constexpr std::uint64_t kNoRate = ~std::uint64_t{0};
  static constexpr std::uint32_t kNoBound = ~std::uint32_t{0};
  static constexpr Duration kNoRtt = Duration::max();

  // ---- bbr_model.cpp
  bool is_limited(const RateSample& sample) const;
  void update_latest_delivery_signals(const AckEvent& event);
  void advance_latest_delivery_signals(const AckEvent& event);
  void update_congestion_signals(const AckEvent& event);
  void update_round(const AckEvent& event);
  void update_max_bw(const RateSample& sample);
  void advance_max_bw_filter();
  bool was_without_queue() const;
  void learn_background_loss();
  void adapt_lower_bounds_from_congestion();
  void reset_congestion_signals();
  void reset_short_term_model();
  void update_ack_aggregation(const AckEvent& event);
  void update_min_rtt(const AckEvent& event);
  void note_loss(std::uint64_t total_delivered);
  void save_state_upon_loss();
  bool is_inflight_too_high(std::uint64_t lost, std::uint64_t tx_in_flight) const;
  void handle_inflight_too_high(std::uint32_t tx_in_flight, const LostPacket& packet);

  // ---- bbr_probe.cpp
  void check_full_bw_reached(const AckEvent& event);
  void reset_full_bw();
  void check_startup_done(const AckEvent& event);
  bool has_high_loss_in_startup(const AckEvent& event) const;
  void end_startup_for_congestion();
  void enter_drain();
  void check_drain_done(const AckEvent& event);
  void update_probe_bw_cycle_phase(const AckEvent& event);
  bool adapt_long_term_model(const AckEvent& event);
  void raise_inflight_longterm_slope();
  void probe_inflight_longterm_upward(const AckEvent& event);
  bool is_time_to_probe_bw(const AckEvent& event) const;
  bool is_time_to_cruise(const AckEvent& event) const;
  bool is_time_to_go_down(const AckEvent& event);
  void start_probe_bw_down(Instant now, std::uint64_t total_delivered);
  void start_probe_bw_refill(std::uint64_t total_delivered);
  void start_probe_bw_up(const AckEvent& event);
  void pick_probe_wait();
  void check_probe_rtt(const AckEvent& event);
  void handle_probe_rtt(const AckEvent& event);
  void check_probe_rtt_done(Instant now, std::uint64_t total_delivered);

  // ---- bbr.cpp
  bool is_in_a_probe_bw_state() const {
    return state_ >= State::probe_bw_down && state_ <= State::probe_bw_up;
  }
  bool is_probing_bw() const {
    return state_ == State::startup || state_ == State::probe_bw_refill ||
           state_ == State::probe_bw_up;
  }
  bool is_cwnd_limited() const { return cwnd_limited_ || cwnd_limited_before_; }
  std::uint32_t min_pipe_cwnd() const { return 4 * settings_.mss; }
  std::uint64_t pacing_gain() const;
  std::uint64_t cwnd_gain() const;
  std::uint64_t nominal_rate(Duration srtt) const;
  void set_pacing_rate();
  void set_cwnd(const AckEvent& event);
  void bound_cwnd_for_model();
  std::uint32_t quantum() const;
  std::uint32_t bdp_multiple(std::uint64_t bw, std::uint64_t gain) const;
  std::uint32_t quantization_budget(std::uint64_t inflight_cap) const;
  std::uint32_t inflight(std::uint64_t bw, std::uint64_t gain) const;
  std::uint32_t inflight_with_headroom() const;
  std::uint32_t target_inflight() const;
  std::uint32_t probe_rtt_cwnd() const;
  void save_cwnd();
  void restore_cwnd();

  Settings settings_;
  State state_ = State::startup;
  AckPhase ack_phase_ = AckPhase::init;
  std::uint64_t chance_;  // the state of what is random

  // ---- control
  std::uint32_t cwnd_;
  std::uint32_t prior_cwnd_ = 0;
  std::uint64_t pacing_rate_ = 0;  // 0: as nominal_rate() says

  // ---- rounds
  Round round_;
  std::uint32_t round_count_ = 0;
  bool round_start_ = false;
  bool cwnd_limited_ = false, cwnd_limited_before_ = false;  // in this round, in the last

  // ---- bandwidth
  std::array<std::uint64_t, 2> max_bw_{};  // of the last cycle of probing, of this one
  std::uint64_t bw_shortterm_ = kNoRate;
  std::uint64_t bw_latest_ = 0;

  // ---- volume
  Duration min_rtt_ = kNoRtt;
  Instant min_rtt_stamp_{};
  std::uint32_t inflight_longterm_ = kNoBound;
  std::uint32_t inflight_shortterm_ = kNoBound;
  std::uint64_t inflight_latest_ = 0;

  // ---- aggregation
  Instant extra_acked_interval_start_{};
  std::uint64_t extra_acked_delivered_ = 0;
  std::array<std::uint32_t, 2> extra_acked_{};  // of the last and of this half of the window
  std::uint8_t extra_acked_rounds_ = 0;

  // ---- losses
  Round loss_round_;
  bool loss_round_start_ = false;
  bool is_loss_in_round_ = false;
  std::uint8_t loss_events_in_round_ = 0;
  Duration round_rtt_ = kNoRtt;  // the shortest of this round
  std::uint64_t lost_in_round_ = 0, delivered_in_round_ = 0;
  std::uint16_t background_loss_ = 0;  // what is lost without a queue, in 1/4096
  bool in_loss_recovery_ = false;
  bool undo_is_open_ = false;  // what follows was saved at the first loss of an episode
  State undo_state_ = kNoState;
  std::uint64_t undo_bw_shortterm_ = 0;
  std::uint32_t undo_inflight_shortterm_ = 0;
  std::uint32_t undo_inflight_longterm_ = 0;

  // ---- Startup, Drain
  std::uint64_t full_bw_ = 0;
  std::uint8_t full_bw_count_ = 0;
  bool full_bw_now_ = false;
  bool full_bw_reached_ = false;
  std::uint32_t drain_start_round_ = 0;

  // ---- ProbeBW
  Instant cycle_stamp_{};
  Duration bw_probe_wait_{};
  std::uint32_t rounds_since_probe_up_ = 0;
  std::uint8_t bw_probe_up_rounds_ = 0;
  std::uint64_t bw_probe_up_acked_ = 0;
  std::uint32_t probe_up_acked_per_inc_ = kNoBound;
  bool is_bw_probe_sample_ = false;
  bool prev_probe_too_high_ = false;
  bool prev_probe_precautionary_ = false;

  // ---- ProbeRTT, pauses
  Duration probe_rtt_min_delay_ = kNoRtt;
  Instant probe_rtt_min_stamp_{};
  Instant probe_rtt_done_stamp_ = kNever;      // kNever: in flight has not come down yet
  std::uint64_t probe_rtt_limited_until_ = 0;  // samples sent before it say nothing of the path
  bool probe_rtt_expired_ = false;
  bool probe_rtt_round_done_ = false;
  bool idle_restart_ = false;
  bool restart_round_ = false;  // the first after a pause
};

}  // namespace estab::tcp::congestion
