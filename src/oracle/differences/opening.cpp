// LISTEN, SYN-SENT and SYN-RECEIVED (RFC 9293 §3.10.7.2 to 3.10.7.4).

#include <array>

#include "oracle/differences/parts.h"

namespace estab::oracle {

namespace {

using Then = KnownDifference::Then;

// Linux repeats its own SYN with the ACK bit, options and all.
bool options_of_simultaneous_open(const Difference& d) {
  if (d.before() != State::syn_sent || d.kernel_answer().state != State::syn_received) return false;
  return same_but_for(d, [](Answer& answer) {
    for (SentSegment& sent : answer.sent) {
      if (sent.flags != (kSyn | kAck)) continue;
      sent.timestamp_echo.reset();
      sent.window_scale = sent.sack_permitted = false;
      sent.option_order.clear();
    }
  });
}

// Linux announces what the path carried last instead of what it can receive.
bool mss_of_the_path(Difference& d) {
  const auto is_too_big = [](const Step& step) {
    const auto* icmp = std::get_if<IcmpStep>(&step);
    return icmp != nullptr && icmp->kind == IcmpStep::Kind::too_big;
  };
  return std::ranges::any_of(d.sequence.steps, is_too_big) &&
         level_sent(
             d,
             [](const SentSegment& kernel, const SentSegment& estab) {
               return kernel.mss && estab.mss && *kernel.mss < *estab.mss;
             },
             [](const SentSegment& kernel, SentSegment& estab) { estab.mss = kernel.mss; });
}

// We keep to the order of figure 5 but for this arrow.
bool fin_waits_for_the_handshake(const Difference& d) {
  return is_call(d, CallStep::Call::close) && d.before() == State::syn_received &&
         d.kernel_answer().state == State::fin_wait_1 && is_silent(d.estab_answer()) &&
         d.estab_answer().state == State::syn_received;
}

// Linux does not wait for its timer when it has seen that the peer is in another connection.
bool syn_again_at_once(const Difference& d) {
  if (!std::holds_alternative<WaitStep>(d.at()) || d.before() != State::syn_sent) return false;
  const bool refused = any_earlier(d, [&](const SegmentStep& step, std::size_t i) {
    return step.flags.ack() && d.estab.resolved[i].ack != 1;
  });
  const auto is_syn = [](const SentSegment& sent) { return sent.flags == kSyn; };
  return refused && std::ranges::all_of(d.kernel_answer().sent, is_syn) &&
         std::ranges::all_of(d.estab_answer().sent, is_syn) && same_state(d);
}

bool text_or_fin_with_syn_ack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || d.before() != State::syn_sent) return false;
  if (!step->flags.syn() || (step->payload == 0 && !step->flags.fin())) return false;
  const Answer& kernel = d.kernel_answer();
  const Answer& estab = d.estab_answer();
  if (!sends_one_ack(kernel) || !sends_one_ack(estab)) return false;
  const std::int64_t length = step->payload + (step->flags.fin() ? 1 : 0);
  return kernel.sent[0].ack + length == estab.sent[0].ack || kernel.sent[0].ack >= kToldByPlace;
}

bool syn_fin_to_listener(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.syn() && step->flags.fin() && !step->flags.rst() &&
         (d.before() == State::closed || d.before() == State::time_wait) &&
         is_silent(d.kernel_answer()) && d.kernel_answer().state == State::closed &&
         d.estab_answer().state == State::syn_received;
}

bool ack_before_sequence(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.ack() && !step->flags.rst() && d.before() == State::syn_received &&
         (sends_one_ack(d.kernel_answer()) || (step->timestamps && kernel_ignores(d))) &&
         sends_one_reset(d.estab_answer()) && same_state(d);
}

bool new_syn_to_half_open(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.syn() && !step->flags.rst() && d.before() == State::syn_received &&
         sends_one_reset(d.kernel_answer()) && is_silent(d.estab_answer()) &&
         d.estab_answer().state == State::closed;
}

// Both numbers of a simultaneous open, to a listener's record.
// Of a simultaneous open, by a peer that has not heard our SYN-ACK.
bool syn_again(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.syn() && !step->flags.ack() && d.before() == State::syn_received &&
         where(d).seq + 1 == where(d).next && sends_one_ack(d.kernel_answer()) && same_state(d) &&
         d.estab_answer().sent.size() == 1 && d.estab_answer().sent[0].flags == (kSyn | kAck);
}

