// Controller: how much may be in flight. It is the seam between the sender, which knows what was
// acknowledged and what was lost, and an algorithm, which knows only sizes and times.
//
// Law: the sender calls on_ack for every advance of SND.UNA outside recovery, and exactly one of
// on_enter_recovery / on_timeout for each loss event; the controller answers with cwnd() and
// ssthresh() and knows nothing of sequence numbers.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "estab/config.h"
#include "estab/time.h"

#include "tcp/legacy/new_reno.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

class Controller {
 public:
  using Algorithm = std::variant<NewReno>;

  Controller(std::uint32_t mss, const TcpConfig& config)
      : algorithm_(std::in_place_type<NewReno>, mss, config) {}

  /// Octets that may be in flight.
  std::uint32_t cwnd() const { return get().cwnd(); }
  std::uint32_t ssthresh() const { return get().ssthresh(); }
  bool in_slow_start() const { return cwnd() < ssthresh(); }

  /// `acked` octets were newly acknowledged, and the window was what limited sending.
  void on_ack(std::uint32_t acked, std::uint32_t mss) { get().on_ack(acked, mss); }
  /// Three duplicate ACKs (RFC 5681 §3.2).
  void on_enter_recovery(std::uint32_t flight, std::uint32_t mss, Reduction reduction) {
    get().on_enter_recovery(flight, mss, reduction);
  }
  /// One more duplicate ACK while in recovery: a segment has left the network.
  void on_duplicate_in_recovery(std::uint32_t mss) { get().on_duplicate_in_recovery(mss); }
  /// RFC 6582 §3.2 step 3, partial acknowledgement.
  void on_partial_ack(std::uint32_t acked, std::uint32_t mss) { get().on_partial_ack(acked, mss); }
  /// RFC 6582 §3.2 step 3, full acknowledgement.
  void on_exit_recovery(std::uint32_t flight, std::uint32_t mss) {
    get().on_exit_recovery(flight, mss);
  }
  /// The retransmission timer ran out; `first` if these octets had not been retransmitted before.
  void on_timeout(std::uint32_t flight, std::uint32_t mss, Repeat repeat) {
    get().on_timeout(flight, mss, repeat);
  }
  /// The peer echoes a mark of congestion (RFC 3168 §6.1.2).
  void on_congestion_echo(std::uint32_t mss) { get().on_congestion_echo(mss); }
  /// The SYN or SYN-ACK had to be repeated (RFC 6928 §2: initial window of one segment).
  void on_syn_lost(std::uint32_t mss) { get().on_syn_lost(mss); }
  /// Nothing was sent for longer than an RTO (RFC 5681 §4.1).
  void on_idle(std::uint32_t mss, const TcpConfig& config) { get().on_idle(mss, config); }

  friend bool operator==(const Controller&, const Controller&) = default;
  void hash_into(base::Hasher& hasher) const { get().hash_into(hasher); }

 private:
  NewReno& get() { return *std::get_if<NewReno>(&algorithm_); }
  const NewReno& get() const { return *std::get_if<NewReno>(&algorithm_); }
  Algorithm algorithm_;
};

}  // namespace estab::tcp
