// Rack: recent acknowledgement (RFC 8985 §6). A segment is lost if one that was sent later has been
// delivered, and the time it may be late by, the reordering window, has passed.
//
// Law: it decides by times alone, and marks nothing: lost_at() is a pure function of a record. The
// window is nothing until the peer's acknowledgements show that segments overtake each other; then
// a quarter of the least round-trip time, and one more quarter for each round trip in which a
// retransmission proved to be for nothing.
//
// The variables have the RFC's names.
// [RFC 8985 1-1]
#pragma once

#include <algorithm>
#include <cstdint>

#include "estab/time.h"

#include "tcp/loss/echo.h"
#include "tcp/loss/scoreboard.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::loss {

/// Whether losses are being repaired: then nothing waits for reordering that was never seen.
enum class Repair : bool { none, under_way };

class Rack {
 public:
  // ---- steps 2 and 3, for each delivery of an ACK; then on_delivered_all()
  void on_delivered(const Delivery& delivery, Instant now, const Echo& echo, Duration min_rtt);
  void on_delivered_all() { fack_ = highest_; }
  // ---- step 4
  /// The peer reports octets it got twice (RFC 2883), of a retransmission that was not a probe. A
  /// segment that came late after all shows reordering like one that was never sent again.
  // [RFC 8985 3.3.2-3, 4-3]
  void on_duplicate_reported(StreamOffset una, StreamOffset nxt);
  void on_recovered();
  struct Measures {
    Duration srtt, min_rtt;
    std::uint32_t segments_sacked;
    Repair repair;
  };
  // [RFC 8985 3.3.2-1, 3.3.2-2, 3.3.2-4]
  Duration reordering_window(const Measures& measures) const;
  // ---- step 5
  /// RACK.segment was sent after this one. Of what was sent at one time the octets tell; but what
  /// had been sent when losses were found (before `recovery_point`) was sent before any of it
  /// again.
  bool is_after(const Transmission& record, StreamOffset recovery_point = kSynOffset) const {
    if (record.sent_at != xmit_ts_) return record.sent_at < xmit_ts_;
    if (record.end() >= end_seq_) return false;
    return !record.sent_twice() || xmit_twice_ || end_seq_ > recovery_point;
  }
  /// When a record counts as lost, if is_after() it.
  Instant lost_at(const Transmission& record, Duration window) const {
    return record.sent_at + rtt_ + window;
  }

  bool reordering_seen() const { return reordering_seen_; }
  Duration rtt() const { return rtt_; }
  std::uint8_t reo_wnd_mult() const { return reo_wnd_mult_; }
  StreamOffset fack() const { return fack_; }

  friend bool operator==(const Rack&, const Rack&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  Instant xmit_ts_{};
  StreamOffset end_seq_;
  StreamOffset fack_;     // before the ACK that is being looked at
  StreamOffset highest_;  // and with it
  StreamOffset dsack_round_;
  Duration rtt_{};
  std::uint8_t reo_wnd_mult_ = 1;
  std::uint8_t reo_wnd_persist_ = 0;
  bool reordering_seen_ = false;
  bool xmit_twice_ = false;  // RACK.segment was a retransmission
};

// In line: it is asked for every ACK.
inline void Rack::on_delivered(const Delivery& delivery, Instant now, const Echo& echo,
                               Duration min_rtt) {
  const Transmission& record = delivery.record;
  // Step 3. Of one ACK all is compared with what was known before it: its order says nothing.
  highest_ = std::max(highest_, delivery.end);
  if (delivery.end < fack_ && !record.sent_twice()) reordering_seen_ = true;
  // Step 2. Which sending is answered? An answer to an earlier one tells nothing of the last.
  const Duration rtt = now - record.sent_at;
  if (record.sent_twice() && (echo.is_before(record.sent_at) || rtt < min_rtt)) return;
  rtt_ = rtt;
  const bool newest =
      record.sent_at > xmit_ts_ || (record.sent_at == xmit_ts_ && delivery.end > end_seq_);
  if (!newest) return;
  xmit_ts_ = record.sent_at;
  end_seq_ = delivery.end;
  xmit_twice_ = record.sent_twice();
}

}  // namespace estab::tcp::loss