bool syn_ack_in_syn_received(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->flags.syn() || !step->flags.ack() || step->flags.rst()) return false;
  if (d.before() != State::syn_received || where(d).seq + 1 != where(d).next) return false;
  const bool repeats =
      d.estab_answer().sent.size() == 1 && d.estab_answer().sent[0].flags == (kSyn | kAck);
  return (sends_one_ack(d.kernel_answer()) || sends_one_reset(d.kernel_answer())) &&
         (repeats || is_synchronized(d.estab_answer().state));
}

// Of a simultaneous open: for Linux an ACK of nothing completes it.
bool ack_of_nothing_in_syn_received(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.ack() && d.before() == State::syn_received && where(d).ack != 1 &&
         (is_synchronized(d.kernel_answer().state) || d.kernel_answer().sent.size() > 1) &&
         sends_one_reset(d.estab_answer()) && d.estab_answer().state == State::syn_received;
}

// Linux takes what precedes the connection for duplicate text.
bool duplicate_while_opening(Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->payload > 0 && d.before() == State::syn_received &&
         where(d).begin_beyond_next() < 0 &&
         level_sent(
             d,
             [](const SentSegment& kernel, const SentSegment& estab) {
               return is_pure_ack(kernel) && is_pure_ack(estab) && kernel.sack.size() == 1 &&
                      estab.sack.empty();
             },
             [](const SentSegment& kernel, SentSegment& estab) {
               estab.sack = kernel.sack;
               estab.option_order = kernel.option_order;
             });
}

bool icmp_about_a_number_not_sent(const Difference& d) {
  const auto* step = std::get_if<IcmpStep>(&d.at());
  return step && where(d).seq == where(d).next && estab_ignores(d);
}

// In Linux a half-open record outlives its listener, to no effect.
bool closed_listener(const Difference& d) {
  return is_call(d, CallStep::Call::close_listener) && d.before() == State::syn_received &&
         kernel_ignores(d) && d.estab_answer().state == State::closed &&
         is_silent(d.estab_answer());
}

// Linux takes a TS.Recent of 0 for none there.
bool echo_of_zero(const Difference& d) {
  const bool record = d.before() == State::syn_received || d.before() == State::time_wait;
  if (!record || !sends_one_ack(d.estab_answer())) return false;
  return d.estab_answer().sent[0].timestamp_echo == 0 && same_but_for(d, [](Answer& answer) {
           for (SentSegment& sent : answer.sent) sent.timestamp_echo.reset();
           for (SentSegment& sent : answer.sent) sent.option_order.clear();
         });
}

// In ICMPv6 an unknown protocol is a parameter problem, which is soft.
bool is_hard(const Difference& d, const IcmpStep& step) {
  return step.kind == IcmpStep::Kind::port_unreachable ||
         (step.kind == IcmpStep::Kind::protocol_unreachable && d.sequence.family == Family::ipv4);
}

// Linux rejects a segment there for a TSecr that it cannot have caused.
bool echo_checked_while_opening(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->timestamps || step->timestamps->echo != TimestampStep::Echo::future)
    return false;
  if (d.before() == State::syn_sent)
    return sends_one_reset(d.kernel_answer()) || (step->flags.rst() && kernel_ignores(d));
  return d.before() == State::syn_received && has_timestamps(d) &&
         sends_one_ack(d.kernel_answer()) && d.kernel_answer().state == State::syn_received;
}

// Over IPv4 Linux drops a listener's record upon soft errors and keeps it upon hard ones, over IPv6
// the other way round.
bool icmp_about_a_record(const Difference& d) {
  const auto* step = std::get_if<IcmpStep>(&d.at());
  if (!step || d.before() != State::syn_received || !called_before(d, CallStep::Call::listen))
    return false;
  const bool hard = is_hard(d, *step);
  return is_silent(d.kernel_answer()) && is_silent(d.estab_answer()) &&
         d.estab_answer().state == (hard ? State::closed : State::syn_received);
}

