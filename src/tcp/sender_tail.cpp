// The sender's tail loss probe (RFC 8985 §7).

#include <algorithm>

#include "tcp/sender.h"

namespace estab::tcp {

namespace {
/// TLP.max_ack_delay: how long a peer may wait with the ACK of a single segment, as Linux assumes.
constexpr Duration kMaxAckDelay = std::chrono::milliseconds(200);
}  // namespace

// §7.2: with SACK, outside recovery, with no sign of a loss, and one probe at a time.
bool Sender::may_probe_tail(const TcpConfig& config) const {
  return may_use_tail_probe(config) && rtt_.has_sample() && in_flight() && window_ > 0 &&
         recovery_ == Recovery::none && duplicate_acks_ == 0 &&
         (tail_.phase == TailProbe::Phase::off || tail_.phase == TailProbe::Phase::armed);
}

// §7.2, TLP_calc_PTO; nothing if the retransmission timeout would be as soon.
std::optional<Duration> Sender::tail_probe_timeout(const TcpConfig& config) const {
  if (!may_probe_tail(config)) return std::nullopt;
  Duration wait = 2 * rtt_.srtt();
  if (max_ - una_ <= std::int64_t{mss_}) wait += kMaxAckDelay;
  if (wait >= rtt_.rto(config)) return std::nullopt;
  return wait;
}

// §7.3: new octets if there are any and the peer has room, whatever the congestion window says;
// else the last segment once more.
std::optional<SendPlan> Sender::plan_tail() const {
  if (tail_.phase != TailProbe::Phase::due) return std::nullopt;
  SendPlan plan{.from = nxt_};
  const std::int64_t fresh = std::min<std::int64_t>(queue_.end() - nxt_, (una_ + window_) - nxt_);
  if (fresh > 0) {
    plan.length = static_cast<std::uint32_t>(std::min<std::int64_t>(fresh, mss_));
  } else {
    plan.from = std::max(tail_.last_from, una_);
    plan.reason = SendReason::retransmit_tail;
    const std::int64_t sent = std::min(max_, queue_.end()) - plan.from;
    plan.length = static_cast<std::uint32_t>(std::clamp<std::int64_t>(sent, 0, mss_));
  }
  finish_plan(plan);
  return plan;
}

void Sender::note_tail(const SendPlan& plan, StreamOffset end) {
  if (plan.from >= max_) {
    const std::uint32_t before = plan.length > 0 ? (plan.length - 1) / mss_ * mss_ : 0;
    tail_.last_from = plan.from + before;
  }
  if (tail_.phase != TailProbe::Phase::due) return;
  tail_.phase = TailProbe::Phase::out;
  tail_.repeats = plan.reason == SendReason::retransmit_tail;
  tail_.end = std::max(max_, end);
}

// §7.4.2. A probe that repeated octets may have repaired a loss nobody noticed: then what was sent
// after it is acknowledged without the peer having said that the octets came twice.
void Sender::accept_tail_answer(StreamOffset ack, TailAnswer answer) {
  if (tail_.phase != TailProbe::Phase::out || ack < tail_.end) return;
  const bool settled = !tail_.repeats || answer == TailAnswer::came_twice;
  if (!settled && ack == tail_.end) return;
  tail_.phase = TailProbe::Phase::off;
  if (settled) return;
  congestion_.on_congestion_echo(mss_);
  note_reduction();
}

}  // namespace estab::tcp
