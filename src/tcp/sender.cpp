#include "tcp/sender.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/public_fields.h"

namespace estab::tcp {

namespace {
constexpr std::uint8_t kDuplicateThreshold = 3;  // RFC 5681 §3.2
constexpr std::uint8_t kLimitedTransmit = 2;     // RFC 3042
// RFC 9293 §3.8.6.2.1 (4): the override timeout. Within these bounds the RTO is as good as any.
constexpr Duration kLeastOverride = std::chrono::milliseconds(100);
constexpr Duration kMostOverride = std::chrono::seconds(1);
}  // namespace

Sender::Sender(const Opening& opening, std::uint32_t mss, const TcpConfig& config)
    : space_(opening.iss),
      window_(opening.send_window),
      max_window_(opening.send_window),
      mss_(mss),
      ecn_(opening.negotiated.ecn),
      sack_(opening.negotiated.sack),
      rtt_(config),
      congestion_(mss, config) {
  if (opening.rtt) rtt_.on_sample(*opening.rtt, config);
  if (!opening.syn_repeated) return;
  rtt_.on_syn_retransmitted(config);
  // [RFC 5681 3.1-5]
  congestion_.on_syn_lost(mss);
}

// ---- fifth check

Sender::AckKind Sender::check_ack(StreamOffset ack) const {
  if (ack > max_) return AckKind::beyond;
  if (ack > una_) return AckKind::advance;
  return ack == una_ ? AckKind::duplicate : AckKind::old;
}

// RFC 9293 §3.10.7.4 asks for SND.WL1 < SEG.SEQ first. But a retransmission has an old number and
// today's window: if only it acknowledges new octets, the window left from before would be counted
// from the new SND.UNA, and so reach beyond what was allowed (the test
// ARetransmissionsNewAcknowledgementBringsItsWindow fails by the RFC's rule). Acknowledgements
// never go back: they tell the order. Every window the RFC's rule takes is taken by this one.
bool Sender::check_window_update(StreamOffset seq, StreamOffset ack) const {
  return wl2_ < ack || (wl2_ == ack && wl1_ <= seq);
}

bool Sender::accept_window(StreamOffset seq, StreamOffset ack, std::uint32_t window,
                           TimerTable& timers) {
  wl1_ = seq;
  wl2_ = ack;
  const bool changed = window != window_;
  const bool opens = window_ == 0 && window > 0;
  window_ = window;
  max_window_ = std::max(max_window_, window);
  if (changed) timers.stop(Timer::persist);
  if (changed && window_ > 0) probes_ = 0;
  if (opens) oldest_at_ = heard_at_;  // what waited for it has only now a chance to be acknowledged
  return changed;
}

// [RFC 9293 MUST-18]
void Sender::take_rtt_sample(const Context& context, const TcpConfig& config, StreamOffset ack,
                             const AckFacts& facts) {
  if (timed_end_ > kSynOffset && ack >= timed_end_) {
    timed_end_ = kSynOffset;
    return take_sample(context, config, context.now - timed_at_);
  }
  // Nothing could be timed here because something was sent twice: the timestamp says which sending
  // is answered (RFC 7323 §4.3).
  // [RFC 7323 4.1-2, 4.2-1]
  if (timed_end_ > kSynOffset || !facts.timestamps || facts.timestamps->echo == 0) return;
  const std::uint32_t ticks =
      timestamp_clock(context.now, facts.timestamp_offset) - facts.timestamps->echo;
  const Duration elapsed = std::chrono::milliseconds(std::max(ticks, 1u));
  // What was sent before the last sample was taken shared its round trip, and its standstill if
  // there was one: it would say the same again. (The clock counts whole milliseconds.)
  const Duration since_sample = context.now - sampled_at_ + std::chrono::milliseconds(1);
  if (elapsed <= std::min(config.rto_max, since_sample)) take_sample(context, config, elapsed);
}

void Sender::take_sample(const Context& context, const TcpConfig& config, Duration rtt) {
  sampled_at_ = context.now;
  rtt_.on_sample(rtt, config);
}

void Sender::grow_or_recover(StreamOffset ack, std::uint32_t acked, Echo echo) {
  // Each duplicate ACK said that a segment had left the network, and limited transmit sent another
  // in its place (RFC 3042): it does not count a second time.
  const std::uint32_t counted = std::min(duplicate_acks_ * mss_, acked - std::min(acked, mss_));
  duplicate_acks_ = 0;
  // [RFC 6582 2-1]
  if (recovery_ == Recovery::fast && ack < recover_) {  // partial: the next hole (RFC 6582 §3.2)
    congestion_.on_partial_ack(acked, mss_);
    resend_ = Resend::partial;
    return;
  }
  if (recovery_ == Recovery::fast) {
    recovery_ = Recovery::none;
    congestion_.on_exit_recovery(static_cast<std::uint32_t>(max_ - ack), mss_);
    return;
  }
  if (ack >= recover_) recovery_ = Recovery::none;
  // [RFC 3168 6.1.2-2]
  if (echo == Echo::yes) return;  // no reason to send more (RFC 3168 §6.1.2)
  if (uses_window() || recovery_ == Recovery::loss) congestion_.on_ack(acked - counted, mss_);
}

// Slow start may double what was used: it goes on while the window is less than twice the most
// that was in flight. Later it must be the window that stopped sending (RFC 7661 is stricter than
// needed here).
bool Sender::uses_window() const {
  return cwnd_limited_ || (congestion_.in_slow_start() && congestion_.cwnd() / 2 < most_in_flight_);
}

void Sender::note_reduction() {
  reduced_end_ = max_;
  cwr_due_ = ecn_;
}

// Once for a window of data: what was in flight at the last reduction, for whatever reason, says
// nothing new. With a window of one segment nothing is left to halve, and the timer sets the pace.
void Sender::accept_echo(const Context& context, const TcpConfig& config, TimerTable& timers) {
  if (una_ <= reduced_end_) return;
  const bool is_least = congestion_.cwnd() <= mss_;
  congestion_.on_congestion_echo(mss_);
  note_reduction();
  if (!is_least) return;
  // [RFC 3168 6.1.2-3]
  slowed_ = true;
  restart_retransmit_timer(context, config, timers);
}

void Sender::accept_ack(const Context& context, const TcpConfig& config, StreamOffset ack,
                        const AckFacts& facts, TimerTable& timers) {
  const auto acked = static_cast<std::uint32_t>(ack - una_);
  take_rtt_sample(context, config, ack, facts);
  resend_ = Resend::none;
  const bool partial = recovery_ == Recovery::fast && ack < recover_;
  if (config.quirks.ack_releases_more) more_ = false;
  grow_or_recover(ack, acked, facts.echoes_congestion ? Echo::yes : Echo::no);
  una_ = ack;
  nxt_ = std::max(nxt_, una_);
  if (tail_.phase != TailProbe::Phase::out) tail_.phase = TailProbe::Phase::off;  // it was heard of
  // [RFC 2018 8-5]
  queue_.release_until(std::min(ack, queue_.end()), context.blocks);
  retransmits_ = 0;
  probes_ = 0;
  probe_due_ = false;
  oldest_at_ = context.now;
  timers.stop(Timer::persist);
  if (una_ == max_) {
    if (!slowed_) timers.stop(Timer::retransmit);  // (5.2)
    cwnd_limited_ = false;
    most_in_flight_ = 0;
  } else if (!partial || first_partial_) {  // RFC 6582: reset for the first partial ACK only
    first_partial_ = false;
    restart_retransmit_timer(context, config, timers);  // (5.3)
  }
}

// [RFC 5681 3.2-3, 3.2-7, 3.2-9, 4.3-1]
void Sender::accept_duplicate_ack() {
  if (duplicate_acks_ < 255) ++duplicate_acks_;
  if (recovery_ == Recovery::fast) {
    // [RFC 5681 3.2-11]
    // Each stands for a segment that has left the network: there are no more of those than were
    // sent, whatever the peer says (RFC 5681 §3.2, step 4).
    if (congestion_.cwnd() < congestion_.ssthresh() + static_cast<std::uint32_t>(max_ - una_))
      congestion_.on_duplicate_in_recovery(mss_);
    return;
  }
  // [RFC 6582 6-2]
  if (duplicate_acks_ != kDuplicateThreshold || una_ <= recover_) return;
  recovery_ = Recovery::fast;
  tail_.phase = TailProbe::Phase::off;
  recover_ = max_;
  resend_ = Resend::fast;
  first_partial_ = true;
  // [RFC 5681 3.2-8]
  // What limited transmit sent beyond the window is not to be counted (RFC 5681 §3.2 step 2).
  const auto in_flight = static_cast<std::uint32_t>(max_ - una_);
  // Nor is the window reduced again if a mark in the same window of data has done that.
  const Reduction reduction = una_ <= reduced_end_ ? Reduction::done_already : Reduction::due;
  congestion_.on_enter_recovery(std::min(in_flight, congestion_.cwnd()), mss_, reduction);
  note_reduction();
}

// ---- sending

std::optional<SendPlan> Sender::plan(const TcpConfig& config, std::uint32_t most) {
  if (auto tail = plan_tail()) return tail;
  if (auto resend = plan_resend()) return resend;
  if (auto next = plan_next(config, most)) return next;
  if (has_unsent() && !slowed_ && is_stopped_by(congestion_room())) cwnd_limited_ = true;
  return plan_probe();
}

// The segment at SND.UNA once more, without moving SND.NXT.
std::optional<SendPlan> Sender::plan_resend() const {
  if (resend_ == Resend::none || una_ >= max_) return std::nullopt;
  SendPlan plan{.from = una_};
  plan.reason =
      resend_ == Resend::fast ? SendReason::retransmit_fast : SendReason::retransmit_partial;
  const std::int64_t sent = std::min(max_, queue_.end()) - una_;
  plan.length = static_cast<std::uint32_t>(std::clamp<std::int64_t>(sent, 0, mss_));
  finish_plan(plan);
  return plan;
}

// [RFC 3042 2-1, 2-2] [RFC 5681 2-1, 3-1]
// Limited transmit is for octets never sent before: not for what a timeout sends again.
std::int64_t Sender::congestion_room() const {
  const std::uint32_t extra =
      recovery_ == Recovery::none ? std::min(duplicate_acks_, kLimitedTransmit) * mss_ : 0;
  return std::int64_t{congestion_.cwnd()} + extra - flight();
}

// Less than a full segment of congestion window is not worth a segment while others are in flight:
// their ACKs will make room.
bool Sender::is_stopped_by(std::int64_t congestion_room) const {
  const std::int64_t wanted = std::min<std::int64_t>(queue_.end() - nxt_, mss_);
  return congestion_room < wanted && flight() > 0;
}

std::optional<SendPlan> Sender::plan_next(const TcpConfig& config, std::uint32_t most) const {
  if (!has_unsent() || slowed_) return std::nullopt;
  // [RFC 9293 MUST-34, SHLD-15, SHLD-16] [RFC 7323 2.4-4, 2.4-5]
  const std::int64_t window_room = (una_ + window_) - nxt_;
  const std::int64_t cwnd_room = congestion_room();
  if (is_stopped_by(cwnd_room)) return std::nullopt;
  const bool octets_left = nxt_ < queue_.end();
  if (!octets_left && window_room < 1) return std::nullopt;
  SendPlan plan{.from = nxt_};
  if (octets_left) {
    plan.length =
        check_length(config, std::min(window_room, std::max<std::int64_t>(cwnd_room, mss_)), most);
    if (plan.length == 0) return std::nullopt;
  }
  finish_plan(plan);
  if (plan.from + plan.length + (plan.fin ? 1 : 0) <= max_)
    plan.reason = SendReason::retransmit_timeout;
  return plan;
}

// [RFC 9293 MUST-38]
std::uint32_t Sender::check_length(const TcpConfig& config, std::int64_t room,
                                   std::uint32_t most) const {
  if (room <= 0) return 0;
  const std::int64_t available = queue_.end() - nxt_;
  const auto length =
      static_cast<std::uint32_t>(std::min({available, room, std::int64_t{std::max(most, mss_)}}));
  // [RFC 9293 SHLD-28]
  const std::uint32_t partial = length % mss_;
  if (partial == 0) return length;
  if (may_send_partial(config, length)) return length;
  // Only new octets may wait for company: what was sent once goes again as it is.
  const auto sent_before =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(max_ - nxt_, 0, length));
  return std::max(length - partial, sent_before);
}

