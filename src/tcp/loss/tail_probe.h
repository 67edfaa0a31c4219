// TailProbe: the tail loss probe (RFC 8985 §7). The loss of the end of a burst brings no ACKs that
// could tell of it. One segment sent after two round trips brings the peer's SACK, or repairs the
// loss itself, long before the retransmission timeout.
//
// Law: one probe at a time, and the next only after a round trip has been measured; none while
// losses are being repaired or the peer has SACKed something, since other means work then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "estab/time.h"

#include "tcp/loss/echo.h"
#include "tcp/sequence.h"

namespace estab::tcp::loss {

class TailProbe {
 public:
  /// Whether its octets had been sent before.
  enum class Kind : bool { fresh, repeat };
  /// What an ACK says about a probe that is under way.
  enum class Answer : std::uint8_t {
    none,         ///< nothing yet, or there is no probe
    for_nothing,  ///< nothing had been lost
    repaired      ///< the probe repaired a loss that nobody noticed: the window is to be reduced
  };
  struct Ack {
    StreamOffset ack;
    bool reports_duplicate;  ///< D-SACK
    bool is_duplicate;       ///< without SACK blocks, and nothing new in it
    const Echo& echo;
  };

  /// §7.2, TLP_calc_PTO, but for the comparison with the RTO.
  static Duration timeout(std::optional<Duration> srtt, std::uint32_t segments_in_flight) {
    if (!srtt) return std::chrono::seconds(1);
    return 2 * *srtt + (segments_in_flight <= 1 ? kMaxAckDelay : Duration::zero());
  }

  /// Whether one may be scheduled.
  bool may_be_sent() const { return end_seq_ == kSynOffset && measured_; }
  bool is_due() const { return due_; }
  void set_due() { due_ = true; }
  void cancel() { due_ = false; }
  bool is_out() const { return end_seq_ > kSynOffset; }
  void on_rtt_measured() { measured_ = true; }

  void on_sent(StreamOffset end_seq, Kind kind, Instant now) {
    due_ = measured_ = false;
    end_seq_ = end_seq;
    is_retrans_ = kind == Kind::repeat;
    sent_at_ = now;
  }
  /// §7.4.2, TLP_process_ack. Where timestamps tell that the probe itself was answered first, the
  /// original was lost; nobody has to wait for an ACK beyond it to know.
  Answer accept_ack(const Ack& ack) {
    if (!is_out() || ack.ack < end_seq_) return Answer::none;
    if (!is_retrans_ || ack.reports_duplicate || ack.is_duplicate || (ack.echo.is_before(sent_at_)))
      return end(Answer::for_nothing);
    if (ack.ack > end_seq_ || ack.echo.is_since(sent_at_)) return end(Answer::repaired);
    return Answer::none;
  }
  /// §7.1: recovery begins, by whatever rule.
  void reset() { due_ = false, end_seq_ = kSynOffset; }

  friend bool operator==(const TailProbe&, const TailProbe&) = default;
  void hash_into(auto& hasher) const {
    hasher.add_all(end_seq_.value(), due_, is_retrans_, measured_);
  }

 private:
  /// TLP.max_ack_delay: how long a peer may wait with the ACK of a single segment, as Linux has it.
  static constexpr Duration kMaxAckDelay = std::chrono::milliseconds(200);

  Answer end(Answer answer) {
    end_seq_ = kSynOffset;
    return answer;
  }

  StreamOffset end_seq_;  // TLP.end_seq; 0: none is under way
  Instant sent_at_{};
  bool due_ = false;         // it is the next to go
  bool is_retrans_ = false;  // TLP.is_retrans
  bool measured_ = true;     // an RTT was measured since the last
};

}  // namespace estab::tcp::loss
