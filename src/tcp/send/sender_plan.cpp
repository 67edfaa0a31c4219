// What the sender sends next.

#include <algorithm>

#include "base/ensure.h"
#include "tcp/send/sender.h"

namespace estab::tcp {

// ---- what may go

std::optional<SendPlan> Sender::plan(const Turn& turn, std::uint32_t most) {
  if (auto tail = plan_tail()) return tail;
  if (auto next = plan_by_window(turn, most)) return next;
  if (auto probe = plan_probe()) return probe;
  arm_persist(turn);
  return std::nullopt;
}

// What is lost goes first: only it can move SND.UNA (RFC 6675 §4, NextSeg).
// [RFC 6675 4-6, 4-10, 5-10]
std::optional<SendPlan> Sender::plan_by_window(const Turn& turn, std::uint32_t most) {
  if (slowed_) return std::nullopt;
  if (is_paced(turn.config)) {
    const std::uint32_t quantum = congestion_.send_quantum(rtt_.srtt());
    most = std::min(most, std::max(quantum - quantum % mss_, mss_));
  }
  std::optional<SendPlan> plan;
  if (!flight_ || !flight_->has_lost()) {
    plan = plan_next(turn, most);
  } else if (flight_->prefers_new()) {
    plan = plan_next(turn, most);
    if (!plan && flight_->room(congestion_) >= std::int64_t{mss_}) flight_->on_nothing_new();
  }
  if (!plan && flight_ && flight_->has_lost() && !flight_->prefers_new()) plan = plan_lost(most);
  if (plan && waits_for_pace(turn)) {
    flight_->set_limit(congestion::Limit::pacing);
    return std::nullopt;
  }
  if (!plan && flight_) note_limit(turn.now());
  return plan;
}

// A window that could go at once at the beginning (RFC 6928) may do so later.
bool Sender::waits_for_pace(const Turn& turn) {
  if (!congestion_.recovers_itself() &&
      congestion_.congestion_window() <= congestion_.initial_window())
    return false;
  if (!flight_ || !is_paced(turn.config) || flight_->pacer().may_send(turn.now())) return false;
  turn.timers.set(Timer::pacing, flight_->pacer().next());
  return true;
}

// What keeps the sender from sending more: congestion control grows by what it limits itself.
void Sender::note_limit(Instant now) {
  congestion::Limit limit = congestion::Limit::application;
  if (flight_->has_lost() || has_unsent()) {
    const std::int64_t wanted = std::clamp<std::int64_t>(outgoing_.end() - space_.nxt(), 1, mss_);
    if (is_stopped_by(flight_->room(congestion_), flight_->has_lost() ? mss_ : wanted))
      limit = congestion::Limit::congestion_window;
    else if (space_.right_edge() - space_.nxt() < wanted)
      limit = congestion::Limit::receiver;
  } else if (flight_->room(congestion_) > 0) {
    flight_->on_app_limited();
  }
  flight_->set_limit(limit);
  if (flight_->chronograph().is_idle()) return;
  if (limit == congestion::Limit::receiver)
    flight_->chronograph().turn_to(Chronograph::What::receiver, now);
  else if (limit == congestion::Limit::application && outgoing_.awaits_room())
    flight_->chronograph().turn_to(Chronograph::What::send_buffer, now);
}

// Less than a full segment of congestion window is not worth a segment while others are in flight:
// their ACKs will make room.
bool Sender::is_stopped_by(std::int64_t congestion_room, std::int64_t wanted) const {
  return congestion_room < wanted && flight().in_flight() > 0;
}

// [RFC 6675 4-5, 5.1-8] [RFC 8985 9.3-1]
// Octets that were sent before, from their records. Into a window that the peer has shrunk nothing
// goes (RFC 9293 §3.8.6, SHLD-15).
std::optional<SendPlan> Sender::plan_lost(std::uint32_t most) const {
  const auto range = flight_->next_lost(std::max(most, mss_));
  base::ensure(range.has_value());
  // A super-segment cannot carry an urgent pointer (see payload_limit).
  const std::uint32_t limit = outgoing_.has_urgent(range->begin) ? mss_ : std::max(most, mss_);
  const std::int64_t room = flight_->room(congestion_);
  if (is_stopped_by(room, std::min(range->length(), mss_))) return std::nullopt;
  const std::int64_t window_room = space_.right_edge() - range->begin;
  if (window_room <= 0) return std::nullopt;
  const std::int64_t octets = std::min(range->end, outgoing_.end()) - range->begin;
  std::int64_t length = std::min({octets, std::max<std::int64_t>(room, mss_), std::int64_t{limit}});
  if (length < octets && length > mss_) length -= length % mss_;
  SendPlan plan{.from = range->begin, .reason = flight_->reason_of_next_lost()};
  plan.length = static_cast<std::uint32_t>(std::clamp<std::int64_t>(length, 0, window_room));
  finish_plan(plan);
  if (plan.length == 0 && !plan.fin) return std::nullopt;
  return plan;
}

// [RFC 3042 2-1, 2-2] [RFC 5681 2-1, 3-1] [RFC 6675 5-4] [RFC 9937 3-1]
std::optional<SendPlan> Sender::plan_next(const Turn& turn, std::uint32_t most) const {
  if (!has_unsent()) return std::nullopt;
  // [RFC 9293 MUST-34, SHLD-15, SHLD-16] [RFC 7323 2.4-4, 2.4-5]
  const std::int64_t window_room = space_.right_edge() - space_.nxt();
  const std::int64_t cwnd_room =
      flight_ ? flight_->room(congestion_) : congestion_.congestion_window();
  if (is_stopped_by(cwnd_room, std::min<std::int64_t>(outgoing_.end() - space_.nxt(), mss_)))
    return std::nullopt;
  if (flight_ && flight_->records() >= turn.context.config.limits.transmissions &&
      space_.in_flight())
    return std::nullopt;
  const bool octets_left = space_.nxt() < outgoing_.end();
  if (!octets_left && window_room < 1) return std::nullopt;
  SendPlan plan{.from = space_.nxt()};
  if (octets_left) {
    plan.length = check_length(
        turn.config, std::min(window_room, std::max<std::int64_t>(cwnd_room, mss_)), most);
    if (plan.length == 0) return std::nullopt;
  }
  finish_plan(plan);
  return plan;
}

// [RFC 9293 MUST-38]
std::uint32_t Sender::check_length(const TcpConfig& config, std::int64_t room,
                                   std::uint32_t most) const {
  if (room <= 0) return 0;
  const std::int64_t available = outgoing_.end() - space_.nxt();
  const auto length =
      static_cast<std::uint32_t>(std::min({available, room, std::int64_t{std::max(most, mss_)}}));
  // [RFC 9293 SHLD-28]
  const std::uint32_t partial = length % mss_;
  if (partial == 0) return length;
  if (may_send_partial(config, length)) return length;
  // Only new octets may wait for company: what was sent once, as a probe, goes again as it is.
  const auto sent_before =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(space_.max() - space_.nxt(), 0, length));
  return std::max(length - partial, sent_before);
}

