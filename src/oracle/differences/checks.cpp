// The first to fourth checks of an arriving segment (RFC 9293 §3.10.7.4).

#include <array>

#include "oracle/differences/parts.h"

namespace estab::oracle {

namespace {

using Then = KnownDifference::Then;

bool is_bare(const SegmentStep& step) {
  return !step.flags.ack() && !step.flags.rst() && !step.flags.syn();
}

// Linux checks for the ACK bit before it looks at the sequence number.
bool unacceptable_without_ack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const bool open = is_synchronized(d.before()) || d.before() == State::syn_received;
  return step && is_bare(*step) && open && d.before() != State::time_wait && kernel_ignores(d) &&
         sends_one_ack(d.estab_answer()) && same_state(d);
}

// Linux takes no TS.Recent from a segment whose ACK is older than SND.UNA, but on its fast path,
// before it looks, even from one it refuses.
bool is_noted_with_odd_ack(const Difference& d, std::uint32_t value) {
  for (std::size_t i = 0; i <= d.step; ++i) {
    const auto* step = std::get_if<SegmentStep>(&d.sequence.steps[i]);
    if (step && step->timestamps && step->timestamps->value == value && step->flags.ack() &&
        step->ack != Place{})
      return true;
  }
  return false;
}

void take_echo(const SentSegment& kernel, SentSegment& estab) {
  estab.timestamp_echo = kernel.timestamp_echo;
}

bool timestamp_with_old_ack(Difference& d) {
  return level_sent(
      d,
      [&](const SentSegment& kernel, const SentSegment& estab) {
        return kernel.timestamp_echo && estab.timestamp_echo && kernel.ack == estab.ack &&
               kernel.timestamp_echo != estab.timestamp_echo &&
               (is_noted_with_odd_ack(d, *estab.timestamp_echo) ||
                is_noted_with_odd_ack(d, *kernel.timestamp_echo));
      },
      take_echo);
}

// What looks old because of the timestamp recorded with an old ACK.
bool paws_after_an_old_ack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->timestamps) return false;
  if (sends_one_ack(d.estab_answer())) {
    const auto recent = d.estab_answer().sent[0].timestamp_echo;
    if (recent && is_noted_with_odd_ack(d, *recent) &&
        static_cast<std::int32_t>(step->timestamps->value - *recent) < 0 &&
        d.estab_answer().state == estab_before(d))
      return true;
  }
  // The other way round: from the newer one it is 2^31 away, from the older one more.
  const bool noted = any_earlier(d, [](const SegmentStep& earlier, std::size_t) {
    return earlier.timestamps && earlier.flags.ack() && earlier.ack != Place{};
  });
  if (!noted || !sends_one_ack(d.kernel_answer()) || d.kernel_answer().state != d.before())
    return false;
  const auto recent = d.kernel_answer().sent[0].timestamp_echo;
  return recent && static_cast<std::int32_t>(step->timestamps->value - *recent) < 0;
}

// Linux has recorded a timestamp that lags by one or came upon a 0, and measures by it.
bool paws_after_slightly_old(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->timestamps || !sends_one_ack(d.kernel_answer()) || !estab_ignores(d))
    return false;
  const auto recent = d.kernel_answer().sent[0].timestamp_echo;
  return recent && any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
           if (!earlier.timestamps || earlier.timestamps->value != *recent) return false;
           return sends_one_ack(d.estab.answers[i]) &&
                  d.estab.answers[i].sent[0].timestamp_echo != recent;
         });
}

// See slightly_old_timestamp: what Linux noted then.
bool echo_of_slightly_old(Difference& d) {
  return level_sent(
      d,
      [](const SentSegment& kernel, const SentSegment& estab) {
        return kernel.timestamp_echo && estab.timestamp_echo && kernel.ack == estab.ack &&
               kernel.timestamp_echo != estab.timestamp_echo &&
               (*estab.timestamp_echo == 0 || *kernel.timestamp_echo == *estab.timestamp_echo - 1);
      },
      take_echo);
}