// Rules (2) and (3) of RFC 9293 §3.8.6.2.1. Everything queued counts as pushed.
// [RFC 9293 SHLD-7, MAY-16]
bool Sender::may_send_partial(const TcpConfig& config, std::uint32_t length) const {
  const bool idle = nxt_ == una_;
  if (nxt_ + length == queue_.end()) {
    const bool pushed = push_end_ > nxt_ || release_end_ > nxt_ || has_urgent(nxt_);
    if ((more_ || config.cork) && !pushed && !fin_queued_) return false;
    // [RFC 9293 MUST-17]
    return idle || !config.nagle || fin_queued_ || pushed || nxt_ + length <= max_;
  }
  return idle && length >= max_window_ / 2;
}

// PSH where the queue ends (MUST-61), unless more is to come there, and where the application
// asked; FIN behind the last octet, if the window has a number left for it.
void Sender::finish_plan(SendPlan& plan) const {
  const StreamOffset end = plan.from + plan.length;
  plan.fin = fin_queued_ && end == queue_.end() && end < una_ + window_;
  // [RFC 9293 SHLD-27]
  const bool pushed = push_end_ > plan.from && push_end_ <= end;
  // [RFC 9293 MUST-61]
  plan.push = plan.length > 0 && ((end == queue_.end() && !unpushed_) || pushed);
}

