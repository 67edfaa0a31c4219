// Handshake: an active open, SYN-SENT (RFC 9293 §3.10.7.3) and, when both sides open at once,
// SYN-RECEIVED; also the SYN-RECEIVED of a stream that the application has before it is open, since
// it has accepted the SYN itself (estab/forward.h). It becomes a Connection, or fails with an Error
// that says how.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "estab/error.h"
#include "estab/icmp_report.h"
#include "estab/state.h"

#include "tcp/connection/answer_count.h"
#include "tcp/connection/connection.h"
#include "tcp/connection/context.h"
#include "tcp/open/early_data.h"
#include "tcp/open/half_open.h"
#include "tcp/open/opening.h"
#include "tcp/open/secrets.h"
#include "tcp/open/syn_received.h"

namespace estab::tcp {

class Handshake {
 public:
  Handshake(const Context& context, const Secrets& secrets, const FourTuple& tuple,
            std::shared_ptr<const TcpConfig> config, std::uint16_t link_mtu);
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

  /// What a segment led to. `established`: make a Connection from opening(), then let it process
  /// the rest of the segment (text, FIN). `reply`: a RST or ACK to be sent now.
  struct Step {
    Verdict verdict = Verdict::accepted;
    bool established = false;
    std::optional<Emission> reply{};
  };
  Step on_segment(const Context& context, const Segment& segment);
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
  /// The SYN or SYN-ACK, if one is due.
  std::optional<Emission> poll(const Context& context);
  void fail(const Context& context, Error error);
  void reconfigure(const Context& context, std::shared_ptr<const TcpConfig> config);

  Opening opening(Instant now) const;
  Emission make_reset(const Context& context, SendReason reason) const;

  friend bool operator==(const Handshake& a, const Handshake& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;

  Step in_syn_sent(const Context& context, const Segment& segment);
  Step in_syn_received(const Context& context, const Segment& segment);
  void accept_syn(const Segment& segment);
  Step answer(const Context& context, Verdict verdict, SendReason reason);
  SynReceivedView syn_received_view() const;
  Emission emit(const Context& context, SendReason reason) const;
  Emission refuse(const Segment& segment) const;
  void set_state(const Context& context, State to);
  /// Some drop what they do not know: a SYN that had to be repeated asks for nothing (RFC 3168
  /// §6.1.1.1).
  // [RFC 3168 6.1.1.1-2]
  bool asks_for_ecn() const { return config_->ecn == Ecn::request && repeats_ == 0; }
  Instant give_up_at() const;
  void arm(const Context& context);
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
  AnswerCount answers_;      // to unacceptable segments, since the SYN-ACK was last sent
  bool due_ = true;          // the SYN, or the SYN-ACK, is to be sent
  bool sent_twice_ = false;  // so that no answer can be timed
  bool released_ = false;    // the application has let go
  bool passive_ = false;     // it began with the peer's SYN
  Instant started_at_, sent_at_, deadline_ = kNever;
  std::optional<Error> failure_, advice_, soft_error_;
  std::optional<IcmpReport> report_;  // of advice_
  EarlyData early_data_;
};

}  // namespace estab::tcp
