// CUBIC (RFC 9438), with HyStart++ (hystart.h) in its first slow start. After a reduction the
// window returns to W_max, where the path was full, along C(t-K)^3 + W_max: fast first, slow around
// W_max, then ever faster; never slower than Reno would (W_est).
//
// Law: t is the time in which the window limited the sender; pauses and times of little to send are
// no part of it (§5.8). Windows are octets, so segments of the RFC's formulas are MSS octets; all
// is reckoned in whole numbers, the same on every machine. A spurious reduction gives back
// everything it changed, W_max and the place on the curve included.
#pragma once

#include <cstdint>

#include "tcp/congestion/hystart.h"
#include "tcp/congestion/window.h"

namespace estab::tcp::congestion {

class Cubic {
 public:
  explicit Cubic(const Settings& settings);

  std::uint32_t congestion_window() const { return at_.window.cwnd; }
  std::uint32_t ssthresh() const { return at_.window.ssthresh; }
  std::uint64_t pacing_rate(Duration srtt) const { return pace_of(at_.window, srtt); }
  std::uint32_t send_quantum(Duration srtt) const {
    return quantum_of(pacing_rate(srtt), settings_.mss);
  }

  void on_sent(const SentEvent& event);
  void on_lost(const LostPacket&) {}
  void on_ack(const AckEvent& event);
  void on_congestion(Cause cause, const LossEvent& event);
  void on_spurious();
  void on_recovered() { in_episode_ = false; }
  void on_mss(std::uint32_t mss) { settings_.mss = mss; }
  void on_restart_after_idle(const RestartEvent& event);

  // The RFC's variables, for tests and for eyes.
  std::uint32_t w_max() const { return at_.w_max; }
  std::uint32_t w_est() const { return at_.epoch.w_est; }
  Duration k() const { return at_.epoch.k; }

  friend bool operator==(const Cubic&, const Cubic&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  /// A stage of congestion avoidance (§4.2), from its first ACK on.
  struct Epoch {
    bool begun = false;
    Instant counted_until = kNever;  // kNever: the next ACK only starts the clock
    Duration t{};                    // t_current - t_epoch, pauses left out
    Duration k{};                    // K
    std::uint32_t w_est = 0;         // W_est
    std::uint64_t cubic_rest = 0;    // what is less than an octet of growth, in 1/cwnd
    std::uint64_t reno_rest = 0;     // the same of W_est
    friend bool operator==(const Epoch&, const Epoch&) = default;
  };
  /// Everything a reduction changes.
  struct Place {
    Window window{};
    std::uint32_t w_max = 0;       // W_max; 0: none known
    std::uint32_t cwnd_prior = 0;  // cwnd_prior
    Epoch epoch{};
    friend bool operator==(const Place&, const Place&) = default;
  };

  void slow_start(const AckEvent& event, RoundTrip round);
  void avoid_congestion(const AckEvent& event, std::uint32_t acked);
  void begin_epoch(Instant now);
  void grow_w_est(std::uint32_t acked);
  std::uint32_t w_cubic(Duration t) const;
  std::uint32_t target(Duration rtt) const;

  Place at_;
  Place before_;  // the reduction that is being repaired
  HyStart hystart_;
  WindowUse use_;
  Settings settings_;
  bool in_episode_ = false;  // of repair: before_ is what a spurious one gives back
};

}  // namespace estab::tcp::congestion