// RFC 9293 §3.8.6.1: at least one octet of new data into a shut window.
// [RFC 9293 MUST-36]
std::optional<SendPlan> Sender::plan_probe() const {
  if (!probe_due_) return std::nullopt;
  SendPlan plan{.from = una_};
  // With a little window left this is rule (4) of §3.8.6.2.1, the override timeout, and plain data.
  plan.reason = window_ == 0 ? SendReason::zero_window_probe : SendReason::data;
  const std::int64_t available = std::max<std::int64_t>(queue_.end() - una_, 0);
  const std::int64_t fits = std::max<std::int64_t>(window_, 1);
  plan.length = static_cast<std::uint32_t>(std::min({available, fits, std::int64_t{mss_}}));
  finish_plan(plan);
  plan.push |= plan.length > 0 && plan.from + plan.length == queue_.end();
  if (plan.length == 0) plan.fin = fin_queued_;
  return plan;
}

void Sender::on_sent(const Context& context, const TcpConfig& config, const SendPlan& plan,
                     TimerTable& timers) {
  const StreamOffset end = plan.from + plan.length + (plan.fin ? 1 : 0);
  const bool all_new = plan.from >= max_;
  if (is_new(plan)) cwr_due_ = false;
  // [RFC 6298 3-3]
  if (all_new && timed_end_ <= kSynOffset && plan.reason == SendReason::data) {
    timed_end_ = end;
    timed_at_ = context.now;
  } else if (!all_new && plan.from < timed_end_) {
    // [RFC 6298 3-2]
    timed_end_ = kSynOffset;  // Karn: what is sent twice cannot be timed
  }
  if (!all_new && end <= max_) {
    ++total_retransmits_;
    ++context.counters.retransmitted_segments;
    bytes_retransmitted_ += plan.length;
  }
  const bool tail_probe = tail_.phase == TailProbe::Phase::due;
  if (may_use_tail_probe(config)) note_tail(plan, end);
  const bool probing = plan.reason == SendReason::zero_window_probe;
  if (!in_flight() && !probing) oldest_at_ = context.now;
  if (plan.reason == SendReason::retransmit_fast || plan.reason == SendReason::retransmit_partial) {
    resend_ = Resend::none;
  } else if (!probing) {
    nxt_ = std::max(nxt_, end);
  }
  probe_due_ = false;
  if (plan.push && end >= queue_.end()) unpushed_ = false;
  max_ = std::max(max_, end);
  most_in_flight_ = std::max(most_in_flight_, flight());
  last_sent_ = context.now;
  urgent_notice_ = false;
  if (probing) return;
  timers.stop(Timer::persist);  // what it waited for has gone
  // (5.1); and RFC 8985 §7.2: new data puts the probe off.
  const bool restarts = tail_probe || (all_new && may_probe_tail(config));
  if (restarts || !timers.runs(Timer::retransmit))
    restart_retransmit_timer(context, config, timers);
}

