#include "trace/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "trace/explain_parts.h"

namespace estab::trace {

Words& Words::say(const std::string& sentence) {
  if (sentence.empty()) return *this;
  if (!text_.empty()) text_ += ' ';
  text_ += sentence;
  return *this;
}

Words& Words::by(const std::string& rule) {
  if (std::ranges::find(rules_, rule) == rules_.end()) rules_.push_back(rule);
  return *this;
}

// A document named before is not named again: "RFC 9293 §3.6, §3.6.1".
std::string Words::rules() const {
  std::string all, document;
  for (const std::string& rule : rules_) {
    const std::string own = rule.substr(0, rule.find(" §") + 1);
    const bool known = own == document;
    all += (all.empty() ? "" : ", ") + (known ? rule.substr(own.size()) : rule);
    document = own;
  }
  return all;
}

std::string duration_text(Duration duration) {
  const auto ns = static_cast<double>(duration.count());
  const auto [value, unit] = ns >= 1e9   ? std::pair(ns / 1e9, "s")
                             : ns >= 1e6 ? std::pair(ns / 1e6, "ms")
                             : ns >= 1e3 ? std::pair(ns / 1e3, "us")
                                         : std::pair(ns, "ns");
  std::string text = fmt::format("{:.3f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + ' ' + unit;
}

std::string octets_text(std::uint64_t count) {
  return fmt::format("{} octet{}", count, count == 1 ? "" : "s");
}

std::string two_msl_text(const std::string& whose, const std::optional<Duration>& msl,
                         const std::string& remark) {
  std::string how_long;
  if (msl)
    how_long =
        fmt::format(" (2 x {}{}{})", duration_text(*msl), remark.empty() ? "" : ", ", remark);
  return fmt::format(
      "TIME-WAIT: {} waits 2 MSL{}: one MSL so that this last ACK can arrive, one more so that a "
      "repeated FIN could come back.",
      whose, how_long);
}

namespace {

// What the segment itself shows, for a sender that was not observed.
SendReason apparent_reason(const SegmentFacts& facts) {
  const TcpFlags flags = facts.segment.flags;
  if (flags.syn()) return flags.ack() ? SendReason::open_reply : SendReason::open;
  if (facts.sender_before == State::syn_sent || facts.acknowledged.syn)
    return SendReason::open_complete;
  if (facts.payload() > 0) return SendReason::data;
  if (flags.fin()) return SendReason::fin;
  const bool opened = facts.window && facts.window_before && *facts.window > *facts.window_before;
  if (facts.ack > 0 && facts.acknowledged.octets == 0 && !facts.acknowledged.fin && opened)
    return SendReason::window_update;
  return SendReason::ack_immediate;
}

// What every segment may carry besides what it was sent for.
void say_extras(const SegmentFacts& facts, Words& words) {
  const TcpFlags flags = facts.segment.flags;
  if (flags.urg() && facts.segment.urgent_pointer > 0)
    words
        .say(fmt::format("URG: urgent data ends with number {}; the pointer names the octet after "
                         "it.",
                         facts.seq + facts.segment.urgent_pointer - 1))
        .by("RFC 9293 §3.8.5 (MUST-62)");
  const std::uint32_t raw = facts.segment.seq.value();
  if (facts.segment.length() > 0 && raw + (facts.segment.length() - 1) < raw)
    words
        .say(
            "On the wire the numbers pass 4294967295 within this segment and go on at 0; "
            "arithmetic modulo 2^32 does not notice.")
        .by("RFC 9293 §3.4");
}

}  // namespace

Words explain_departure(const SegmentFacts& facts) {
  Words words;
  if (facts.segment.flags.rst()) {
    say_reset(facts, words);
    return words;
  }
  const SendReason reason = facts.reason.value_or(apparent_reason(facts));
  const bool unexplained_repeat = !facts.reason && facts.transmission > 1 && !facts.after_own_syn;
  if (unexplained_repeat || is_retransmission(reason))
    say_again(facts, reason, words);
  else if (facts.segment.flags.syn())
    say_syn(facts, words);
  else if (reason == SendReason::zero_window_probe || reason == SendReason::keep_alive)
    say_probe(facts, reason, words);
  else if (facts.payload() > 0)
    say_data(facts, words);
  else if (facts.segment.flags.fin())
    say_fin(facts, words);
  else
    say_ack(facts, reason, words);
  say_extras(facts, words);
  return words;
}

}  // namespace estab::trace
