// Sender: the SND half of the transmission control block (RFC 9293 §3.3.1): what is queued, what is
// in flight, what may go next.
//
// Laws. Nothing beyond the peer's window is sent but a probe, whose octet counts as sent only when
// it is acknowledged. What is lost goes before what is new. A full segment goes as soon as the
// windows allow; a smaller one only by the rules of RFC 9293 §3.8.6.2.1 (silly windows) and §3.7.4
// (Nagle). It decides in octets; the unit it hands out is a super-segment where the link takes one.
//
// The numbers are the SendSpace's, the octets and the marks in them the Outgoing's; what becomes of
// what was sent is the Flight's (loss/flight.h), which there is from the first octet on. Here is
// what to send (sender_plan.cpp) and when to wait (sender_timers.cpp).
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
#include "tcp/open/opening.h"
#include "tcp/send/outgoing.h"
#include "tcp/send/send_space.h"
#include "tcp/send/turn.h"

namespace estab::tcp {

/// One decision to send octets (and perhaps the FIN behind them).
struct SendPlan {
  StreamOffset from;
  std::uint32_t length = 0;
  bool fin = false;
  bool push = false;
  SendReason reason = SendReason::data;

  /// Octets that no datagram has carried before: only such a one may be marked (RFC 3168 §6.1.5).
  bool is_new(const SendSpace& space) const {
    return length > 0 && from >= space.max() && reason == SendReason::data;
  }
};

/// What an acceptable acknowledgement says.
struct AckFacts {
  StreamOffset number;
  StreamOffset seq;          ///< of the segment it came in
  std::uint32_t window = 0;  ///< scaled
  SackBlocks sack{};         ///< as they came
  loss::Echo echo{};
  bool is_duplicate = false;       ///< by the definition of RFC 5681 §2
  bool answers_nothing = false;    ///< no text, no SACK, and nothing new in it
  bool echoes_congestion = false;  ///< ECE, on a connection that uses the feedback of RFC 3168
  Feedback* feedback = nullptr;    ///< on one that uses that of RFC 9768
  Feedback::Ack told{};            ///< then
};

/// What is known of the peer's being there.
struct Liveness {
  Instant heard_at;          ///< when it was last heard
  Instant stalled_since;     ///< since when nothing has been acknowledged, if anything is to be
  std::uint8_t retransmits;  ///< timeouts since then
};

class Sender {
 public:
  Sender(const Opening& opening, std::uint32_t mss, const TcpConfig& config);

  const SendSpace& space() const { return space_; }
  const Outgoing& outgoing() const { return outgoing_; }
  Outgoing& outgoing() { return outgoing_; }
  /// What is in flight; an empty one before the first octet is sent.
  const loss::Flight& flight() const;
  const congestion::Controller& congestion() const { return congestion_; }
  const RttEstimator& rtt() const { return rtt_; }

  /// An acknowledgement of nothing beyond what was sent, and the window beside it; of an old one
  /// only what it SACKs counts. It may throw std::bad_alloc, and has then changed nothing.
  void accept_ack(const Turn& turn, const AckFacts& facts);
  /// The peer was heard (RFC 9293 §3.8.6.1: then a shut window may stay shut, MUST-37).
  void on_heard(Instant now) { heard_at_ = now; }
  void on_text_heard(Instant now) { text_heard_ = timestamp_clock(now, 0); }
  Liveness liveness() const { return {heard_at_, oldest_at_, retransmits_}; }

  /// Whether plan() may find something, or the urgent mark is to be told. False is certain.
  bool wants_to_send() const {
    return has_unsent() || probe_due_ || outgoing_.owes_urgent_notice() ||
           (flight_ && (flight_->has_lost() || flight_->tail_probe().is_due()));
  }
  /// What goes next, if anything may; `most` limits the octets of one (super-)segment. If nothing
  /// may and nothing is in flight, a timer sees to it that something will.
  std::optional<SendPlan> plan(const Turn& turn, std::uint32_t most);
  /// What on_sent() needs memory for; it may throw, and has then changed nothing.
  void make_room();
  /// The plan has been carried out.
  void on_sent(const Turn& turn, const SendPlan& plan);
  /// Whether more follows at once behind so many full segments of new octets sent in one go, as
  /// Linux would hand them to an offload engine (Quirks::push_bursts).
  bool continues_burst(const Turn& turn, std::uint32_t segments) const;

  /// One of the timers of sending: retransmission, tail probe, reordering, persist. False: given up
  /// (R2, user timeout); never before a retransmission or probe has gone unanswered.
  bool on_timer(const Turn& turn, Timer timer, Served served);
  /// R2 or the user timeout may now be sooner than the timer that runs.
  void on_reconfigured(const Turn& turn);
  /// The application is about to add to outgoing().
  void restart_after_idle(const Context& context, const TcpConfig& config);
  /// So many octets at the beginning went with the SYN, and are acknowledged (RFC 7413 §4.2.2).
  void begin_behind(std::uint32_t acked, BlockPool& pool);
  /// Our SYN was acknowledged later than the connection began, after this time.
  void on_handshake_timed(Duration rtt, const TcpConfig& config) {
    if (!rtt_.has_sample()) rtt_.on_sample(rtt, config);
  }
  std::uint32_t mss() const { return mss_; }
  void set_mss(const Turn& turn, std::uint32_t mss);

