// The calls of the application, where POSIX or RFC 9293 §3.9 decide.

#include <array>

#include "oracle/settled_parts.h"

namespace estab::oracle {

namespace {

using Then = Settled::Then;

// Whether a RST ended the connection when both sides had said all.
bool reset_at_the_end(const Difference& d) {
  for (std::size_t i = 1; i < d.step; ++i) {
    const auto* segment = std::get_if<SegmentStep>(&d.sequence.steps[i]);
    const State before = d.estab.answers[i - 1].state;
    const bool ending = before == State::closing || before == State::last_ack;
    if (segment && segment->flags.rst() && ending && d.estab.answers[i].state == State::closed)
      return true;
  }
  return false;
}

bool error_of_reset_at_the_end(const Difference& d) {
  return std::holds_alternative<CallStep>(d.at()) && reset_at_the_end(d) && same_state(d) &&
         is_silent(d.kernel_answer()) && is_silent(d.estab_answer());
}

bool abort_in_time_wait(const Difference& d) {
  return is_call(d, CallStep::Call::abort) && d.before() == State::time_wait &&
         kernel_ignores(d) && is_silent(d.estab_answer()) &&
         d.estab_answer().state == State::closed;
}

constexpr std::array kClasses = {
    Settled{"the error of a RST in CLOSING or LAST-ACK",
            "RFC 9293 3.10.7.4, second: in these states \"enter the CLOSED state, delete the TCB, "
            "and return\", without the \"connection reset\" of the other states",
            Then::ends, error_of_reset_at_the_end},
    Settled{"ABORT in TIME-WAIT",
            "RFC 9293 3.10.5: \"Respond with 'ok' and delete the TCB, enter CLOSED state, and return\"",
            Then::ends, abort_in_time_wait},
};

}  // namespace

std::span<const Settled> settled_in_calls() {
  return kClasses;
}

}  // namespace estab::oracle