// [RFC 6298 5-2] [RFC 6928 9-1]
void Sender::restart_retransmit_timer(const Context& context, const TcpConfig& config,
                                      TimerTable& timers) {
  const Instant give_up = oldest_at_ + give_up_after(config);
  const auto probe = tail_probe_timeout(config);
  if (probe) tail_.phase = TailProbe::Phase::armed;
  if (!probe && tail_.phase == TailProbe::Phase::armed) tail_.phase = TailProbe::Phase::off;
  Instant deadline = context.now + probe.value_or(rtt_.rto(config));
  if (give_up > context.now) deadline = std::min(deadline, give_up);
  timers.set(Timer::retransmit, deadline);
}

void Sender::on_reconfigured(const Context& context, const TcpConfig& config, TimerTable& timers) {
  const Instant give_up = std::max(oldest_at_ + give_up_after(config), context.now);
  const auto bound = [&](Timer timer) {
    if (timers.runs(timer)) timers.set(timer, std::min(timers.deadline(timer), give_up));
  };
  bound(Timer::retransmit);
  if (config.user_timeout) bound(Timer::persist);
}

void Sender::arm_persist(const Context& context, const TcpConfig& config, TimerTable& timers) {
  if (timers.runs(Timer::persist) || timers.runs(Timer::retransmit)) return;
  if (probe_due_ || (all_sent() && !(fin_queued_ && nxt_ <= queue_.end()))) return;
  if (probes_ == 0) oldest_at_ = context.now;
  // [RFC 9293 SHLD-29, SHLD-30, MUST-60]
  Duration wait = rtt_.rto(config);
  if (window_ > 0) wait = std::clamp(wait, kLeastOverride, kMostOverride);
  wait = backed_off(wait, probes_, config.rto_max);  // SHLD-30
  Instant deadline = context.now + wait;
  const Instant give_up = config.user_timeout ? oldest_at_ + *config.user_timeout : kNever;
  if (give_up > context.now) deadline = std::min(deadline, give_up);
  timers.set(Timer::persist, deadline);
}

