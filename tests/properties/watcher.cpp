#include "properties/watcher.h"

#include <iomanip>
#include <variant>

#include "estab/notation.h"

namespace estab::properties {

void Watcher::on_trace(Instant now, const TraceEvent& event) {
  states_.on_trace(now, event);
  if (out_) std::visit([&](const auto& each) { show(now, each); }, event);
}

std::ostream& Watcher::line(Instant now) {
  const double ms = static_cast<double>((now - start_).count()) / 1e6;
  return *out_ << std::fixed << std::setprecision(3) << std::setw(14) << ms
               << (side_ == Side::a ? "  a " : "  b ");
}

Watcher::Numbers& Watcher::numbers(const FourTuple& flow, const Segment& segment, bool is_ours) {
  Numbers& found = numbers_[{flow.local_port, flow.remote_port}];
  if (segment.flags.syn()) (is_ours ? found.ours : found.theirs) = segment.seq;
  return found;
}

void Watcher::show(Instant now, const SegmentSent& sent) {
  const Numbers& from = numbers(sent.flow, sent.segment, true);
  line(now) << sent.flow.local_port << " > " << to_string(sent.segment, from.ours, from.theirs)
            << "   " << name(sent.reason) << ", " << name(sent.state);
  if (sent.gso_size != 0) *out_ << ", in parts of " << sent.gso_size;
  *out_ << '\n';
}

void Watcher::show(Instant now, const SegmentReceived& received) {
  const Numbers& from = numbers(received.flow, received.segment, false);
  line(now) << received.flow.local_port << " < "
            << to_string(received.segment, from.theirs, from.ours) << "   "
            << name(received.verdict) << '\n';
}

void Watcher::show(Instant now, const StateChanged& change) {
  line(now) << change.flow.local_port << "   " << name(change.from) << " -> " << name(change.to)
            << '\n';
}

void Watcher::show(Instant now, const TimerFired& fired) {
  line(now) << fired.flow.local_port << "   timer " << name(fired.timer) << '\n';
}

void Watcher::show(Instant now, const CongestionChanged& change) {
  line(now) << change.flow.local_port << "   cwnd " << change.cwnd << ", ssthresh "
            << change.ssthresh << ", " << change.phase << '\n';
}

void Watcher::show(Instant now, const SegmentLost& lost) {
  line(now) << lost.flow.local_port << "   lost by " << name(lost.rule) << ": " << lost.length
            << " octets sent " << std::chrono::duration<double, std::milli>(lost.age).count()
            << " ms ago, reo_wnd "
            << std::chrono::duration<double, std::milli>(lost.reordering_window).count() << " ms\n";
}

void Watcher::show(Instant now, const RecoveryUndone& undone) {
  line(now) << undone.flow.local_port << "   nothing was lost, say " << name(undone.proof) << '\n';
}

void Watcher::show(Instant now, const ConnectionFailed& failed) {
  line(now) << failed.flow.local_port << "   failed: " << name(failed.error) << '\n';
}

}  // namespace estab::properties
