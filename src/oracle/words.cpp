// Sequences and answers in words.

#include <cstring>

#include "estab/notation.h"

#include "oracle/answer.h"
#include "oracle/sequence.h"

namespace estab::oracle {

std::string_view name(CallStep::Call call) {
  static constexpr std::string_view kNames[] = {
      "listen", "accept",         "connect",       "write",          "write_urgent",  "read",
      "peek",   "read_urgent",    "shutdown_read", "shutdown_write", "shutdown_both", "close",
      "abort",  "close_listener", "no_delay",      "poll",           "socket_error",  "unread"};
  return kNames[static_cast<std::size_t>(call)];
}

std::string_view name(IcmpStep::Kind kind) {
  static constexpr std::string_view kNames[] = {
      "net_unreachable", "host_unreachable", "port_unreachable",  "proto_unreachable", "prohibited",
      "too_big",         "time_exceeded",    "parameter_problem", "source_quench"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string to_string(const Place& place, std::string_view current) {
  std::string base = place.base == Place::Base::origin ? "0"
                     : place.base == Place::Base::edge ? "EDGE"
                                                       : std::string(current);
  if (place.delta == 0) return base;
  std::string delta = std::to_string(place.delta);
  if (place.base == Place::Base::origin) return delta;
  return place.delta > 0 ? base + "+" + delta : base + delta;
}

namespace {

std::string options_of(const SegmentStep& step) {
  std::string text;
  const auto put = [&](const std::string& option) { text += (text.empty() ? "" : ",") + option; };
  if (step.mss) put("mss " + std::to_string(*step.mss));
  if (step.sack_permitted) put("sackOK");
  if (step.timestamps) {
    static constexpr std::string_view kEchoes[] = {"latest", "0", "future"};
    put("TS val " + std::to_string(step.timestamps->value) + " ecr " +
        std::string(kEchoes[static_cast<std::size_t>(step.timestamps->echo)]));
  }
  if (step.window_scale) put("wscale " + std::to_string(*step.window_scale));
  if (!step.sack.empty()) put("sack");
  for (const SackStep& block : step.sack)
    text += " " + to_string(block.left, "SENT") + ":" + to_string(block.right, "SENT");
  if (!step.raw_options.empty()) put("raw");
  for (const std::uint8_t octet : step.raw_options) text += " " + std::to_string(octet);
  return text.empty() ? "" : " <" + text + ">";
}

std::string text_of(const SegmentStep& step) {
  std::string text = "< " + estab::to_string(step.flags) + " " + to_string(step.seq, "NEXT") + "(" +
                     std::to_string(step.payload) + ")";
  if (step.flags.ack()) text += " ack " + to_string(step.ack, "SENT");
  text += " win " + std::to_string(step.window);
  if (step.urgent_pointer != 0) text += " urg " + std::to_string(step.urgent_pointer);
  text += options_of(step);
  if (step.ecn != 0) text += " [ecn " + std::to_string(step.ecn) + "]";
  if (step.reserved != 0) text += " [reserved " + std::to_string(step.reserved) + "]";
  if (step.wrong_checksum) text += " [wrong checksum]";
  return text;
}

std::string text_of(const IcmpStep& step) {
  std::string text = "< icmp " + std::string(name(step.kind));
  if (step.mtu != 0) text += " mtu " + std::to_string(step.mtu);
  return text + " about " + to_string(step.seq, "SENT");
}

std::string text_of(const CallStep& step) {
  std::string text(name(step.call));
  if (step.amount != 0) text += "(" + std::to_string(step.amount) + ")";
  return text;
}

std::string text_of(const WaitStep& step) {
  return "wait " + std::to_string(std::chrono::duration<double>(step.span).count()) + " s";
}

}  // namespace

std::string to_string(const Step& step) {
  return std::visit([](const auto& s) { return text_of(s); }, step);
}

std::string to_string(const SentSegment& sent) {
  std::string text = estab::to_string(sent.flags) + " " + std::to_string(sent.seq) + "(" +
                     std::to_string(sent.payload) + ")";
  if (sent.flags.ack()) text += " ack " + std::to_string(sent.ack);
  if (sent.window == Window::shut && !sent.flags.rst()) text += " win 0";
  if (sent.window == Window::moved_back) text += " win moved back";
  if (sent.flags.urg()) text += " urg " + std::to_string(sent.urgent_pointer);
  if (sent.mss) text += " mss " + std::to_string(*sent.mss);
  if (sent.sack_permitted) text += " sackOK";
  if (sent.timestamp_echo) text += " TS ecr " + std::to_string(*sent.timestamp_echo);
  if (sent.window_scale) text += " wscale";
  for (const auto& block : sent.sack)
    text += " sack " + std::to_string(block[0]) + ":" + std::to_string(block[1]);
  if (!sent.option_order.empty()) text += " {" + sent.option_order + "}";
  if (sent.ecn != 0) text += " [ecn " + std::to_string(sent.ecn) + "]";
  if (!sent.reserved_clear) text += " [reserved bits]";
  if (!sent.payload_right) text += " [wrong octets]";
  return text;
}

std::string to_string(const Answer& answer) {
  std::string text;
  if (answer.call) {
    text += answer.call->value == -2 ? "no stream" : "= " + std::to_string(answer.call->value);
    if (answer.call->error != 0) text += std::string(" ") + ::strerrorname_np(answer.call->error);
    if (answer.call->digest != 0) text += " #" + std::to_string(answer.call->digest % 10000);
    text += "; ";
  }
  for (const SentSegment& sent : answer.sent) text += "> " + to_string(sent) + "; ";
  for (const std::string& other : answer.other) text += "> " + other + "; ";
  return text + std::string(estab::name(answer.state));
}

}  // namespace estab::oracle
