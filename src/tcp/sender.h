// Sender: the SND half of the transmission control block (RFC 9293 §3.3.1): what is queued, what is
// in flight, what may go next.
//
// Laws. SND.UNA <= SND.NXT <= everything ever sent (max()). Nothing beyond the peer's window is
// sent but a probe. A full segment goes as soon as the windows allow; a smaller one only by the
// rules of RFC 9293 §3.8.6.2.1 (silly windows) and §3.7.4 (Nagle). It decides in octets; the unit
// it hands out is a super-segment where the link takes one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "estab/stack.h"

#include "tcp/context.h"
#include "tcp/early_data.h"
#include "tcp/legacy/controller.h"
#include "tcp/opening.h"
#include "tcp/rtt.h"
#include "tcp/send_queue.h"
#include "tcp/tail_probe.h"
#include "tcp/timers.h"

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
  StreamOffset bare_number() const { return window_ == 0 ? una_ : max_; }
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
    std::optional<TcpTimestamps> timestamps;
    std::uint32_t timestamp_offset = 0;
    bool echoes_congestion = false;  ///< ECE
  };
  void accept_ack(const Context& context, const TcpConfig& config, StreamOffset ack,
                  const AckFacts& facts, TimerTable& timers);
  /// An acknowledgement with ECE, on a connection that uses ECN (RFC 3168 §6.1.2).
  void accept_echo(const Context& context, const TcpConfig& config, TimerTable& timers);
  /// What an acknowledgement says of octets that came twice: DSACK (RFC 2883), or none new at all.
  enum class TailAnswer : bool { no_word, came_twice };
  void accept_tail_answer(StreamOffset ack, TailAnswer answer);
  /// One more acknowledgement of SND.UNA that meets RFC 5681's definition of a duplicate.
  void accept_duplicate_ack();
  /// The FIN was sent, and acknowledged.
  bool fin_acked() const { return fin_queued_ && una_ > queue_.end(); }

  // ---- sending
  /// Whether plan() may find something, or the urgent mark is to be told. False is certain.
  bool wants_to_send() const {
    return has_unsent() || resend_ != Resend::none || probe_due_ || urgent_notice_ ||
           tail_.phase == TailProbe::Phase::due;
  }
  /// Whether a full segment of octets not sent yet may go now.
  bool may_fill_segment(const TcpConfig& config) const {
    const auto next = plan_next(config, mss_);
    return next && next->length >= mss_;
  }
  /// The answer to a tail loss probe is still to come: each acknowledgement may be it.
  bool awaits_tail_answer() const { return tail_.phase == TailProbe::Phase::out; }
  /// What goes next, if anything may; `most` limits the octets of one (super-)segment.
  std::optional<SendPlan> plan(const TcpConfig& config, std::uint32_t most);
  /// The plan has been carried out.
  void on_sent(const Context& context, const TcpConfig& config, const SendPlan& plan,
               TimerTable& timers);
  /// Nothing may go, something is queued, nothing is in flight: only a timer can go on from here.
  void arm_persist(const Context& context, const TcpConfig& config, TimerTable& timers);
  SendQueue::Gathered gather(const SendPlan& plan, std::span<Octets> views) const {
    return queue_.gather(plan.from, plan.length, views);
  }
  /// Octets that no datagram has carried before: only such a one may be marked (RFC 3168 §6.1.5).
  bool is_new(const SendPlan& plan) const {
    return plan.length > 0 && plan.from >= max_ && plan.reason == SendReason::data;
  }
  /// The next new octets are to say that the window was reduced (CWR).
  bool owes_cwr() const { return cwr_due_; }
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
  bool on_retransmit_timer(const Context& context, const TcpConfig& config, TimerTable& timers,
                           Served served);
  /// A probe is due. False: given up, since the peer no longer answers; never before a probe has
  /// gone unanswered.
  bool on_persist_timer(const Context& context, const TcpConfig& config, TimerTable& timers,
                        Served served);
  /// R2 or the user timeout may now be sooner than the timer that runs.
  void on_reconfigured(const Context& context, const TcpConfig& config, TimerTable& timers);
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
                    std::shared_ptr<const void> owner, SendMode mode);
  /// What was queued before there was a Sender.
  void take_over(EarlyData& early);
  void queue_fin() {
    fin_queued_ = true;
    more_ = unpushed_ = false;
  }
  bool fin_queued() const { return fin_queued_; }
  bool all_sent() const { return nxt_ >= queue_.end(); }
  std::size_t queued() const { return queue_.size(); }
  void set_mss(std::uint32_t mss);
  void trim() { queue_.trim(); }
  void release_all(BlockPool& pool) { queue_.release_all(pool); }

  const RttEstimator& rtt() const { return rtt_; }
  std::uint32_t cwnd() const { return congestion_.cwnd(); }
  std::uint32_t ssthresh() const { return congestion_.ssthresh(); }
  std::string_view phase() const;
  void fill(TcpInfo& info, const TcpConfig& config) const;
  std::size_t memory() const { return queue_.memory(); }
  friend bool operator==(const Sender&, const Sender&) = default;
  void hash_into(base::Hasher& hasher, const TcpConfig& config) const;

 private:
  /// What SND.UNA is to be sent again for, beside the ordinary course.
  enum class Resend : std::uint8_t { none, fast, partial };
  enum class Recovery : std::uint8_t { none, fast, loss };
  enum class Echo : bool { no, yes };  // of congestion

  std::optional<SendPlan> plan_resend() const;
  std::optional<SendPlan> plan_probe() const;
  std::optional<SendPlan> plan_tail() const;
  bool may_use_tail_probe(const TcpConfig& config) const { return config.tail_loss_probe && sack_; }
  bool may_probe_tail(const TcpConfig& config) const;
  std::optional<Duration> tail_probe_timeout(const TcpConfig& config) const;
  void note_tail(const SendPlan& plan, StreamOffset end);
  std::optional<SendPlan> plan_next(const TcpConfig& config, std::uint32_t most) const;
  std::int64_t congestion_room() const;
  bool is_stopped_by(std::int64_t congestion_room) const;
  /// Octets, or the FIN, stand behind SND.NXT.
  bool has_unsent() const { return nxt_ < queue_.end() || (fin_queued_ && nxt_ == queue_.end()); }
  std::uint32_t check_length(const TcpConfig& config, std::int64_t room, std::uint32_t most) const;
  bool may_send_partial(const TcpConfig& config, std::uint32_t length) const;
  void finish_plan(SendPlan& plan) const;
  std::uint32_t flight() const { return static_cast<std::uint32_t>(nxt_ - una_); }
  void before_append(const Context& context, const TcpConfig& config);
  void after_append(std::size_t octets, SendMode mode);
  void take_rtt_sample(const Context& context, const TcpConfig& config, StreamOffset ack,
                       const AckFacts& facts);
  void take_sample(const Context& context, const TcpConfig& config, Duration rtt);
  void note_reduction();
  void grow_or_recover(StreamOffset ack, std::uint32_t acked, Echo echo);
  bool uses_window() const;
  Duration give_up_after(const TcpConfig& config) const;
  void restart_retransmit_timer(const Context& context, const TcpConfig& config,
                                TimerTable& timers);
  auto fields(const TcpConfig& config) const;

  SequenceSpace space_;
  StreamOffset una_ = kFirstOctet;  // SND.UNA
  StreamOffset nxt_ = kFirstOctet;  // SND.NXT: goes back to SND.UNA after a timeout
  StreamOffset max_ = kFirstOctet;  // behind the last octet ever sent
  StreamOffset wl1_, wl2_;          // SND.WL1 (in the peer's numbering), SND.WL2
  StreamOffset urgent_end_;         // SND.UP: behind the last urgent octet; 0: none
  StreamOffset push_end_;           // behind the last octet pushed explicitly; 0: none
  StreamOffset release_end_;        // what stands before is held back no longer; 0: none
  StreamOffset recover_;            // RFC 6582
  StreamOffset reduced_end_;        // behind what was sent when the window was last reduced
  StreamOffset timed_end_;          // an RTT is being measured until this is acknowledged; 0: none
  Instant timed_at_;
  Instant sampled_at_;  // when the last RTT was measured
  Instant oldest_at_;   // when what is oldest in flight was first sent
  Instant heard_at_;    // when the peer was last heard
  Instant last_sent_;   // when data was last sent
  // [RFC 9293 REC-1]
  std::uint32_t window_;              // SND.WND, scaled
  std::uint32_t max_window_;          // Max(SND.WND)
  std::uint32_t mss_;                 // Eff.snd.MSS: payload octets of a full segment
  std::uint32_t most_in_flight_ = 0;  // since nothing was
  std::uint8_t duplicate_acks_ = 0;
  std::uint8_t retransmits_ = 0;  // timeouts since SND.UNA last moved
  std::uint8_t probes_ = 0;       // since the window was last open
  Resend resend_ = Resend::none;
  Recovery recovery_ = Recovery::none;
  bool probe_due_ = false;
  bool first_partial_ = false;
  bool fin_queued_ = false;
  bool more_ = false;           // the application said more follows
  bool unpushed_ = false;       // and said so with the last octets of the queue
  bool urgent_notice_ = false;  // the peer has not been told of SND.UP yet
  bool ecn_ = false;            // negotiated
  bool sack_ = false;           // negotiated
  bool cwr_due_ = false;        // the peer is to hear that the window was reduced
  bool slowed_ = false;         // one MSS was still too much: nothing goes before the timer has run
  bool cwnd_limited_ = false;   // the congestion window, and nothing else, stopped sending
  TailProbe tail_;
  std::uint64_t total_retransmits_ = 0;
  std::uint64_t bytes_retransmitted_ = 0;
  RttEstimator rtt_;
  Controller congestion_;
  SendQueue queue_;
};

}  // namespace estab::tcp
