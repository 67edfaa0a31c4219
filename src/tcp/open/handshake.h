// Handshake: an active open, SYN-SENT (RFC 9293 §3.10.7.3) and, when both sides open at once,
// SYN-RECEIVED; also the SYN-RECEIVED of a stream that the application has before it is open, since
// it has accepted the SYN itself (estab/forward.h). It becomes a Connection, or fails with an Error
// that says how.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "estab/error.h"
#include "estab/icmp_report.h"
#include "estab/state.h"

#include "tcp/connection/answer_count.h"
#include "tcp/connection/connection.h"
#include "tcp/connection/context.h"
#include "tcp/open/early_data.h"
#include "tcp/open/fast_open_client.h"
#include "tcp/open/half_open.h"
#include "tcp/open/opening.h"
#include "tcp/open/secrets.h"
#include "tcp/open/syn_received.h"

namespace estab::tcp {

class Handshake {
 public:
  Handshake(const Context& context, const Secrets& secrets, const FourTuple& tuple,
            std::shared_ptr<const TcpConfig> config, std::uint16_t link_mtu,
            const FastOpenSyn& fast_open = {});
  /// SYN-RECEIVED at once: the answer to a SYN that was held.
  Handshake(const Context& context, const HalfOpen& record,
            std::shared_ptr<const TcpConfig> config);

  State state() const { return state_; }
  const FourTuple& tuple() const { return tuple_; }
  const TcpConfig& config() const { return *config_; }
  const std::shared_ptr<const TcpConfig>& shared_config() const { return config_; }
  const std::optional<Error>& failure() const { return failure_; }
  /// CLOSE in SYN-RECEIVED (RFC 9293 §3.10.4): it waits until the connection is open.
  void release() { released_ = true; }
  bool released() const { return released_; }
  /// What the application has sent already.
  EarlyData& early_data() { return early_data_; }
  const EarlyData& early_data() const { return early_data_; }

  // ---- Fast Open (RFC 7413)
  const FastOpenSyn& fast_open() const { return fast_open_; }
  /// A SYN has gone that had a cookie, asked for one, or carried octets.
  bool has_tried_fast_open() const {
    return (fast_open_.option || octets_sent_ > 0) && has_announced();
  }
  FastOpenOutcome fast_open_outcome() const;
  /// Octets that the SYN can still take along.
  std::uint32_t syn_room() const { return has_announced() ? 0 : fast_open_.room; }
  /// The SYN waits for octets to carry, or for release_syn().
  void hold_syn() { due_ = false; }
  void release_syn() { due_ = due_ || !has_announced(); }
  bool carried_octets() const { return octets_sent_ > 0; }
  /// The path does not take the SYN with its octets: it goes again without, at once.
  void on_too_big();
  /// Whether the SYN, or an octet that went with it, has this number.
  bool is_outstanding(SeqNum seq) const {
    const std::int32_t at = seq - iss_;
    return has_announced() && at >= 0 && at <= static_cast<std::int32_t>(octets_sent_);
  }

  /// What a segment led to. `established`: make a Connection from opening(), then let it process
  /// the rest of the segment (text, FIN). `reply`: a RST or ACK to be sent now.
  struct Step {
    Verdict verdict = Verdict::accepted;
    bool established = false;
    std::optional<Emission> reply{};
  };
  Step on_segment(const Context& context, const Segment& segment, IpMark mark);
  /// ICMP reported this of the destination. Hard errors end the attempt (RFC 9293 §3.9.2.2).
  void on_icmp(const Context& context, Error error, const IcmpReport& report);
  /// What the failure, or the advice, goes back to, if it came by ICMP.
  const std::optional<IcmpReport>& icmp_report() const { return report_; }
  void on_timer(const Context& context);
  Instant next_deadline() const { return deadline_; }
  bool wants_to_send() const { return due_ && state_ != State::closed; }
  std::uint8_t repeats() const { return repeats_; }
  /// It began with the peer's SYN.
  bool is_passive() const { return passive_; }
  /// What the application is to be told though the opening goes on: a soft error (SHLD-9,
  /// SHLD-25), or room for more early data.
  bool has_signals() const { return soft_error_ || early_data_.writable_due(); }
  /// The same without the handle, with the failure if it has come to that; once.
  StreamEvent take_signals();
  /// The SYN or SYN-ACK, if one is due; the octets that a SYN carries lie in `views`.
  std::optional<Emission> poll(const Context& context, std::span<Octets> views = {});
  void fail(const Context& context, Error error);
  void reconfigure(const Context& context, std::shared_ptr<const TcpConfig> config);

  Opening opening(Instant now) const;
  Emission make_reset(const Context& context, SendReason reason) const;

  friend bool operator==(const Handshake& a, const Handshake& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;

  Step in_syn_sent(const Context& context, const Segment& segment, IpMark mark);
  Step in_syn_received(const Context& context, const Segment& segment, IpMark mark);
  void accept_syn(const Segment& segment, IpMark mark);
  void agree_on_ecn(const Segment& segment, IpMark mark);
  void settle_ecn(const Segment& segment, IpMark mark);
  Step repeat_syn_ack(const Context& context, const Segment& segment, IpMark mark);
  Step answer(const Context& context, Verdict verdict, SendReason reason);
  SynReceivedView syn_received_view() const;
  Emission emit(const Context& context, SendReason reason) const;
  void add_fast_open(Emission& syn, std::span<Octets> views);
  Emission refuse(const Segment& segment) const;
  void set_state(const Context& context, State to);
  Instant give_up_at() const;
  void arm(const Context& context);
  bool acks_syn(SeqNum number) const {
    const std::int32_t beyond = number - iss_ - 1;
    return beyond >= 0 && beyond <= static_cast<std::int32_t>(octets_sent_);
  }
  bool has_announced() const {
    return state_ != State::syn_sent || repeats_ > 0 || deadline_ != kNever;
  }

  FourTuple tuple_;
  std::shared_ptr<const TcpConfig> config_;
  State state_ = State::syn_sent;
  SeqNum iss_, irs_;
  Negotiated negotiated_;
  std::uint16_t mss_;              // announced
  std::uint16_t window_;           // announced; once it was, it is kept to
  std::uint32_t send_window_ = 0;  // the peer's, scaled
  std::uint32_t timestamp_offset_ = 0;
  std::uint32_t ts_recent_ = 0;
  std::uint8_t repeats_ = 0;
  SynsSeen syns_;            // what the peer's said of ECN
  AnswerCount answers_;      // to unacceptable segments, since the SYN-ACK was last sent
  bool due_ = true;          // the SYN, or the SYN-ACK, is to be sent
  bool sent_twice_ = false;  // so that no answer can be timed
  bool released_ = false;    // the application has let go
  bool passive_ = false;     // it began with the peer's SYN
  Instant started_at_, sent_at_, deadline_ = kNever;
  std::optional<Error> failure_, advice_, soft_error_;
  std::optional<IcmpReport> report_;  // of advice_
  EarlyData early_data_;
  AccurateOpening accurate_{};
  FastOpenSyn fast_open_;
  std::uint32_t octets_sent_ = 0, octets_acked_ = 0;  // with the SYN
};

}  // namespace estab::tcp
