#include "tcp/legacy/new_reno.h"

#include <algorithm>

#include "base/hasher.h"

namespace estab::tcp {

namespace {

constexpr std::uint32_t kMaxCwnd = 1u << 30;  // beyond any window that can be announced

// RFC 6928 §2 (1): min(10*MSS, max(2*MSS, 14600)), with the 10 as a setting.
// [RFC 6928 2-1]
std::uint32_t initial_window(std::uint32_t mss, const TcpConfig& config) {
  const std::uint32_t segments = std::max<std::uint32_t>(config.initial_window_segments, 1);
  if (segments != 10) return segments * mss;
  return std::min(10 * mss, std::max(2 * mss, 14600u));
}

// RFC 5681 §3.1 (4).
// [RFC 5681 3.1-8]
std::uint32_t halved(std::uint32_t flight, std::uint32_t mss) {
  return std::max(flight / 2, 2 * mss);
}

}  // namespace

// [RFC 5681 3.1-4]
NewReno::NewReno(std::uint32_t mss, const TcpConfig& config) : cwnd_(initial_window(mss, config)) {}

// [RFC 9293 MUST-19]
void NewReno::on_ack(std::uint32_t acked, std::uint32_t mss) {
  if (cwnd_ < ssthresh_) {
    // Slow start by octets acknowledged (RFC 5681 §3.1 (2), RFC 3465 with L unlimited, so that one
    // ACK for many segments counts as many), not past ssthresh.
    const std::uint32_t growth = std::min(acked, ssthresh_ - cwnd_);
    cwnd_ = std::min(cwnd_ + growth, kMaxCwnd);
    acked -= growth;
    if (acked == 0) return;
  }
  // Congestion avoidance by octets (RFC 5681 §3.1, RFC 3465 §2.1): one MSS a window.
  // [RFC 5681 3.1-9, 3.1-10, 3.1-11, 3.1-12, 3.1-13]
  acked_in_avoidance_ += acked;
  if (acked_in_avoidance_ < cwnd_) return;
  acked_in_avoidance_ -= cwnd_;
  acked_in_avoidance_ = std::min(acked_in_avoidance_, cwnd_);
  cwnd_ = std::min(cwnd_ + mss, kMaxCwnd);
}

void NewReno::on_enter_recovery(std::uint32_t flight, std::uint32_t mss, Reduction reduction) {
  if (reduction == Reduction::due) ssthresh_ = halved(flight, mss);
  cwnd_ = ssthresh_ + 3 * mss;  // the three segments that left the network
  acked_in_avoidance_ = 0;
}

// [RFC 5681 3.2-10, 3.2-12]
void NewReno::on_duplicate_in_recovery(std::uint32_t mss) {
  cwnd_ = std::min(cwnd_ + mss, kMaxCwnd);
}

void NewReno::on_partial_ack(std::uint32_t acked, std::uint32_t mss) {
  cwnd_ -= std::min(acked, cwnd_ - mss);
  if (acked >= mss) cwnd_ += mss;
}

// [RFC 5681 3.2-13, 4.3-3] [RFC 6582 6-1, 6-3]
void NewReno::on_exit_recovery(std::uint32_t flight, std::uint32_t mss) {
  // RFC 6582 §3.2, full acknowledgements, option (1): no burst.
  cwnd_ = std::min(ssthresh_, std::max(flight, mss) + mss);
  acked_in_avoidance_ = 0;
}

// [RFC 5681 3.1-16, 3.1-17]
void NewReno::on_timeout(std::uint32_t flight, std::uint32_t mss, Repeat repeat) {
  if (repeat == Repeat::first) ssthresh_ = halved(flight, mss);
  cwnd_ = mss;  // the loss window
  acked_in_avoidance_ = 0;
}

// RFC 3168 §6.1.2: cwnd is halved down to one MSS, below which only the timer can slow the sender;
// ssthresh stays as after a loss.
// [RFC 3168 5-2]
void NewReno::on_congestion_echo(std::uint32_t mss) {
  ssthresh_ = halved(cwnd_, mss);
  cwnd_ = std::max(cwnd_ / 2, mss);
  acked_in_avoidance_ = 0;
}

// [RFC 5681 4.1-1] [RFC 6928 2-4]
void NewReno::on_idle(std::uint32_t mss, const TcpConfig& config) {
  cwnd_ = std::min(cwnd_, initial_window(mss, config));
}

void NewReno::hash_into(base::Hasher& hasher) const {
  const auto& [cwnd, ssthresh, acked_in_avoidance] = *this;
  hasher.add_all(cwnd, ssthresh, acked_in_avoidance);
}

}  // namespace estab::tcp
