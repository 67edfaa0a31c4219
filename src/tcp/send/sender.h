// Sender: the SND half of the transmission control block (RFC 9293 §3.3.1): what is queued, what is
// in flight, what may go next.
//
// Laws. SND.UNA <= SND.NXT <= everything ever sent (max()), and none of them goes back. Nothing
// beyond the peer's window is sent but a probe, whose octet counts as sent only when it is
// acknowledged. What is lost goes before what is new. A full segment goes as soon as the windows
// allow; a smaller one only by the rules of RFC 9293 §3.8.6.2.1 (silly windows) and §3.7.4 (Nagle).
// It decides in octets; the unit it hands out is a super-segment where the link takes one.
//
// What becomes of what was sent is the Flight's (loss/flight.h), which there is from the first
// octet on; here is what to send (sender_plan.cpp) and when to wait (sender_timers.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "estab/stack.h"

#include "base/box.h"
#include "tcp/congestion/controller.h"
#include "tcp/loss/flight.h"
#include "tcp/loss/rtt.h"
#include "tcp/open/early_data.h"
#include "tcp/open/opening.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/turn.h"

namespace estab::tcp {

/// One decision to send octets (and perhaps the FIN behind them).
struct SendPlan {
  StreamOffset from;
  std::uint32_t length = 0;
  bool fin = false;
  bool push = false;
  SendReason reason = SendReason::data;
};

class Sender {
 public:
  Sender(const Opening& opening, std::uint32_t mss, const TcpConfig& config);

  // ---- numbers
  StreamOffset una() const { return una_; }
  StreamOffset nxt() const { return nxt_; }
  StreamOffset max() const { return max_; }
  std::uint32_t window() const { return window_; }
  std::uint32_t max_window() const { return max_window_; }
  SeqNum wire(StreamOffset offset) const { return space_.wire(offset); }
  /// The offset an acknowledgement number means.
  StreamOffset offset_of(SeqNum number) const { return space_.near(number, una_); }
  bool in_flight() const { return max_ > una_; }
  /// The number of a segment without text. While its window is shut the peer accepts none but the
  /// one it waits for; what a probe took beyond it does not count yet.
  StreamOffset acceptable_seq() const { return window_ == 0 ? una_ : max_; }
  std::uint32_t mss() const { return mss_; }

  // ---- fifth check
  enum class AckKind : std::uint8_t { advance, duplicate, old, beyond };
  /// What an acknowledgement number is to us. `old` is below SND.UNA, `beyond` was never sent.
  AckKind check_ack(StreamOffset ack) const;
  /// SND.WL1/WL2: is this segment newer than the one the window was taken from?
  bool check_window_update(StreamOffset seq, StreamOffset ack) const;
  /// Takes the window; true if it changed.
  bool accept_window(StreamOffset seq, StreamOffset ack, std::uint32_t window, TimerTable& timers);
  struct AckFacts {
    StreamOffset number;
    SackBlocks sack{};  ///< as they came
    loss::Echo echo{};
    bool is_duplicate = false;       ///< by the definition of RFC 5681 §2
    bool answers_nothing = false;    ///< no text, no SACK, and nothing new in it
    bool echoes_congestion = false;  ///< ECE, on a connection that uses ECN
  };
  /// An acknowledgement that is neither old nor beyond what was sent.
  void accept_ack(const Turn& turn, const AckFacts& facts);
  /// What accept_ack() needs memory for; it may throw, and has then changed nothing.
  void make_room_for_ack(const SackBlocks& sack) {
    if (flight_ && (!sack_ || !sack.empty()))
      flight_->make_room(static_cast<std::uint32_t>(2 * sack.size() + 1));
  }
  /// The FIN was sent, and acknowledged.
  bool fin_acked() const { return fin_queued_ && una_ > queue_.end(); }

