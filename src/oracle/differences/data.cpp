// Text, acknowledgements, FIN (RFC 9293 §3.10.7.4, fifth to eighth) and what is sent.

#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "oracle/differences/parts.h"

namespace estab::oracle {

namespace {

using Then = KnownDifference::Then;

// Linux also pushes each time half of the peer's window has been queued.
bool push_bit(Difference& d) {
  return level_sent(
      d,
      [](const SentSegment& kernel, const SentSegment& estab) {
        return kernel.payload > 0 && estab.payload == kernel.payload && kernel.seq == estab.seq &&
               kernel.flags.psh() != estab.flags.psh();
      },
      [](const SentSegment& kernel, SentSegment& estab) {
        estab.flags = kernel.flags.psh() ? estab.flags | kPsh : estab.flags.without(kPsh);
      });
}

// Linux lets a last part go as long as no other part is outstanding (Minshall's variant).
bool nagle_of_minshall(const Difference& d) {
  const std::vector<SentSegment>& more = d.kernel_answer().sent;
  const std::vector<SentSegment>& less = d.estab_answer().sent;
  if (more.size() == 1 && less.size() == 1 && is_pure_ack(less[0]) && more[0].payload > 0)
    return more[0].seq == less[0].seq && more[0].ack == less[0].ack && same_state(d);
  if (more.size() != less.size() + 1 || more.back().payload == 0) return false;
  if (called_before(d, CallStep::Call::no_delay)) return false;
  return same_but_for(d, [&](Answer& answer) {
    answer.sent.resize(less.size());
    for (SentSegment& sent : answer.sent) sent.flags = sent.flags.without(kPsh);
  });
}

// Linux challenges what lies before the connection, if within the largest window or not; but on an
// active open its line is one lower, and on its fast path it draws none.
bool ack_before_the_connection(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !step->flags.ack() || static_cast<std::int32_t>(where(d).ack) > 0) return false;
  return (sends_one_ack(d.kernel_answer()) && d.kernel_answer().state == d.before()) ||
         (sends_one_ack(d.estab_answer()) && d.estab_answer().state == estab_before(d));
}

// The same, unseen: the text or the timestamp has been taken by one.
bool taken_from_before_the_connection(const Difference& d) {
  return ack_before_the_connection(d) &&
         (where(d).end != where(d).seq || segment_in(d)->timestamps);
}

// Linux may report the same duplicate again.
bool duplicate_told_again(Difference& d) {
  return level_sent(
      d,
      [&](const SentSegment& kernel, const SentSegment& estab) {
        if (kernel.sack.size() != estab.sack.size() + 1 || estab.sack.empty()) return false;
        const auto is_same = [](std::int64_t a, std::int64_t b) {
          return a == b || (a >= kToldByPlace && b >= kToldByPlace);  // windows may differ
        };
        for (std::size_t i = 0; i < estab.sack.size(); ++i)
          if (!is_same(estab.sack[i][0], kernel.sack[i + 1][0]) ||
              !is_same(estab.sack[i][1], kernel.sack[i + 1][1]))
            return false;
        return any_earlier(d, [&](const SegmentStep&, std::size_t i) {
          const std::vector<SentSegment>& sent = d.kernel.answers[i].sent;
          return !sent.empty() && !sent.back().sack.empty() &&
                 sent.back().sack[0][0] == kernel.sack[0][0];
        });
      },
      [](const SentSegment& kernel, SentSegment& estab) {
        estab.sack = kernel.sack;
        estab.option_order = kernel.option_order;
      });
}

// Once the FIN is in order everything that can come is acknowledged: we forget what lay beyond it,
// or came twice.
bool sack_with_the_last_ack(Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.fin() &&
         level_sent(
             d,
             [&](const SentSegment& kernel, const SentSegment& estab) {
               return is_pure_ack(estab) && estab.sack.empty() && kernel.ack == estab.ack &&
                      where(d).end == static_cast<std::uint32_t>(estab.ack);
             },
             [](const SentSegment& kernel, SentSegment& estab) {
               estab.sack = kernel.sack;
               estab.option_order = kernel.option_order;
             });
}

// Linux takes 0 for none.
bool mss_of_zero(const Difference& d) {
  const bool zero = any_earlier(d, [](const SegmentStep& step, std::size_t) {
    return step.flags.syn() &&
           (step.mss == 0 || step.raw_options == std::vector<std::uint8_t>{2, 4, 0, 0});
  });
  return zero && d.kernel_answer().call == d.estab_answer().call && same_state(d) &&
         !d.kernel_answer().sent.empty() && !d.estab_answer().sent.empty() &&
         d.estab_answer().sent[0].payload > 0 &&
         d.estab_answer().sent[0].payload < d.kernel_answer().sent[0].payload;
}

// SYN and FIN are not data octets; Linux reports their numbers in SACK blocks nevertheless.
using Blocks = std::vector<std::array<std::int64_t, 2>>;

bool differ_by_single_numbers(const Blocks& kernel, Blocks estab) {
  for (const auto& block : kernel) {
    const auto same = std::ranges::find_if(estab, [&](const auto& other) {
      return other[0] - block[0] >= 0 && other[0] - block[0] <= 1 && block[1] - other[1] >= 0 &&
             block[1] - other[1] <= 1;
    });
    // Of one FIN, or two.
    const bool alone =
        std::abs(block[1] % kToldByPlace - block[0] % kToldByPlace) <= 2 || block[1] == 0;
    if (same == estab.end() && !alone) return false;
    if (same != estab.end()) estab.erase(same);
  }
  return estab.empty();
}

// The right edge of a block may be told by another place than its left one, and by another than the
// other host's: it is measured from the left one.
std::int64_t number_of(const Difference& d, const Played& played, std::int64_t told) {
  std::int64_t place = told / kToldByPlace;
  for (std::size_t i = 0; i < d.sequence.steps.size() && place > 0; ++i) {
    const auto* step = std::get_if<SegmentStep>(&d.sequence.steps[i]);
    const bool counts =
        step && (step->seq.base == Place::Base::edge || played.resolved[i].seq > kFarFromStart);
    if (counts && --place == 0) return played.resolved[i].seq + told % kToldByPlace;
  }
  return told;
}

Blocks measured(const Difference& d, const Played& played, Blocks blocks) {
  for (auto& block : blocks) {
    if (block[0] < kToldByPlace || block[1] < kToldByPlace) continue;
    const auto length = static_cast<std::int32_t>(static_cast<std::uint32_t>(
        number_of(d, played, block[1]) - number_of(d, played, block[0])));
    block[1] = block[0] + length;
  }
  return blocks;
}

bool sack_of_syn_or_fin(Difference& d) {
  const auto takes_number = [](const SegmentStep& step) {
    return step.flags.fin() || step.flags.syn();
  };
  const bool any =
      any_earlier(d, [&](const SegmentStep& step, std::size_t) { return takes_number(step); }) ||
      (segment_in(d) && takes_number(*segment_in(d)));
  return any && level_sent(
                    d,
                    [&](const SentSegment& kernel, const SentSegment& estab) {
                      return kernel.sack != estab.sack &&
                             differ_by_single_numbers(measured(d, d.kernel, kernel.sack),
                                                      measured(d, d.estab, estab.sack));
                    },
                    [](const SentSegment& kernel, SentSegment& estab) {
                      estab.sack = kernel.sack;
                      estab.option_order = kernel.option_order;
                    });
}

bool text_behind_fin(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const State before = d.before();
  const bool received =
      before == State::close_wait || before == State::closing || before == State::last_ack;
  return step && step->payload > 0 && received && sends_one_reset(d.kernel_answer()) &&
         d.kernel_answer().state == State::closed && !sends_one_reset(d.estab_answer());
}

// Linux takes a FIN beyond a gap as proof of data to come that nobody will read.
bool fin_beyond_gap_for_nobody(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  return step && step->flags.fin() && step->payload == 0 && sends_one_reset(d.kernel_answer()) &&
         (d.before() == State::fin_wait_1 || d.before() == State::fin_wait_2) &&
         !d.estab_answer().sent.empty() && is_pure_ack(d.estab_answer().sent[0]);
}

// One sends a pure ACK where the other piggybacks it on text that is due.
bool ack_before_data(Difference& d) {
  std::vector<SentSegment>& kernel = d.kernel.answers[d.step].sent;
  std::vector<SentSegment>& estab = d.estab.answers[d.step].sent;
  if (kernel.empty() || estab.empty() || is_pure_ack(kernel[0]) == is_pure_ack(estab[0]))
    return false;
  std::vector<SentSegment>& more = is_pure_ack(kernel[0]) ? kernel : estab;
  const SentSegment& other = is_pure_ack(kernel[0]) ? estab[0] : kernel[0];
  const bool has_more = other.payload > 0 || other.flags.fin();
  if (!has_more || more.size() < 2 || more[0].ack != other.ack || more[1].seq != other.seq)
    return false;
  more.erase(more.begin());
  return true;
}

// One announces the room that reading has made, the other finds it too small a window update.
bool window_update(const Difference& d) {
  const bool alone = (is_silent(d.kernel_answer()) && sends_one_ack(d.estab_answer())) ||
                     (is_silent(d.estab_answer()) && sends_one_ack(d.kernel_answer()));
  return is_call(d, CallStep::Call::read) && alone && same_state(d) &&
         d.kernel_answer().call == d.estab_answer().call;
}

bool urgent_notice(const Difference& d) {
  return is_call(d, CallStep::Call::write_urgent) && is_silent(d.kernel_answer()) &&
         sends_one_ack(d.estab_answer()) && d.estab_answer().sent[0].flags.urg() && same_state(d) &&
         d.kernel_answer().call == d.estab_answer().call;
}

// An ACK, pure or on text that is due.
bool only_acknowledges(const Answer& answer) {
  return !answer.sent.empty() && answer.other.empty() &&
         std::ranges::all_of(answer.sent, [&](const SentSegment& sent) {
           return sent.flags.ack() && !sent.flags.rst() && sent.ack == answer.sent[0].ack;
         });
}

// A FIN that stands before octets we hold already contradicts them.
bool fin_before_text_held(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const auto is_beyond = [&](std::size_t i) { return d.estab.resolved[i].begin_beyond_next() > 0; };
  if (!step || !only_acknowledges(d.estab_answer()) || !only_acknowledges(d.kernel_answer()))
    return false;
  // It is this one, which is in order, or came earlier and was beyond the gap, too.
  const bool in_order = step->flags.fin() && d.estab_answer().sent[0].ack >= where(d).end &&
                        acknowledges(d.kernel_answer().sent[0], where(d).end);
  return any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
    if (earlier.payload == 0 || !is_beyond(i)) return false;
    return in_order || any_earlier(d, [&](const SegmentStep& fin, std::size_t k) {
             const std::uint32_t behind = d.estab.resolved[i].end - d.estab.resolved[k].end;
             return fin.flags.fin() && is_beyond(k) && static_cast<std::int32_t>(behind) > 0 &&
                    acknowledges(d.kernel_answer().sent[0], d.estab.resolved[k].end);
           });
  });
}