// A mark too far away for 16 bits is told as one just so far, if that lies beyond all that was
// sent: what is sent there will tell better. Among octets sent without a mark it would be a false
// one.
// [RFC 9293 MUST-30, MUST-31, MUST-62]
std::optional<std::uint16_t> Sender::urgent_pointer(StreamOffset at) const {
  constexpr std::int64_t kFarthest = 0xffff;
  if (!has_urgent(at) || (urgent_end_ - at > kFarthest && at + kFarthest <= max_))
    return std::nullopt;
  return static_cast<std::uint16_t>(std::min(urgent_end_ - at, kFarthest));
}

// ---- timers

// [RFC 9293 MUST-21, SHLD-11]
Duration Sender::give_up_after(const TcpConfig& config) const {
  return config.user_timeout.value_or(config.r2);
}

bool Sender::on_retransmit_timer(const Context& context, const TcpConfig& config,
                                 TimerTable& timers, Served served) {
  slowed_ = false;
  if (!in_flight()) {  // it only held back what comes next (RFC 3168 §6.1.2)
    timers.stop(Timer::retransmit);
    return true;
  }
  const bool too_late = context.now - oldest_at_ >= give_up_after(config);
  if (tail_.phase == TailProbe::Phase::armed && !too_late) {
    tail_.phase = TailProbe::Phase::due;
    timers.set(Timer::retransmit, context.now + rtt_.rto(config));
    return true;
  }
  tail_.phase = TailProbe::Phase::off;
  // [RFC 9293 SHLD-17, MUST-35]
  const bool answered = window_ == 0 && heard_at_ > oldest_at_;  // MUST-37, the window was shrunk
  // R2 and the user timeout count from the first sending, but what has had no second one, or none
  // that could be answered, says nothing of the peer (RFC 9293 §3.8.3).
  const bool had_its_chance = retransmits_ > 0 && served == Served::in_time;
  if (!answered && too_late && had_its_chance) return false;
  congestion_.on_timeout(static_cast<std::uint32_t>(max_ - una_), mss_,
                         retransmits_ == 0 ? Repeat::first : Repeat::again);
  note_reduction();
  if (retransmits_ < 255) ++retransmits_;
  rtt_.back_off(config);  // (5.5)
  recovery_ = Recovery::loss;
  recover_ = max_;
  resend_ = Resend::none;
  duplicate_acks_ = 0;
  timed_end_ = kSynOffset;
  nxt_ = una_;
  if (window_ == 0) {  // nothing may be retransmitted into a shut window: probe it (SHLD-17)
    timers.stop(Timer::retransmit);
    probe_due_ = true;
    if (probes_ < 255) ++probes_;
    return true;
  }
  restart_retransmit_timer(context, config, timers);  // (5.6)
  return true;
}

