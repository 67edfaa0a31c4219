#include "tcp/congestion/new_reno.h"

#include "base/hasher.h"

namespace estab::tcp::congestion {

// [RFC 5681 3.1-4]
NewReno::NewReno(const Settings& settings)
    : window_{.cwnd = initial_window(settings)}, settings_(settings) {}

// [RFC 9293 MUST-19] [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
void NewReno::on_ack(const AckEvent& event) {
  use_.on_ack(event);
  if (event.repairing == Repairing::losses) return;
  const std::uint32_t initial = initial_window(settings_);
  if (use_.has_expired(window_, initial, event.now)) window_.leave_unused(initial);
  if (!use_.lets_grow(window_)) return;
  std::uint32_t acked = event.acked;
  if (window_.in_slow_start()) {
    // Slow start by octets (RFC 5681 §3.1 (2), RFC 3465 with L unlimited: pacing, not L, keeps one
    // ACK for many segments from letting out a burst), not past ssthresh.
    const std::uint32_t growth = std::min(acked, window_.ssthresh - window_.cwnd);
    window_.grow(growth);
    acked -= growth;
  }
  // Congestion avoidance (RFC 5681 §3.1, RFC 3465 §2.1): one SMSS a window.
  acked_in_avoidance_ += acked;
  if (acked_in_avoidance_ < window_.cwnd) return;
  acked_in_avoidance_ = std::min(acked_in_avoidance_ - window_.cwnd, window_.cwnd);
  window_.grow(settings_.mss);
}

// [RFC 5681 3.1-8, 3.1-16, 3.1-17] [RFC 7661 4.4-6, 4.4.1-3]
void NewReno::on_congestion(Cause cause, const LossEvent& event) {
  const std::uint32_t half = used_window(window_, use_, event) / 2;
  if (cause == Cause::ecn) return reduce_for_mark(half);
  if (!in_episode_) before_ = window_;
  in_episode_ = true;
  acked_in_avoidance_ = 0;
  if (event.repeat == Repeat::first)
    window_.ssthresh = std::max(half, 2 * settings_.mss);  // RFC 5681 §3.1 (4)
  // After a timeout: the loss window.
  window_.cwnd = cause == Cause::timeout ? settings_.mss : std::min(window_.cwnd, window_.ssthresh);
}

// [RFC 3168 5-2]
void NewReno::reduce_for_mark(std::uint32_t window) {
  in_episode_ = false;  // marks stay true, whatever becomes of a suspected loss
  acked_in_avoidance_ = 0;
  window_.ssthresh = std::max(window, 2 * settings_.mss);
  // Down to one SMSS, below which only the timer can slow the sender.
  window_.cwnd = std::max(window, settings_.mss);
}

void NewReno::on_spurious() {
  if (!in_episode_) return;
  in_episode_ = false;
  window_.cwnd = std::max(window_.cwnd, before_.cwnd);
  window_.ssthresh = std::max(window_.ssthresh, before_.ssthresh);
}

// [RFC 5681 4.1-1] [RFC 6928 2-4]
void NewReno::on_restart_after_idle(const RestartEvent& event) {
  // RFC 5681 §4.1: min(RW, cwnd). The way back up is quick as far as the window was in use.
  if (window_.cwnd <= event.window) return;
  if (!window_.in_slow_start() || window_.ssthresh != kNoThreshold)
    window_.ssthresh = std::max(window_.ssthresh, window_.cwnd / 4 * 3);  // RFC 7661 §4.4.3
  window_.cwnd = event.window;
}

void NewReno::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  hasher.add_all(window_.cwnd, window_.ssthresh, settings_.mss, acked_in_avoidance_, in_episode_);
  if (in_episode_) hasher.add_all(before_.cwnd, before_.ssthresh);
  use_.hash_into(hasher, total_delivered);
}

}  // namespace estab::tcp::congestion