bool urg_with_reset(Difference& d) {
  return level_sent(
      d,
      [](const SentSegment& kernel, const SentSegment& estab) {
        return kernel.flags.rst() && estab.flags.rst() && kernel.flags.urg() && !estab.flags.urg();
      },
      [](const SentSegment& kernel, SentSegment& estab) {
        estab.flags = kernel.flags;
        estab.urgent_pointer = kernel.urgent_pointer;
      });
}

// Text that is only segmented at other places; in all else the segments agree.
bool is_cut_otherwise(const Difference& d) {
  std::vector<SentSegment> all = d.kernel_answer().sent;
  all.insert(all.end(), d.estab_answer().sent.begin(), d.estab_answer().sent.end());
  return std::ranges::all_of(all, [&](const SentSegment& sent) {
    return sent.payload_right && sent.reserved_clear && !sent.flags.rst() && !sent.flags.syn() &&
           sent.flags.ack() && sent.ack == all[0].ack && sent.ecn == all[0].ecn &&
           sent.timestamp_echo == all[0].timestamp_echo;
  });
}

// What is retransmitted because it was too big is segmented at other places.
bool cut_after_too_big(const Difference& d) {
  const auto has_text = [](const SentSegment& sent) {
    return sent.payload > 0 || sent.flags.fin();
  };
  for (std::size_t i = 0; i <= d.step; ++i)
    if (const auto* icmp = std::get_if<IcmpStep>(&d.sequence.steps[i]))
      if (icmp->kind == IcmpStep::Kind::too_big)
        return (std::ranges::any_of(d.kernel_answer().sent, has_text) ||
                std::ranges::any_of(d.estab_answer().sent, has_text)) &&
               is_cut_otherwise(d) && same_state(d) &&
               d.kernel_answer().call == d.estab_answer().call;
  return false;
}

