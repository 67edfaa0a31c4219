// NewReno: slow start, congestion avoidance, fast recovery (RFC 5681, RFC 6582) with the initial
// window of RFC 6928. All sizes are octets.
#pragma once

#include <cstdint>

#include "estab/config.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

/// Whether the octets a timeout repeats had been repeated before.
enum class Repeat : std::uint8_t { first, again };

/// Whether the window has already been reduced for this window of data (RFC 3168 §6.1.2).
enum class Reduction : std::uint8_t { due, done_already };

class NewReno {
 public:
  NewReno(std::uint32_t mss, const TcpConfig& config);

  std::uint32_t cwnd() const { return cwnd_; }
  std::uint32_t ssthresh() const { return ssthresh_; }

  void on_ack(std::uint32_t acked, std::uint32_t mss);
  void on_enter_recovery(std::uint32_t flight, std::uint32_t mss,
                         Reduction reduction = Reduction::due);
  void on_duplicate_in_recovery(std::uint32_t mss);
  void on_partial_ack(std::uint32_t acked, std::uint32_t mss);
  void on_exit_recovery(std::uint32_t flight, std::uint32_t mss);
  void on_timeout(std::uint32_t flight, std::uint32_t mss, Repeat repeat);
  void on_congestion_echo(std::uint32_t mss);
  void on_syn_lost(std::uint32_t mss) { cwnd_ = mss; }
  void on_idle(std::uint32_t mss, const TcpConfig& config);

  friend bool operator==(const NewReno&, const NewReno&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  std::uint32_t cwnd_;
  std::uint32_t ssthresh_ = 0xffffffff;  // "arbitrarily high" (RFC 5681 §3.1)
  std::uint32_t acked_in_avoidance_ = 0;
};

}  // namespace estab::tcp
