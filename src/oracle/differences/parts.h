// What the predicates of the known differences are made of.
#pragma once

#include <algorithm>

#include "oracle/oracle.h"

namespace estab::oracle {

/// The step as a segment; null if it is none.
inline const SegmentStep* segment_in(const Difference& d) {
  return std::get_if<SegmentStep>(&d.at());
}
inline bool is_call(const Difference& d, CallStep::Call call) {
  const auto* step = std::get_if<CallStep>(&d.at());
  return step != nullptr && step->call == call;
}

inline bool is_silent(const Answer& answer) {
  return answer.sent.empty() && answer.other.empty();
}
inline bool is_pure_ack(const SentSegment& sent) {
  return sent.flags.without(kUrg) == kAck && sent.payload == 0;
}
/// Whether that is the number acknowledged, as far as it is comparable.
inline bool acknowledges(const SentSegment& sent, std::uint32_t number) {
  return sent.ack == number || sent.ack >= kToldByPlace;
}
/// One ACK without anything, and nothing else.
inline bool sends_one_ack(const Answer& answer) {
  return answer.sent.size() == 1 && answer.other.empty() && is_pure_ack(answer.sent[0]);
}
inline bool sends_one_reset(const Answer& answer) {
  return answer.sent.size() == 1 && answer.other.empty() && answer.sent[0].flags.rst();
}

inline State estab_before(const Difference& d) {
  return d.step == 0 ? State::closed : d.estab.answers[d.step - 1].state;
}
inline bool same_state(const Difference& d) {
  return d.kernel_answer().state == d.estab_answer().state;
}
/// The stack did nothing and stayed where it was.
inline bool estab_ignores(const Difference& d) {
  return is_silent(d.estab_answer()) && d.estab_answer().state == estab_before(d);
}
inline bool kernel_ignores(const Difference& d) {
  return is_silent(d.kernel_answer()) && d.kernel_answer().state == d.before();
}

/// Where the segment of this step stands.
inline const Conversation::Resolved& where(const Difference& d) {
  return d.kernel.resolved[d.step];
}
inline bool called_before(const Difference& d, CallStep::Call what) {
  for (std::size_t i = 0; i < d.step; ++i)
    if (const auto* call = std::get_if<CallStep>(&d.sequence.steps[i]))
      if (call->call == what && d.kernel.answers[i].call->value >= -1) return true;
  return false;
}

/// Whether the answers are the same once `change` has been made to both.
template <class ChangeFunction>
bool same_but_for(const Difference& d, ChangeFunction&& change) {
  Answer kernel = d.kernel_answer(), estab = d.estab_answer();
  change(kernel);
  change(estab);
  return kernel == estab;
}

/// Whether a step before this one, on which `test` is true, is in the sequence.
template <class Test>
bool any_earlier(const Difference& d, Test&& test) {
  for (std::size_t i = 0; i < d.step; ++i)
    if (const auto* segment = std::get_if<SegmentStep>(&d.sequence.steps[i]))
      if (test(*segment, i)) return true;
  return false;
}

/// Gives the segments sent the kernel's fields, pair by pair, where `explains` both; true if that
/// changed anything.
template <class Explains, class Assign>
bool level_sent(Difference& d, Explains&& explains, Assign&& assign) {
  std::vector<SentSegment>& estab = d.estab.answers[d.step].sent;
  const std::vector<SentSegment>& kernel = d.kernel_answer().sent;
  bool changed = false;
  for (std::size_t i = 0; i < std::min(kernel.size(), estab.size()); ++i) {
    if (kernel[i] == estab[i] || !explains(kernel[i], estab[i])) continue;
    const SentSegment before = estab[i];
    assign(kernel[i], estab[i]);
    changed = changed || before != estab[i];
  }
  return changed;
}

/// Both ends' SYNs carried timestamps.
bool has_timestamps(const Difference& d);

std::span<const KnownDifference> known_in_checks();
std::span<const KnownDifference> known_in_opening();
std::span<const KnownDifference> known_in_data();
std::span<const KnownDifference> known_in_calls();

}  // namespace estab::oracle