bool sack_with_reset(Difference& d) {
  return level_sent(
      d,
      [](const SentSegment& kernel, const SentSegment& estab) {
        return kernel.flags.rst() && estab.flags.rst() && estab.sack.empty();
      },
      [](const SentSegment& kernel, SentSegment& estab) {
        estab.sack = kernel.sack;
        estab.option_order = kernel.option_order;
      });
}

// Linux counts its congestion window in segments, of whatever size.
bool window_in_segments(const Difference& d) {
  const std::vector<SentSegment>& less = d.kernel_answer().sent;
  const std::vector<SentSegment>& more = d.estab_answer().sent;
  if (less.size() >= more.size() || d.kernel_answer().call != d.estab_answer().call) return false;
  std::size_t sent = 0;
  for (std::size_t i = 0; i <= d.step; ++i)
    for (const SentSegment& segment : d.kernel.answers[i].sent) sent += segment.payload > 0 ? 1 : 0;
  if (sent < 10 || !same_state(d)) return false;
  return same_but_for(d, [&](Answer& answer) {
    answer.sent.resize(less.size());
    for (SentSegment& segment : answer.sent) segment.flags = segment.flags.without(kPsh);
  });
}

// Each ACK of less than a segment opens Linux's window by a whole one.
bool window_of_small_segments(const Difference& d) {
  const std::vector<SentSegment>& more = d.kernel_answer().sent;
  const std::vector<SentSegment>& less = d.estab_answer().sent;
  if (more.size() <= less.size() || d.kernel_answer().call != d.estab_answer().call) return false;
  std::uint32_t smallest = 0xffff, largest = 0;
  std::size_t sent = 0;
  for (std::size_t i = 0; i <= d.step; ++i)
    for (const SentSegment& segment : d.kernel.answers[i].sent) {
      if (segment.payload == 0) continue;
      smallest = std::min(smallest, segment.payload);
      largest = std::max(largest, segment.payload);
      ++sent;
    }
  if (sent < 10 || smallest == largest || !same_state(d)) return false;
  return same_but_for(d, [&](Answer& answer) {
    answer.sent.resize(less.size());
    for (SentSegment& segment : answer.sent) segment.flags = segment.flags.without(kPsh);
  });
}