bool Sender::on_persist_timer(const Context& context, const TcpConfig& config, TimerTable& timers,
                              Served served) {
  timers.stop(Timer::persist);
  // However long the pauses between probes: a peer that has answered the last one is there.
  // [RFC 9293 MUST-37]
  const bool answered = probes_ == 0 || heard_at_ >= last_sent_;
  const Instant since = std::max(oldest_at_, heard_at_);
  const bool silent = !answered && context.now - since >= give_up_after(config);
  // The user timeout bounds the wait itself, answered or not (RFC 5482 §3).
  const bool over = config.user_timeout && context.now - oldest_at_ >= *config.user_timeout;
  const bool had_its_chance = probes_ > 0 && served == Served::in_time;
  if ((silent || over) && had_its_chance) return false;
  probe_due_ = true;
  if (probes_ < 255) ++probes_;
  return true;
}

// ---- the application

std::size_t Sender::room(const TcpConfig& config) const {
  return queue_.room(config.send_buffer);
}

void Sender::after_append(std::size_t octets, SendMode mode) {
  more_ = mode == SendMode::more;
  if (octets > 0) unpushed_ = more_;
  // [RFC 9293 MAY-15]
  if (mode == SendMode::push) release_end_ = queue_.end();
  if (mode == SendMode::push && octets > 0) push_end_ = queue_.end();
  if (mode == SendMode::urgent) {
    urgent_end_ = queue_.end();
    urgent_notice_ = true;
  }
}

void Sender::take_over(EarlyData& early) {
  queue_ = early.take_queue();
  push_end_ = early.push_end();
  urgent_end_ = early.urgent_end();
  urgent_notice_ = urgent_end_ > kSynOffset;
  more_ = unpushed_ = early.more();
}

// RFC 5681 §4.1: after a pause longer than the RTO the old window says nothing of the path.
void Sender::before_append(const Context& context, const TcpConfig& config) {
  if (!config.slow_start_after_idle || in_flight() || max_ == kFirstOctet) return;
  if (context.now - last_sent_ > rtt_.rto(config)) congestion_.on_idle(mss_, config);
}

void Sender::append(const Context& context, const TcpConfig& config, Octets octets, SendMode mode) {
  before_append(context, config);
  queue_.append(octets, context.blocks);
  after_append(octets.size(), mode);
}

void Sender::append_owned(const Context& context, const TcpConfig& config, Octets octets,
                          std::shared_ptr<const void> owner, SendMode mode) {
  before_append(context, config);
  queue_.append_owned(octets, std::move(owner), context.blocks);
  after_append(octets.size(), mode);
}

// tcp_update_pacing_rate and tcp_tso_autosize of Linux: twice the window a round trip in slow
// start, 1.2 times later; a 1024th of a second of that, and up to 64 KiB where the round trip is
// below 2 ms. tcp_cwnd_test: half a window at most, so that there are always two on the way.
std::uint32_t Sender::burst_segments(const TcpConfig& config) const {
  constexpr std::uint64_t kMost = 65536;
  const auto round_trip = static_cast<std::uint64_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.srtt()).count(), 1));
  const bool doubles = congestion_.cwnd() < congestion_.ssthresh() / 2;
  const std::uint64_t rate =
      std::uint64_t{congestion_.cwnd()} * (doubles ? 200 : 120) * 10'000 / round_trip;
  const auto shift =
      std::chrono::duration_cast<std::chrono::microseconds>(rtt_.min_rtt()).count() >> 9;
  const std::uint64_t near = shift < 16 ? kMost >> shift : 0;
  const std::uint64_t octets = std::min((rate >> 10) + near, kMost);
  const auto paced =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(octets / mss_, config.quirks.least_burst));
  return std::min(paced, std::max(congestion_.cwnd() / mss_ / 2, 1u));
}

