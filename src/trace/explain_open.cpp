// Words for the segments that open a connection, end it, and break it off.
#include <fmt/format.h>

#include "trace/explain_parts.h"

namespace estab::trace {

namespace {

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  return text;
}

std::string scale_text(std::uint8_t scale) {
  return fmt::format("window scale {} (windows in units of {})", scale, 1u << (scale & 15));
}

std::vector<std::string> offers(const TcpOptions& options) {
  std::vector<std::string> items;
  if (options.mss) items.push_back(fmt::format("MSS {}", *options.mss));
  if (options.window_scale) items.push_back(scale_text(*options.window_scale));
  if (options.sack_permitted) items.push_back("SACK");
  if (options.timestamps) items.push_back("timestamps");
  if (options.fast_open)
    items.push_back(options.fast_open->cookie.empty() ? "Fast Open (asks for a cookie)"
                                                      : "Fast Open (with a cookie)");
  return items;
}

// AE, CWR and ECE (RFC 9768 §3.1, table 2).
TcpFlags ecn_flags(const SegmentFacts& facts) {
  const TcpFlags flags = facts.segment.flags;
  return flags.without(kFin | kSyn | kRst | kPsh | kAck | kUrg);
}

void say_ecn_of_syn(const SegmentFacts& facts, Words& words) {
  if (ecn_flags(facts) == (kAe | kCwr | kEce))
    words.say("It asks for AccECN: to hear how much of what it sends meets congestion.")
        .by("RFC 9768 §3.1.1");
  else if (ecn_flags(facts) == (kCwr | kEce))
    words.say("It asks for ECN: to hear of congestion without a loss.").by("RFC 3168 §6.1.1");
}

void say_ecn_of_syn_ack(const SegmentFacts& facts, Words& words) {
  static constexpr std::pair<TcpFlags, const char*> kReflected[] = {
      {kCwr, "not ECT"}, {kCwr | kEce, "ECT(1)"}, {kAe, "ECT(0)"}, {kAe | kCwr, "CE"}};
  const TcpFlags said = ecn_flags(facts);
  if (said == kEce) words.say("It agrees to ECN.").by("RFC 3168 §6.1.1");
  for (const auto& [flags, mark] : kReflected)
    if (said == flags)
      words.say(fmt::format("It agrees to AccECN, and tells that the SYN came as {}.", mark))
          .by("RFC 9768 §3.1.2 table 2");
}

// What both have said, and so holds from now on (RFC 7323 §1.3, RFC 2018 §2).
std::vector<std::string> agreed(const TcpOptions& a, const TcpOptions& b) {
  std::vector<std::string> items;
  if (a.window_scale && b.window_scale) items.push_back("window scaling");
  if (a.sack_permitted && b.sack_permitted) items.push_back("SACK");
  if (a.timestamps && b.timestamps) items.push_back("timestamps");
  return items;
}

std::string isn_text(const SegmentFacts& facts) {
  return fmt::format("{}'s first octet will be number 1 (ISN {} is counted 0).", facts.sender,
                     facts.isn.value());
}

void say_syn_ack(const SegmentFacts& facts, Words& words) {
  const TcpOptions& own = facts.segment.options;
  if (facts.after_own_syn)
    words
        .say(fmt::format("SYN-ACK: {} has sent a SYN itself and now sees {}'s: both open at once. "
                         "It sends its SYN again, and with it the ACK of {}'s.",
                         facts.sender, facts.receiver, facts.receiver))
        .by("RFC 9293 §3.5 figure 7 (MUST-10)");
  else
    words
        .say(
            fmt::format("SYN-ACK: {} has {}'s SYN, expects its number {} next, and opens the other "
                        "direction. {}",
                        facts.sender, facts.receiver, facts.ack, isn_text(facts)))
        .by("RFC 9293 §3.5");
  const auto both =
      facts.peer_offered ? agreed(own, *facts.peer_offered) : std::vector<std::string>{};
  if (own.mss) words.say(fmt::format("It takes segments of up to {} octets (MSS).", *own.mss));
  if (!both.empty()) words.say(fmt::format("Agreed: {}.", joined(both)));
  say_ecn_of_syn_ack(facts, words);
}

}  // namespace

