// Undo: whether a window was reduced, and octets were sent again, for nothing. Two proofs are
// known: an ACK that answers an original after it had been sent again (Eifel detection by
// timestamps, RFC 3522), and the peer's report of every retransmission as a duplicate (D-SACK, RFC
// 3708). What is then done about it is RFC 4015's answer: see Flight::undo.
//
// [RFC 9438 4.9.2-1]
//
// Law: it is armed with a reduction, by it alone, and ends with the next one, or with the proof.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcp/loss/echo.h"
#include "tcp/loss/scoreboard.h"

namespace estab::tcp::loss {

class Undo {
 public:
  bool is_armed() const { return from_ > kSynOffset; }
  void arm(StreamOffset una) { *this = {}, from_ = una; }
  void disarm() { *this = {}; }

  void on_sent_again(OctetRange range, Instant now) {
    if (!is_armed()) return;
    if (!has_sent_) {
      first_sent_at_ = now;
      first_begin_ = range.begin;
    }
    has_sent_ = true;
    unproved_ += range.length();
  }
  /// Octets that the peer got twice. True if they may be of a retransmission that it knows of.
  bool on_duplicate_reported(OctetRange range) {
    if (!is_armed() || !has_sent_ || range.begin < from_) return false;
    unproved_ -= std::min(unproved_, range.length());
    return true;
  }
  /// The ACK that advanced SND.UNA to `ack` covers the first retransmission, and answers what was
  /// sent before it. (What stands before that may have been sent again in an earlier episode.)
  bool is_proved_by(const Echo& echo, StreamOffset ack) const {
    return is_armed() && has_sent_ && ack > first_begin_ && echo.is_before(first_sent_at_);
  }
  bool is_proved_by_duplicates() const { return is_armed() && has_sent_ && unproved_ == 0; }
  /// Retransmissions of which no word has come yet.
  bool awaits_word() const { return is_armed() && unproved_ > 0; }

  friend bool operator==(const Undo&, const Undo&) = default;
  void hash_into(auto& hasher) const {
    hasher.add_all(from_.value(), unproved_, has_sent_);
    if (has_sent_) hasher.add_all(first_begin_.value(), first_sent_at_);
  }

 private:
  StreamOffset first_begin_;    // where the first retransmission begins
  StreamOffset from_;           // SND.UNA when the window was reduced; 0: not armed
  Instant first_sent_at_{};     // of the first retransmission
  std::uint32_t unproved_ = 0;  // octets sent again, not reported as duplicates
  bool has_sent_ = false;
};

}  // namespace estab::tcp::loss
