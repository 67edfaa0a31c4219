// The calls of the application, where POSIX or RFC 9293 §3.9 decide.

#include <array>
#include <cerrno>

#include <poll.h>

#include "oracle/differences/parts.h"

namespace estab::oracle {

namespace {

using Then = KnownDifference::Then;

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
         d.estab_answer().call->error == EADDRNOTAVAIL &&
         d.kernel_answer().state == State::syn_sent;
}

// For Linux the pointer 0 means the octet before.
bool urgent_pointer_of_zero(const Difference& d) {
  const bool ends = is_call(d, CallStep::Call::close);  // with RST, if the octet is unread
  return std::holds_alternative<CallStep>(d.at()) && (ends || same_state(d)) &&
         any_earlier(d, [](const SegmentStep& step, std::size_t) {
           return step.flags.urg() && step.urgent_pointer == 0;
         });
}

bool has_urg_earlier(const Difference& d, bool (*test)(const Conversation::Resolved&, State)) {
  return std::holds_alternative<CallStep>(d.at()) && same_state(d) &&
         any_earlier(d, [&](const SegmentStep& step, std::size_t i) {
           return i > 0 && step.flags.urg() &&
                  test(d.estab.resolved[i], d.estab.answers[i - 1].state);
         });
}

// Linux takes the octet out of the segment before it is in order.
bool urgent_beyond_a_gap(const Difference& d) {
  const bool beyond = any_earlier(d, [&](const SegmentStep&, std::size_t i) {
    return d.estab.resolved[i].begin_beyond_next() > 0;
  });
  return beyond && has_urg_earlier(d, [](const Conversation::Resolved&, State) { return true; });
}

// Linux lets an old timestamp pass on an ACK that says nothing new, and takes its mark.
bool urgent_in_what_paws_refuses(const Difference& d) {
  return std::holds_alternative<CallStep>(d.at()) && same_state(d) &&
         any_earlier(d, [&](const SegmentStep& step, std::size_t i) {
           if (!step.flags.urg() || !step.timestamps || !sends_one_ack(d.estab.answers[i]))
             return false;
           const auto recent = d.estab.answers[i].sent[0].timestamp_echo;
           return recent && static_cast<std::int32_t>(step.timestamps->value - *recent) < 0;
         });
}

// For Linux it stays in the queue and is lost with it, read or not.
bool urgent_octet_in_the_queue(const Difference& d) {
  const bool settled = called_before(d, CallStep::Call::read_urgent) ||
                       d.before() == State::closing || d.before() == State::last_ack;
  return is_call(d, CallStep::Call::close) && settled && sends_one_reset(d.kernel_answer()) &&
         !sends_one_reset(d.estab_answer()) &&
         any_earlier(d, [](const SegmentStep& step, std::size_t) {
           return step.flags.urg() && step.payload > 0 && step.urgent_pointer <= step.payload;
         });
}

// Linux passes over a pointer at octets it has already, and forgets one when the connection ends.
bool when_pollpri_is_told(const Difference& d) {
  if (!is_call(d, CallStep::Call::poll) || !same_state(d)) return false;
  const std::int64_t apart = d.kernel_answer().call->value ^ d.estab_answer().call->value;
  return apart == POLLPRI &&
         any_earlier(d, [](const SegmentStep& step, std::size_t) { return step.flags.urg(); });
}

bool errno_of_a_parameter_problem(const Difference& d) {
  if (!std::holds_alternative<CallStep>(d.at()) || !same_state(d)) return false;
  return d.kernel_answer().call->error == EPROTO && d.estab_answer().call->error == EHOSTUNREACH;
}

// What ICMP said of an opening stays in Linux's error queue, whether or not one asked for it.
bool error_told_already(const Difference& d) {
  if (!is_call(d, CallStep::Call::poll) || !same_state(d)) return false;
  const std::int64_t apart = d.kernel_answer().call->value ^ d.estab_answer().call->value;
  if (apart != POLLERR || (d.kernel_answer().call->value & POLLERR) == 0) return false;
  for (std::size_t i = 1; i < d.step; ++i)
    if (std::holds_alternative<IcmpStep>(d.sequence.steps[i]) &&
        d.estab.answers[i - 1].state == State::syn_sent &&
        d.estab.answers[i].state == State::closed)
      return true;
  return false;
}

bool errno_of_prohibited(const Difference& d) {
  return std::holds_alternative<CallStep>(d.at()) && same_state(d) &&
         d.sequence.family == Family::ipv6 && d.kernel_answer().call->error == EACCES &&
         d.estab_answer().call->error == EHOSTUNREACH;
}

// Linux forgets the advice as soon as something is acknowledged.
bool advice_forgotten(const Difference& d) {
  if (!is_call(d, CallStep::Call::socket_error) || !same_state(d)) return false;
  if (d.kernel_answer().call->error != 0) return false;
  for (std::size_t i = 0; i < d.step; ++i)
    if (std::holds_alternative<IcmpStep>(d.sequence.steps[i])) return true;
  return false;
}

// The same, as it shows in what is read: the octet has left the stream, or has not.
bool urgent_in_text_received(const Difference& d) {
  return std::holds_alternative<CallStep>(d.at()) && same_state(d) &&
         any_earlier(d, [&](const SegmentStep& step, std::size_t i) {
           const Conversation::Resolved& place = d.estab.resolved[i];
           const std::uint32_t behind = place.seq + step.urgent_pointer;
           return step.flags.urg() && static_cast<std::int32_t>(behind - place.next) <= 0;
         });
}

bool urgent_behind_a_fin(const Difference& d) {
  return has_urg_earlier(d, [](const Conversation::Resolved&, State before) {
    return before == State::close_wait || before == State::closing || before == State::last_ack;
  });
}

bool error_of_icmp_about_a_number_not_sent(const Difference& d) {
  if (!std::holds_alternative<CallStep>(d.at()) || !same_state(d)) return false;
  for (std::size_t i = 0; i < d.step; ++i)
    if (std::holds_alternative<IcmpStep>(d.sequence.steps[i]) &&
        d.kernel.resolved[i].seq == d.kernel.resolved[i].next)
      return true;
  return false;
}

bool connect_after_a_vain_shutdown(const Difference& d) {
  const bool shut = called_before(d, CallStep::Call::shutdown_both) ||
                    called_before(d, CallStep::Call::shutdown_write) ||
                    called_before(d, CallStep::Call::shutdown_read);
  return is_call(d, CallStep::Call::connect) && shut && d.kernel_answer().call->error == EINVAL &&
         same_state(d);
}

// Linux keeps what was shut of a socket without a connection for the next one.
bool shut_before_connect(const Difference& d) {
  if (!is_call(d, CallStep::Call::poll) || !same_state(d)) return false;
  for (std::size_t i = 0; i < d.step; ++i) {
    const auto* call = std::get_if<CallStep>(&d.sequence.steps[i]);
    if (call && call->call == CallStep::Call::shutdown_both &&
        d.kernel.answers[i].call == CallResult{-1, ENOTCONN})
      return true;
  }
  return false;
}

// The two count what a buffer holds differently: Linux with all that is around the octets.
bool room_of_the_send_buffer(const Difference& d) {
  if (!is_call(d, CallStep::Call::write) && !is_call(d, CallStep::Call::write_urgent)) return false;
  const CallResult& kernel = *d.kernel_answer().call;
  const CallResult& estab = *d.estab_answer().call;
  std::int64_t written = 0;
  for (std::size_t i = 0; i < d.step; ++i)
    if (const auto* call = std::get_if<CallStep>(&d.sequence.steps[i]))
      if (call->call == CallStep::Call::write || call->call == CallStep::Call::write_urgent)
        written += std::max<std::int64_t>(d.estab.answers[i].call->value, 0);
  return same_state(d) && kernel.value < estab.value && written > 0;
}

// Linux sends the FIN that was asked for before it looks at the text of the segment that opens; and
// remembers that nobody will read.
bool text_after_shutdown_while_opening(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const auto has_fin = [](const SentSegment& sent) { return sent.flags.fin(); };
  const bool shut = called_before(d, CallStep::Call::shutdown_both) ||
                    called_before(d, CallStep::Call::shutdown_write);
  return step && where(d).end != where(d).seq && d.before() == State::syn_received && shut &&
         std::ranges::any_of(d.kernel_answer().sent, has_fin) &&
         (std::ranges::any_of(d.estab_answer().sent, has_fin) || sends_one_reset(d.estab_answer()));
}

bool abort_in_time_wait(const Difference& d) {
  return is_call(d, CallStep::Call::abort) && d.before() == State::time_wait && kernel_ignores(d) &&
         is_silent(d.estab_answer()) && d.estab_answer().state == State::closed;
}

constexpr std::array kClasses = {
    KnownDifference{
        "the error of a RST in CLOSING or LAST-ACK",
        "RFC 9293 3.10.7.4, second: in these states \"enter the CLOSED state, delete the TCB, "
        "and return\", without the \"connection reset\" of the other states",
        Then::ends, error_of_reset_at_the_end},
    KnownDifference{
        "RST in SYN-RECEIVED of an active open",
        "RFC 9293 3.10.7.4, second: \"If this connection was initiated with an active OPEN ... "
        "then the connection was refused\"",
        Then::ends, reset_was_a_refusal},
    KnownDifference{
        "ABORT in CLOSING or LAST-ACK",
        "RFC 9293 3.10.5: \"delete the TCB, enter CLOSED state, and return\", without the RST "
        "of the other states",
        Then::ends, abort_at_the_end},
    KnownDifference{
        "OPEN over an orphan",
        "RFC 9293 3.10.1: an OPEN where a TCB exists returns the error \"connection already "
        "exists\"",
        Then::ends, connect_over_an_orphan},
    KnownDifference{
        "an urgent pointer of 0",
        "RFC 9293 3.8.5: the pointer \"points to the sequence number of the octet following the "
        "urgent data\" (MUST-62): with 0 there is none in the segment",
        Then::ends, urgent_pointer_of_zero},
    KnownDifference{
        "an urgent octet beyond a gap",
        "RFC 9293 3.10.7.4, sixth: the user is told that data is urgent; the octet is handed out "
        "when it is the next in order (RFC 6093 4 advises against out-of-band delivery at all)",
        Then::ends, urgent_beyond_a_gap},
    KnownDifference{
        "when POLLPRI is told",
        "RFC 9293 3.10.7.4, sixth: \"RCV.UP <- max(RCV.UP,SEG.UP), and signal the user that the "
        "remote side has urgent data if the urgent pointer (RCV.UP) is in advance of the data "
        "consumed\"",
        Then::ends, when_pollpri_is_told},
    KnownDifference{
        "an urgent octet that had been received",
        "RFC 9293 3.10.7.4, sixth: \"RCV.UP <- max(RCV.UP,SEG.UP)\", whether or not the octet is "
        "there already",
        Then::ends, urgent_in_text_received},
    KnownDifference{"advice of ICMP that an ACK has overtaken",
                    "RFC 9293 3.9.2.2 (SHLD-25): \"it SHOULD make the information available to the "
                    "application\"",
                    Then::ends, advice_forgotten},
    KnownDifference{
        "the errno of a parameter problem",
        "RFC 9293 3.9.2.2 counts it among the soft errors (SHLD-25) and has no numbers for them",
        Then::ends, errno_of_a_parameter_problem},
    KnownDifference{
        "poll after a shutdown in vain",
        "POSIX, shutdown: ENOTCONN, \"The socket is not connected\": there was nothing to shut",
        Then::ends, shut_before_connect},
    KnownDifference{
        "how much a send buffer takes",
        "RFC 9293 3.10.2: a SEND that finds \"insufficient resources\" is the implementation's "
        "to judge; ours counts octets",
        Then::ends, room_of_the_send_buffer},
    KnownDifference{
        "POLLERR after the error was told",
        "POSIX, poll: POLLERR says that an error has occurred; SO_ERROR has told it, and none "
        "is pending",
        Then::ends, error_told_already},
    KnownDifference{
        "the errno of ICMPv6's 'prohibited'",
        "RFC 9293 3.9.2.2 counts it among the soft errors (SHLD-25) and has no numbers for "
        "them; over IPv4 it is the same for both",
        Then::ends, errno_of_prohibited},
    KnownDifference{"an urgent octet in what PAWS refuses",
                    "RFC 7323 5.3 (R1): \"treat the arriving segment as not acceptable: Send an "
                    "acknowledgment in reply\" and drop it",
                    Then::ends, urgent_in_what_paws_refuses},
    KnownDifference{
        "CLOSE with an urgent octet in the queue",
        "RFC 1122 4.2.2.13 has a RST \"while received data is still pending in TCP\": what was "
        "read is not, and in CLOSING and LAST-ACK RFC 9293 3.10.4 has CLOSE do nothing",
        Then::ends, urgent_octet_in_the_queue},
    KnownDifference{
        "URG behind a FIN",
        "RFC 9293 3.10.7.4, sixth: \"This should not occur since a FIN has been received from the "
        "remote side. Ignore the URG\"",
        Then::ends, urgent_behind_a_fin},
    KnownDifference{"the error of ICMP about a number not sent",
                    "RFC 5927 4.1: \"SND.UNA =< SEG.SEQ < SND.NXT\"", Then::ends,
                    error_of_icmp_about_a_number_not_sent},
    KnownDifference{
        "connect after a shutdown in vain",
        "POSIX leaves a socket unspecified after a connect that failed; RFC 9293 has no "
        "shutdown of a connection that is not there",
        Then::ends, connect_after_a_vain_shutdown},
    KnownDifference{
        "text after a shutdown while opening",
        "RFC 9293 3.10.7.4: the ACK field is processed, then the text, then the FIN; what is "
        "queued (3.10.4) goes when that is done. RFC 1122 4.2.2.13 speaks of CLOSE; a "
        "half-close takes text still",
        Then::ends, text_after_shutdown_while_opening},
    KnownDifference{"ABORT in TIME-WAIT",
                    "RFC 9293 3.10.5: \"delete the TCB, enter CLOSED state, and return\"",
                    Then::ends, abort_in_time_wait},
};

}  // namespace

std::span<const KnownDifference> known_in_calls() {
  return kClasses;
}

}  // namespace estab::oracle
