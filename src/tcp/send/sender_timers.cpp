// When the sender waits, how long, and for what.

#include <algorithm>

#include "tcp/send/sender.h"

namespace estab::tcp {

namespace {
// RFC 9293 §3.8.6.2.1 (4): the override timeout. Within these bounds the RTO is as good as any.
constexpr Duration kLeastOverride = std::chrono::milliseconds(100);
constexpr Duration kMostOverride = std::chrono::seconds(1);
}  // namespace

// [RFC 9293 MUST-21, SHLD-11]
Duration Sender::give_up_after(const TcpConfig& config) const {
  return config.user_timeout.value_or(config.r2);
}

// [RFC 6298 5-2] [RFC 6928 9-1]
void Sender::restart_retransmit_timer(const Turn& turn) {
  const Instant give_up = oldest_at_ + give_up_after(turn.config);
  Instant deadline = turn.now() + rtt_.rto(turn.config);
  if (give_up > turn.now()) deadline = std::min(deadline, give_up);
  turn.timers.set(Timer::retransmit, deadline);
}

// RFC 8985 §7.2. The probe takes the place of a timeout that would come as soon: see
// on_retransmit_timer.
void Sender::arrange_tail_probe(const Turn& turn, Anew anew) {
  const auto wait = flight_ && space_.window() > 0 ? flight_->tail_probe_timeout(lend(turn))
                                                   : std::optional<Duration>();
  if (!wait) return turn.timers.stop(Timer::tail_probe);
  if (anew == Anew::no) return;
  turn.timers.set(Timer::tail_probe,
                  std::min(turn.now() + *wait, turn.timers.deadline(Timer::retransmit)));
}

void Sender::on_reconfigured(const Turn& turn) {
  const Instant give_up = std::max(oldest_at_ + give_up_after(turn.config), turn.now());
  const auto bound = [&](Timer timer) {
    if (turn.timers.runs(timer))
      turn.timers.set(timer, std::min(turn.timers.deadline(timer), give_up));
  };
  bound(Timer::retransmit);
  bound(Timer::tail_probe);
  if (turn.config.user_timeout) bound(Timer::persist);
}

// Nothing may go, something is queued, nothing is in flight: only a timer can go on from here.
void Sender::arm_persist(const Turn& turn) {
  TimerTable& timers = turn.timers;
  if (timers.runs(Timer::persist) || timers.runs(Timer::retransmit) || timers.runs(Timer::pacing))
    return;
  if (probe_due_ || !(has_unsent() || flight().has_lost())) return;
  if (probes_ == 0) oldest_at_ = turn.now();
  // [RFC 9293 SHLD-29, SHLD-30, MUST-60]
  Duration wait = rtt_.rto(turn.config);
  if (space_.window() > 0) wait = std::clamp(wait, kLeastOverride, kMostOverride);
  wait = backed_off(wait, probes_, turn.config.rto_max);  // SHLD-30
  Instant deadline = turn.now() + wait;
  const Instant give_up =
      turn.config.user_timeout ? oldest_at_ + *turn.config.user_timeout : kNever;
  if (give_up > turn.now()) deadline = std::min(deadline, give_up);
  timers.set(Timer::persist, deadline);
}

bool Sender::on_timer(const Turn& turn, Timer timer, Served served) {
  switch (timer) {
    case Timer::retransmit:
      return on_retransmit_timer(turn, served);
    case Timer::persist:
      return on_persist_timer(turn, served);
    case Timer::tail_probe:
      on_tail_probe_timer(turn);
      return true;
    case Timer::reordering:
      on_reordering_timer(turn);
      return true;
    default:
      return true;
  }
}

// RFC 6298 (5.4)-(5.6).
bool Sender::on_retransmit_timer(const Turn& turn, Served served) {
  slowed_ = false;
  if (space_.una() == space_.nxt()) {  // it only held back what comes next (RFC 3168 §6.1.2)
    turn.timers.stop(Timer::retransmit);
    return true;
  }
  const bool too_late = turn.now() - oldest_at_ >= give_up_after(turn.config);
  // RFC 8985 §7.2: a probe that would come later than the timeout comes in its place.
  if (turn.timers.deadline(Timer::tail_probe) <= turn.now() && !too_late) {
    on_tail_probe_timer(turn);
    return true;
  }
  turn.timers.stop(Timer::tail_probe);
  // [RFC 9293 SHLD-17, MUST-35]
  const bool answered =
      space_.window() == 0 && heard_at_ > oldest_at_;  // MUST-37, the window was shrunk
  // R2 and the user timeout count from the first sending, but what has had no second one, or none
  // that could be answered, says nothing of the peer (RFC 9293 §3.8.3).
  const bool had_its_chance = retransmits_ > 0 && served == Served::in_time;
  if (!answered && too_late && had_its_chance) return false;
  flight_->on_timeout(lend(turn),
                      retransmits_ == 0 ? congestion::Repeat::first : congestion::Repeat::again);
  if (retransmits_ < 255) ++retransmits_;
  rtt_.back_off(turn.config);  // (5.5)
  suspect_black_hole(turn);
  if (space_.window() ==
      0) {  // nothing may be retransmitted into a shut window: probe it (SHLD-17)
    turn.timers.stop(Timer::retransmit);
    probe_due_ = true;
    if (probes_ < 255) ++probes_;
    return true;
  }
  restart_retransmit_timer(turn);  // (5.6)
  return true;
}

// RFC 4821 §7.7: full segments that vanish again and again may be too big for a path that does not
// say so. 1024 octets are what §7.2 begins with, 536 what every path of IPv4 takes.
void Sender::suspect_black_hole(const Turn& turn) {
  const int r1 = std::max<int>(turn.config.r1, 1);
  if (!turn.config.detect_black_holes || space_.window() == 0 || retransmits_ % r1 != 0) return;
  const loss::Transmission* first = flight_->first();
  for (const std::uint32_t size : {1024u, 536u}) {
    if (mss_ <= size || !first || first->length <= size) continue;
    mss_cap_ = size;
    return set_mss(turn, path_mss_);
  }
}

// RFC 8985 §7.3: a probe is due. Whether it goes or not, the retransmission timer counts anew.
// [RFC 8985 7.3-2, 7.3-6]
void Sender::on_tail_probe_timer(const Turn& turn) {
  turn.timers.stop(Timer::tail_probe);
  if (!flight_ || space_.una() == space_.nxt()) return;
  if (flight_->tail_probe_timeout(lend(turn))) flight_->tail_probe().set_due();
  restart_retransmit_timer(turn);
}

// RFC 8985 §6: what was overtaken is not merely late.
void Sender::on_reordering_timer(const Turn& turn) {
  if (!flight_ || space_.una() == space_.nxt()) return;
  flight_->on_reordering_timer(lend(turn));
  arrange_tail_probe(turn, Anew::no);
}

bool Sender::on_persist_timer(const Turn& turn, Served served) {
  const TcpConfig& config = turn.config;
  turn.timers.stop(Timer::persist);
  // However long the pauses between probes: a peer that has answered the last one is there.
  // [RFC 9293 MUST-37]
  const bool answered = probes_ == 0 || heard_at_ >= flight().last_sent();
  const Instant since = std::max(oldest_at_, heard_at_);
  const bool silent = !answered && turn.now() - since >= give_up_after(config);
  // The user timeout bounds the wait itself, answered or not (RFC 5482 §3).
  const bool over = config.user_timeout && turn.now() - oldest_at_ >= *config.user_timeout;
  const bool had_its_chance = probes_ > 0 && served == Served::in_time;
  if ((silent || over) && had_its_chance) return false;
  probe_due_ = true;
  if (probes_ < 255) ++probes_;
  return true;
}

}  // namespace estab::tcp
