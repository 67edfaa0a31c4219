#include "drill/match.h"

#include <fmt/format.h>

#include "drill/flow.h"
#include "drill/option_kinds.h"
#include "drill/packet.h"

namespace estab::drill {
namespace {

using Difference = std::optional<std::string>;

template <class Number>
Difference compare(const char* what, Number expected, Number sent) {
  if (expected == sent) return std::nullopt;
  return fmt::format("{} {} instead of {}", what, sent, expected);
}

bool fits(EcnMark expected, EcnMark sent) {
  if (expected == EcnMark::ect) return sent == EcnMark::ect0 || sent == EcnMark::ect1;
  return expected == sent;
}

Difference compare_marks(const IpMarks& expected, const IpMarks& sent) {
  static constexpr const char* kNames[] = {"noecn", "ect0", "ect1", "ect01", "ce"};
  if (expected.ecn && !fits(*expected.ecn, *sent.ecn))
    return fmt::format("the mark {} instead of {}", kNames[static_cast<int>(*sent.ecn)],
                       kNames[static_cast<int>(*expected.ecn)]);
  if (expected.tos && !expected.ecn)
    if (const auto found = compare("tos", int{*expected.tos}, int{*sent.tos})) return found;
  if (expected.tos && expected.ecn)
    if (const auto found = compare("tos", *expected.tos & ~3, *sent.tos & ~3)) return found;
  if (expected.ttl)
    if (const auto found = compare("ttl", int{*expected.ttl}, int{*sent.ttl})) return found;
  if (expected.flow_label)
    return compare("flow label", *expected.flow_label, sent.flow_label.value_or(0));
  return std::nullopt;
}

Difference compare_options(const TcpSpec& expected, const TcpSpec& sent) {
  if (expected.any_options || expected.options == sent.options) return std::nullopt;
  return fmt::format("the options {} instead of {}", to_string(sent.options),
                     to_string(expected.options));
}

Difference compare_tcp(const TcpSpec& expected, const TcpSpec& sent) {
  if (expected.flags != sent.flags)
    return fmt::format("the flags {} instead of {}", flags_text(sent.flags),
                       flags_text(expected.flags));
  if (const auto found = compare("the sequence number", expected.seq, sent.seq)) return found;
  if (const auto found = compare("a payload of", expected.length, sent.length)) return found;
  if (expected.ack && sent.ack)
    if (const auto found = compare("ack", *expected.ack, *sent.ack)) return found;
  if (expected.window)
    if (const auto found = compare("win", *expected.window, sent.window.value_or(0))) return found;
  if (const auto found = compare("urg", expected.urgent.value_or(0), sent.urgent.value_or(0)))
    return found;
  return compare_options(expected, sent);
}

Difference compare_icmp(const IcmpSpec& expected, const IcmpSpec& sent) {
  if (const auto found = compare("ICMP type", int{expected.type}, int{sent.type})) return found;
  if (const auto found = compare("ICMP code", int{expected.code}, int{sent.code})) return found;
  if (expected.rest != 0) return compare("MTU", expected.rest, sent.rest);
  return std::nullopt;
}

/// The options that may differ between the segments of one burst without being worth a word.
bool same_header(const TcpSpec& a, const TcpSpec& b) {
  return a.ack == b.ack && a.window == b.window && a.urgent == b.urgent && a.options == b.options;
}

}  // namespace

std::optional<std::string> difference(const PacketSpec& expected, const PacketSpec& sent) {
  if (expected.transport.index() != sent.transport.index()) return "a packet of another protocol";
  if (const auto found = compare_marks(expected.marks, sent.marks)) return found;
  if (const auto* tcp = std::get_if<TcpSpec>(&expected.transport))
    return compare_tcp(*tcp, std::get<TcpSpec>(sent.transport));
  if (const auto* udp = std::get_if<UdpSpec>(&expected.transport))
    return compare("a payload of", udp->length, std::get<UdpSpec>(sent.transport).length);
  return compare_icmp(std::get<IcmpSpec>(expected.transport), std::get<IcmpSpec>(sent.transport));
}

bool continues(const PacketSpec& sent, const PacketSpec& next) {
  const auto* first = std::get_if<TcpSpec>(&sent.transport);
  const auto* second = std::get_if<TcpSpec>(&next.transport);
  constexpr std::uint16_t kAtTheEnd = TcpFlags::kPsh | TcpFlags::kFin;
  return first != nullptr && second != nullptr && first->length > 0 && second->length > 0 &&
         second->seq == first->seq + first->length &&
         (first->flags & ~kAtTheEnd) == (second->flags & ~kAtTheEnd) &&
         (first->flags & TcpFlags::kFin) == 0 && sent.marks.ecn == next.marks.ecn &&
         same_header(*first, *second);
}

void join(PacketSpec& sent, const PacketSpec& next) {
  auto& first = std::get<TcpSpec>(sent.transport);
  const auto& second = std::get<TcpSpec>(next.transport);
  first.length += second.length;
  first.flags = second.flags;
}

}  // namespace estab::drill
