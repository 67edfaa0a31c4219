// NewReno: slow start and congestion avoidance by octets acknowledged (RFC 5681, RFC 3465), half of
// what was in use after a loss. What goes out during recovery is not decided here: PRR (RFC 9937)
// does that, so there is no inflation of the window (RFC 5681 §3.2 steps 3 and 4).
#pragma once

#include <cstdint>

#include "tcp/congestion/window.h"

namespace estab::tcp::congestion {

class NewReno {
 public:
  explicit NewReno(const Settings& settings);

  std::uint32_t congestion_window() const { return window_.cwnd; }
  std::uint32_t ssthresh() const { return window_.ssthresh; }
  std::uint64_t pacing_rate(Duration srtt) const { return pace_of(window_, srtt); }
  std::uint32_t send_quantum(Duration srtt) const {
    return quantum_of(pacing_rate(srtt), settings_.mss);
  }

  void on_sent(const SentEvent&) {}
  void on_lost(const LostPacket&) {}
  void on_ack(const AckEvent& event);
  void on_congestion(Cause cause, const LossEvent& event);
  /// The answer to a mark: this window, but one segment at least (RFC 3168 §6.1.2).
  void reduce_for_mark(std::uint32_t window);
  void on_spurious();
  void on_recovered() { in_episode_ = false; }
  void on_mss(std::uint32_t mss) { settings_.mss = mss; }
  void on_restart_after_idle(const RestartEvent& event);

  friend bool operator==(const NewReno&, const NewReno&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  Window window_;
  Window before_;  // the reduction that is being repaired, or the last one
  WindowUse use_;
  Settings settings_;
  std::uint32_t acked_in_avoidance_ = 0;
  bool in_episode_ = false;  // of repair: before_ is what a spurious one gives back
};

}  // namespace estab::tcp::congestion