bool paws_after_time_wait(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->flags.syn() || !step->timestamps || d.before() != State::time_wait)
    return false;
  const bool noted = any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
    return i > 0 && earlier.timestamps && d.kernel.answers[i - 1].state == State::time_wait;
  });
  const bool estab_reopens =
      sends_one_ack(d.kernel_answer()) && d.estab_answer().state == State::syn_received;
  // With a FIN besides, it ends the wait and then refuses (see "SYN and FIN to LISTEN").
  const bool gives_up = d.kernel_answer().state == State::syn_received ||
                        (step->flags.fin() && d.kernel_answer().state == State::closed);
  const bool kernel_reopens = sends_one_ack(d.estab_answer()) && gives_up;
  return noted && (estab_reopens || kernel_reopens);
}

// RFC 7323's order of timestamps is undefined at a distance of 2^31; Linux takes it for newer.
bool half_the_circle(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->flags.syn() || !step->timestamps || d.before() != State::time_wait ||
      !sends_one_ack(d.estab_answer()))
    return false;
  const auto recent = d.estab_answer().sent[0].timestamp_echo;
  return recent && step->timestamps->value - *recent == 0x80000000u;
}

// Linux records timestamps in TIME-WAIT too.
bool timestamp_in_time_wait(Difference& d) {
  return d.before() == State::time_wait &&
         level_sent(
             d,
             [](const SentSegment& kernel, const SentSegment& estab) {
               return kernel.timestamp_echo && estab.timestamp_echo && is_pure_ack(kernel);
             },
             take_echo);
}

// In TIME-WAIT Linux sends one if it ever received one.
bool timestamp_not_negotiated(Difference& d) {
  return d.kernel_answer().state == State::time_wait && !has_timestamps(d) &&
         level_sent(
             d,
             [](const SentSegment& kernel, const SentSegment& estab) {
               return is_pure_ack(kernel) && kernel.timestamp_echo && !estab.timestamp_echo;
             },
             [](const SentSegment& kernel, SentSegment& estab) {
               estab.timestamp_echo = kernel.timestamp_echo;
               estab.option_order = kernel.option_order;
             });
}

// Linux's record of an orphan updates TS.Recent by text and FIN only.
bool timestamps_of_an_orphan(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->timestamps || d.before() != State::fin_wait_2 ||
      !called_before(d, CallStep::Call::close) || !sends_one_ack(d.kernel_answer()))
    return false;
  const auto recent = d.kernel_answer().sent[0].timestamp_echo;
  if (!recent || static_cast<std::int32_t>(step->timestamps->value - *recent) >= 0) return false;
  return any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
    return i > 0 && d.estab.answers[i - 1].state == State::fin_wait_2 && earlier.timestamps &&
           static_cast<std::int32_t>(earlier.timestamps->value - *recent) > 0 &&
           static_cast<std::int32_t>(step->timestamps->value - earlier.timestamps->value) != 0;
  });
}

bool time_wait_without_ack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && is_bare(*step) && d.before() == State::time_wait && estab_ignores(d) &&
         sends_one_ack(d.kernel_answer()) && same_state(d);
}

bool time_wait_ack_ahead(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.ack() && !step->flags.fin() && !step->flags.syn() &&
         step->payload == 0 && d.before() == State::time_wait && estab_ignores(d) &&
         sends_one_ack(d.kernel_answer()) && same_state(d);
}

bool old_ack_with_old_timestamp(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.ack() && !step->flags.rst() && !step->flags.syn() &&
         !step->flags.fin() && step->payload == 0 && step->timestamps && has_timestamps(d) &&
         d.before() != State::time_wait && kernel_ignores(d) && sends_one_ack(d.estab_answer()) &&
         same_state(d);
}

// An empty segment whose number is the first beyond the window.
bool at_right_edge(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || where(d).seq != where(d).edge) return false;
  if (where(d).end != where(d).seq && !step->flags.rst()) return false;
  return estab_ignores(d) ||
         (sends_one_ack(d.estab_answer()) && d.estab_answer().state == estab_before(d));
}

