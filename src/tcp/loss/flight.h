// Flight: what is in the network, and what becomes of it. It keeps the record of every transmission
// (scoreboard.h), asks what is lost (rack.h; RFC 6582 for peers without SACK), tells congestion
// control, and knows how much may go while losses are repaired (prr.h).
//
// States, by the names of Linux (CaState): open; cwr while the window comes down for a mark;
// recovery while it comes down for a loss; loss after a timeout. Disorder is open with something
// SACKed or acknowledged again. One episode ends when what had been sent at its beginning
// (RecoveryPoint) is acknowledged, or with the proof that nothing had been lost (undo.h, and F-RTO,
// RFC 5682).
//
// Laws. SND.NXT never goes back: what is lost is marked, and sent again from its record. The window
// is reduced once an episode. Of one ACK all that it delivers is taken in first, then what is lost
// because of it, then congestion control is told. A peer cannot make an ACK cost more than what it
// says that is new.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "estab/info.h"

#include "tcp/congestion/controller.h"
#include "tcp/congestion/delivery_rate.h"
#include "tcp/ecn/feedback.h"
#include "tcp/loss/prr.h"
#include "tcp/loss/rack.h"
#include "tcp/loss/rtt.h"
#include "tcp/loss/scoreboard.h"
#include "tcp/loss/tail_probe.h"
#include "tcp/loss/undo.h"
#include "tcp/send/chronograph.h"
#include "tcp/send/pacer.h"
#include "tcp/send/turn.h"

namespace estab::tcp::loss {

/// Whether what a clock says of it can still decide something.
enum class Times : bool { are_history, decide };

class Flight {
 public:
  /// What it is lent for one call.
  struct Lent {
    const Turn& turn;
    RttEstimator& rtt;
    congestion::Controller& congestion;
    const SequenceSpace& space;
    StreamOffset una, nxt;  ///< SND.UNA, SND.NXT as the call begins
    std::uint32_t mss;
    bool sack;      ///< negotiated
    bool says_cwr;  ///< the feedback of marks is that of RFC 3168
    Instant now() const { return turn.now(); }
  };

  // ---- sums, in octets
  /// RFC 6675's pipe; for a peer without SACK less a segment for each duplicate ACK.
  // [RFC 9937 6.2-1]
  std::uint32_t in_flight() const {
    return scoreboard_.in_flight() - std::min(duplicated_, scoreboard_.in_flight());
  }
  bool has_lost() const { return scoreboard_.lost() > 0; }
  CaState state() const {
    const bool quiet = scoreboard_.sacked() == 0 && duplicated_ == 0;
    return state_ == CaState::open && !quiet ? CaState::disorder : state_;
  }
  std::uint32_t records() const { return scoreboard_.records(); }
  const Transmission* first() const { return scoreboard_.first(); }

  // ---- sending
  // [RFC 9937 3-2]
  /// Octets that congestion control lets go now; below zero: so many too many are in flight.
  std::int64_t room(const congestion::Controller& congestion) const {
    if (reduces_by_prr(congestion)) return prr_.send_count();
    return std::int64_t{congestion.congestion_window()} - in_flight();
  }
  /// What is lost and goes next, at most `most` octets. Nothing while F-RTO waits for an ACK.
  std::optional<OctetRange> next_lost(std::uint32_t most) const {
    return scoreboard_.next_lost(most);
  }
  SendReason reason_of_next_lost() const;
  /// F-RTO: new octets go before what is lost, if there are any (RFC 5682 §2.1 (2b)).
  bool prefers_new() const { return frto_ == FRto::second; }
  void on_nothing_new() { frto_ = FRto::off; }
  /// Memory for so many new records; it may throw, what follows does not.
  void make_room(std::uint32_t records) { scoreboard_.make_room(records); }
  /// `range` was sent: before SND.NXT for the second time, behind it for the first.
  void on_sent(const Lent& lent, OctetRange range);
  /// The window and the pace would let octets go, and there are none.
  void on_app_limited() { rate_.on_app_limited(in_flight()); }
  void set_limit(congestion::Limit limit) { limit_ = limit; }
  /// After a pause octets go at once as they did at the beginning, from here on.
  void on_restart(StreamOffset nxt) { burst_begin_ = nxt; }
  Pacer& pacer() { return pacer_; }
  const Pacer& pacer() const { return pacer_; }