// Rules (2) and (3) of RFC 9293 §3.8.6.2.1. Everything queued counts as pushed.
// [RFC 9293 SHLD-7, MAY-16]
bool Sender::may_send_partial(const TcpConfig& config, std::uint32_t length) const {
  const bool idle = space_.nxt() == space_.una();
  if (space_.nxt() + length == outgoing_.end()) {
    const bool pushed = outgoing_.is_released(space_.nxt()) || outgoing_.has_urgent(space_.nxt());
    if ((outgoing_.expects_more() || config.cork) && !pushed && !outgoing_.fin_queued())
      return false;
    // [RFC 9293 MUST-17]
    return idle || !config.nagle || outgoing_.fin_queued() || pushed ||
           space_.nxt() + length <= space_.max();
  }
  return idle && length >= space_.max_window() / 2;
}

// FIN behind the last octet, if the window has a number left for it.
void Sender::finish_plan(SendPlan& plan) const {
  const StreamOffset end = plan.from + plan.length;
  plan.fin = outgoing_.fin_queued() && end == outgoing_.end() && end < space_.right_edge();
  plan.push = plan.length > 0 && outgoing_.is_pushed(plan.from, end);
}

// RFC 9293 §3.8.6.1: at least one octet of new data into a shut window.
// [RFC 9293 MUST-36]
std::optional<SendPlan> Sender::plan_probe() const {
  if (!probe_due_) return std::nullopt;
  SendPlan plan{.from = space_.una()};
  // With a little window left this is rule (4) of §3.8.6.2.1, the override timeout, and plain data.
  plan.reason = space_.window() == 0 ? SendReason::zero_window_probe : SendReason::data;
  const std::int64_t available = std::max<std::int64_t>(outgoing_.end() - space_.una(), 0);
  const std::int64_t fits = std::max<std::int64_t>(space_.window(), 1);
  plan.length = static_cast<std::uint32_t>(std::min({available, fits, std::int64_t{mss_}}));
  finish_plan(plan);
  plan.push |= plan.length > 0 && plan.from + plan.length == outgoing_.end();
  if (plan.length == 0) plan.fin = outgoing_.fin_queued();
  return plan;
}