// Linux counts what SACK reports in segments, and takes them off what is in flight at once.
bool sent_upon_sack(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || step->sack.empty() || !same_state(d)) return false;
  const std::vector<SentSegment>& more = d.kernel_answer().sent;
  const std::vector<SentSegment>& less = d.estab_answer().sent;
  const auto is_same = [](const SentSegment& a, const SentSegment& b) {
    return a.seq == b.seq && a.payload == b.payload && a.ack == b.ack;
  };
  return more.size() > less.size() &&
         std::ranges::all_of(less,
                             [&](const SentSegment& sent) {
                               return std::ranges::any_of(
                                   more, [&](const auto& other) { return is_same(sent, other); });
                             }) &&
         std::ranges::any_of(
             more, [](const SentSegment& sent) { return sent.payload > 0 || sent.flags.fin(); });
}

// Linux never takes more segments for arrived than all but one of those outstanding.
bool three_duplicates_of_little(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || !is_silent(d.kernel_answer()) || !same_state(d)) return false;
  const std::vector<SentSegment>& sent = d.estab_answer().sent;
  if (sent.size() != 1 || sent[0].seq != where(d).ack) return false;
  int duplicates = 0;
  for (std::size_t i = 0; i <= d.step; ++i)
    if (const auto* each = std::get_if<SegmentStep>(&d.sequence.steps[i]))
      if (each->flags.ack() && each->payload == 0 && !each->flags.syn() &&
          d.estab.resolved[i].ack == where(d).ack)
        ++duplicates;
  return duplicates >= 3;
}