// A segment whose last number is the one before RCV.NXT: all of it has been received.
bool ends_at_left_edge(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || where(d).end != where(d).next || where(d).seq == where(d).end) return false;
  return estab_ignores(d) ||
         (sends_one_ack(d.estab_answer()) && d.estab_answer().state == estab_before(d));
}

// Or it was taken unseen.
bool taken_at_left_edge(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && (step->flags.urg() || step->timestamps) && ends_at_left_edge(d);
}

bool reaches(const Conversation::Resolved& place) {
  return place.edge != place.next && place.end_beyond_edge() > 0 &&
         place.begin_beyond_edge() <= 0 && place.begin_beyond_next() >= 0;
}

// Linux (from 6.17 on) takes the whole of a segment that begins in the window and ends beyond, or
// nothing of it.
bool reaches_beyond_edge(const Difference& d) {
  const bool open = is_synchronized(d.before()) || d.before() == State::syn_received;
  if (!segment_in(d) || !open || d.before() == State::time_wait) return false;
  if (reaches(where(d))) return true;
  // Or what was taken then is told later.
  return same_state(d) &&
         any_earlier(d,
                     [&](const SegmentStep& step, std::size_t i) {
                       return step.payload > 0 && reaches(d.kernel.resolved[i]);
                     }) &&
         same_but_for(d, [](Answer& answer) {
           for (SentSegment& sent : answer.sent) sent.sack.clear();
         });
}

// Its ACK may have been taken by one, unseen: where the FIN has been received both send the same.
bool acknowledged_beyond_edge(const Difference& d) {
  const State before = d.before();
  const bool received =
      before == State::close_wait || before == State::closing || before == State::last_ack;
  return segment_in(d) && segment_in(d)->flags.ack() && received && reaches(where(d));
}

// The two have announced windows of different size, and the segment's number lies in one only.
bool inside_one_window(const Difference& d) {
  if (!segment_in(d) || d.before() == State::closed) return false;
  const auto inside = [](const Conversation::Resolved& place) {
    return place.begin_beyond_next() >= 0 && place.begin_beyond_edge() < 0;
  };
  return inside(d.kernel.resolved[d.step]) != inside(d.estab.resolved[d.step]);
}

// Where the edges of the two windows differ, so do the numbers that lie there.
bool numbers_at_the_edge(Difference& d) {
  bool differ = false;
  for (std::size_t i = 0; i <= d.step; ++i)
    differ = differ || d.kernel.resolved[i].edge != d.estab.resolved[i].edge;
  const auto by_place = [](std::int64_t a, std::int64_t b) {
    return a >= kToldByPlace && b >= kToldByPlace;
  };
  return differ && level_sent(
                       d,
                       [&](const SentSegment& kernel, const SentSegment& estab) {
                         if (kernel.ack != estab.ack) return by_place(kernel.ack, estab.ack);
                         return std::ranges::equal(
                             kernel.sack, estab.sack, [&](const auto& a, const auto& b) {
                               return (a[0] == b[0] || by_place(a[0], b[0])) &&
                                      (a[1] == b[1] || by_place(a[1], b[1]));
                             });
                       },
                       [](const SentSegment& kernel, SentSegment& estab) {
                         estab.ack = kernel.ack;
                         estab.sack = kernel.sack;
                       });
}

bool window_in_time_wait(Difference& d) {
  return d.kernel_answer().state == State::time_wait &&
         level_sent(
             d,
             [](const SentSegment& kernel, const SentSegment& estab) {
               return kernel.window == Window::moved_back && estab.window == Window::open;
             },
             [](const SentSegment& kernel, SentSegment& estab) { estab.window = kernel.window; });
}

bool syn_with_first_timestamps(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.syn() && step->timestamps && d.before() == State::time_wait &&
         !has_timestamps({d.sequence, d.step - 1, d.kernel, d.estab}) &&
         sends_one_ack(d.kernel_answer()) && d.estab_answer().state == State::syn_received;
}

