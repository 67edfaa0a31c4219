// The commands of the application, the timers, and the ends of a connection.

#include "tcp/connection/connection.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"
#include "tcp/connection/transitions.h"
#include "wire/ip.h"

namespace estab::tcp {

namespace {

constexpr std::uint32_t kTcpHeader = 20;

std::uint32_t ip_header(const FourTuple& tuple) {
  return tuple.family() == Family::ipv4 ? 20 : 40;
}

// The payload of the largest segment that path and settings allow, with the options every data
// segment carries deducted.
std::uint32_t largest_payload(const FourTuple& tuple, const Negotiated& negotiated,
                              const TcpConfig& config, std::uint32_t path_mtu) {
  const std::uint32_t headers = ip_header(tuple) + kTcpHeader;
  const std::uint32_t by_path = path_mtu > headers ? path_mtu - headers : 1;
  const std::uint32_t mss = std::min<std::uint32_t>(by_path, config.mss_limit);
  const std::uint32_t options = negotiated.option_octets();
  return mss > options ? mss - options : 1;
}

// MUST-16: Eff.snd.MSS (RFC 9293 §3.7.1). The IP option is that of a source route.
// [RFC 9293 MUST-16]
std::uint32_t effective_mss(const FourTuple& tuple, const Negotiated& negotiated,
                            const TcpConfig& config, std::uint32_t path_mtu) {
  const std::uint32_t mss = std::min(negotiated.peer_mss - negotiated.option_octets(),
                                     largest_payload(tuple, negotiated, config, path_mtu));
  if (tuple.family() == Family::ipv6) return mss;
  const auto route =
      static_cast<std::uint32_t>(wire::source_route_length(config.source_route.size()));
  return mss > route ? mss - route : 1;
}

// What congestion control is about, in the words of RFC 5681.
std::string_view phase_of(const Sender& sender) {
  switch (sender.flight().state()) {
    case CaState::recovery:
      return "recovery";
    case CaState::loss:
      return "loss";
    default:
      return sender.congestion().in_slow_start() ? "slow start" : "congestion avoidance";
  }
}

}  // namespace

Connection::Connection(const Context& context, const Opening& opening,
                       std::shared_ptr<const TcpConfig> config, const PathLimits& path)
    : tuple_(opening.tuple),
      path_mtu_(path.mtu),
      config_(std::move(config)),
      negotiated_(opening.negotiated),
      state_(opening.state),
      fast_open_(opening.fast_open),
      answers_since_(context.now),
      timestamp_offset_(opening.timestamp_offset),
      sender_(opening, effective_mss(tuple_, negotiated_, *config_, path.mtu), *config_),
      receiver_(opening, largest_payload(tuple_, negotiated_, *config_, path.mtu), *config_,
                context.now) {
  // [RFC 9768 3.2.3-5]
  if (negotiated_.ecn == EcnMode::accurate) accurate_.emplace(opening.accurate);
  sender_.on_heard(context.now);
  arm_keep_alive(context);
}

TcpInfo Connection::info(Instant now) const {
  TcpInfo info;
  info.state = state_;
  info.timestamps = negotiated_.timestamps;
  info.sack = negotiated_.sack;
  info.ecn = negotiated_.ecn != EcnMode::none;
  info.accurate_ecn = negotiated_.ecn == EcnMode::accurate;
  info.wscale = negotiated_.window_scale;
  info.snd_wscale = negotiated_.send_shift;
  info.ato = config_->delayed_ack;
  info.pmtu = path_mtu_;
  info.advmss =
      std::min<std::uint32_t>(path_mtu_ - ip_header(tuple_) - kTcpHeader, config_->mss_limit);
  info.fast_open = fast_open_;
  info.segs_in = segs_in_;
  info.segs_out = segs_out_;
  sender_.fill(info, *config_, now);
  receiver_.fill(info);
  if (accurate_) {
    accurate_->reflector.fill(info);
    accurate_->feedback.fill(info);
  }
  if (info.data_segs_in == 0) info.last_data_recv = {};
  return info;
}

// ---- states

void Connection::set_state(const Context& context, State to) {
  if (to == state_) return;
  base::ensure(is_arrow(state_, to));
  context.trace([&] { return StateChanged{tuple_, state_, to}; });
  state_ = to;
  if (to == State::time_wait || to == State::closed) {
    signals_.closed = true;
    timers_.stop_all();
    sender_.outgoing().release_all(context.blocks);
  }
}

void Connection::enter_fin_wait_2(const Context& context) {
  set_state(context, State::fin_wait_2);
  // Only a connection nobody holds may be cut short here: a half-closed one may stay as long as the
  // application likes (RFC 9293 §3.6, and RFC 1122 §4.2.2.13).
  if (released_) timers_.set(Timer::fin_wait_2, context.now + config_->fin_wait_2_timeout);
}

void Connection::end(const Context& context, std::optional<Error> failure,
                     std::optional<SendReason> reset) {
  ending_ = Ending{failure, reset};
  if (failure) context.trace([&] { return ConnectionFailed{tuple_, *failure}; });
  signals_.failure = failure;
  signals_.readable = signals_.readable || failure.has_value();
  set_state(context, State::closed);
}

// ---- commands

Result<void> Connection::check_sendable() const {
  if (ending_ && ending_->failure) return std::unexpected(*ending_->failure);
  if (sender_.outgoing().fin_queued()) return std::unexpected(Error::already_shut_down);
  if (!may_send_in(state_)) return std::unexpected(Error::not_connected);
  return {};
}

Result<std::size_t> Connection::await_room(const Context& context) {
  if (auto sendable = check_sendable(); !sendable) return std::unexpected(sendable.error());
  if (send_room() == 0) sender_.grow_buffer(context, *config_);
  if (send_room() > 0) return send_room();
  sender_.outgoing().await_room();
  return std::unexpected(Error::would_block);
}

Result<std::size_t> Connection::send(const Context& context, Octets octets, SendMode mode) {
  if (auto sendable = check_sendable(); !sendable) return std::unexpected(sendable.error());
  if (send_room() < octets.size()) sender_.grow_buffer(context, *config_);
  const std::size_t n = std::min(octets.size(), send_room());
  if (n < octets.size()) sender_.outgoing().await_room();
  if (n == 0 && !octets.empty()) return std::unexpected(Error::would_block);
  // A push or urgent mark belongs behind the last octet of the call, not behind a part of it.
  const SendMode effective = n < octets.size() ? SendMode::normal : mode;
  sender_.restart_after_idle(context, *config_);
  sender_.outgoing().append(octets.first(n), effective, context.blocks);
  return n;
}

Result<void> Connection::send_owned(const Context& context, Octets octets,
                                    const std::shared_ptr<const void>& owner, SendMode mode) {
  if (const auto room = await_room(context); !room) return std::unexpected(room.error());
  sender_.restart_after_idle(context, *config_);
  sender_.outgoing().append_owned(octets, owner, mode, context.blocks);
  return {};
}

void Connection::take_over(const Context& context, EarlyData& early, std::uint32_t acked) {
  sender_.outgoing() = early.take();
  sender_.begin_behind(acked, context.blocks);
  if (early.refused()) sender_.outgoing().await_room();
  signals_.writable = early.writable_due();
  refuses_input_ = early.refuses_input();
  if (early.fin()) (void)shutdown(context);
}

Result<std::size_t> Connection::recv(const Context& context, MutableOctets into) {
  const std::size_t n = receiver_.read(context, *config_, into);
  if (n > 0 || into.empty()) {
    if (state_ != State::closed) receiver_.after_read(*config_);
    return n;
  }
  if (receiver_.at_end()) return std::unexpected(Error::end_of_stream);
  if (ending_) return std::unexpected(ending_->failure.value_or(Error::not_connected));
  return std::unexpected(Error::would_block);
}

Result<void> Connection::consume(const Context& context, std::size_t octets) {
  if (octets > receiver_.readable()) return std::unexpected(Error::invalid_argument);
  receiver_.consume(context, *config_, octets);
  if (state_ != State::closed) receiver_.after_read(*config_);
  return {};
}

Result<void> Connection::shutdown(const Context& context) {
  if (ending_ && ending_->failure) return std::unexpected(*ending_->failure);
  if (sender_.outgoing().fin_queued()) return std::unexpected(Error::already_shut_down);
  if (!may_send_in(state_)) return std::unexpected(Error::not_connected);
  sender_.outgoing().queue_fin();
  set_state(context, state_ == State::close_wait ? State::last_ack : State::fin_wait_1);
  return {};
}

// [RFC 9293 MAY-1, SHLD-3]
void Connection::release(const Context& context) {
  released_ = true;
  if (state_ == State::closed || state_ == State::time_wait) return;
  if (receiver_.unread() > 0) {
    end(context, std::nullopt, SendReason::reset_unread_data);
    return;
  }
  if (!sender_.outgoing().fin_queued()) (void)shutdown(context);
  if (state_ == State::fin_wait_2)
    timers_.set(Timer::fin_wait_2, context.now + config_->fin_wait_2_timeout);
}

void Connection::abort(const Context& context) {
  released_ = true;
  if (state_ == State::closed || state_ == State::time_wait) return;
  // RFC 9293 §3.10.5: in CLOSING and LAST-ACK there is nothing left to refuse.
  const bool quiet = state_ == State::closing || state_ == State::last_ack;
  end(context, Error::connection_aborted,
      quiet ? std::nullopt : std::optional(SendReason::reset_abort));
}

void Connection::reconfigure(const Context& context, std::shared_ptr<const TcpConfig> config) {
  const bool keeps_alive_as_before = config_->keep_alive == config->keep_alive;
  const bool same_route = config->source_route == config_->source_route;
  const bool receives_more = config->receive_buffer.initial > config_->receive_buffer.initial;
  config_ = std::move(config);
  receiver_.on_reconfigured(*config_, context.buffers);
  sender_.outgoing().growth().shrink_to(context.buffers, config_->send_buffer,
                                        config_->send_buffer.most);
  if (send_room() > 0) wake_writer();
  if (receives_more) receiver_.after_read(*config_);
  if (!same_route)
    sender_.set_mss(turn(context), effective_mss(tuple_, negotiated_, *config_, path_mtu_));
  sender_.on_reconfigured(turn(context));
  if (keeps_alive_as_before) return;
  keep_alive_probes_ = 0;
  timers_.stop(Timer::keep_alive);
  arm_keep_alive(context);
}

void Connection::wake_writer() {
  if (sender_.outgoing().end_wait_for_room()) signals_.writable = true;
}

void Connection::on_path_mtu(const Context& context, const PathLimits& path) {
  path_mtu_ = path.mtu;
  sender_.set_mss(turn(context), effective_mss(tuple_, negotiated_, *config_, path.mtu));
}

// ---- Fast Open

void Connection::on_syn_acked(const Context& context, std::optional<Duration> rtt) {
  if (state_ == State::syn_received) set_state(context, State::established);
  if (rtt) sender_.on_handshake_timed(*rtt, *config_);
  on_heard(context);
  arm_keep_alive(context);
}

void Connection::on_syn_timed_out(const Context& context) {
  end(context, time_out_error(), SendReason::reset_timeout);
}

void Connection::on_hard_error(const Context& context, Error error, const IcmpReport& report) {
  signals_.reported.emplace(report);
  end(context, error, std::nullopt);
}

// ---- timers

void Connection::on_timers(const Context& context) {
  for (std::size_t i = 0; i < timers_.deadlines().size(); ++i) {
    const auto timer = static_cast<Timer>(i);
    const Instant due = timers_.deadline(timer);
    if (state_ == State::closed || due > context.now) continue;
    const std::uint32_t cwnd = sender_.congestion().congestion_window();
    timers_.stop(timer);
    context.trace([&] { return TimerFired{tuple_, timer}; });
    on_timer(context, timer, due);
    if (context.observer) trace_congestion(context, cwnd);
  }
}

void Connection::on_timer(const Context& context, Timer timer, Instant due) {
  const Served served = tcp::served(context.now, due, sender_.rtt().rto(*config_));
  switch (timer) {
    case Timer::retransmit:
    case Timer::tail_probe:
    case Timer::reordering:
    case Timer::persist:
      return on_sending_timer(context, timer, served);
    case Timer::pacing:
      return;  // poll() goes on
    case Timer::delayed_ack:
      return receiver_.on_delayed_ack_timer();
    case Timer::keep_alive:
      return on_keep_alive_timer(context, served);
    case Timer::fin_wait_2:
      return end(context, std::nullopt, std::nullopt);
    case Timer::time_wait:
    case Timer::count_:
      return;
  }
}

// [RFC 9293 MUST-20, SHLD-9, SHLD-10]
void Connection::on_sending_timer(const Context& context, Timer timer, Served served) {
  // Before our SYN has arrived nothing else can have; and that is repeated by who keeps it
  // (RFC 7413 §4.2.2).
  if (state_ == State::syn_received)
    return timers_.set(timer, context.now + sender_.rtt().rto(*config_));
  const bool goes_on = sender_.on_timer(turn(context), timer, served);
  const bool hopeless =
      timer == Timer::persist && is_hopeless(context.now) && served == Served::in_time;
  if (!goes_on || hopeless) return end(context, time_out_error(), SendReason::reset_timeout);
  // SHLD-9: from R1 on the application may want to know.
  if (timer != Timer::retransmit || sender_.liveness().retransmits != config_->r1) return;
  signals_.soft_error = Error::connection_timed_out;
  signals_.reported.reset();
}

// MUST-37 lets a shut window stay shut as long as the application likes: it may abort. Where it has
// let go nobody could, and a peer that answers every probe would hold the octets for ever
// (RFC 6429 §3). R2 ends that.
bool Connection::is_hopeless(Instant now) const {
  return released_ && now - sender_.liveness().stalled_since >= config_->r2;
}

// RFC 9293 §3.8.4. The timer is not moved by each segment: when it fires it looks how long the
// silence has lasted (MUST-26).
void Connection::on_keep_alive_timer(const Context& context, Served served) {
  const KeepAlive& keep = config_->keep_alive;
  if (!keep.enabled) return;
  const Duration interval = std::max(keep.interval, kLeastWait);
  const Instant quiet_until = sender_.liveness().heard_at + keep.idle;
  // [RFC 9293 MUST-26]
  if (sender_.space().in_flight() || context.now < quiet_until) {
    keep_alive_probes_ = 0;
    timers_.set(Timer::keep_alive, std::max(quiet_until, context.now + interval));
    return;
  }
  if (served == Served::in_time && is_silent_too_long(context.now)) {
    return end(context, time_out_error(), SendReason::reset_timeout);
  }
  if (keep_alive_probes_ < 255) ++keep_alive_probes_;
  keep_alive_due_ = true;
  timers_.set(Timer::keep_alive, context.now + interval);
}

// A user timeout rules once a probe is out, however many there were: who sets both means the time
// (RFC 5482 §4.2). Without one it is the count that does.
// [RFC 9293 MUST-29]
bool Connection::is_silent_too_long(Instant now) const {
  if (keep_alive_probes_ == 0) return false;
  if (config_->user_timeout) return now - sender_.liveness().heard_at >= *config_->user_timeout;
  return keep_alive_probes_ >= config_->keep_alive.probes;  // MUST-29: one lost probe is not enough
}

// [RFC 9293 MAY-5, MUST-24, MUST-25, MUST-27, MUST-28]
void Connection::arm_keep_alive(const Context& context) {
  const bool open = is_synchronized(state_) && state_ != State::time_wait;
  if (config_->keep_alive.enabled && open)
    timers_.set(Timer::keep_alive,
                std::max(sender_.liveness().heard_at + config_->keep_alive.idle, context.now));
}

void Connection::on_heard(const Context& context) {
  sender_.on_heard(context.now);
  keep_alive_probes_ = 0;
}

// RFC 5961 §10: a limit for each connection. One for all connections together would tell an
// attacker who can use it up whether a guess was right (CVE-2016-5696).
// [RFC 5961 7-2]
bool Connection::may_answer(const Context& context) {
  if (context.now - answers_since_ >= std::chrono::seconds(1)) {
    answers_since_ = context.now;
    answers_.clear();
  }
  return answers_.take(context.config.limits.challenge_acks_per_second);
}

void Connection::owe_challenge(const Context& context) {
  if (!may_answer(context)) return;
  challenge_due_ = true;
  ++context.counters.challenge_acks_out;
}

void Connection::trace_congestion(const Context& context, std::uint32_t before) const {
  if (sender_.congestion().congestion_window() == before) return;
  context.trace([&] {
    TcpInfo info;
    sender_.fill(info, *config_, context.now);
    return CongestionChanged{.flow = tuple_,
                             .cwnd = sender_.congestion().congestion_window(),
                             .ssthresh = sender_.congestion().ssthresh(),
                             .phase = phase_of(sender_),
                             .in_flight = info.in_flight_bytes,
                             .srtt = info.rtt,
                             .rto = info.rto,
                             .pacing_rate = info.pacing_rate};
  });
}

// ---- the value

auto Emission::fields() const {
  const auto& [header, why, views, octets, most, marks] = *this;
  const auto& [source, destination, seq, ack, flags, window, urgent, options, text] = header;
  return base::fields(source, destination, seq, ack, flags, window, urgent, options,
                      base::derived(text), why, views, octets, most, marks);
}

bool operator==(const Emission& a, const Emission& b) {
  return a.fields() == b.fields();
}

void Emission::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

auto Connection::fields(Instant now) const {
  const auto& [tuple, path_mtu, config, negotiated, state, fast_open, released, refuses_input,
               keep_alive_due, challenge_due, burst, keep_alive_probes, answers, answers_since,
               segs_in, segs_out, signals, timestamp_offset, ending, timers, sender, receiver,
               accurate] = *this;
  const bool counting = now - answers_since < std::chrono::seconds(1);
  return base::fields(
      tuple, path_mtu, config, negotiated, state, base::history(fast_open), released, refuses_input,
      keep_alive_due, challenge_due, burst, keep_alive_probes, base::If{counting}.decides(answers),
      base::If{counting}.decides(answers_since), base::history(segs_in), base::history(segs_out),
      signals, timestamp_offset, ending, timers,
      base::hashed_by(sender, [&config](auto& h, const Sender& s) { s.hash_into(h, *config); }),
      base::hashed_by(receiver,
                      [&negotiated](auto& h, const Receiver& r) { r.hash_into(h, negotiated); }),
      accurate);
}

bool operator==(const Connection& a, const Connection& b) {
  return a.fields({}) == b.fields({});
}

void Connection::hash_into(base::Hasher& hasher) const {
  hasher.add(fields(hasher.origin()));
}

}  // namespace estab::tcp