  /// Makes room for what the congestion window may have under way, if the application has more.
  void grow_buffer(const Context& context, const TcpConfig& config);
  void trim(const TcpConfig& config, BufferBudget& budget) {
    outgoing_.trim();
    outgoing_.growth().shrink_to(budget, config.send_buffer, outgoing_.size());
    if (flight_) flight_->trim();
  }
  std::size_t memory() const { return outgoing_.memory() + (flight_ ? flight_->memory() : 0); }
  void fill(TcpInfo& info, const TcpConfig& config, Instant now) const;
  friend bool operator==(const Sender&, const Sender&) = default;
  void hash_into(base::Hasher& hasher, const TcpConfig& config) const;

 private:
  loss::Flight::Lent lend(const Turn& turn) {
    return {turn,         rtt_, congestion_, space_.numbers(), space_.una(),
            space_.nxt(), mss_, sack_,       says_cwr_};
  }
  bool is_paced(const TcpConfig& config) const {
    return config.pacing || congestion_.recovers_itself();
  }

  void accept_window(const AckFacts& facts, TimerTable& timers);

  // ---- sender_plan.cpp
  std::optional<SendPlan> plan_lost(std::uint32_t most) const;
  std::optional<SendPlan> plan_probe() const;
  std::optional<SendPlan> plan_tail() const;
  std::optional<SendPlan> plan_next(const Turn& turn, std::uint32_t most) const;
  std::optional<SendPlan> plan_by_window(const Turn& turn, std::uint32_t most);
  bool waits_for_pace(const Turn& turn);
  void note_limit(Instant now);
  bool is_stopped_by(std::int64_t congestion_room, std::int64_t wanted) const;
  /// Octets, or the FIN, stand behind SND.NXT.
  bool has_unsent() const {
    const StreamOffset nxt = space_.nxt(), end = outgoing_.end();
    return nxt < end || (outgoing_.fin_queued() && nxt == end);
  }
  bool may_fill_segment(const Turn& turn) const {
    const auto next = plan_next(turn, mss_);
    return next && next->length >= mss_;
  }
  std::uint32_t burst_segments(const TcpConfig& config) const;
  std::uint32_t check_length(const TcpConfig& config, std::int64_t room, std::uint32_t most) const;
  bool may_send_partial(const TcpConfig& config, std::uint32_t length) const;
  void finish_plan(SendPlan& plan) const;
  void record(const Turn& turn, const SendPlan& plan, StreamOffset end);

  // ---- sender_timers.cpp
  bool on_retransmit_timer(const Turn& turn, Served served);
  void on_tail_probe_timer(const Turn& turn);
  void on_reordering_timer(const Turn& turn);
  bool on_persist_timer(const Turn& turn, Served served);
  void arm_persist(const Turn& turn);
  Duration give_up_after(const TcpConfig& config) const;
  void restart_retransmit_timer(const Turn& turn);
  enum class Anew : bool { no, yes };
  void arrange_tail_probe(const Turn& turn, Anew anew);
  void suspect_black_hole(const Turn& turn);

  void take_sack(const AckFacts& facts, loss::Flight::Ack& ack,
                 std::array<loss::OctetRange, SackBlocks::kMax>& blocks) const;
  void accept_advance(const Turn& turn, StreamOffset ack);
  loss::Times times_of(const TcpConfig& config) const;
  auto fields(const TcpConfig& config) const;

  SendSpace space_;
  std::uint32_t mss_;               // Eff.snd.MSS: payload octets of a full segment
  std::uint32_t path_mss_;          // what the path is known to take
  std::uint32_t mss_cap_ = kNoCap;  // what a black hole has taught (RFC 4821 §7.7)
  std::uint32_t text_heard_ = 0;    // when text was last heard, in milliseconds; it wraps
  std::uint8_t retransmits_ = 0;    // timeouts since SND.UNA last moved
  std::uint8_t probes_ = 0;         // since the window was last open
  bool probe_due_ = false;
  bool says_cwr_ = false;  // the feedback is that of RFC 3168
  bool sack_ = false;      // negotiated
  bool slowed_ = false;    // one MSS was still too much: nothing goes before the timer has run
  Instant oldest_at_;      // when what is oldest in flight was first sent
  Instant heard_at_;       // when the peer was last heard
  RttEstimator rtt_;
  congestion::Controller congestion_;
  base::Box<loss::Flight> flight_;  // nothing before the first octet is sent
  Outgoing outgoing_;

  static constexpr std::uint32_t kNoCap = 0xffffffff;
};

}  // namespace estab::tcp