// Both beyond a gap, at different places.
bool fins_that_contradict(const Difference& d) {
  std::optional<std::uint32_t> end;
  if (!segment_in(d)) return false;
  return any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
    const Conversation::Resolved& fin = d.estab.resolved[i];
    if (!earlier.flags.fin() || fin.end_beyond_next() <= 1) return false;
    return std::exchange(end, fin.end).value_or(fin.end) != fin.end;
  });
}

bool fin_behind_fin(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  const State before = d.before();
  const bool received =
      before == State::close_wait || before == State::closing || before == State::last_ack;
  return step && step->flags.fin() && step->flags.ack() && received && same_state(d) &&
         (kernel_ignores(d) || only_acknowledges(d.kernel_answer())) &&
         only_acknowledges(d.estab_answer()) &&
         acknowledges(d.estab_answer().sent[0], where(d).next);
}

// Linux sends no segment larger than half of the largest window it has been offered, and fills what
// is left of a window with less than a full segment.
bool small_window(const Difference& d) {
  std::uint32_t smallest = 0xffff;
  for (std::size_t i = 0; i <= d.step; ++i)
    if (const auto* step = std::get_if<SegmentStep>(&d.sequence.steps[i]))
      smallest = std::min<std::uint32_t>(smallest, step->window);
  const auto is_data = [](const SentSegment& sent) {
    return sent.payload > 0 || sent.flags.fin() || is_pure_ack(sent);
  };
  const Answer& kernel = d.kernel_answer();
  const Answer& estab = d.estab_answer();
  if (smallest > 8000 || kernel.call != estab.call || !same_state(d)) return false;
  if (!is_cut_otherwise(d)) return false;
  if (!std::ranges::all_of(kernel.sent, is_data) || !std::ranges::all_of(estab.sent, is_data))
    return false;
  const auto has_text = [](const SentSegment& sent) {
    return sent.payload > 0 || sent.flags.fin();
  };
  return std::ranges::any_of(kernel.sent, has_text) || std::ranges::any_of(estab.sent, has_text);
}

// Of an ACK sent while a window that had been larger is full.
bool number_in_a_shrunk_window(Difference& d) {
  const SegmentStep* step = segment_in(d);
  const bool small =
      any_earlier(d, [](const SegmentStep& s, std::size_t) { return s.window < 8000; }) ||
      (step && step->window < 8000);
  return small && level_sent(
                      d,
                      [](const SentSegment& kernel, const SentSegment& estab) {
                        const std::int64_t apart = kernel.seq - estab.seq;
                        const bool empty = (is_pure_ack(kernel) && is_pure_ack(estab)) ||
                                           (kernel.flags.rst() && kernel.flags == estab.flags);
                        return empty && apart != 0 && apart < 0x4000 && apart > -0x4000;
                      },
                      [](const SentSegment& kernel, SentSegment& estab) {
                        estab.seq = kernel.seq;
                        estab.flags = kernel.flags;  // URG, if the number is urgent
                        estab.urgent_pointer = kernel.urgent_pointer;
                      });
}

