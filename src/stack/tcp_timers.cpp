// Deadlines: the one wheel entry of each flow and half-open record, and the queue of TIME-WAIT.

#include <algorithm>

#include "stack/tcp_layer.h"

namespace estab::stack {

namespace {
/// A connection that has heard nothing for so long gives back what only a busy one needs.
constexpr Duration kQuiet = std::chrono::seconds(1);
}  // namespace

Instant TcpLayer::next_deadline(Instant now) const {
  if (interrupted_) return now;
  Instant next = wheel_.next();
  if (oldest_time_wait_ != kNone) next = std::min(next, time_wait_[oldest_time_wait_].deadline);
  return next;
}

void TcpLayer::on_deadline(Core& core, Instant now) {
  recover(core, now);
  wheel_.advance(now, [&](std::uint64_t key) {
    const Entry entry = Entry::unpack(static_cast<std::uint32_t>(key));
    if (entry.kind == Kind::half_open) return on_half_open_timer(core, now, entry.index);
    if (entry.kind == Kind::held) return on_held_timer(core, now, entry.index);
    on_flow_timer(core, now, entry.index);
  });
  expire_time_wait(core, now);
}

// The wakeup was vain. One that was busy a moment ago will need its storage again at once. (Whether
// it has any must not decide: a copy of the stack has less of it, and is to wake as often.)
void TcpLayer::trim_if_quiet(Core& core, Instant now, std::uint32_t index) {
  Flow& flow = flows_[index];
  tcp::Connection& connection = *flow.connection();
  const Instant quiet_at = connection.sender().liveness().heard_at + kQuiet;
  if (now >= quiet_at) return connection.trim(core.buffers);
  flow.timer = wheel_.arm(kNone, Entry{Kind::flow, index}.packed(), quiet_at);
}

void TcpLayer::on_flow_timer(Core& core, Instant now, std::uint32_t index) {
  Flow& flow = flows_[index];
  interrupted_ = true;
  flow.timer = kNone;
  // [RFC 9293 MUST-20, MUST-22]
  // MUST-20 (b), MUST-22: when R1 is reached, IP is told to look for another way.
  const int r1 = flow.config().r1;
  int before = r1, after = r1;
  if (tcp::Handshake* handshake = flow.handshake()) {
    before = handshake->repeats();
    handshake->on_timer(core.context(now));
    after = handshake->repeats();
  } else if (flow.connection()->next_deadline() == kNever) {
    trim_if_quiet(core, now, index);
  } else {
    before = flow.connection()->sender().liveness().retransmits;
    flow.connection()->on_timers(core.context(now));
    after = flow.connection()->sender().liveness().retransmits;
  }
  if (before < r1 && after >= r1) core.advise_against(now, flow.path.hop);
  follow_up(core, now, index);
}

void TcpLayer::expire_time_wait(Core& core, Instant now) {
  while (oldest_time_wait_ != kNone && time_wait_[oldest_time_wait_].deadline <= now) {
    core.context(now).trace(
        [&] { return TimerFired{time_wait_[oldest_time_wait_].tuple, Timer::time_wait}; });
    drop_time_wait(core, now, oldest_time_wait_);
  }
}

// [RFC 9293 MUST-22]
// MUST-22: for the SYN-ACK as for data.
void TcpLayer::advise_against_way_of(Core& core, Instant now, const tcp::HalfOpen& record) const {
  const auto& asked = config_of(record).source_route;
  const auto& route = asked.empty() ? record.return_route.hops() : asked;
  const auto path = core.find_path(now, tcp::first_hop(route, record.tuple.remote_address),
                                   record.tuple.local_address.zone());
  if (path) core.advise_against(now, path->hop);
}

void TcpLayer::on_half_open_timer(Core& core, Instant now, std::uint32_t index) {
  tcp::HalfOpen& record = half_open_[index];
  record.timer = kNone;
  const TcpConfig& config = config_of(record);
  if (now < record.deadline) {  // the wheel may be early
    record.timer = wheel_.arm(kNone, Entry{Kind::half_open, index}.packed(), record.deadline);
    return;
  }
  if (tcp::is_out_of_time(record, config, now)) {
    ++core.counters.failed_opens;
    if (record.is_opened()) {
      interrupted_ = true;
      flows_[record.flow].connection()->on_syn_timed_out(core.context(now));
      return follow_up(core, now, record.flow);
    }
    if (record.answered) send_reset(core, now, record, SendReason::reset_timeout);
    return forget_half_open(core, now, index, State::closed);
  }
  if (record.repeats < 255) ++record.repeats;
  tcp::arm_syn_ack(record, config, now);
  if (record.repeats == config.r1 && !record.answered) advise_against_way_of(core, now, record);
  ++core.counters.retransmitted_segments;
  record.timer = wheel_.arm(kNone, Entry{Kind::half_open, index}.packed(), record.deadline);
  // [RFC 7413 4.2.2-6]
  send_syn_ack(core, now, index);  // without a cookie
}

}  // namespace estab::stack