// RFC 8985 §7.3: new octets if there are any and the peer has room, whatever the congestion window
// says; else the last segment once more.
// [RFC 8985 7.3-3, 7.3-4]
std::optional<SendPlan> Sender::plan_tail() const {
  if (!flight_ || !flight_->tail_probe().is_due() || space_.nxt() == space_.una())
    return std::nullopt;
  SendPlan plan{.from = space_.nxt()};
  const std::int64_t fresh =
      std::min<std::int64_t>(outgoing_.end() - space_.nxt(), space_.right_edge() - space_.nxt());
  if (fresh > 0) {
    plan.length = static_cast<std::uint32_t>(std::min<std::int64_t>(fresh, mss_));
  } else {
    const loss::OctetRange tail = flight_->tail(mss_);
    plan.from = tail.begin;
    plan.reason = SendReason::retransmit_tail;
    const std::int64_t octets = std::min(tail.end, outgoing_.end()) - tail.begin;
    plan.length = static_cast<std::uint32_t>(std::clamp<std::int64_t>(octets, 0, mss_));
  }
  finish_plan(plan);
  return plan;
}

// ---- what has gone

void Sender::make_room() {
  if (!flight_) flight_.emplace();
  flight_->make_room(4);
  congestion_.make_room();
}

void Sender::on_sent(const Turn& turn, const SendPlan& plan) {
  make_room();
  const StreamOffset end = plan.from + plan.length + (plan.fin ? 1 : 0);
  const bool all_new = plan.from >= space_.max();
  const bool probing = plan.reason == SendReason::zero_window_probe;
  const bool tail_probe = flight_->tail_probe().is_due();
  if (plan.is_new(space_)) flight_->on_cwr_sent();
  if (!all_new && end <= space_.max()) {
    ++turn.context.counters.retransmitted_segments;
    flight_->count_retransmission(plan.length);
  }
  if (!space_.in_flight() && !probing) oldest_at_ = turn.now();
  if (!probing) record(turn, plan, end);
  probe_due_ = false;
  if (plan.push && end >= outgoing_.end()) outgoing_.on_end_pushed();
  if (probing) space_.on_probe_sent(end);
  flight_->set_last_sent(turn.now());
  outgoing_.on_urgent_notice_sent();
  if (probing) return;
  turn.timers.stop(Timer::persist);  // what it waited for has gone
  if (tail_probe) {
    const bool repeats = plan.reason == SendReason::retransmit_tail;
    flight_->on_tail_probe_sent(
        space_.nxt(), repeats ? loss::TailProbe::Kind::repeat : loss::TailProbe::Kind::fresh,
        turn.now());
    turn.timers.stop(Timer::tail_probe);
    return restart_retransmit_timer(turn);
  }
  if (!turn.timers.runs(Timer::retransmit)) restart_retransmit_timer(turn);  // (5.1)
  if (all_new) arrange_tail_probe(turn, Anew::yes);  // RFC 8985 §7.2: new data puts the probe off
}

// [RFC 8985 7.3-5]
void Sender::record(const Turn& turn, const SendPlan& plan, StreamOffset end) {
  flight_->chronograph().turn_to(Chronograph::What::busy, turn.now());
  if (plan.length > 0)
    flight_->count_text(plan.length <= mss_ ? 1 : (plan.length + mss_ - 1) / mss_);
  const loss::Flight::Lent lent = lend(turn);
  // With nothing in flight nothing is known of the queue: what the initial window allows goes at
  // once.
  if (flight_->in_flight() == 0) flight_->pacer().allow_burst(congestion_.initial_window());
  if (plan.from < space_.nxt()) flight_->on_sent(lent, {plan.from, std::min(end, space_.nxt())});
  if (end > space_.nxt()) flight_->on_sent(lent, {std::max(plan.from, space_.nxt()), end});
  space_.on_sent(end);
  if (is_paced(turn.config))
    flight_->pacer().on_sent(turn.now(), plan.length, congestion_.pacing_rate(rtt_.srtt()));
}

}  // namespace estab::tcp