// A FIN beyond a gap has told where the stream ends; then text comes that goes on behind it.
bool text_across_a_noted_fin(const Difference& d) {
  const SegmentStep* step = segment_in(d);
  if (!step || step->payload == 0 || d.estab_answer().sent.empty()) return false;
  return any_earlier(d, [&](const SegmentStep& earlier, std::size_t i) {
    const Conversation::Resolved& fin = d.estab.resolved[i];
    if (!earlier.flags.fin() || fin.end_beyond_next() <= 1 || where(d).end_beyond_next() <= 0)
      return false;
    return acknowledges(d.estab_answer().sent.back(), fin.end) ||
           static_cast<std::int32_t>(where(d).end - fin.end) > 0;
  });
}

// Linux makes its segments smaller by what SACK blocks take; ours carry blocks if there is room.
bool sack_beside_full_segments(const Difference& d) {
  const auto has_both = [](const SentSegment& sent) {
    return sent.payload > 0 && !sent.sack.empty();
  };
  const auto has_text = [](const SentSegment& sent) { return sent.payload > 0; };
  return std::ranges::any_of(d.kernel_answer().sent, has_both) &&
         std::ranges::any_of(d.estab_answer().sent, has_text) && is_cut_otherwise(d) &&
         d.kernel_answer().call == d.estab_answer().call && same_state(d);
}

