// Controller: how much may be in flight, and how fast it may go out. It is the seam between the
// sender, which knows what was sent, delivered and lost, and an algorithm, which knows only sizes
// and times. Which algorithm is chosen for each connection at run time.
//
// Law: the sender tells everything in the order it happens: on_sent for each transmission; for an
// ACK on_lost for each transmission it takes for lost, then on_congestion if that begins an episode
// of repair, then on_ack, in any state. An episode ends with on_recovered, or with on_spurious if
// nothing had been lost. While repairing is Repairing::losses PRR decides what is sent, down to
// ssthresh() (not for an algorithm with its own idea: recovers_itself()). No sequence number and no
// timer is known here, and the window is never inflated.
//
// It is a value without anything beside it until the first octet is sent: an idle connection has
// no more than its initial window.
#pragma once

#include <cstdint>
#include <variant>

#include "base/box.h"
#include "tcp/congestion/algorithm.h"
#include "tcp/congestion/bbr.h"
#include "tcp/congestion/cubic.h"
#include "tcp/congestion/dctcp.h"
#include "tcp/congestion/event.h"
#include "tcp/congestion/new_reno.h"
#include "tcp/congestion/window.h"

namespace estab::tcp::congestion {

class Controller {
 public:
  Controller(Algorithm algorithm, const Settings& settings)
      : settings_(settings), algorithm_(algorithm) {}

  Algorithm algorithm() const { return algorithm_; }
  /// Octets that may be in flight.
  std::uint32_t congestion_window() const;
  /// Octets; kNoThreshold: none known.
  std::uint32_t ssthresh() const;
  /// What goes out while losses are repaired is up to the window too, not to PRR.
  bool recovers_itself() const { return algorithm_ == Algorithm::bbr; }
  /// Marks take from the window by their share of each round trip (RFC 8257), not a fixed part.
  bool reduces_by_share() const { return algorithm_ == Algorithm::dctcp; }
  bool in_slow_start() const { return congestion_window() < ssthresh(); }
  /// Octets a second; kUnpaced: as fast as may be. `srtt` is zero before the first sample.
  std::uint64_t pacing_rate(Duration srtt) const;
  /// Most octets to be sent in one piece.
  std::uint32_t send_quantum(Duration srtt) const;

  /// Octets that may go before anything is known of the path.
  std::uint32_t initial_window() const { return congestion::initial_window(settings_); }

  /// And after a pause (RW). Once the path has lost some of those, no more than RFC 3390 allows.
  // [RFC 6928 2-5]
  std::uint32_t restart_window() const {
    return initial_window_lost_ ? older_initial_window(settings_) : initial_window();
  }

  /// Memory for what on_sent() begins; it may throw, what follows does not.
  void make_room() {
    if (!state_) state_.emplace(make_state());
  }
  void on_sent(const SentEvent& event);
  void on_lost(const LostPacket& packet);
  void on_ack(const AckEvent& event);
  void on_congestion(Cause cause, const LossEvent& event);
  /// What the last on_congestion was for had not happened: all of its episode is undone.
  void on_spurious();
  /// All that was lost is repaired.
  void on_recovered();
  void on_mss(std::uint32_t mss);
  /// The first transmission follows a pause of more than an RTO, and the connection starts slowly
  /// after a pause (RFC 5681 §4.1). Before the on_sent of that transmission.
  void on_restart_after_idle(RestartEvent event);
  /// The SYN or SYN-ACK had to be repeated: the initial window is one segment (RFC 6928 §2).
  void on_syn_lost() { settings_.initial_window_segments = 1; }
  /// Some of the octets that the initial window, or the one after a pause, let go at once are lost.
  void on_initial_window_lost() { initial_window_lost_ = true; }

  friend bool operator==(const Controller&, const Controller&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  using State = std::variant<NewReno, Cubic, Bbr, Dctcp>;

  State make_state() const;
  template <class Function>
  void tell(const Function& function) {
    if (state_) std::visit(function, *state_);
  }

  Settings settings_;
  Algorithm algorithm_;
  bool initial_window_lost_ = false;
  base::Box<State> state_;
};

}  // namespace estab::tcp::congestion
