// Words for data, acknowledgements, retransmissions and probes.
#include <algorithm>

#include <fmt/format.h>

#include "trace/explain_parts.h"

namespace estab::trace {

namespace {

// Short text is shown, so that one recognises what was sent.
std::string preview(Octets payload) {
  constexpr std::size_t kMost = 40;
  const auto line_end = std::ranges::find(payload, std::uint8_t{'\n'});
  auto line = static_cast<std::size_t>(line_end - payload.begin());
  if (line > 0 && line < payload.size() && payload[line - 1] == '\r') --line;
  if (line == 0 || line > kMost) return "";
  const auto printable = [](std::uint8_t octet) { return octet >= 0x20 && octet < 0x7f; };
  if (!std::ranges::all_of(payload.first(line), printable)) return "";
  const bool whole = line + 2 >= payload.size();
  return fmt::format(" (\"{}\"{})", as_text(payload.first(line)), whole ? "" : "...");
}

std::string range_text(std::uint32_t first, std::uint32_t count) {
  if (count == 1) return fmt::format("{}", first);
  return fmt::format("{} to {}", first, first + count - 1);
}

void say_piggyback(const SegmentFacts& facts, Words& words) {
  if (facts.acknowledged.fin)
    words.say(fmt::format("It also acknowledges {}'s FIN.", facts.receiver));
  else if (facts.acknowledged.octets > 0)
    words.say(
        fmt::format("It also acknowledges {}'s octets up to {}.", facts.receiver, facts.ack - 1));
}

std::string sack_text(const SegmentFacts& facts) {
  std::string text;
  for (const SackBlock& block : facts.segment.options.sack)
    text += fmt::format("{}{} to {}", text.empty() ? "" : ", ",
                        block.left.value() - facts.peer_isn.value(),
                        block.right.value() - facts.peer_isn.value() - 1);
  return text;
}

void say_sack(const SegmentFacts& facts, Words& words) {
  if (facts.segment.options.sack.empty()) return;
  words.say(fmt::format("SACK: it does have {}.", sack_text(facts))).by("RFC 2018 §4");
}

std::string have_text(const SegmentFacts& facts) {
  if (facts.ack <= 1) return fmt::format("{} expects number {} next.", facts.sender, facts.ack);
  return fmt::format("{} has all of {}'s octets up to {}.", facts.sender, facts.receiver,
                     facts.ack - 1);
}

}  // namespace

std::string numbers_text(const SegmentFacts& facts) {
  std::string text;
  if (facts.segment.flags.syn()) text = "the SYN";
  if (facts.payload() > 0)
    text += fmt::format("{}octet{} {}", text.empty() ? "" : ", ", facts.payload() == 1 ? "" : "s",
                        range_text(facts.seq, facts.payload()));
  if (facts.segment.flags.fin())
    text += fmt::format("{}the FIN ({})", text.empty() ? "" : " and ", facts.fin_number());
  return text;
}

void say_data(const SegmentFacts& facts, Words& words) {
  if (facts.acknowledged.syn && facts.sender_before != State::syn_received)
    words.say(fmt::format("The ACK of {}'s SYN comes with data:", facts.receiver));
  words.say(fmt::format("{} sends {}{}, number{} {}.", facts.sender, octets_text(facts.payload()),
                        preview(facts.segment.payload), facts.payload() == 1 ? "" : "s",
                        range_text(facts.seq, facts.payload())));
  if (facts.segment.flags.psh())
    words
        .say(fmt::format("PSH: {} should hand over what it has instead of waiting for more.",
                         facts.receiver))
        .by("RFC 9293 §3.9.1.2");
  else
    words.by("RFC 9293 §3.4");
  if (facts.segment.flags.fin())
    words
        .say(fmt::format("FIN: with these the stream ends; it takes the number after them ({}).",
                         facts.fin_number()))
        .by("RFC 9293 §3.6");
  say_piggyback(facts, words);
}

namespace {

void say_ack_of_fin(const SegmentFacts& facts, Words& words) {
  const std::uint32_t number = facts.ack - 1;
  if (facts.sender_after == State::time_wait) {
    words.say(fmt::format("ACK of {}'s FIN ({}): the last segment.", facts.receiver, number))
        .say(two_msl_text(facts.sender, facts.msl, facts.msl_remark))
        .by("RFC 9293 §3.6.1 (MUST-13)");
    return;
  }
  if (facts.sender_after == State::closing) {
    words
        .say(fmt::format("ACK of {}'s FIN ({}). {}'s own FIN is still on its way: both close at "
                         "once.",
                         facts.receiver, number, facts.sender))
        .by("RFC 9293 §3.6 figure 13");
    return;
  }
  words
      .say(fmt::format("ACK of {}'s FIN ({}): that direction has ended. {} may go on sending: the "
                       "connection is half-closed.",
                       facts.receiver, number, facts.sender))
      .by("RFC 9293 §3.6.1");
}

void say_duplicate(const SegmentFacts& facts, Words& words) {
  if (facts.duplicate == 0) {
    words
        .say(fmt::format("ACK at once: {} Something later has come already; number {} is missing.",
                         have_text(facts), facts.ack))
        .by("RFC 5681 §3.2");
    return say_sack(facts, words);
  }
  const char* ordinal = facts.duplicate == 1   ? "Duplicate ACK"
                        : facts.duplicate == 2 ? "Second duplicate ACK"
                        : facts.duplicate == 3 ? "Third duplicate ACK"
                                               : "Another duplicate ACK";
  words
      .say(fmt::format("{}: something later has come, so {} says again that it expects number {}.",
                       ordinal, facts.sender, facts.ack))
      .by("RFC 5681 §3.2");
  say_sack(facts, words);
  if (facts.duplicate == 3)
    words.say(fmt::format("Three in a row: {} may take that number as lost.", facts.receiver));
}

void say_window(const SegmentFacts& facts, Words& words) {
  const std::string room = facts.window ? octets_text(*facts.window)
                                        : fmt::format("window field {}", facts.segment.window);
  words
      .say(fmt::format("Window update: {}'s application has read, there is room for {} again.",
                       facts.sender, room))
      .by("RFC 9293 §3.8.6.2.2");
}

void say_challenge(const SegmentFacts& facts, Words& words) {
  const bool syn = facts.answers && facts.answers->flags.syn();
  const bool rst = facts.answers && facts.answers->flags.rst();
  const char* what = syn   ? "a SYN on an open connection"
                     : rst ? "a RST whose number is in the window but not the expected one"
                           : "an acknowledgement that makes no sense";
  words
      .say(fmt::format("Challenge ACK: {} got {}. If {} really means it, this ACK makes it answer "
                       "with an exact RST; a forger never sees it.",
                       facts.sender, what, facts.receiver))
      .by(syn   ? "RFC 5961 §4"
          : rst ? "RFC 5961 §3"
                : "RFC 5961 §5");
}

void say_plain_ack(const SegmentFacts& facts, SendReason reason, Words& words) {
  if (reason == SendReason::ack_delayed)
    words
        .say(
            "ACK, delayed: nothing of its own came up to carry it before the delayed-ACK timer "
            "ran out.")
        .say(have_text(facts))
        .by("RFC 9293 §3.8.6.3 (SHLD-18)");
  else if (reason == SendReason::ack_gap_filled)
    words.say("ACK at once: the gap is filled.").say(have_text(facts)).by("RFC 5681 §4.2");
  else
    words.say("ACK: " + have_text(facts)).by("RFC 9293 §3.8.6.3");
  say_sack(facts, words);
  if (facts.window == 0u && facts.window_before != 0u)
    words.say(fmt::format("Its window is shut: the buffer is full, {} must stop.", facts.receiver))
        .by("RFC 9293 §3.8.6");
}

void say_answer_to_probe(const SegmentFacts& facts, Words& words) {
  words
      .say(fmt::format("ACK in answer to the probe: {} expects number {}, and its window is {}.",
                       facts.sender, facts.ack,
                       facts.window == 0u
                           ? "still shut"
                           : octets_text(facts.window.value_or(facts.segment.window))))
      .by("RFC 9293 §3.8.6.1");
}

}  // namespace

void say_ack(const SegmentFacts& facts, SendReason reason, Words& words) {
  if (facts.refuses_probe) return say_answer_to_probe(facts, words);
  switch (reason) {
    case SendReason::challenge_ack:
      return say_challenge(facts, words);
    case SendReason::time_wait_ack:
      words
          .say(fmt::format("ACK once more: {}'s FIN came again, so the ACK of it was lost. {} "
                           "answers from TIME-WAIT, and the wait of 2 MSL begins anew.",
                           facts.receiver, facts.sender))
          .by("RFC 9293 §3.10.7.4");
      return;
    case SendReason::ack_unacceptable:
      words
          .say(fmt::format("ACK in answer to a segment outside {}'s window: it expects number {}.",
                           facts.sender, facts.ack))
          .by("RFC 9293 §3.10.7.4, first check");
      return;
    case SendReason::ack_mark:
      words
          .say(fmt::format("ACK at once: what came had met congestion, and {} is to know it soon.",
                           facts.receiver))
          .by("RFC 9768 §3.2.2.5.1");
      return say_sack(facts, words);
    case SendReason::window_update:
      if (facts.acknowledged.octets == 0 && !facts.acknowledged.fin)
        return say_window(facts, words);
      break;
    case SendReason::open_complete:
      words
          .say(fmt::format("ACK of {}'s SYN: both directions have now been seen to work.",
                           facts.receiver))
          .by("RFC 9293 §3.5");
      return;
    default:
      break;
  }
  if (facts.acknowledged.fin) return say_ack_of_fin(facts, words);
  if (reason == SendReason::ack_duplicate || (facts.duplicate > 0 && !facts.reason))
    return say_duplicate(facts, words);
  say_plain_ack(facts, reason, words);
}

bool is_retransmission(SendReason reason) {
  return reason == SendReason::retransmit_timeout || reason == SendReason::retransmit_fast ||
         reason == SendReason::retransmit_partial || reason == SendReason::retransmit_tail ||
         reason == SendReason::retransmit_smaller;
}

void say_again(const SegmentFacts& facts, SendReason reason, Words& words) {
  const std::string what = numbers_text(facts);
  const std::string waited =
      facts.since_last ? " in " + duration_text(*facts.since_last) : std::string();
  if (reason == SendReason::retransmit_fast)
    words
        .say(fmt::format("Fast retransmit of {}: three duplicate ACKs say it was lost; {} does not "
                         "wait for the timeout.",
                         what, facts.sender))
        .by("RFC 5681 §3.2");
  else if (reason == SendReason::retransmit_tail)
    words
        .say(
            fmt::format("Tail loss probe: nothing was heard of {} for two round trips; {} sends it "
                        "again, which brings an answer sooner than the timeout.",
                        what, facts.sender))
        .by("RFC 8985 §7");
  else if (reason == SendReason::retransmit_smaller)
    words
        .say(fmt::format("{} was too big for the path; {} sends it again in smaller segments.",
                         what, facts.sender))
        .by("RFC 1191 §6.4");
  else if (reason == SendReason::retransmit_partial)
    words
        .say(fmt::format("{} sends {} again: the last ACK covered only a part, so the next hole "
                         "begins here.",
                         facts.sender, what))
        .by("RFC 6582 §3.2");
  else if (facts.reason)
    words
        .say(fmt::format("Timeout: no ACK{}, so {} sends {} again and doubles the timeout.", waited,
                         facts.sender, what))
        .by("RFC 6298 §5");
  else
    words.say(fmt::format("{} sends {} again: no ACK has come{}.", facts.sender, what, waited))
        .by("RFC 9293 §3.8.1");
  say_piggyback(facts, words);
}

void say_probe(const SegmentFacts& facts, SendReason reason, Words& words) {
  if (reason == SendReason::keep_alive) {
    words
        .say(fmt::format("Keep-alive: nothing has come for long. An old number makes {}, if it is "
                         "still there, say what it expects.",
                         facts.receiver))
        .by("RFC 9293 §3.8.4");
    return;
  }
  const std::string carried =
      facts.segment.length() == 0
          ? std::string("an empty segment")
          : (facts.payload() == 1 ? "one octet" : octets_text(facts.payload()));
  words
      .say(fmt::format("Window probe: {}'s window is shut. {} sends {} to learn whether it has "
                       "opened.",
                       facts.receiver, facts.sender, carried))
      .by("RFC 9293 §3.8.6.1 (MUST-36)");
  if (facts.since_last)
    words
        .say(fmt::format("{} after the one before; the wait doubles each time.",
                         duration_text(*facts.since_last)))
        .by("RFC 9293 §3.8.6.1 (SHLD-30)");
}

}  // namespace estab::trace
