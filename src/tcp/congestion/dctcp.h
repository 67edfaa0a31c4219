// DCTCP (RFC 8257): a window reduced by how much of it met congestion, for networks whose switches
// mark early. Everything but the answer to marks is NewReno's (§3.4, §3.5).
//
// Law: alpha follows the marked share of each round trip's octets by a sixteenth; marks reduce the
// window by alpha/2, once a round trip. It is for networks under one administration only (§1).
#pragma once

#include <cstdint>

#include "tcp/congestion/new_reno.h"

namespace estab::tcp::congestion {

class Dctcp {
 public:
  explicit Dctcp(const Settings& settings) : reno_(settings) {}

  std::uint32_t congestion_window() const { return reno_.congestion_window(); }
  std::uint32_t ssthresh() const { return reno_.ssthresh(); }
  std::uint64_t pacing_rate(Duration srtt) const { return reno_.pacing_rate(srtt); }
  std::uint32_t send_quantum(Duration srtt) const { return reno_.send_quantum(srtt); }

  void on_sent(const SentEvent& event) { reno_.on_sent(event); }
  void on_lost(const LostPacket& packet) { reno_.on_lost(packet); }
  void on_ack(const AckEvent& event);
  void on_congestion(Cause cause, const LossEvent& event);
  void on_spurious() { reno_.on_spurious(); }
  void on_recovered() { reno_.on_recovered(); }
  void on_mss(std::uint32_t mss) { reno_.on_mss(mss); }
  void on_restart_after_idle(const RestartEvent& event) { reno_.on_restart_after_idle(event); }

  /// DCTCP.Alpha in 1/1024.
  std::uint32_t alpha() const { return alpha_; }

  friend bool operator==(const Dctcp&, const Dctcp&) = default;
  void hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const;

 private:
  static constexpr std::uint32_t kOne = 1024;

  void update_alpha();

  NewReno reno_;
  Round window_;                          // the observation window
  std::uint64_t acked_ = 0, marked_ = 0;  // DCTCP.BytesAcked, DCTCP.BytesMarked
  std::uint32_t alpha_ = kOne;            // DCTCP.Alpha: 1 until something is known
};

}  // namespace estab::tcp::congestion
