// Connection: one TCP connection in the synchronised states (RFC 9293 §3.3.2), from ESTABLISHED to
// TIME-WAIT. It ties a Sender and a Receiver together: on_segment is the conductor over the eight
// checks of §3.10.7.4, in the RFC's order, each a function of its own.
//
// Laws. State changes only along the arrows of figure 5 (see transitions.h). Nothing is sent from
// inside a check: what is owed is noted and comes out of poll(), once per burst. Whatever the peer
// sends ends in a Verdict.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "estab/event.h"
#include "estab/stack.h"

#include "tcp/connection/answer_count.h"
#include "tcp/connection/context.h"
#include "tcp/connection/signals.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/accurate.h"
#include "tcp/ecn/mark.h"
#include "tcp/open/early_data.h"
#include "tcp/open/opening.h"
#include "tcp/receive/receiver.h"
#include "tcp/send/sender.h"

namespace estab::tcp {

/// A segment the connection wants sent. Its payload lies in the views given to poll().
struct Emission {
  Segment segment;
  SendReason reason = SendReason::data;
  std::size_t pieces = 0;
  std::uint32_t payload_length = 0;
  std::uint16_t gso_size = 0;
  bool ect = false;  ///< the datagram says that its sender understands marks (RFC 3168)

  friend bool operator==(const Emission& a, const Emission& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;
};

/// What the path allows: the sizes of segments come from it.
struct PathLimits {
  std::uint16_t mtu = 1500;         ///< of the path (PMTU)
  std::uint32_t super_segment = 0;  ///< most payload octets under one header; 0: one segment
};

/// Why a connection ended, and whether the peer is to be told.
struct Ending {
  std::optional<Error> failure;
  std::optional<SendReason> reset;
  /// Of a reset that answers a segment: the number that segment says is expected next.
  std::optional<SeqNum> answered{};
  friend bool operator==(const Ending&, const Ending&) = default;
  void hash_into(auto& hasher) const {
    const auto& [why, reset_as, answering] = *this;
    hasher.add_all(why, reset_as, answering);
  }
};

/// Whether the segment that completed the handshake is itself to be acknowledged.
enum class Answer : std::uint8_t { nothing, acknowledge };

class Connection {
 public:
  Connection(const Context& context, const Opening& opening,
             std::shared_ptr<const TcpConfig> config, const PathLimits& path);

  // ---- getters
  State state() const { return state_; }
  const FourTuple& tuple() const { return tuple_; }
  const TcpConfig& config() const { return *config_; }
  const Sender& sender() const { return sender_; }
  const Receiver& receiver() const { return receiver_; }
  const std::optional<Ending>& ending() const { return ending_; }
  bool released() const { return released_; }
  /// AE, CWR and ECE of what is sent now.
  TcpFlags feedback_flags() const;
  TcpInfo info(Instant now) const;
  const TimerTable& timers() const { return timers_; }
  std::uint32_t timestamp_offset() const { return timestamp_offset_; }
  const Negotiated& negotiated() const { return negotiated_; }
  std::size_t memory() const { return sender_.memory() + receiver_.memory(); }
  /// Octets that send() would take.
  std::size_t send_room() const { return sender_.outgoing().room(config_->send_buffer); }
  /// The FIN was sent, and acknowledged.
  bool fin_acked() const {
    const Outgoing& outgoing = sender_.outgoing();
    return outgoing.fin_queued() && sender_.space().una() > outgoing.end();
  }

