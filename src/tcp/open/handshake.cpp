#include "tcp/open/handshake.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"
#include "tcp/connection/transitions.h"
#include "tcp/ecn/classic.h"
#include "tcp/open/syn.h"

namespace estab::tcp {

Handshake::Handshake(const Context& context, const Secrets& secrets, const FourTuple& tuple,
                     std::shared_ptr<const TcpConfig> config, std::uint16_t link_mtu,
                     const FastOpenSyn& fast_open)
    : tuple_(tuple),
      config_(std::move(config)),
      mss_(announced_mss(tuple.family(), link_mtu, *config_)),
      window_(syn_window(*config_)),
      started_at_(context.now),
      sent_at_(context.now),
      fast_open_(fast_open) {
  const Secrets::InitialNumbers begin = secrets.initial_numbers(tuple, context.now);
  iss_ = isn_of(context.config.quirks, begin.isn);
  timestamp_offset_ = begin.timestamp_offset;
  context.trace([&] { return StateChanged{tuple_, State::closed, state_}; });
}

// The record has what both SYNs agree on; the peer's window comes with its ACK.
Handshake::Handshake(const Context& context, const HalfOpen& record,
                     std::shared_ptr<const TcpConfig> config)
    : tuple_(record.tuple),
      config_(std::move(config)),
      state_(State::syn_received),
      iss_(record.iss),
      irs_(record.irs),
      negotiated_(record.negotiated),
      mss_(record.mss),
      window_(record.window),
      timestamp_offset_(record.timestamp_offset),
      ts_recent_(record.ts_recent),
      syns_(record.syns),
      passive_(true),
      started_at_(context.now),
      sent_at_(context.now) {
  context.trace([&] { return StateChanged{tuple_, State::listen, state_}; });
}

void Handshake::set_state(const Context& context, State to) {
  base::ensure(is_arrow(state_, to));
  context.trace([&] { return StateChanged{tuple_, state_, to}; });
  state_ = to;
}

void Handshake::fail(const Context& context, Error error) {
  if (failure_) return;
  failure_ = error;
  if (error != advice_) report_.reset();
  deadline_ = kNever;
  due_ = false;
  early_data_ = {};
  context.trace([&] { return ConnectionFailed{tuple_, error}; });
  set_state(context, State::closed);
}

Handshake::Step Handshake::on_segment(const Context& context, const Segment& segment, IpMark mark) {
  return state_ == State::syn_sent ? in_syn_sent(context, segment, mark)
                                   : in_syn_received(context, segment, mark);
}

// RFC 9293 §3.10.7.3.
Handshake::Step Handshake::in_syn_sent(const Context& context, const Segment& segment,
                                       IpMark mark) {
  const TcpFlags flags = segment.flags;
  // First, check the ACK bit: only our SYN, and what went with it, can have been acknowledged.
  const bool acked = flags.ack() && acks_syn(segment.ack);
  if (flags.ack() && !acked) {
    if (flags.rst()) return {Verdict::reset_ignored};
    return {Verdict::ack_unacceptable, false, refuse(segment)};
  }
  // Second, check the RST bit.
  if (flags.rst()) {
    // [RFC 5961 3.2-6]
    if (!acked) return {Verdict::reset_ignored};
    fail(context, Error::connection_refused);
    return {Verdict::reset_accepted};
  }
  // Third, security and compartment: left out on purpose, as in Connection.
  // Fourth, check the SYN bit. Fifth, neither: drop.
  if (!flags.syn()) return {Verdict::no_ack_bit};
  accept_syn(segment, mark);
  if (acked) {
    octets_acked_ = static_cast<std::uint32_t>(segment.ack - iss_ - 1);
    set_state(context, State::established);
    return {Verdict::handshake_completed, true};
  }
  // [RFC 9293 MUST-10]
  set_state(context, State::syn_received);  // simultaneous open (MUST-10)
  due_ = sent_twice_ = true;
  repeats_ = 0;
  return {Verdict::accepted};
}

void Handshake::accept_syn(const Segment& segment, IpMark mark) {
  irs_ = segment.seq;
  negotiated_ = negotiate(segment.options, *config_, tuple_.family());
  agree_on_ecn(segment, mark);
  // [RFC 7323 2.2-8]
  send_window_ = segment.window;
  if (negotiated_.timestamps) ts_recent_ = segment.options.timestamps->value;
}

// It is the first SYN-ACK that decides, whatever SYN of ours it answers. Who has sent a SYN that
// asks for nothing marks nothing (RFC 3168 §6.1.1); but in AccECN mode, where the peer is sure to
// be in it too, he may (RFC 9768 §3.1.4.1).
// [RFC 3168 6.1.1-3, 6.1.1-4] [RFC 9768 3.1.1-5, 3.1.1-6, 3.1.5-1]
void Handshake::agree_on_ecn(const Segment& segment, IpMark mark) {
  const TcpFlags asked = ecn_request(*config_, 0);
  const bool always_asked = ecn_request(*config_, repeats_) == asked;
  if (segment.flags.ack()) {
    negotiated_.ecn = agreed_by_syn_ack(asked, segment.flags);
    if (negotiated_.ecn == EcnMode::accurate) accurate_ = accurate_opening(segment, mark);
  } else {
    negotiated_.ecn = agreed_by_syn(always_asked ? asked : TcpFlags(), segment.flags);
    syns_.add(segment.flags, mark);
  }
  const bool accurate = negotiated_.ecn == EcnMode::accurate;
  negotiated_.ect = accurate || (negotiated_.ecn == EcnMode::classic && always_asked);
}

SynReceivedView Handshake::syn_received_view() const {
  return {iss_,        irs_,
          irs_ + 1,    iss_ + 1 + octets_sent_,
          window_,     config_->require_timestamps,
          negotiated_, ts_recent_};
}

// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, up to the limit of RFC 5961 §10.
Handshake::Step Handshake::answer(const Context& context, Verdict verdict, SendReason reason) {
  if (!answers_.take(context.config.limits.challenge_acks_per_second)) return {verdict};
  Emission ack;
  ack.segment = make_syn_received_ack(tuple_, syn_received_view(),
                                      timestamp_clock(context.now, timestamp_offset_));
  ack.reason = reason;
  return {verdict, false, ack};
}

// Both have opened at once, and this answers our SYN-ACK.
void Handshake::settle_ecn(const Segment& segment, IpMark mark) {
  const EcnPromise promise = syns_.without ? EcnPromise::taken_back : EcnPromise::kept;
  const bool is_syn_ack = segment.flags.syn();
  if (negotiated_.ecn == EcnMode::accurate) {
    accurate_ = is_syn_ack ? accurate_opening(segment, mark) : accurate_opening(segment, promise);
  } else if (is_syn_ack && !is_ecn_setup_syn_ack(segment.flags)) {
    negotiated_.ecn = EcnMode::none;
    negotiated_.ect = false;
  }
}

// The SYN of a peer that opens too came again.
Handshake::Step Handshake::repeat_syn_ack(const Context& context, const Segment& segment,
                                          IpMark mark) {
  syns_.add(segment.flags, mark);
  if (config_->accurate_ecn != Ecn::off && syns_.contradict()) {
    const Emission reset = make_reset(context, SendReason::reset_bad_ack);
    fail(context, Error::connection_reset);
    return {Verdict::syn_dropped, false, reset};
  }
  due_ = true;
  return {Verdict::accepted};
}

Handshake::Step Handshake::in_syn_received(const Context& context, const Segment& segment,
                                           IpMark mark) {
  switch (check_syn_received(syn_received_view(), segment)) {
    case SynReceivedStep::establish:
      // The window of a segment with SYN is not scaled; of the ACK it is (RFC 7323 §2.2).
      send_window_ = std::uint32_t{segment.window}
                     << (segment.flags.syn() ? 0 : negotiated_.send_shift);
      settle_ecn(segment, mark);
      octets_acked_ = static_cast<std::uint32_t>(segment.ack - iss_ - 1);
      set_state(context, State::established);
      return {Verdict::handshake_completed, true};
    case SynReceivedStep::repeat_syn_ack:
      return repeat_syn_ack(context, segment, mark);
    case SynReceivedStep::acknowledge:
      return answer(context, Verdict::out_of_window, SendReason::ack_unacceptable);
    case SynReceivedStep::paws:
      return answer(context, Verdict::paws, SendReason::ack_unacceptable);
    case SynReceivedStep::challenge:
      return answer(context, Verdict::reset_challenged, SendReason::challenge_ack);
    case SynReceivedStep::new_syn:
      return answer(context, Verdict::syn_challenged, SendReason::challenge_ack);
    case SynReceivedStep::ignore:
      return {Verdict::no_ack_bit};
    case SynReceivedStep::reset:
      // [RFC 9293 MUST-11]
      // MUST-11: of an active OPEN it is a refusal.
      fail(context, passive_ ? Error::connection_reset : Error::connection_refused);
      return {Verdict::reset_accepted};
    case SynReceivedStep::refuse_ack:
      return {Verdict::ack_unacceptable, false, refuse(segment)};
  }
  return {Verdict::no_ack_bit};
}

// [RFC 1122 3.2.2.1-4]
void Handshake::on_icmp(const Context& context, Error error, const IcmpReport& report) {
  advice_ = error;
  report_ = report;
  // While opening there is nothing to protect: a hard error is believed. A soft one explains a
  // timeout, should it come to that, or ends the attempt at once: RFC 5461 §4.1 leaves the choice.
  const bool hard = error == Error::port_unreachable || error == Error::protocol_unreachable;
  if (hard || config_->soft_errors_end_opening) return fail(context, error);
  soft_error_ = error;
}

// RFC 9293 §3.10.8: the user timeout ends a connection in any state.
// [RFC 9293 MUST-23]
Instant Handshake::give_up_at() const {
  return started_at_ + config_->user_timeout.value_or(config_->r2_syn);
}

void Handshake::on_timer(const Context& context) {
  if (context.now < deadline_) return;
  const Error timed_out = config_->user_timeout ? Error::user_timeout : Error::connect_timed_out;
  // Not before a repeated SYN has gone unanswered, for whatever time this host stood still.
  const bool had_its_chance =
      repeats_ > 0 && served(context.now, deadline_, config_->rto_initial) == Served::in_time;
  if (context.now >= give_up_at() && had_its_chance)
    return fail(context, advice_.value_or(timed_out));
  if (repeats_ < 255) ++repeats_;
  // [RFC 9293 MUST-22]
  // MUST-22: the application hears at R1 of a SYN as of data.
  if (repeats_ == config_->r1) soft_error_ = advice_.value_or(Error::connect_timed_out);
  due_ = true;
  deadline_ = kNever;
}

// The time to give up may now be nearer than the next repetition.
void Handshake::reconfigure(const Context& context, std::shared_ptr<const TcpConfig> config) {
  config_ = std::move(config);
  if (!has_announced()) window_ = syn_window(*config_);
  early_data_.on_reconfigured(*config_);
  if (deadline_ != kNever) deadline_ = std::min(deadline_, std::max(give_up_at(), context.now));
}

StreamEvent Handshake::take_signals() {
  StreamEvent event;
  event.failure = failure_;
  event.closed = failure_.has_value();
  event.soft_error = std::exchange(soft_error_, std::nullopt);
  if (event.failure || event.soft_error) event.reported = report_;
  event.writable = early_data_.take_writable();
  return event;
}

// [RFC 1122 4.2.3.1-3]
void Handshake::arm(const Context& context) {
  deadline_ = context.now + backed_off(config_->rto_initial, repeats_, config_->rto_max);
  if (give_up_at() > context.now) deadline_ = std::min(deadline_, give_up_at());
}

std::optional<Emission> Handshake::poll(const Context& context, std::span<Octets> views) {
  if (!wants_to_send()) return std::nullopt;
  const bool is_first = !has_announced();
  due_ = false;
  answers_.clear();
  sent_at_ = context.now;
  if (repeats_ > 0) ++context.counters.retransmitted_segments;
  arm(context);
  if (repeats_ > 0) return emit(context, SendReason::retransmit_timeout);
  Emission emission =
      emit(context, state_ == State::syn_sent ? SendReason::open : SendReason::open_reply);
  if (is_first) add_fast_open(emission, views);
  return emission;
}

// Only the first SYN: what has to be repeated is sent without option and octets, which some path
// may not have let through. [RFC 7413 4.2.2-2]
void Handshake::add_fast_open(Emission& syn, std::span<Octets> views) {
  syn.segment.options.fast_open = fast_open_.option;
  if (fast_open_.room == 0) return;
  const auto gathered = early_data_.gather(fast_open_.room, views);
  syn.pieces = gathered.pieces;
  syn.payload_length = octets_sent_ = gathered.octets;
}

void Handshake::on_too_big() {
  if (octets_sent_ == 0 || repeats_ > 0 || state_ != State::syn_sent) return;
  due_ = sent_twice_ = true;
}

FastOpenOutcome Handshake::fast_open_outcome() const {
  if (!config_->fast_open.connect) return FastOpenOutcome::unused;
  if (fast_open_.room == 0) return FastOpenOutcome::cookie_unavailable;
  if (octets_sent_ == 0) return FastOpenOutcome::unused;
  if (octets_acked_ == octets_sent_) return FastOpenOutcome::taken;
  return sent_twice_ || repeats_ > 0 ? FastOpenOutcome::syn_retransmitted
                                     : FastOpenOutcome::data_not_acked;
}

Emission Handshake::emit(const Context& context, SendReason reason) const {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = tuple_.local_port;
  segment.destination_port = tuple_.remote_port;
  segment.seq = iss_;  // the same in each [RFC 9768 3.1.4.1-3]
  segment.window = window_;
  const std::uint32_t clock = timestamp_clock(context.now, timestamp_offset_);
  if (state_ == State::syn_sent) {
    // [RFC 9768 3.2.3.2.1-1]
    segment.flags = kSyn | ecn_request(*config_, repeats_);
    segment.options = offer(*config_, mss_);
    if (segment.options.timestamps) segment.options.timestamps->value = clock;
  } else {
    segment.flags = kSyn | kAck | syn_ack_flags(negotiated_.ecn, syns_.mark, repeats_);
    segment.ack = irs_ + 1;
    segment.options = accept_offer(negotiated_, mss_, {clock, ts_recent_});
  }
  emission.reason = reason;
  return emission;
}

// RFC 9293 §3.5.2, group 2: <SEQ=SEG.ACK><CTL=RST>.
Emission Handshake::refuse(const Segment& segment) const {
  Emission emission;
  emission.segment.source_port = tuple_.local_port;
  emission.segment.destination_port = tuple_.remote_port;
  emission.segment.seq = segment.ack;
  emission.segment.flags = kRst;
  emission.reason = SendReason::reset_bad_ack;
  return emission;
}

// With timestamps where both SYNs had them (RFC 7323 §5.2: SHOULD).
Emission Handshake::make_reset(const Context& context, SendReason reason) const {
  Emission emission;
  emission.segment.source_port = tuple_.local_port;
  emission.segment.destination_port = tuple_.remote_port;
  emission.segment.seq = iss_ + 1;
  emission.segment.ack = irs_ + 1;
  emission.segment.flags = kRst | kAck;
  if (negotiated_.timestamps)
    emission.segment.options.timestamps =
        TcpTimestamps{timestamp_clock(context.now, timestamp_offset_), ts_recent_};
  emission.reason = reason;
  return emission;
}

Opening Handshake::opening(Instant now) const {
  Opening opening;
  opening.tuple = tuple_;
  opening.iss = iss_;
  opening.irs = irs_;
  opening.negotiated = negotiated_;
  opening.send_window = send_window_;
  opening.receive_window = window_;
  opening.timestamp_offset = timestamp_offset_;
  opening.ts_recent = ts_recent_;
  // Karn (RFC 6298 §3): a SYN-ACK is the SYN sent again. An answer read after the SYN should have
  // been repeated has waited here: how long, nobody knows.
  if (repeats_ == 0 && !sent_twice_ && now <= deadline_) opening.rtt = now - sent_at_;
  opening.syn_repeated = repeats_ > 0;
  opening.accurate = accurate_;
  opening.octets_acked = octets_acked_;
  opening.fast_open = fast_open_outcome();
  return opening;
}

auto Handshake::fields() const {
  const auto& [tuple, config, state, iss, irs, negotiated, mss, window, send_window,
               timestamp_offset, ts_recent, repeats, syns, answers, due, sent_twice, released,
               passive, started_at, sent_at, deadline, failure, advice, soft_error, report,
               early_data, accurate, fast_open, octets_sent, octets_acked] = *this;
  const bool heard = state == State::syn_received;  // else there is no IRS yet
  return base::fields(
      tuple, config, state, iss, base::If{heard}.decides(irs), negotiated, mss, window, send_window,
      timestamp_offset, base::If{negotiated.timestamps}.decides_timestamp(ts_recent), repeats, syns,
      answers, due, sent_twice, released, passive, started_at,
      base::If{!is_rto_pinned(*config)}.decides(sent_at), deadline, failure, advice, soft_error,
      report, early_data, base::derived(accurate), fast_open, octets_sent, octets_acked);
}

bool operator==(const Handshake& a, const Handshake& b) {
  return a.fields() == b.fields();
}

void Handshake::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

}  // namespace estab::tcp
