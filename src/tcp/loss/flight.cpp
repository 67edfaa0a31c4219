#include "tcp/loss/flight.h"

#include <algorithm>

#include "base/hasher.h"

namespace estab::tcp::loss {

using congestion::Cause;
using congestion::Repairing;
using congestion::Repeat;

// ---- sending

SendReason Flight::reason_of_next_lost() const {
  switch (scoreboard_.rule_of_next_lost()) {
    case LossRule::timeout:
      return SendReason::retransmit_timeout;
    case LossRule::partial_ack:
      return SendReason::retransmit_partial;
    case LossRule::too_big:
      return SendReason::retransmit_smaller;
    case LossRule::rack:
    case LossRule::duplicate_acks:
      break;
  }
  return SendReason::retransmit_fast;
}

void Flight::on_sent(const Lent& lent, OctetRange range) {
  const std::uint32_t before = in_flight();
  const bool again = range.begin < lent.nxt;
  const congestion::SentEvent event{
      .now = lent.now(),
      .octets = range.length(),
      .in_flight = before,
      .kind = again ? congestion::Transmission::again : congestion::Transmission::first,
      .app_limited = rate_.is_app_limited()};
  lent.congestion.on_sent(event);
  const Sending sending{lent.now(), static_cast<std::uint16_t>(lent.mss),
                        rate_.on_sent(lent.now(), range.length(), before)};
  if (again) {
    scoreboard_.send_again(range, sending);
    undo_.on_sent_again(range, lent.now());
  } else {
    scoreboard_.add(range.begin, range.length(), sending);
  }
  if (reduces_by_prr(lent.congestion)) prr_.on_sent(range.length());
}

// ---- an acknowledgement

Flight::Outcome Flight::on_ack(const Lent& lent, const Ack& ack) {
  Outcome outcome;
  const std::uint32_t recover_fs =
      static_cast<std::uint32_t>(lent.nxt - lent.una) - scoreboard_.sacked();
  const bool was_repairing = state_ == CaState::recovery;
  Gains gains = take_delivered(lent, ack);
  take_rtt(lent, ack, gains);
  take_reports(lent, ack);
  take_marks(lent, ack, gains);
  if (!lent.sack) count_duplicates(lent, ack, gains);
  undo_if_proved(lent, ack, gains);
  leave_episode(lent, ack, gains);
  gains.lost = lent.sack ? detect(lent)
                         : detect_without_sack(lent, gains,
                                               was_repairing ? Repair::under_way : Repair::none);
  if (gains.lost > 0) begin_recovery(lent, gains.in_flight_before, gains.lost, recover_fs);
  if (gains.is_marked) outcome.is_least = reduce_for_mark(lent, gains.in_flight_before, recover_fs);
  tell_congestion_control(lent, gains);
  if (reduces_by_prr(lent.congestion)) advance_prr(lent, gains);
  // RFC 6582 §3.2, the impatient variant: for the first partial ACK only.
  const bool partial = !lent.sack && was_repairing && state_ == CaState::recovery;
  outcome.restarts_timer = gains.advanced && !(partial && std::exchange(partial_seen_, true));
  // What was sent after the first outstanding segment has arrived: the path works, and RACK looks
  // after that segment.
  const Transmission* first = scoreboard_.first();
  if (lent.sack && gains.delivered > 0 && first && gains.newest > first->sent_at)
    outcome.restarts_timer = true;
  return outcome;
}

// With SACK a duplicate ACK that reports nothing new makes no room for anything.
// [RFC 3042 2-3]
Flight::Gains Flight::take_delivered(const Lent& lent, const Ack& ack) {
  Gains gains;
  gains.in_flight_before = in_flight();
  gains.acked = static_cast<std::uint32_t>(ack.number - lent.una);
  gains.advanced = gains.acked > 0;
  const Instant now = lent.now();
  const Duration min_rtt = lent.rtt.min_rtt();
  const auto deliver = [&](const Delivery& delivery) {
    const Transmission& record = delivery.record;
    gains.delivered += delivery.octets;
    if (ack.feedback) gains.segments += record.segments_in(delivery.octets);
    rate_.on_delivered(gains.gathering, record.snapshot(), record.sent_at, delivery.octets, now);
    rack_.on_delivered(delivery, now, ack.echo, min_rtt);
    if (record.sent_twice()) {
      gains.repeated = true;
      return;
    }
    if (record.sent_at >= gains.newest) {
      gains.newest = record.sent_at;
      gains.rtt = now - record.sent_at;
    }
    if (!gains.sample && record.sent_at >= sampled_at_) gains.sample = now - record.sent_at;
    (delivery.end <= recover_ ? gains.original : gains.later) = true;
  };
  scoreboard_.acknowledge(ack.number, deliver);
  // What arrived long ago was held up by what had to go again (RFC 6298 §3).
  if (gains.repeated) gains.rtt = gains.sample = std::nullopt;
  for (const OctetRange& block : ack.sacked) scoreboard_.sack(block, limit_of(lent), deliver);
  rack_.on_delivered_all();
  return gains;
}

// One sample a round trip: what is measured was sent after the last sample was taken. So a
// standstill, which all in flight share, counts once.
// [RFC 9293 MUST-18] [RFC 6298 3-2, 3-3] [RFC 7323 4.1-2, 4.2-1]
void Flight::take_rtt(const Lent& lent, const Ack& ack, const Gains& gains) {
  const TcpConfig& config = lent.turn.config;
  std::optional<Duration> sample = gains.sample;
  if (gains.rtt) {
    lent.rtt.on_round_trip(*gains.rtt);
    if (const auto least = recent_rtt_.on_round_trip(lent.now(), *gains.rtt))
      lent.rtt.forget_older(*least);
  }
  if (!sample && gains.advanced && gains.repeated) {
    // The timestamp says which sending is answered (RFC 7323 §4.3). The clock counts whole
    // milliseconds.
    const auto age = ack.echo.age(lent.now());
    const Duration since_sample = lent.now() - sampled_at_ + std::chrono::milliseconds(1);
    if (age && *age <= std::min(config.rto_max, since_sample)) sample = age;
  }
  if (!sample) return;
  sampled_at_ = lent.now();
  tail_probe_.on_rtt_measured();
  lent.rtt.on_sample(*sample, config);
}

// RFC 3168's echo says that something was marked, and not how much of it: all, for DCTCP (RFC 8257
// §3.2). AccECN says it.
void Flight::take_marks(const Lent& lent, const Ack& ack, Gains& gains) {
  if (ack.feedback) {
    const Feedback::Marked marked =
        ack.feedback->on_ack(ack.told, {gains.delivered, gains.segments, lent.mss});
    gains.is_marked = marked.segments > 0;
    gains.marked = std::min(marked.octets, gains.delivered);
  } else if (ack.echoes_congestion) {
    gains.is_marked = true;
    gains.marked = gains.delivered;
  }
}

Flight::Outcome Flight::on_marked(const Lent& lent) {
  const auto recover_fs = static_cast<std::uint32_t>(lent.nxt - lent.una) - scoreboard_.sacked();
  return {.is_least = reduce_for_mark(lent, in_flight(), recover_fs)};
}

// [RFC 8985 7.4.2-1, 7.4.2-2]
void Flight::take_reports(const Lent& lent, const Ack& ack) {
  if (ack.reported) ++reported_;
  if (tail_probe_.is_out()) {
    const TailProbe::Ack answer{ack.number, ack.reported.has_value(), ack.answers_nothing,
                                ack.echo};
    if (tail_probe_.accept_ack(answer) == TailProbe::Answer::repaired && state_ == CaState::open &&
        !scoreboard_.has_reneged()) {
      // RFC 8985 §7.4.2: as in fast recovery, but there is nothing left to repair.
      close_episode(lent);
      lent.congestion.on_congestion(Cause::tail_probe, loss_event(lent, in_flight(), lent.mss));
      lent.congestion.on_recovered();
      note_reduction(lent);
      return;
    }
  }
  if (ack.reported && undo_.on_duplicate_reported(*ack.reported))
    rack_.on_duplicate_reported(ack.number, lent.nxt);
}

// RFC 5681 §3.2, RFC 6582: without SACK each duplicate ACK says that a segment has left the
// network. There are no more of those than were sent, whatever the peer says. And each had stood
// for one of the segments that a later ACK covers.
// [RFC 5681 3.2-3, 3.2-7, 3.2-9, 3.2-11, 4.3-1] [RFC 3042 2-1, 2-2] [RFC 6582 2-1]
void Flight::count_duplicates(const Lent& lent, const Ack& ack, Gains& gains) {
  constexpr std::uint8_t kLimitedTransmit = 2;  // RFC 3042
  if (gains.advanced) {
    const std::uint32_t beyond_hole = gains.acked - std::min(gains.acked, lent.mss);
    const std::uint32_t counted = std::min(duplicated_, beyond_hole);
    gains.delivered -= std::min(counted, gains.delivered);
    duplicate_acks_ = 0;
    const bool repairing = state_ == CaState::recovery || state_ == CaState::loss;
    duplicated_ = repairing ? duplicated_ - counted : 0;
  } else if (ack.is_duplicate) {
    // After a timeout they answer what went again, but for the new segments of F-RTO.
    if (state_ == CaState::loss && duplicated_ + lent.mss > lent.nxt - recover_) return;
    if (duplicate_acks_ < 255) ++duplicate_acks_;
    const bool counts = state_ == CaState::recovery || state_ == CaState::loss ||
                        duplicate_acks_ <= kLimitedTransmit ||
                        (duplicate_acks_ == kLimitedTransmit + 1 && lent.una > recover_);
    if (!counts || duplicated_ + lent.mss > scoreboard_.in_flight()) return;
    duplicated_ += lent.mss;
    gains.delivered += lent.mss;
  }
}

// ---- what was for nothing

void Flight::undo_if_proved(const Lent& lent, const Ack& ack, const Gains& gains) {
  if (gains.advanced && undo_.is_proved_by(ack.echo, ack.number)) {
    const bool was_fast = state_ == CaState::recovery;
    undo(lent, UndoProof::timestamps);
    if (was_fast) rack_.on_duplicate_reported(ack.number, lent.nxt);
    return;
  }
  if (ack.reported && undo_.is_proved_by_duplicates()) return undo(lent, UndoProof::duplicates);
  if (state_ == CaState::loss && frto_ != FRto::off && is_spurious_timeout(lent, ack, gains))
    undo(lent, UndoProof::f_rto);
}

// F-RTO (RFC 5682 §2.1, and §3.1 with SACK). After a timeout only the first segment goes again;
// whatever else from before it is then acknowledged had never been lost. The first ACK that
// advances may cover what the peer had kept for long: the second has to tell, and until it comes
// new octets go instead of those that count as lost. Octets that are SACKed before the first one
// advances have just arrived, and tell at once. [RFC 5682 2.1-1, 2.1-4, 3.1-1]
bool Flight::is_spurious_timeout(const Lent& lent, const Ack& ack, const Gains& gains) {
  if (!gains.advanced && !ack.is_duplicate && gains.delivered == 0)
    return false;  // it tells nothing
  const bool decides = frto_ == FRto::second || !gains.advanced;
  const bool answers_later = gains.later || ack.echo.is_since(timeout_at_);
  if (decides && gains.original && !answers_later && ack.number < recover_) return true;
  frto_ = after_step(lent, ack, gains);
  return false;
}

// RFC 5682: where the steps lead if the timeout is not proved to be for nothing.
Flight::FRto Flight::after_step(const Lent& lent, const Ack& ack, const Gains& gains) const {
  if (frto_ == FRto::second || ack.number >= recover_) return FRto::off;  // (2a), (3a)
  if (ack.echo.is_since(timeout_at_)) return FRto::off;  // the timestamp says that it was true
  if (!gains.advanced) return lent.sack ? FRto::first : FRto::off;
  const Transmission* next = scoreboard_.first();
  const bool only_in_part = next && next->sent_twice() && next->sent_at >= timeout_at_;
  return only_in_part ? FRto::off : FRto::second;
}

// RFC 4015: the window and everything else of congestion control as before; what was taken for lost
// is in flight.
void Flight::undo(const Lent& lent, UndoProof proof) {
  scoreboard_.restore_lost();
  lent.congestion.on_spurious();
  undo_.disarm();
  state_ = CaState::open;
  frto_ = FRto::off;
  episode_open_ = false;
  episode_end_ = reduced_end_ = marks_end_ = kSynOffset;
  recover_ = kSynOffset;  // fast retransmit may follow at once (RFC 5682 §2.1 (3b))
  duplicated_ = 0;
  ++undone_;
  lent.turn.context.trace([&] { return RecoveryUndone{lent.turn.flow, proof}; });
}

// ---- episodes

// The window is ssthresh then: no more was ever added to it.
// [RFC 5681 3.2-13, 4.3-3] [RFC 6582 6-1, 6-3] [RFC 6675 5-6, 5-7]
void Flight::leave_episode(const Lent& lent, const Ack& ack, Gains& gains) {
  if (state_ != CaState::open && ack.number >= recover_) {
    if (state_ != CaState::cwr) rack_.on_recovered();
    if (state_ == CaState::cwr && reduces_by_prr(lent.congestion) &&
        !lent.congestion.reduces_by_share())
      forgive_marks(lent);
    gains.ended = state_ != CaState::loss;
    state_ = CaState::open;
    frto_ = FRto::off;
    duplicated_ = 0;
    partial_seen_ = false;
    // The report of a retransmission comes behind the ACK of what had been sent before it.
    const bool waits = lent.sack && undo_.awaits_word() && !lent.congestion.recovers_itself();
    if (waits)
      episode_end_ = lent.nxt;
    else
      close_episode(lent);
  } else if (episode_end_ > kSynOffset && ack.number >= episode_end_) {
    close_episode(lent);
  }
}

void Flight::close_episode(const Lent& lent) {
  if (episode_open_) lent.congestion.on_recovered();
  episode_open_ = false;
  episode_end_ = kSynOffset;
  undo_.disarm();
}

// What was sent while the window came down met the queue of the window before: its marks, first
// that of the segment which says CWR, are no reason to reduce twice. For an echo that they have
// begun CWR is said again. [RFC 3168 6.1.2-4]
void Flight::forgive_marks(const Lent& lent) {
  marks_end_ = lent.nxt;
  cwr_due_ = lent.says_cwr;
}

void Flight::note_reduction(const Lent& lent) {
  reduced_end_ = lent.nxt;
  marks_end_ = lent.nxt;
  cwr_due_ = lent.says_cwr;
}

congestion::LossEvent Flight::loss_event(const Lent& lent, std::uint32_t in_flight_before,
                                         std::uint32_t lost) const {
  return {.now = lent.now(),
          .in_flight = in_flight_before,
          .lost = lost,
          .limit = limit_,
          .total_delivered = rate_.delivered()};
}

// [RFC 6582 6-2] [RFC 5681 3.2-8] [RFC 2018 5.1-1] [RFC 6675 5.1-6]
void Flight::begin_recovery(const Lent& lent, std::uint32_t in_flight_before, std::uint32_t lost,
                            std::uint32_t recover_fs) {
  if (state_ == CaState::recovery || state_ == CaState::loss) return;
  const bool reduced_already = state_ == CaState::cwr || una(lent) < reduced_end_;
  if (!reduced_already || lent.congestion.recovers_itself()) {
    close_episode(lent);
    lent.congestion.on_congestion(Cause::recovery, loss_event(lent, in_flight_before, lost));
    episode_open_ = true;
    undo_.arm(una(lent));
    note_reduction(lent);
  }
  if (state_ != CaState::cwr) prr_.begin(recover_fs);
  state_ = CaState::recovery;
  recover_ = lent.nxt;
  partial_seen_ = false;
  tail_probe_.reset();
  ++recoveries_;
}

// RFC 3168 §6.1.2: once for a window of data. What was in flight at the last reduction, for
// whatever reason, says nothing new. With a window of one segment nothing is left to halve, and the
// timer sets the pace.
// [RFC 3168 6.1.2-2, 6.1.2-3]
bool Flight::reduce_for_mark(const Lent& lent, std::uint32_t in_flight_before,
                             std::uint32_t recover_fs) {
  if (una(lent) <= marks_end_) return false;
  const bool is_least = lent.congestion.congestion_window() <= lent.mss;
  close_episode(lent);
  lent.congestion.on_congestion(Cause::ecn, loss_event(lent, in_flight_before, 0));
  note_reduction(lent);
  if (state_ == CaState::open && una(lent) < lent.nxt) {
    state_ = CaState::cwr;
    recover_ = lent.nxt;
    prr_.begin(recover_fs);
    tail_probe_.reset();
  }
  return is_least;
}

void Flight::tell_congestion_control(const Lent& lent, Gains& gains) {
  const congestion::RateSample rate = rate_.finish(gains.gathering, lent.rtt.min_rtt());
  if (rate.rate > 0) {
    last_rate_ = rate.rate;
    rate_limited_ = rate.app_limited;
  }
  // What was SACKed while the window came down is no reason to let it grow; nor is, without SACK,
  // what a duplicate ACK has stood for: limited transmit has sent as much in its place.
  const bool counted = gains.ended || !lent.sack;
  std::uint32_t acked = counted ? std::min(gains.acked, gains.delivered) : gains.acked;
  if (frto_ == FRto::second) acked = std::min(acked, lent.mss);  // two new segments go, no more
  Repairing repairing = Repairing::nothing;
  if (state_ == CaState::loss) repairing = Repairing::timeout;
  // A mark is no reason to send more (RFC 3168 §6.1.2).
  if (state_ == CaState::recovery || state_ == CaState::cwr || gains.ended || gains.is_marked)
    repairing = Repairing::losses;
  lent.congestion.on_ack({.now = lent.now(),
                          .acked = acked,
                          .delivered = gains.delivered,
                          .lost = gains.lost,
                          .marked = gains.marked,
                          .in_flight_before = gains.in_flight_before,
                          .in_flight = in_flight(),
                          .rtt = gains.rtt,
                          .srtt = lent.rtt.srtt(),
                          .min_rtt = lent.rtt.min_rtt(),
                          .limit = limit_,
                          .repairing = repairing,
                          .rate = rate,
                          .total_delivered = rate_.delivered()});
}

// RFC 9937 takes the place of the inflated window of RFC 5681 §3.2 (4, 5): a duplicate ACK lets a
// segment go, or part of one while in flight is above ssthresh.
// [RFC 5681 3.2-10, 3.2-12] [RFC 8985 9.3-2]
void Flight::advance_prr(const Lent& lent, const Gains& gains) {
  const bool safe = gains.advanced && gains.lost == 0;
  const std::uint32_t ssthresh = lent.congestion.ssthresh();
  const std::uint32_t segments = lent.turn.config.initial_window_segments;
  prr_.on_ack({.delivered = gains.delivered,
               .in_flight = in_flight(),
               .ssthresh = ssthresh,
               .mss = lent.mss,
               .restart_window = std::min(std::min(segments, 10u) * lent.mss, ssthresh),
               .safe = safe ? SafeAck::yes : SafeAck::no});
  if (!lent.sack && gains.lost > 0) prr_.allow(lent.mss);
}

// ---- what is lost

// RFC 6928 §2: the first octets of a connection, or after a pause, if they were more than 4 KB.
// [RFC 6928 2-5]
bool Flight::is_initial(const Lent& lent, const Transmission& record) const {
  return record.begin - burst_begin_ < lent.congestion.initial_window() &&
         lent.nxt - burst_begin_ > 4096;
}

auto Flight::loser(const Lent& lent, LossRule rule, std::uint32_t& lost) {
  return [&, rule](Transmission& record) {
    record.rule = rule;
    lost += record.length;
    if (rule != LossRule::too_big && is_initial(lent, record))
      lent.congestion.on_initial_window_lost();
    lent.congestion.on_lost(rate_.on_lost(record.snapshot(), record.length, lent.now()));
    lent.turn.context.trace([&] {
      return SegmentLost{lent.turn.flow,
                         lent.space.wire(record.begin),
                         record.length,
                         rule,
                         lent.now() - record.sent_at,
                         rack_.rtt(),
                         reordering_window_};
    });
  };
}

// RFC 8985 §6.2 step 5, and the timer for what is not lost yet.
// [RFC 8985 4-1, 6.2-2, 9.2-1]
std::uint32_t Flight::detect(const Lent& lent) {
  const bool repairing = state_ == CaState::recovery || state_ == CaState::loss;
  reordering_window_ =
      rack_.reordering_window({.srtt = lent.rtt.srtt(),
                               .min_rtt = lent.rtt.min_rtt(),
                               .segments_sacked = scoreboard_.sacked_segments(),
                               .repair = repairing ? Repair::under_way : Repair::none});
  std::uint32_t lost = 0;
  scoreboard_.detect(
      [&](const Transmission& record) {
        return rack_.is_after(record, recover_) &&
               rack_.lost_at(record, reordering_window_) <= lent.now();
      },
      loser(lent, LossRule::rack, lost));
  const Transmission* oldest = scoreboard_.oldest();
  if (oldest && rack_.is_after(*oldest, recover_))
    lent.turn.timers.set(Timer::reordering, rack_.lost_at(*oldest, reordering_window_));
  else
    lent.turn.timers.stop(Timer::reordering);
  return lost;
}

// RFC 5681 §3.2: at the third duplicate; RFC 6582 §3.2: not below what was sent before the last
// recovery or timeout, and again at each partial ACK.
std::uint32_t Flight::detect_without_sack(const Lent& lent, const Gains& gains, Repair before) {
  constexpr std::uint8_t kDuplicateThreshold = 3;
  std::uint32_t lost = 0;
  const bool is_partial =
      before == Repair::under_way && state_ == CaState::recovery && gains.advanced;
  if (is_partial)
    scoreboard_.lose_first(limit_of(lent), loser(lent, LossRule::partial_ack, lost));
  else if (!gains.advanced && duplicate_acks_ == kDuplicateThreshold && lent.una > recover_ &&
           (state_ == CaState::open || state_ == CaState::cwr))
    scoreboard_.lose_first(limit_of(lent), loser(lent, LossRule::duplicate_acks, lost));
  return lost;
}

// ---- timers

void Flight::on_reordering_timer(const Lent& lent) {
  const std::uint32_t before = in_flight();
  const auto recover_fs = static_cast<std::uint32_t>(lent.nxt - lent.una) - scoreboard_.sacked();
  Gains gains;
  gains.lost = detect(lent);
  if (gains.lost == 0) return;
  begin_recovery(lent, before, gains.lost, recover_fs);
  if (reduces_by_prr(lent.congestion)) advance_prr(lent, gains);
}

// With SACK what was sent a moment ago may still arrive (RFC 8985 §6.3); without nothing is known.
// What the peer has dropped after it had SACKed it counts as not SACKed (RFC 2018 §8).
// [RFC 2018 8-5, 5-3] [RFC 6675 5.1-4, 5.1-5]
void Flight::on_timeout(const Lent& lent, Repeat repeat) {
  const std::uint32_t before = in_flight();
  if (scoreboard_.has_reneged()) scoreboard_.forget_sacks();
  duplicated_ = 0;
  duplicate_acks_ = 0;
  std::uint32_t lost = 0;
  const Instant late = lent.now() - rack_.rtt() - reordering_window_;
  scoreboard_.mark_lost(
      [&](const Transmission& record) {
        return !lent.sack || record.begin == lent.una || record.sent_at <= late;
      },
      loser(lent, LossRule::timeout, lost));
  frto_ = begins_frto(lent) ? FRto::first : FRto::off;
  // An episode that a timeout interrupts goes on, and is undone whole.
  if (state_ != CaState::recovery && repeat == Repeat::first) {
    close_episode(lent);
    undo_.arm(lent.una);
  }
  congestion::LossEvent event = loss_event(lent, before, lost);
  event.repeat = repeat;
  lent.congestion.on_congestion(Cause::timeout, event);
  episode_open_ = true;
  episode_end_ = kSynOffset;
  note_reduction(lent);
  state_ = CaState::loss;
  recover_ = lent.nxt;
  timeout_at_ = lent.now();
  tail_probe_.reset();
  lent.turn.timers.stop(Timer::reordering);
  ++timeouts_;
}

// RFC 5682 §2.1, §3.1, step 1: not while losses are repaired, whose retransmissions would be taken
// for proof; but once more if the timer has run out again and nothing was heard meanwhile.
// [RFC 5682 2.1-2, 2.1-3, 3.1-3, 3.1-4]
bool Flight::begins_frto(const Lent& lent) const {
  if (state_ == CaState::loss) return frto_ == FRto::first;
  return state_ != CaState::recovery || !lent.sack;
}

// No sign of congestion: the window stays as it is (RFC 1191 §6.4).
void Flight::on_smaller_segments(const Lent& lent) {
  std::uint32_t lost = 0;
  const auto is_too_big = [&](const Transmission& record) {
    return std::min<std::uint32_t>(record.length, record.segment_size) > lent.mss;
  };
  scoreboard_.mark_lost(is_too_big, loser(lent, LossRule::too_big, lost));
  if (lost > 0) tail_probe_.reset();
}

// ---- the tail loss probe

// RFC 8985 §7.2: with SACK, outside recovery, with no sign of a loss, and one probe at a time.
// [RFC 8985 7.2-1, 7.2-2, 7.2-3, 7.2-4, 7.3-1]
std::optional<Duration> Flight::tail_probe_timeout(const Lent& lent) const {
  const bool repairs = state_ == CaState::recovery || state_ == CaState::loss;
  const bool quiet = !repairs && scoreboard_.sacked() == 0 && !has_lost();
  if (!lent.turn.config.tail_loss_probe || !lent.sack || !quiet || scoreboard_.empty() ||
      !tail_probe_.may_be_sent())
    return std::nullopt;
  const auto srtt = lent.rtt.has_sample() ? std::optional(lent.rtt.srtt()) : std::nullopt;
  return TailProbe::timeout(srtt, in_flight() <= lent.mss ? 1 : 2);
}

// ---- what can be asked

void Flight::fill(TcpInfo& info, const RttEstimator& rtt, Instant now) const {
  info.ca_state = state();
  info.in_flight_bytes = in_flight();
  info.sacked_bytes = scoreboard_.sacked();
  info.lost_bytes = scoreboard_.lost();
  info.retrans_out_bytes = scoreboard_.repeated();
  info.delivered = rate_.delivered();
  info.delivery_rate = last_rate_;
  info.delivery_rate_app_limited = rate_limited_;
  info.reord_seen = rack_.reordering_seen();
  info.reordering_window = rack_.reordering_window(
      {.srtt = rtt.srtt(), .min_rtt = rtt.min_rtt(), .segments_sacked = 0, .repair = Repair::none});
  info.dsack_dups = reported_;
  info.recoveries = recoveries_;
  info.timeouts = timeouts_;
  info.tail_probes = tail_probes_;
  info.undone = undone_;
  info.total_retrans = retransmitted_segments_;
  info.bytes_retrans = retransmitted_octets_;
  info.bytes_sent += retransmitted_octets_;
  info.data_segs_out = text_segments_;
  chronograph_.fill(info, now);
}

void Flight::hash_into(base::Hasher& h, Times times) const {
  const bool timed = h.takes_history() || times == Times::decide;
  scoreboard_.hash_into(h, timed ? &rate_ : nullptr);
  if (timed) {
    rack_.hash_into(h);
    rate_.hash_into(h, in_flight());
    pacer_.hash_into(h);
    h.add_all(sampled_at_, recent_rtt_);
    if (frto_ != FRto::off) h.add(timeout_at_);
  }
  if (state_ == CaState::recovery || state_ == CaState::cwr) prr_.hash_into(h);
  undo_.hash_into(h);
  tail_probe_.hash_into(h);
  h.add_all(recover_.value(), marks_end_.value(), reduced_end_.value(), episode_end_.value(),
            burst_begin_.value(), duplicated_, duplicate_acks_, state_, frto_, limit_, cwr_due_,
            partial_seen_, episode_open_);
  if (h.takes_history())
    h.add_all(last_rate_, recoveries_, timeouts_, tail_probes_, undone_, reported_,
              retransmitted_segments_, retransmitted_octets_);
}

}  // namespace estab::tcp::loss