constexpr std::array kClasses = {
    KnownDifference{
        "an ACK of its own before the data",
        "RFC 5681 4.2 asks for an ACK at once and does not say that it may not go with text; a "
        "duplicate ACK counts (3.2) only if it carries none",
        Then::goes_on, nullptr, ack_before_data},
    KnownDifference{
        "PSH in the middle",
        "RFC 9293 3.9.1.2: PSH is asked for at the end of what is buffered (MUST-61); more of "
        "them are a sender's choice",
        Then::goes_on, nullptr, push_bit},
    KnownDifference{
        "Nagle, a last part behind full segments",
        "RFC 9293 3.7.4: \"If there is unacknowledged data (i.e., SND.NXT > SND.UNA), then the "
        "sending TCP endpoint buffers all user data (regardless of the PSH bit) until the "
        "outstanding data has been acknowledged or until [it] can send a full-sized segment\"",
        Then::ends, nagle_of_minshall},
    KnownDifference{
        "an ACK from before the connection",
        "RFC 5961 5.2: \"The ACK value is considered acceptable only if it is in the range of "
        "((SND.UNA - MAX.SND.WND) <= SEG.ACK <= SND.NXT)\", and before ISS+1 there is nothing "
        "to acknowledge",
        Then::ends, ack_before_the_connection, nullptr, taken_from_before_the_connection},
    KnownDifference{
        "SACK of a SYN or FIN",
        "RFC 2018 3: blocks are of \"data that has been received and queued\"; a FIN is none",
        Then::goes_on, nullptr, sack_of_syn_or_fin},
    KnownDifference{
        "text behind a FIN",
        "RFC 9293 3.10.7.4, seventh: \"This should not occur since a FIN has been received from "
        "the remote side. Ignore the segment text\"",
        Then::ends, text_behind_fin},
    KnownDifference{
        "a FIN beyond a gap, nobody reads",
        "RFC 1122 4.2.2.13: a RST if \"new data is received after CLOSE is called\"; none was",
        Then::ends, fin_beyond_gap_for_nobody},
    KnownDifference{
        "a window update upon reading",
        "RFC 9293 3.8.6.2.2: when \"min( Fr * RCV.BUFF, Eff.snd.MSS )\" of room has been made; the "
        "buffers are of different size",
        Then::goes_on, window_update},
    KnownDifference{
        "urgent data told before it can go",
        "RFC 9293 3.8.6.1 (MUST-66) lets URG through a shut window: the peer is to know at once",
        Then::goes_on, urgent_notice},
    KnownDifference{
        "a D-SACK told again",
        "RFC 2883 4: \"Each duplicate contiguous sequence of data received is reported in at "
        "most one D-SACK block\"",
        Then::goes_on, nullptr, duplicate_told_again},
    KnownDifference{
        "SACK with the ACK of a FIN",
        "RFC 2018 4: \"in all ACKs which do not ACK the highest sequence number in the data "
        "receiver's queue\"; this one does",
        Then::goes_on, nullptr, sack_with_the_last_ack},
    KnownDifference{
        "a FIN in front of text that is held",
        "RFC 9293 3.10.7.4: text and FIN contradict each other; what came first stands (3.4, "
        "as with octets that overlap)",
        Then::ends, fin_before_text_held},
    KnownDifference{"URG with a RST", "RFC 9293 3.8.5: a RST has no text that could be urgent",
                    Then::goes_on, nullptr, urg_with_reset},
    KnownDifference{
        "what goes again after a packet too big",
        "RFC 1191 6.4, RFC 8201 5.4: what was too big is sent again in smaller segments; how "
        "it is cut is the sender's choice",
        Then::ends, cut_after_too_big},
    KnownDifference{
        "SACK with a RST",
        "RFC 2018 4: \"in all ACKs which do not ACK the highest sequence number\"; the one with a "
        "RST acknowledges nothing any more",
        Then::goes_on, nullptr, sack_with_reset},
    KnownDifference{
        "a congestion window in segments",
        "RFC 5681 2: cwnd limits \"the amount of data a TCP can send\"; FlightSize is octets",
        Then::ends, window_in_segments},
    KnownDifference{
        "a congestion window opened by small segments",
        "RFC 5681 3.1 (2): \"cwnd += min (N, SMSS)\", N being the octets newly acknowledged",
        Then::ends, window_of_small_segments},
    KnownDifference{
        "what goes upon SACK blocks",
        "RFC 6675 4: a segment counts as lost if \"either DupThresh discontiguous SACKed "
        "sequences have arrived above 'SeqNum' or more than (DupThresh - 1) * SMSS bytes\" "
        "have; pipe takes the place of FlightSize in recovery only (5)",
        Then::ends, sent_upon_sack},
    KnownDifference{
        "three duplicate ACKs with little outstanding",
        "RFC 5681 3.2: \"The TCP sender SHOULD use the 'fast retransmit' algorithm\" upon \"the "
        "arrival of 3 duplicate ACKs\", however little is outstanding",
        Then::ends, three_duplicates_of_little},
    KnownDifference{
        "FINs that contradict each other",
        "RFC 9293 3.10.7.4, eighth: a FIN says where the stream ends; what came first stands "
        "(3.4, as with octets that overlap)",
        Then::ends, fins_that_contradict},
    KnownDifference{
        "FIN behind a FIN",
        "RFC 9293 3.10.7.4, eighth: \"send an acknowledgment for the FIN\", in every state",
        Then::ends, fin_behind_fin},
    KnownDifference{
        "how a small window is filled",
        "RFC 9293 3.8.6.2.1 (1) to (3): a full segment (MUST-16: Eff.snd.MSS knows no window), or "
        "\"at least a fraction Fs of the maximum window\"",
        Then::ends, small_window},
    KnownDifference{
        "the number of an ACK in a shrunk window",
        "RFC 9293 3.8.6 lets a sender be robust against shrinking: SND.NXT (3.10.7.4) may lie "
        "beyond the window then, and which number an empty segment has is told nowhere",
        Then::goes_on, nullptr, number_in_a_shrunk_window},
    KnownDifference{
        "an MSS of 0",
        "RFC 9293 3.7.1 (MUST-15) has 536 \"If an MSS Option is not received\"; one was, and "
        "asks for as little as may be",
        Then::ends, mss_of_zero},
    KnownDifference{
        "SACK beside full segments",
        "RFC 2018 4 (SHOULD) does not ask for smaller segments; an ACK of its own tells the blocks "
        "at once",
        Then::ends, sack_beside_full_segments},
    KnownDifference{
        "text across a noted FIN",
        "RFC 9293 3.10.7.4, eighth: the FIN stands where the stream ends; nothing is behind it",
        Then::ends, text_across_a_noted_fin},
};

}  // namespace

std::span<const KnownDifference> known_in_data() {
  return kClasses;
}

}  // namespace estab::oracle
