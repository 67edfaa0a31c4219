// The calls of the application, where POSIX or RFC 9293 §3.9 decide.

#include <array>
#include <cerrno>

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

bool reset_was_a_refusal(const Difference& d) {
  if (!std::holds_alternative<CallStep>(d.at()) || !d.kernel_answer().call) return false;
  return d.kernel_answer().call->error == ECONNRESET &&
         d.estab_answer().call->error == ECONNREFUSED && same_state(d);
}

bool abort_at_the_end(const Difference& d) {
  const bool ending = d.before() == State::closing || d.before() == State::last_ack;
  return is_call(d, CallStep::Call::abort) && ending && sends_one_reset(d.kernel_answer()) &&
         is_silent(d.estab_answer()) && d.estab_answer().state == State::closed;
}

bool connect_over_an_orphan(const Difference& d) {
  return is_call(d, CallStep::Call::connect) &&
         (d.before() == State::fin_wait_2 || d.before() == State::time_wait) &&
         d.estab_answer().call->error == EADDRNOTAVAIL && d.kernel_answer().state == State::syn_sent;
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
    Settled{"RST in SYN-RECEIVED of an active open",
            "RFC 9293 3.10.7.4, second: \"If this connection was initiated with an active OPEN ... "
            "then the connection was refused, signal the user 'connection refused'\"",
            Then::ends, reset_was_a_refusal},
    Settled{"ABORT in CLOSING or LAST-ACK",
            "RFC 9293 3.10.5: \"Respond with 'ok' and delete the TCB\", without the RST of the other "
            "states",
            Then::ends, abort_at_the_end},
    Settled{"OPEN over an orphan",
            "RFC 9293 3.10.1: \"Return 'error: connection already exists'\"",
            Then::ends, connect_over_an_orphan},
    Settled{"ABORT in TIME-WAIT",
            "RFC 9293 3.10.5: \"Respond with 'ok' and delete the TCB, enter CLOSED state, and return\"",
            Then::ends, abort_in_time_wait},
};

}  // namespace

std::span<const Settled> settled_in_calls() {
  return kClasses;
}

}  // namespace estab::oracle
