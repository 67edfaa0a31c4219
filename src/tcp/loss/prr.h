// Prr: proportional rate reduction (RFC 9937). Law: while what is in flight comes down to ssthresh,
// octets are sent in proportion to those delivered; once it is down, as many as are delivered, and
// a segment more for each ACK that shows the repair to be going well.
//
// The variables have the RFC's names; all are octets.
#pragma once

#include <algorithm>
#include <cstdint>

namespace estab::tcp::loss {

/// SafeACK: SND.UNA advanced, and nothing more is lost.
enum class SafeAck : bool { no, yes };

class Prr {
 public:
  // [RFC 9937 6.1-1]
  /// Recovery begins. RecoverFS is what the network still owes an answer for: all that is sent and
  /// not acknowledged as the ACK came, less what had been SACKed before it.
  void begin(std::uint32_t recover_fs) { *this = {}, recover_fs_ = std::max(recover_fs, 1u); }

  struct Ack {
    std::uint32_t delivered;  ///< DeliveredData
    std::uint32_t in_flight;  ///< with all losses taken into account
    std::uint32_t ssthresh;
    std::uint32_t mss;
    /// What may go at once into a network that holds nothing of ours.
    std::uint32_t restart_window;
    SafeAck safe;
  };
  /// Works out how many octets may go in answer to an ACK: SndCnt.
  void on_ack(const Ack& ack) {
    prr_delivered_ += ack.delivered;
    std::uint64_t count = 0;
    if (ack.in_flight > ack.ssthresh) {
      // In whole segments, rounded up, as in the RFC's figures.
      const std::uint64_t unit = std::uint64_t{recover_fs_} * ack.mss;
      const std::uint64_t target = (prr_delivered_ * ack.ssthresh + unit - 1) / unit * ack.mss;
      count = target > prr_out_ ? target - prr_out_ : 0;
    } else {
      count = prr_delivered_ > prr_out_ ? prr_delivered_ - prr_out_ : 0;
      count = std::max<std::uint64_t>(count, ack.delivered);
      if (ack.safe == SafeAck::yes) count += ack.mss;
      // With nothing in flight there is no ACK clock to keep to. Octet for octet a mended tail of n
      // segments would take about log2(n) round trips, in a network that is empty.
      if (ack.in_flight == 0 && prr_out_ == 0)
        count = std::max<std::uint64_t>(count, ack.restart_window);
      count = std::min<std::uint64_t>(count, ack.ssthresh - ack.in_flight);
    }
    if (prr_out_ == 0 && count < ack.mss) count = ack.mss;  // the fast retransmit itself
    send_count_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, 1u << 30));
  }
  /// A partial ACK is answered with the next hole at once (RFC 6582 §3.2).
  void allow(std::uint32_t octets) { send_count_ = std::max(send_count_, octets); }
  void on_sent(std::uint32_t octets) {
    prr_out_ += octets;
    send_count_ -= std::min(send_count_, octets);
  }
  /// Octets that may go now.
  std::uint32_t send_count() const { return send_count_; }

  friend bool operator==(const Prr&, const Prr&) = default;
  void hash_into(auto& hasher) const {
    hasher.add_all(prr_delivered_, prr_out_, recover_fs_, send_count_);
  }

 private:
  std::uint64_t prr_delivered_ = 0, prr_out_ = 0;
  std::uint32_t recover_fs_ = 1;
  std::uint32_t send_count_ = 0;
};

}  // namespace estab::tcp::loss