// Linux keeps a record there that knows little of the sending side.
bool orphan_in_fin_wait_2(const Difference& d) {
  if (!segment_in(d) || d.before() != State::fin_wait_2 ||
      !called_before(d, CallStep::Call::close) || d.estab_answer().state != State::fin_wait_2)
    return false;
  return estab_ignores(d) || sends_one_ack(d.estab_answer());
}

bool reset_with_old_timestamp(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.rst() && step->timestamps && has_timestamps(d) &&
         (d.before() == State::syn_received || d.before() == State::fin_wait_2 ||
          d.before() == State::time_wait) &&
         d.kernel_answer().state == d.before() &&
         (sends_one_ack(d.estab_answer()) || d.estab_answer().state == State::closed);
}

// Linux lets TSval lag by one, and takes a TS.Recent of 0 for none.
bool slightly_old_timestamp(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->timestamps || !has_timestamps(d) || !sends_one_ack(d.estab_answer()))
    return false;
  const auto recent = d.estab_answer().sent[0].timestamp_echo;
  if (!recent || d.estab_answer().state != estab_before(d)) return false;
  return step->timestamps->value == *recent - 1 ||
         (*recent == 0 && step->timestamps->value >= 0x80000000u);
}

bool duplicate_that_paws_refuses(Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->timestamps && has_timestamps(d) && step->payload > 0 &&
         where(d).begin_beyond_next() < 0 && sends_one_ack(d.estab_answer()) &&
         sends_one_ack(d.kernel_answer()) &&
         level_sent(
             d,
             [&](const SentSegment& kernel, const SentSegment& estab) {
               // Beside it there may be the number of a FIN.
               if (!kernel.timestamp_echo) return false;
               const std::uint32_t ahead = step->timestamps->value - *kernel.timestamp_echo;
               return static_cast<std::int32_t>(ahead) < 0 &&
                      kernel.sack.size() > estab.sack.size() &&
                      (estab.sack.empty() || estab.sack[0] != kernel.sack[0]);
             },
             [](const SentSegment& kernel, SentSegment& estab) {
               estab.sack.insert(estab.sack.begin(), kernel.sack[0]);
               if (estab.sack.size() == kernel.sack.size())
                 estab.option_order = kernel.option_order;
             });
}

// Without scaling Linux keeps a window of more than it can tell.
bool beyond_an_untold_window(const Difference& d) {
  return segment_in(d) && where(d).edge - where(d).next == 0xffff &&
         where(d).begin_beyond_edge() >= 0 && where(d).begin_beyond_edge() < 0x100000 &&
         (estab_ignores(d) ||
          (sends_one_ack(d.estab_answer()) && d.estab_answer().state == estab_before(d)));
}

// Linux takes a RST behind the last SACK block, too.
bool reset_behind_sack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.rst() && where(d).begin_beyond_next() > 0 &&
         is_silent(d.kernel_answer()) && d.kernel_answer().state == State::closed &&
         sends_one_ack(d.estab_answer()) && d.estab_answer().state == estab_before(d) &&
         any_earlier(d, [&](const SegmentStep&, std::size_t i) {
           return d.kernel.resolved[i].end == where(d).seq && !d.kernel.answers[i].sent.empty() &&
                  !d.kernel.answers[i].sent.back().sack.empty();
         });
}

bool syn_with_next_number(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.syn() && !step->flags.ack() && !step->flags.rst() &&
         d.before() == State::time_wait && sends_one_ack(d.kernel_answer()) &&
         d.estab_answer().state == State::syn_received &&
         d.kernel.resolved[d.step].seq == static_cast<std::uint32_t>(d.kernel_answer().sent[0].ack);
}