  // ---- sending
  /// Whether plan() may find something, or the urgent mark is to be told. False is certain.
  bool wants_to_send() const {
    return has_unsent() || probe_due_ || urgent_notice_ ||
           (flight_ && (flight_->has_lost() || flight_->tail_probe().is_due()));
  }
  /// Whether a full segment of octets not sent yet may go now.
  bool may_fill_segment(const Turn& turn) const {
    const auto next = plan_next(turn, mss_);
    return next && next->length >= mss_;
  }
  /// The answer to a tail loss probe is still to come: each acknowledgement may be it.
  bool awaits_tail_answer() const { return flight_ && flight_->tail_probe().is_out(); }
  /// What goes next, if anything may; `most` limits the octets of one (super-)segment.
  std::optional<SendPlan> plan(const Turn& turn, std::uint32_t most);
  /// What on_sent() needs memory for; it may throw, and has then changed nothing.
  void make_room();
  /// The plan has been carried out.
  void on_sent(const Turn& turn, const SendPlan& plan);
  /// Nothing may go, something is queued, nothing is in flight: only a timer can go on from here.
  void arm_persist(const Turn& turn);
  SendQueue::Gathered gather(const SendPlan& plan, std::span<Octets> views) const {
    return queue_.gather(plan.from, plan.length, views);
  }
  /// Octets that no datagram has carried before: only such a one may be marked (RFC 3168 §6.1.5).
  bool is_new(const SendPlan& plan) const {
    return plan.length > 0 && plan.from >= max_ && plan.reason == SendReason::data;
  }
  /// The next new octets are to say that the window was reduced (CWR).
  bool owes_cwr() const { return flight_ && flight_->owes_cwr(); }
  /// Full segments that Linux would hand to an offload engine in one piece: a millisecond's worth
  /// at the pace of sending, more where the round trip is very short, Quirks::least_burst at least,
  /// but half of the congestion window at most.
  std::uint32_t burst_segments(const TcpConfig& config) const;
  bool has_urgent(StreamOffset at) const { return urgent_end_ > at; }
  /// What a segment that begins there says of the urgent octets, if anything.
  std::optional<std::uint16_t> urgent_pointer(StreamOffset at) const;
  bool urgent_notice() const { return urgent_notice_; }
  void on_urgent_notice_sent() { urgent_notice_ = false; }

  // ---- timers
  /// RFC 6298 (5.4)-(5.6). False: given up (R2, user timeout); never before a retransmission has
  /// gone unanswered.
  bool on_retransmit_timer(const Turn& turn, Served served);
  /// RFC 8985 §7.3: a probe is due.
  void on_tail_probe_timer(const Turn& turn);
  /// RFC 8985 §6: what was overtaken is not merely late.
  void on_reordering_timer(const Turn& turn);
  /// A probe is due. False: given up, since the peer no longer answers; never before a probe has
  /// gone unanswered.
  bool on_persist_timer(const Turn& turn, Served served);
  /// R2 or the user timeout may now be sooner than the timer that runs.
  void on_reconfigured(const Turn& turn);
  /// The peer was heard (RFC 9293 §3.8.6.1: then a shut window may stay shut, MUST-37).
  void on_heard(Instant now) { heard_at_ = now; }
  Instant heard_at() const { return heard_at_; }
  /// While the window is shut: since when nothing has been acknowledged.
  Instant stalled_since() const { return oldest_at_; }
  std::uint8_t retransmits() const { return retransmits_; }

  // ---- the application
  std::size_t room(const TcpConfig& config) const;
  void append(const Context& context, const TcpConfig& config, Octets octets, SendMode mode);
  void append_owned(const Context& context, const TcpConfig& config, Octets octets,
                    const std::shared_ptr<const void>& owner, SendMode mode);
  /// What was queued before there was a Sender.
  void take_over(EarlyData& early);
  void queue_fin() {
    fin_queued_ = true;
    more_ = unpushed_ = false;
  }
  bool fin_queued() const { return fin_queued_; }
  bool all_sent() const { return nxt_ >= queue_.end(); }
  std::size_t queued() const { return queue_.size(); }
  void set_mss(const Turn& turn, std::uint32_t mss);
  void trim() {
    queue_.trim();
    if (flight_) flight_->trim();
  }
  void release_all(BlockPool& pool) { queue_.release_all(pool); }

  const RttEstimator& rtt() const { return rtt_; }
  std::uint32_t cwnd() const { return congestion_.congestion_window(); }
  std::uint32_t ssthresh() const { return congestion_.ssthresh(); }
  std::string_view phase() const;
  void fill(TcpInfo& info, const TcpConfig& config) const;
  std::size_t memory() const { return queue_.memory() + (flight_ ? flight_->memory() : 0); }
  friend bool operator==(const Sender&, const Sender&) = default;
  void hash_into(base::Hasher& hasher, const TcpConfig& config) const;