  // ---- handle
  Verdict on_segment(const Context& context, const Segment& segment, const Carrier& carrier);
  /// The rest of the segment that completed the handshake: its text and controls (RFC 9293
  /// §3.10.7.3, "continue processing at the sixth step").
  void on_opened(const Context& context, const Segment& segment, const Carrier& carrier,
                 Answer answer);
  // ---- Fast Open (RFC 7413): a connection that its SYN alone has opened, in SYN-RECEIVED until
  // our SYN is acknowledged (Opening::state)
  /// A SYN-ACK acknowledges what has come; nothing else need.
  void on_syn_ack_sent() { receiver_.on_ack_sent(timers_); }
  /// Our SYN is acknowledged; `rtt` if that was measured without ambiguity.
  void on_syn_acked(const Context& context, std::optional<Duration> rtt);
  /// It never was (MUST-23).
  void on_syn_timed_out(const Context& context);
  /// ICMP reported an error before the application had the connection.
  void on_hard_error(const Context& context, Error error, const IcmpReport& report);
  /// Whether `seq` is sent and unacknowledged: what a true ICMP error would quote (RFC 5927 §4).
  bool is_outstanding(SeqNum seq) const;
  /// Lets what is due happen.
  void on_timers(const Context& context);
  /// ICMP says the path takes datagrams of at most this size.
  void on_path_mtu(const Context& context, const PathLimits& path);
  /// ICMP reported something that does not end the connection (SHLD-25).
  // [RFC 9293 MUST-47, 3.9.1.8-1]
  void on_soft_error(Error error, const IcmpReport& report) {
    signals_.reported.emplace(report);
    signals_.soft_error = error;
  }
  /// Nothing can be sent from the local address any more; the peer cannot be told.
  void on_address_removed(const Context& context) {
    end(context, Error::address_removed, std::nullopt);
  }

  // ---- commands
  Result<std::size_t> await_room(const Context& context);
  Result<std::size_t> send(const Context& context, Octets octets, SendMode mode);
  Result<void> send_owned(const Context& context, Octets octets,
                          const std::shared_ptr<const void>& owner, SendMode mode);
  Result<std::size_t> recv(const Context& context, MutableOctets into);
  Result<void> consume(const Context& context, std::size_t octets);
  Result<void> shutdown(const Context& context);
  /// CLOSE of RFC 9293 §3.10.4 by an application that will not come back.
  void release(const Context& context);
  void abort(const Context& context);
  /// Gives every block back to the pool, and what the buffers have grown by to the budget, before
  /// the connection is destroyed.
  void release_buffers(BlockPool& pool, BufferBudget& budget) {
    sender_.outgoing().release_all(pool);
    sender_.outgoing().growth().give_back(budget);
    receiver_.release_all(pool, budget);
  }
  /// Nothing has happened for a while: gives back what only a busy connection needs.
  void trim(BufferBudget& budget) {
    sender_.trim(*config_, budget);
    receiver_.trim(*config_, budget);
  }
  /// Whether the change may be made has been found out (tcp/connection/negotiated.h).
  void reconfigure(const Context& context, std::shared_ptr<const TcpConfig> config);
  /// What was sent while the connection was opening is sent now, but for so many octets that went
  /// with the SYN and are acknowledged.
  void take_over(const Context& context, EarlyData& early, std::uint32_t acked);
  void refuse_input() { refuses_input_ = true; }
  void set_quick_acks(std::uint8_t segments) { receiver_.set_quick_acks(segments, timers_); }

  // ---- poll
  /// Whether poll() may find something. False is certain.
  bool wants_to_send() const {
    return state_ != State::closed &&
           (receiver_.due() || sender_.wants_to_send() || receiver_.owes_duplicate() ||
            challenge_due_ || keep_alive_due_);
  }
  /// The next segment, if there is one; `emission` must be fresh.
  bool poll(const Context& context, const PathLimits& path, std::span<Octets> views,
            Emission& emission);
  /// The RST that tells the peer of the ending.
  Emission make_reset(const Context& context, SendReason reason) const;
  /// What the application is to be told, without the handle; clears it.
  StreamEvent take_signals() { return signals_.take(); }
  bool has_signals() const { return signals_.any(); }
  Instant next_deadline() const { return timers_.earliest(); }