// [RFC 1191 3-1, 3-2, 3-3, 3-4, 6.1-2, 6.4-1, 6.4-3, 6.2-9, 6.4-6]
void Sender::set_mss(std::uint32_t mss) {
  const bool smaller = mss < mss_;
  mss_ = mss;
  // What is in flight was too big (RFC 1191 §6.4), if it can have been.
  if (smaller && max_ - una_ > mss) nxt_ = una_;
}

std::string_view Sender::phase() const {
  if (recovery_ == Recovery::fast) return "recovery";
  if (recovery_ == Recovery::loss) return "loss";
  return congestion_.in_slow_start() ? "slow start" : "congestion avoidance";
}

void Sender::fill(TcpInfo& info, const TcpConfig& config) const {
  info.retransmits = retransmits_;
  info.backoff = rtt_.backoff();
  info.rto = rtt_.rto(config);
  info.rtt = rtt_.srtt();
  info.rttvar = rtt_.rttvar();
  info.min_rtt = rtt_.min_rtt();
  info.snd_mss = mss_;
  info.snd_cwnd = congestion_.cwnd();
  info.snd_ssthresh = congestion_.ssthresh();
  info.snd_wnd = window_;
  info.bytes_acked = static_cast<std::uint64_t>(std::min(una_, queue_.end()) - kFirstOctet);
  info.bytes_retrans = bytes_retransmitted_;
  info.bytes_sent =
      static_cast<std::uint64_t>(std::min(max_, queue_.end()) - kFirstOctet) + bytes_retransmitted_;
  info.total_retrans = total_retransmits_;
  info.notsent_bytes = static_cast<std::uint64_t>(queue_.end() - std::min(max_, queue_.end()));
  info.unacked_bytes = static_cast<std::uint64_t>(max_ - una_);
}

// For the future a time counts only while something may yet ask for it.
auto Sender::fields(const TcpConfig& config) const {
  const auto& [space, una, nxt, max, wl1, wl2, urgent_end, push_end, release_end, recover,
               reduced_end, timed_end, timed_at, sampled_at, oldest_at, heard_at, last_sent, window,
               max_window, mss, most_in_flight, duplicate_acks, retransmits, probes, resend,
               recovery, probe_due, first_partial, fin_queued, more, unpushed, urgent_notice, ecn,
               sack, cwr_due, slowed, cwnd_limited, tail, total_retransmits, bytes_retransmitted,
               rtt, congestion, queue] = *this;
  // Else it is set anew before it is read.
  const bool owes = in_flight() || !all_sent() || (fin_queued && !fin_acked());
  // It tells whether a peer with a shut window, or a silent one, is there.
  const bool doubts = window == 0 || probes > 0 || config.keep_alive.enabled;
  // Where the RTO is pinned, what was measured, and is being measured, decides nothing.
  const bool measures = !is_rto_pinned(config);
  return base::fields(space, una, nxt, max, wl1, wl2, urgent_end, push_end, release_end, recover,
                      reduced_end, base::If{measures}.decides(timed_end),
                      base::If{measures}.decides(timed_at), base::If{measures}.decides(sampled_at),
                      base::If{owes}.decides(oldest_at), base::If{doubts}.decides(heard_at),
                      base::hashed_by(last_sent,
                                      [&config, &heard_at, doubts](auto& h, Instant at) {
                                        if (doubts) h.add(heard_at >= at);
                                        if (h.takes_history() || config.slow_start_after_idle)
                                          h.add(at);
                                      }),
                      window, max_window, mss, most_in_flight, duplicate_acks, retransmits, probes,
                      resend, recovery, probe_due, first_partial, fin_queued, more, unpushed,
                      urgent_notice, ecn, sack, cwr_due, slowed, cwnd_limited, tail,
                      base::history(total_retransmits), base::history(bytes_retransmitted),
                      base::If{measures}.decides(rtt), congestion, queue);
}

void Sender::hash_into(base::Hasher& hasher, const TcpConfig& config) const {
  hasher.add(fields(config));
}

}  // namespace estab::tcp
