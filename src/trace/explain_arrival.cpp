// Words for what the receiver makes of a segment, and for moments without one.
#include <fmt/format.h>

#include "trace/explain.h"

namespace estab::trace {

namespace {

void say_verdict(const ArrivalFacts& facts, Words& words) {
  switch (facts.verdict.value_or(Verdict::accepted)) {
    case Verdict::out_of_window:
      words.say(fmt::format("{} finds it outside its window.", facts.receiver))
          .by("RFC 9293 §3.10.7.4, first check");
      return;
    case Verdict::paws:
      words
          .say(fmt::format("{} drops it: its timestamp is older than one already seen.",
                           facts.receiver))
          .by("RFC 7323 §5.3");
      return;
    case Verdict::missing_timestamp:
      words
          .say(fmt::format("{} drops it: it lacks the timestamp that was agreed on.",
                           facts.receiver))
          .by("RFC 7323 §3.2");
      return;
    case Verdict::reset_challenged:
      words
          .say(fmt::format("{} does not obey: the number is not exactly the expected one.",
                           facts.receiver))
          .by("RFC 5961 §3");
      return;
    case Verdict::reset_ignored:
      words.say(fmt::format("{} ignores it: outside the window.", facts.receiver))
          .by("RFC 5961 §3");
      return;
    case Verdict::no_ack_bit:
      words
          .say(fmt::format("{} drops it: every segment after the handshake carries ACK.",
                           facts.receiver))
          .by("RFC 9293 §3.10.7.4, fifth check");
      return;
    case Verdict::bad_checksum:
      words.say(fmt::format("{} drops it: the checksum is wrong.", facts.receiver))
          .by("RFC 9293 §3.1 (MUST-3)");
      return;
    case Verdict::syn_dropped:
      words.say(fmt::format("{} has no room for another opening and drops it.", facts.receiver))
          .by("RFC 4987 §3");
      return;
    default:
      return;
  }
}

void say_new_state(const ArrivalFacts& facts, Words& words) {
  switch (facts.after) {
    case State::syn_received:
      if (facts.before == State::syn_sent)
        words.say(fmt::format("{} waits no longer for a SYN-ACK, only for the ACK of its own SYN.",
                              facts.receiver));
      return;
    case State::close_wait:
      words.say(fmt::format("{}'s application learns: end of stream.", facts.receiver));
      return;
    case State::fin_wait_2:
      words.say(fmt::format("{} now waits for {}'s FIN, as long as {} has something to send.",
                            facts.receiver, facts.sender, facts.sender));
      return;
    case State::closing:
      words.say(fmt::format("{} sees {}'s FIN before its own is acknowledged.", facts.receiver,
                            facts.sender));
      return;
    case State::time_wait:
      if (facts.before == State::closing)
        words.say(fmt::format("{}'s FIN is acknowledged too.", facts.receiver))
            .say(two_msl_text(facts.receiver, facts.msl, facts.msl_remark))
            .by("RFC 9293 §3.6.1 (MUST-13)");
      return;
    case State::closed:
      if (facts.segment.flags.rst())
        words.say(fmt::format("{} forgets the connection at once.", facts.receiver))
            .by("RFC 9293 §3.5.3");
      else if (facts.before == State::last_ack)
        words.say(fmt::format("{}'s FIN is acknowledged: it is done, and needs no wait.",
                              facts.receiver));
      return;
    default:
      return;
  }
}

void say_way(const ArrivalFacts& facts, Words& words) {
  if (facts.fate == Fate::lost)
    words.say(fmt::format("Lost on the way: {} never sees it.", facts.receiver));
  if (facts.fate == Fate::under_way) words.say("Still on its way when the recording ends.");
  if (facts.fate == Fate::copied)
    words.say("It arrives once more: somebody on the way made a copy.");
  if (facts.took && facts.usual && *facts.took > *facts.usual)
    words.say(fmt::format("Late: it took {} instead of {}.", duration_text(*facts.took),
                          duration_text(*facts.usual)));
}

const char* rule_of(Error error) {
  switch (error) {
    case Error::connection_refused:
      return "RFC 9293 §3.10.7.3";
    case Error::connection_reset:
      return "RFC 9293 §3.6 (MUST-12)";
    case Error::connect_timed_out:
      return "RFC 9293 §3.8.3 (MUST-23)";
    case Error::connection_timed_out:
      return "RFC 9293 §3.8.3 (MUST-20)";
    case Error::user_timeout:
      return "RFC 9293 §3.10.8";
    default:
      return "RFC 9293 §3.9.1.8";
  }
}

}  // namespace

Words explain_arrival(const ArrivalFacts& facts) {
  Words words;
  say_way(facts, words);
  if (facts.fate == Fate::lost || facts.fate == Fate::under_way) return words;
  say_verdict(facts, words);
  if (facts.before != facts.after) say_new_state(facts, words);
  return words;
}

std::optional<Words> explain_moment(const std::string& whose, const TraceEvent& event) {
  Words words;
  if (const auto* failed = std::get_if<ConnectionFailed>(&event)) {
    words.say(fmt::format("{}'s application is told: {}.", whose, message(failed->error)))
        .by(rule_of(failed->error));
    return words;
  }
  if (const auto* change = std::get_if<StateChanged>(&event)) {
    if (change->from == State::time_wait && change->to == State::closed)
      words
          .say(fmt::format("2 MSL have passed and nothing came: {} forgets the connection.", whose))
          .by("RFC 9293 §3.10.8");
    else if (change->to == State::fin_wait_1 || change->to == State::last_ack)
      words
          .say(fmt::format("{}'s application closes; the FIN follows what is still to be sent.",
                           whose))
          .by("RFC 9293 §3.10.4");
    else
      words.say(fmt::format("{}: {} becomes {}.", whose, name(change->from), name(change->to)));
    return words;
  }
  return std::nullopt;
}

}  // namespace estab::trace