  // ---- what comes
  struct Ack {
    StreamOffset number;                 ///< SND.UNA from now on
    std::span<const OctetRange> sacked;  ///< between it and SND.NXT
    std::optional<OctetRange> reported;  ///< what the peer got twice (RFC 2883)
    bool is_duplicate = false;           ///< by RFC 5681 §2
    bool answers_nothing = false;        ///< no text, no SACK, and nothing new in it
    bool echoes_congestion = false;      ///< ECE, as RFC 3168 means it
    Feedback* feedback = nullptr;        ///< of AccECN
    Feedback::Ack told{};                ///< then
    Echo echo{};
  };
  struct Outcome {
    bool restarts_timer = false;  ///< the retransmission timer counts anew
    bool is_least = false;        ///< a mark met a window of one segment
  };
  Outcome on_ack(const Lent& lent, const Ack& ack);
  /// An ACK that delivers nothing tells of marks.
  Outcome on_marked(const Lent& lent);

  // ---- timers
  /// RFC 6298 (5.4): what is in flight may be lost. `repeat`: the octets had timed out before.
  void on_timeout(const Lent& lent, congestion::Repeat repeat);
  void on_reordering_timer(const Lent& lent);
  /// Segments of this size are too big for the path: those in flight have been dropped.
  void on_smaller_segments(const Lent& lent);

  // ---- the tail loss probe
  /// When it is due, counted from now; nothing: it may not be sent.
  std::optional<Duration> tail_probe_timeout(const Lent& lent) const;
  TailProbe& tail_probe() { return tail_probe_; }
  const TailProbe& tail_probe() const { return tail_probe_; }
  void on_tail_probe_sent(StreamOffset end_seq, TailProbe::Kind kind, Instant now) {
    tail_probe_.on_sent(end_seq, kind, now);
    ++tail_probes_;
  }
  OctetRange tail(std::uint32_t most) const { return scoreboard_.tail(most); }

  // ---- ECN
  bool owes_cwr() const { return cwr_due_; }
  void on_cwr_sent() { cwr_due_ = false; }

  // ---- counting
  /// When anything with a number of its own was last sent, a probe included.
  Instant last_sent() const { return last_sent_; }
  void set_last_sent(Instant now) { last_sent_ = now; }
  void count_retransmission(std::uint32_t octets) {
    ++retransmitted_segments_;
    retransmitted_octets_ += octets;
  }
  Chronograph& chronograph() { return chronograph_; }
  void count_text(std::uint32_t segments) { text_segments_ += segments; }
  void fill(TcpInfo& info, const RttEstimator& rtt, Instant now) const;
  std::size_t memory() const { return sizeof(Flight) + scoreboard_.memory(); }
  void trim() { scoreboard_.trim(); }

  friend bool operator==(const Flight&, const Flight&) = default;
  void hash_into(base::Hasher& hasher, Times times) const;
  std::uint64_t delivered() const { return rate_.delivered(); }

 private:
  enum class FRto : std::uint8_t {
    off,
    first,  ///< the ACK after the timeout is waited for
    second  ///< it advanced; new octets go, and the next ACK decides
  };
  /// What one ACK brought.
  struct Gains {
    congestion::DeliveryRate::Gathering gathering;
    std::uint32_t in_flight_before = 0, acked = 0, delivered = 0, lost = 0;
    std::uint32_t segments = 0;  // delivered; counted for AccECN only
    std::uint32_t marked = 0;    // octets of the delivered
    bool is_marked = false;      // some were, or an echo says so
    bool advanced = false;
    bool repeated = false;             // something that had been sent twice
    bool ended = false;                // an episode, and nothing was undone
    bool original = false;             // something from before a timeout, not sent again
    bool later = false;                // something from behind it
    Instant newest{};                  // when what was sent last was sent
    std::optional<Duration> rtt;       // of that
    std::optional<Duration> sample{};  // for the estimator
  };