bool reset_at_fin(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const State before = d.before();
  const bool fin_received =
      before == State::close_wait || before == State::last_ack || before == State::closing;
  if (!step || !step->flags.rst() || !fin_received) return false;
  // With SYN, FIN or text besides it reaches into the window, and is challenged.
  const bool challenged = sends_one_ack(d.estab_answer()) && d.estab_answer().state == before;
  if (!estab_ignores(d) && !(challenged && where(d).end != where(d).seq)) return false;
  return is_silent(d.kernel_answer()) && d.kernel_answer().state == State::closed;
}

constexpr std::array kClasses = {
    KnownDifference{
        "unacceptable, without ACK",
        "RFC 9293 3.10.7.4, first: \"If an incoming segment is not acceptable, an "
        "acknowledgment should be sent in reply (unless the RST bit is set...)\"; the ACK bit "
        "is looked at in the fifth check",
        Then::goes_on, unacceptable_without_ack},
    KnownDifference{
        "timestamp with an old ACK",
        "RFC 7323 5.3 (R3): \"If an arriving segment satisfies SEG.TSval >= TS.Recent and "
        "SEG.SEQ <= Last.ACK.sent (see Section 4.3), then record its timestamp in TS.Recent\"",
        Then::goes_on, nullptr, timestamp_with_old_ack},
    KnownDifference{"timestamps noted in TIME-WAIT",
                    "RFC 9293 3.10.7.4, fifth: \"The only thing that can arrive in this state is a "
                    "retransmission of the remote FIN\"; it has no newer number to give",
                    Then::goes_on, nullptr, timestamp_in_time_wait},
    KnownDifference{"PAWS after a timestamp with an old ACK",
                    "RFC 7323 5.3 (R3) and (R1), as above", Then::ends, paws_after_an_old_ack},
    KnownDifference{"PAWS after a timestamp older by one, or than none",
                    "RFC 7323 5.3 (R3): it was not to be recorded", Then::ends,
                    paws_after_slightly_old},
    KnownDifference{"the echo of a timestamp older by one, or than none",
                    "RFC 7323 5.3 (R1): it was not acceptable, so it is not recorded (R3)",
                    Then::goes_on, nullptr, echo_of_slightly_old},
    KnownDifference{
        "PAWS after a timestamp noted in TIME-WAIT",
        "RFC 6191 2: \"greater than the last timestamp seen on the previous incarnation\"; "
        "what came in TIME-WAIT and is no FIN is not looked at",
        Then::ends, paws_after_time_wait},
    KnownDifference{
        "TIME-WAIT, a timestamp 2^31 away",
        "RFC 7323 5.2: \"s < t if 0 < (t - s) < 2^31\": neither is greater (RFC 6191 2)",
        Then::ends, half_the_circle},
    KnownDifference{
        "TIME-WAIT, timestamps that were not agreed upon",
        "RFC 7323 3.2: \"If a TSopt is received on a connection where TSopt was not negotiated "
        "in the initial three-way handshake, the TSopt MUST be ignored\"",
        Then::goes_on, nullptr, timestamp_not_negotiated},
    KnownDifference{"timestamps of an orphan in FIN-WAIT-2",
                    "RFC 7323 5.3 (R3) has the timestamp of an empty ACK recorded like any other",
                    Then::ends, timestamps_of_an_orphan},
    KnownDifference{
        "TIME-WAIT, without ACK",
        "RFC 9293 3.10.7.4, fifth: \"if the ACK bit is off, drop the segment and return\"",
        Then::goes_on, time_wait_without_ack},
    KnownDifference{"TIME-WAIT, an empty segment ahead",
                    "RFC 9293 3.10.7.4, fifth: \"The only thing that can arrive in this state is a "
                    "retransmission of the remote FIN. Acknowledge it\"; an empty ACK is none",
                    Then::goes_on, time_wait_ack_ahead},
    KnownDifference{"old ACK with an old timestamp",
                    "RFC 7323 5.3 (R1): \"treat the arriving segment as not acceptable: Send an "
                    "acknowledgment in reply\"",
                    Then::goes_on, old_ack_with_old_timestamp},
    KnownDifference{"empty segment at the right edge",
                    "RFC 9293 3.10.7.4, table 6: \"RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND\"",
                    Then::ends, at_right_edge},
    KnownDifference{"a duplicate that ends at RCV.NXT",
                    "RFC 9293 3.10.7.4, table 6: \"RCV.NXT =< SEG.SEQ+SEG.LEN-1\": not acceptable",
                    Then::ends, ends_at_left_edge, nullptr, taken_at_left_edge},
    KnownDifference{
        "a segment that reaches beyond the window",
        "RFC 9293 3.10.7.4: \"trimming off any portions that lie outside the window\"; only "
        "what lies inside decides",
        Then::ends, reaches_beyond_edge, nullptr, acknowledged_beyond_edge},
    KnownDifference{
        "RST behind the last SACK block",
        "RFC 5961 3.2: only a RST that \"exactly matches the next expected sequence number "
        "(RCV.NXT)\" resets",
        Then::ends, reset_behind_sack},
    KnownDifference{"numbers at the edge of two windows",
                    "RFC 9293 3.8.6: how large a window is, is the receiver's choice",
                    Then::goes_on, nullptr, numbers_at_the_edge},
    KnownDifference{"inside one window, outside the other",
                    "RFC 9293 3.8.6: how large a window is, is the receiver's choice", Then::ends,
                    inside_one_window},
    KnownDifference{"the window's edge moves back in TIME-WAIT",
                    "RFC 9293 3.8.6 (SHLD-14): \"A TCP receiver SHOULD NOT shrink the window\"",
                    Then::goes_on, nullptr, window_in_time_wait},
    KnownDifference{
        "TIME-WAIT, SYN with the first timestamps",
        "RFC 6191 2: the previous incarnation did not use timestamps: \"If TCP Timestamps would be "
        "enabled for the new incarnation of the connection, honor the incoming connection "
        "request\"",
        Then::ends, syn_with_first_timestamps},
    KnownDifference{
        "an orphan in FIN-WAIT-2",
        "RFC 5961 3.2, 4.2 and 5.2: RST in the window, SYN, and an ACK that cannot be are "
        "answered with a challenge, in every synchronized state",
        Then::ends, orphan_in_fin_wait_2},
    KnownDifference{
        "RST with an old timestamp",
        "RFC 7323 5.2: \"When an <RST> segment is received, it MUST NOT be subjected to the PAWS "
        "check\"",
        Then::ends, reset_with_old_timestamp},
    KnownDifference{
        "a timestamp older by one, or than none",
        "RFC 7323 5.3 (R1): \"SEG.TSval < TS.Recent\": not acceptable, by however little; 0 is a "
        "value like any other",
        Then::ends, slightly_old_timestamp, nullptr, slightly_old_timestamp},
    KnownDifference{
        "D-SACK of what PAWS refuses",
        "RFC 7323 5.3 (R1) has the segment dropped: it is no duplicate of this connection's data "
        "(RFC 2883 4) but may be of an earlier lap",
        Then::goes_on, nullptr, duplicate_that_paws_refuses},
    KnownDifference{
        "beyond a window that was not told",
        "RFC 9293 3.10.7.4: acceptable is what lies in RCV.WND, and RCV.WND is what was sent in "
        "SEG.WND (3.3.1)",
        Then::ends, beyond_an_untold_window},
    KnownDifference{
        "TIME-WAIT, SYN with the very next number",
        "RFC 1122 4.2.2.13: the new number must be \"larger than the largest sequence number it "
        "used on the previous connection incarnation\", which the FIN's successor is",
        Then::ends, syn_with_next_number},
    KnownDifference{
        "RST in front of a FIN received",
        "RFC 5961 3.2: \"If the RST bit is set and the sequence number is outside the current "
        "receive window, silently drop the segment\"",
        Then::ends, reset_at_fin},
};

}  // namespace

std::span<const KnownDifference> known_in_checks() {
  return kClasses;
}

}  // namespace estab::oracle