constexpr std::array kClasses = {
    KnownDifference{
        "options of a simultaneous open",
        "RFC 7323 3.2: \"MAY send a TSopt in <SYN,ACK> only if it received a TSopt in the "
        "initial <SYN> segment\"; 2.2 says the same of window scale, RFC 2018 2 of SACK",
        Then::ends, options_of_simultaneous_open},
    KnownDifference{
        "MSS announced after a packet too big",
        "RFC 9293 3.7.1: the option tells what can be received (MMS_R), not what the path to the "
        "peer takes (RFC 6691 3)",
        Then::goes_on, nullptr, mss_of_the_path},
    KnownDifference{
        "the SYN again after an ACK of nothing",
        "RFC 6298 5: the SYN is repeated when its timer runs out, which no refused segment changes",
        Then::ends, syn_again_at_once},
    KnownDifference{
        "CLOSE in SYN-RECEIVED",
        "RFC 9293 3.10.4 has the FIN sent at once if nothing is to be sent, and queued otherwise; "
        "we queue it always: it goes when the handshake is complete",
        Then::ends, fin_waits_for_the_handshake},
    KnownDifference{
        "text or FIN with SYN-ACK",
        "RFC 9293 3.10.7.3, fourth: \"If there are other controls or text in the segment, then "
        "continue processing at the sixth step\"",
        Then::ends, text_or_fin_with_syn_ack},
    KnownDifference{
        "SYN and FIN to LISTEN",
        "RFC 9293 3.10.7.2, third: \"any other incoming control or data (combined with SYN) "
        "will be processed in the SYN-RECEIVED state\"",
        Then::ends, syn_fin_to_listener},
    KnownDifference{
        "SYN-RECEIVED, an ACK of nothing outside the window",
        "RFC 9293 3.5.2, group 2: \"If the connection is in any non-synchronized state (LISTEN, "
        "SYN-SENT, SYN-RECEIVED), and the incoming segment acknowledges something not yet sent "
        "[...] a reset is sent\"",
        Then::goes_on, ack_before_sequence},
    KnownDifference{
        "new SYN in SYN-RECEIVED",
        "RFC 9293 3.10.7.4, fourth: \"If the connection was initiated with a passive OPEN, "
        "then return this connection to the LISTEN state and return\"",
        Then::ends, new_syn_to_half_open},
    KnownDifference{
        "SYN and ACK in SYN-RECEIVED",
        "RFC 9293 3.5, figure 7, line 6: a SYN-ACK whose SYN is known completes the handshake",
        Then::ends, syn_ack_in_syn_received},
    KnownDifference{
        "the SYN again, in a simultaneous open",
        "RFC 9293 3.8.1: whose SYN comes again has not got our SYN-ACK: it is sent again, and "
        "has the ACK that 3.10.7.4 asks for",
        Then::goes_on, syn_again},
    KnownDifference{
        "D-SACK in SYN-RECEIVED",
        "RFC 2883 4: a block reports \"a duplicate contiguous sequence of data received\"; none of "
        "this connection's has been received yet",
        Then::goes_on, nullptr, duplicate_while_opening},
    KnownDifference{"ICMP about a number not sent",
                    "RFC 5927 4.1: \"SND.UNA =< SEG.SEQ < SND.NXT\"; Linux takes SND.NXT too",
                    Then::ends, icmp_about_a_number_not_sent},
    KnownDifference{"half-open records of a closed listener",
                    "RFC 9293 3.10.4, LISTEN: \"Delete the TCB, enter CLOSED state, and return\"",
                    Then::ends, closed_listener},
    KnownDifference{
        "ICMP about a half-open record",
        "RFC 9293 3.9.2.2: upon codes 2 to 4 \"TCP implementations SHOULD abort the connection\" "
        "(SHLD-26), upon the soft ones they MUST NOT (MUST-56)",
        Then::ends, icmp_about_a_record},
    KnownDifference{
        "SYN-RECEIVED, an ACK of nothing",
        "RFC 9293 3.10.7.4, fifth: \"If the segment acknowledgment is not acceptable, form a "
        "reset segment\"",
        Then::ends, ack_of_nothing_in_syn_received},
    KnownDifference{
        "TSecr checked while opening",
        "RFC 7323 4 and 5 take TSecr for RTT measurement only; a check of it is Linux's own",
        Then::ends, echo_checked_while_opening},
    KnownDifference{
        "an echo of 0 in SYN-RECEIVED or TIME-WAIT",
        "RFC 7323 3.2: once negotiated, \"the TSopt MUST be sent in every non-<RST> segment\"",
        Then::goes_on, echo_of_zero},
};

}  // namespace

std::span<const KnownDifference> known_in_opening() {
  return kClasses;
}

}  // namespace estab::oracle