  friend bool operator==(const Connection& a, const Connection& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields(Instant now) const;

  /// A segment with its numbers translated, on its way through the checks.
  struct Arrival {
    const Segment& segment;
    StreamOffset seq, ack;
    const Carrier& carrier;
    StreamOffset text_end() const {
      return seq + static_cast<std::int64_t>(segment.payload.size());
    }
  };
  using Stop = std::optional<Verdict>;  // nothing: go on to the next check

  // RFC 9293 §3.10.7.4, in order. The third, security and compartment, is left out on purpose: it
  // is for hosts with IP security labels, which this IP layer does not have (docs/rfc_coverage.md).
  Verdict examine(const Context& context, const Arrival& arrival);
  Stop first_check_sequence(const Context& context, const Arrival& arrival);
  void answer_refused(const Arrival& arrival, std::uint32_t octets);
  Stop second_check_reset(const Context& context, const Arrival& arrival);
  Stop fourth_check_syn(const Context& context, const Arrival& arrival);
  Stop fifth_check_ack(const Context& context, const Arrival& arrival);
  void sixth_check_urgent(const Context& context, const Arrival& arrival);
  void accept_echo(const Arrival& arrival);
  void count_mark(const Arrival& arrival);
  Stop seventh_check_text(const Context& context, const Arrival& arrival);
  void eighth_check_fin(const Context& context, const Arrival& arrival);

  bool check_predicted(const Arrival& arrival, Instant now) const;
  void accept_predicted(const Context& context, const Arrival& arrival);

  Stop check_timestamps(const Context& context, const Arrival& arrival);
  bool check_ack_range(const Arrival& arrival) const;
  bool is_duplicate_ack(const Arrival& arrival) const;
  void accept_late_sack(const Context& context, const Arrival& arrival);
  void accept_valid_ack(const Context& context, const Arrival& arrival);
  Turn turn(const Context& context) { return {context, *config_, tuple_, timers_}; }
  void note_timestamp(const Context& context, const Arrival& arrival);
  void accept_state_of_ack(const Context& context);
  void on_heard(const Context& context);
  void owe_challenge(const Context& context);
  bool may_answer(const Context& context);
  // [RFC 9293 MUST-1] [RFC 7323 2.3-4]
  std::uint32_t scaled_window(const Segment& segment) const {
    return std::uint32_t{segment.window} << negotiated_.send_shift;
  }

  void set_state(const Context& context, State to);
  void enter_fin_wait_2(const Context& context);
  void end(const Context& context, std::optional<Error> failure, std::optional<SendReason> reset);
  void wake_writer();
  void make_way_for_writer(const Context& context);
  loss::Echo echo_of(const Segment& segment) const;
  void on_text_heard(const Context& context, const Segment& segment);
  Result<void> check_sendable() const;
  static bool may_send_in(State state) {
    return state == State::established || state == State::close_wait ||
           state == State::syn_received;
  }
  void on_timer(const Context& context, Timer timer, Instant due);
  void on_sending_timer(const Context& context, Timer timer, Served served);
  Error time_out_error() const {
    return config_->user_timeout ? Error::user_timeout : Error::connection_timed_out;
  }
  bool is_hopeless(Instant now) const;
  void on_keep_alive_timer(const Context& context, Served served);
  bool is_silent_too_long(Instant now) const;
  void arm_keep_alive(const Context& context);
  void trace_congestion(const Context& context, std::uint32_t before) const;

  TcpTimestamps timestamps(const Context& context) const;
  void add_sack_blocks(std::uint32_t length, Segment& segment);
  std::size_t accurate_room(const TcpOptions& options) const;
  std::size_t option_room(const SendPlan& plan, const Segment& segment) const;
  void add_accurate_option(std::size_t room, TcpOptions& options);
  void emit_header(const Context& context, StreamOffset at, Segment& segment);
  void emit_ack(const Context& context, SendReason reason, Emission& emission);
  void emit_data(const Context& context, const SendPlan& plan, std::span<Octets> views,
                 Emission& emission);
  bool ends_burst(const Context& context, const Emission& emission);
  std::uint32_t payload_limit(const PathLimits& path) const;

  // Ordered so that nothing is lost between them: there are many connections.
  FourTuple tuple_;
  std::uint32_t path_mtu_;
  std::shared_ptr<const TcpConfig> config_;  // shared with others, never changed
  Negotiated negotiated_;
  State state_;
  FastOpenOutcome fast_open_;
  bool released_ = false;       // the application has let go
  bool refuses_input_ = false;  // nobody will read what still comes, once our FIN is queued
  bool keep_alive_due_ = false;
  bool challenge_due_ = false;
  std::uint16_t burst_ = 0;  // full segments of new data sent in one go
  std::uint8_t keep_alive_probes_ = 0;
  AnswerCount answers_;  // challenge ACKs and the like in the current second
  Instant answers_since_;
  std::uint64_t segs_in_ = 0, segs_out_ = 0;
  Signals signals_;
  std::uint32_t timestamp_offset_;
  std::optional<Ending> ending_;
  TimerTable timers_;
  Sender sender_;
  Receiver receiver_;
  base::Box<AccurateEcn> accurate_;  // if the SYNs have agreed on it
};

}  // namespace estab::tcp