 private:
  const loss::Flight& flight() const;
  loss::Flight::Lent lend(const Turn& turn) {
    return {turn, rtt_, congestion_, space_, una_, nxt_, mss_, sack_, ecn_};
  }
  bool is_paced(const TcpConfig& config) const {
    return config.pacing || congestion_.recovers_itself();
  }

  // ---- sender_plan.cpp
  std::optional<SendPlan> plan_lost(std::uint32_t most) const;
  std::optional<SendPlan> plan_probe() const;
  std::optional<SendPlan> plan_tail() const;
  std::optional<SendPlan> plan_next(const Turn& turn, std::uint32_t most) const;
  std::optional<SendPlan> plan_by_window(const Turn& turn, std::uint32_t most);
  bool waits_for_pace(const Turn& turn);
  void note_limit();
  bool is_stopped_by(std::int64_t congestion_room, std::int64_t wanted) const;
  /// Octets, or the FIN, stand behind SND.NXT.
  bool has_unsent() const { return nxt_ < queue_.end() || (fin_queued_ && nxt_ == queue_.end()); }
  std::uint32_t check_length(const TcpConfig& config, std::int64_t room, std::uint32_t most) const;
  bool may_send_partial(const TcpConfig& config, std::uint32_t length) const;
  void finish_plan(SendPlan& plan) const;
  void record(const Turn& turn, const SendPlan& plan, StreamOffset end);

  // ---- sender_timers.cpp
  Duration give_up_after(const TcpConfig& config) const;
  void restart_retransmit_timer(const Turn& turn);
  enum class Anew : bool { no, yes };
  void arrange_tail_probe(const Turn& turn, Anew anew);
  void suspect_black_hole(const Turn& turn);

  void take_sack(const AckFacts& facts, loss::Flight::Ack& ack,
                 std::array<loss::OctetRange, SackBlocks::kMax>& blocks) const;
  void accept_advance(const Turn& turn, StreamOffset ack);
  loss::Times times_of(const TcpConfig& config) const;
  void before_append(const Context& context, const TcpConfig& config);
  void after_append(std::size_t octets, SendMode mode);
  auto fields(const TcpConfig& config) const;

  SequenceSpace space_;
  StreamOffset una_ = kFirstOctet;  // SND.UNA
  StreamOffset nxt_ = kFirstOctet;  // SND.NXT
  StreamOffset max_ = kFirstOctet;  // behind the last octet ever sent: a probe goes beyond SND.NXT
  StreamOffset wl1_, wl2_;          // SND.WL1 (in the peer's numbering), SND.WL2
  StreamOffset urgent_end_;         // SND.UP: behind the last urgent octet; 0: none
  StreamOffset push_end_;           // behind the last octet pushed explicitly; 0: none
  StreamOffset release_end_;        // what stands before is held back no longer; 0: none
  Instant oldest_at_;               // when what is oldest in flight was first sent
  Instant heard_at_;                // when the peer was last heard
  Instant last_sent_;               // when data was last sent
  // [RFC 9293 REC-1]
  std::uint32_t window_;            // SND.WND, scaled
  std::uint32_t max_window_;        // Max(SND.WND)
  std::uint32_t mss_;               // Eff.snd.MSS: payload octets of a full segment
  std::uint32_t path_mss_;          // what the path is known to take
  std::uint32_t mss_cap_ = kNoCap;  // what a black hole has taught (RFC 4821 §7.7)
  std::uint8_t retransmits_ = 0;    // timeouts since SND.UNA last moved
  std::uint8_t probes_ = 0;         // since the window was last open
  bool probe_due_ = false;
  bool fin_queued_ = false;
  bool more_ = false;           // the application said more follows
  bool unpushed_ = false;       // and said so with the last octets of the queue
  bool urgent_notice_ = false;  // the peer has not been told of SND.UP yet
  bool ecn_ = false;            // negotiated
  bool sack_ = false;           // negotiated
  bool slowed_ = false;         // one MSS was still too much: nothing goes before the timer has run
  std::uint64_t total_retransmits_ = 0;
  std::uint64_t bytes_retransmitted_ = 0;
  RttEstimator rtt_;
  congestion::Controller congestion_;
  base::Box<loss::Flight> flight_;  // nothing before the first octet is sent
  SendQueue queue_;

  static constexpr std::uint32_t kNoCap = 0xffffffff;
};

}  // namespace estab::tcp