  bool reduces_by_prr(const congestion::Controller& congestion) const {
    return (state_ == CaState::recovery || state_ == CaState::cwr) && !congestion.recovers_itself();
  }
  StreamOffset una(const Lent& lent) const {
    return scoreboard_.empty() ? lent.nxt : scoreboard_.first()->begin;
  }
  static std::uint32_t limit_of(const Lent& lent) {
    return lent.turn.context.config.limits.transmissions;
  }
  congestion::LossEvent loss_event(const Lent& lent, std::uint32_t in_flight_before,
                                   std::uint32_t lost) const;

  Gains take_delivered(const Lent& lent, const Ack& ack);
  void take_rtt(const Lent& lent, const Ack& ack, const Gains& gains);
  void take_reports(const Lent& lent, const Ack& ack);
  static void take_marks(const Lent& lent, const Ack& ack, Gains& gains);
  void count_duplicates(const Lent& lent, const Ack& ack, Gains& gains);
  void undo_if_proved(const Lent& lent, const Ack& ack, const Gains& gains);
  bool begins_frto(const Lent& lent) const;
  bool is_spurious_timeout(const Lent& lent, const Ack& ack, const Gains& gains);
  FRto after_step(const Lent& lent, const Ack& ack, const Gains& gains) const;
  void undo(const Lent& lent, UndoProof proof);
  void leave_episode(const Lent& lent, const Ack& ack, Gains& gains);
  void close_episode(const Lent& lent);
  bool is_initial(const Lent& lent, const Transmission& record) const;
  auto loser(const Lent& lent, LossRule rule, std::uint32_t& lost);
  std::uint32_t detect(const Lent& lent);
  std::uint32_t detect_without_sack(const Lent& lent, const Gains& gains, Repair before);
  void begin_recovery(const Lent& lent, std::uint32_t in_flight_before, std::uint32_t lost,
                      std::uint32_t recover_fs);
  bool reduce_for_mark(const Lent& lent, std::uint32_t in_flight_before, std::uint32_t recover_fs);
  void note_reduction(const Lent& lent);
  void forgive_marks(const Lent& lent);
  void tell_congestion_control(const Lent& lent, Gains& gains);
  void advance_prr(const Lent& lent, const Gains& gains);

  Scoreboard scoreboard_;
  Rack rack_;
  congestion::DeliveryRate rate_;
  Prr prr_;
  Undo undo_;
  TailProbe tail_probe_;
  Pacer pacer_;
  StreamOffset recover_;      // RecoveryPoint (RFC 6582, RFC 6675): SND.NXT as the episode began
  StreamOffset marks_end_;    // marks on what was sent before it say nothing new
  StreamOffset reduced_end_;  // behind what was sent when the window was last reduced
  StreamOffset episode_end_;  // the proof by duplicates may come until this is acknowledged; 0: no
  RecentRtt recent_rtt_;
  Instant sampled_at_{};  // when the last RTT was measured
  Instant timeout_at_{};  // when the timer last ran out
  Instant last_sent_{};
  // Of what an initial or a restart window let go.
  StreamOffset burst_begin_ = kFirstOctet;
  Duration reordering_window_{};
  std::uint32_t duplicated_ = 0;  // octets for which duplicate ACKs stand, of a peer without SACK
  std::uint8_t duplicate_acks_ = 0;
  CaState state_ = CaState::open;
  FRto frto_ = FRto::off;
  congestion::Limit limit_ = congestion::Limit::application;
  bool cwr_due_ = false;             // the peer is to hear that the window was reduced
  bool partial_seen_ = false;        // a partial ACK has come in this recovery (RFC 6582)
  bool episode_open_ = false;        // congestion control waits for on_recovered or on_spurious
  bool rate_limited_ = false;        // the application had too little to send, for the last rate
  std::uint32_t text_segments_ = 0;  // sent
  std::uint64_t last_rate_ = 0;
  std::uint64_t recoveries_ = 0, timeouts_ = 0, tail_probes_ = 0, undone_ = 0, reported_ = 0;
  std::uint64_t retransmitted_segments_ = 0, retransmitted_octets_ = 0;
  Chronograph chronograph_;
};

}  // namespace estab::tcp::loss