void say_syn(const SegmentFacts& facts, Words& words) {
  if (facts.segment.flags.ack()) return say_syn_ack(facts, words);
  words.say(fmt::format("SYN: {} opens. {}", facts.sender, isn_text(facts))).by("RFC 9293 §3.5");
  const auto items = offers(facts.segment.options);
  if (!items.empty()) words.say(fmt::format("It offers {}.", joined(items)));
  say_ecn_of_syn(facts, words);
}

void say_fin(const SegmentFacts& facts, Words& words) {
  const std::string number = fmt::format("FIN: it takes one number ({}).", facts.fin_number());
  const bool second = facts.sender_after == State::last_ack;
  if (second && facts.acknowledged.fin)
    words.say(
        fmt::format("FIN and ACK in one: {} acknowledges {}'s FIN and has no more to send "
                    "either, so that three segments close what else takes four. {}",
                    facts.sender, facts.receiver, number));
  else if (second)
    words.say(fmt::format("{} Now {} has no more to send either: both directions end.", number,
                          facts.sender));
  else
    words.say(fmt::format("{} {} has no more to send; {} may still send.", number, facts.sender,
                          facts.receiver));
  words.by("RFC 9293 §3.6");
  if (!second && facts.acknowledged.octets > 0)
    words.say(
        fmt::format("It also acknowledges {}'s octets up to {}.", facts.receiver, facts.ack - 1));
}

namespace {

std::string why_no_connection(const SegmentFacts& facts) {
  const bool to_syn = facts.answers && facts.answers->flags.syn() && !facts.answers->flags.ack();
  if (to_syn)
    return fmt::format(
        "RST: nobody listens on {}'s port {}, so the SYN is refused. The ACK in it "
        "shows that it answers this SYN.",
        facts.sender, facts.segment.source_port);
  return fmt::format("RST: {} knows no connection to which that segment belongs, and says so.",
                     facts.sender);
}

}  // namespace

void say_reset(const SegmentFacts& facts, Words& words) {
  const bool to_syn = facts.answers && facts.answers->flags.syn() && !facts.answers->flags.ack();
  const SendReason apparent = to_syn ? SendReason::reset_no_connection : SendReason::reset_abort;
  switch (facts.reason.value_or(apparent)) {
    case SendReason::reset_no_connection:
      words.say(why_no_connection(facts)).by("RFC 9293 §3.5.2 group 1");
      return;
    case SendReason::reset_bad_ack:
      words
          .say(fmt::format("RST: {} was sent an acknowledgement of something it never sent while "
                           "opening: this belongs to some other connection, now gone.",
                           facts.sender))
          .by("RFC 9293 §3.5.2 group 2");
      return;
    case SendReason::reset_unread_data:
      words
          .say(fmt::format("RST: octets came that {}'s application will not read (it has closed), "
                           "so {} must learn that they were lost.",
                           facts.sender, facts.receiver))
          .by("RFC 9293 §3.6.1 (SHLD-3)");
      return;
    case SendReason::reset_timeout:
      words.say(fmt::format("RST: {} heard nothing for too long and gives up.", facts.sender))
          .by("RFC 9293 §3.8.3");
      return;
    default:
      break;
  }
  words
      .say(facts.reason ? fmt::format("RST: {}'s application aborts. What is queued is lost; {} "
                                      "forgets the connection at once, without TIME-WAIT.",
                                      facts.sender, facts.sender)
                        : fmt::format("RST: {} breaks the connection off.", facts.sender))
      .by("RFC 9293 §3.10.5");
}

}  // namespace estab::trace
