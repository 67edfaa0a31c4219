// Packets as a script writes them: what a failure shows as expected and as actual.
#include <fmt/format.h>

#include "base/byte_order.h"
#include "drill/icmp_names.h"
#include "drill/option_kinds.h"
#include "drill/packet.h"

namespace estab::drill {
namespace {

std::string hexadecimal(const std::vector<std::uint8_t>& octets) {
  std::string text;
  for (const std::uint8_t octet : octets) text += fmt::format("{:02x}", octet);
  return text;
}

std::uint32_t word(const TcpOption& option, std::size_t index) {
  return base::load_be32(option.body.data() + index * 4);
}

std::string sack_text(const TcpOption& option) {
  std::string text = "sack";
  for (std::size_t i = 0; i + 1 < option.body.size() / 4; i += 2)
    text += fmt::format(" {}:{}", word(option, i), word(option, i + 1));
  return text;
}

std::string unnamed(const TcpOption& option) {
  std::string text = fmt::format("kind {}", option.kind);
  if (option.length && *option.length != option.body.size() + 2)
    text += fmt::format(" len {}", *option.length);
  return option.body.empty() ? text : text + " 0x" + hexadecimal(option.body);
}

std::string option_text(const TcpOption& option) {
  const std::size_t size = option.body.size();
  switch (option.kind) {
    case option_kind::kEnd:
      return "eol";
    case option_kind::kNop:
      return "nop";
    case option_kind::kMss:
      if (size == 2) return fmt::format("mss {}", base::load_be16(option.body.data()));
      break;
    case option_kind::kWindowScale:
      if (size == 1) return fmt::format("wscale {}", option.body[0]);
      break;
    case option_kind::kSackPermitted:
      if (size == 0) return "sackOK";
      break;
    case option_kind::kSack:
      if (size % 8 == 0) return sack_text(option);
      break;
    case option_kind::kTimestamps:
      if (size == 8) return fmt::format("TS val {} ecr {}", word(option, 0), word(option, 1));
      break;
    case option_kind::kFastOpen:
      return size == 0 ? "FO" : "FO " + hexadecimal(option.body);
    default:
      break;
  }
  return unnamed(option);
}

std::string tcp_text(const TcpSpec& tcp) {
  std::string text =
      fmt::format("{} {}:{}({})", flags_text(tcp.flags), tcp.seq, tcp.seq + tcp.length, tcp.length);
  if (tcp.ack) text += fmt::format(" ack {}", *tcp.ack);
  if (tcp.window) text += fmt::format(" win {}", *tcp.window);
  if (tcp.urgent) text += fmt::format(" urg {}", *tcp.urgent);
  if (tcp.any_options) return text + " <...>";
  if (!tcp.options.empty()) text += " " + to_string(tcp.options);
  return text;
}

std::string icmp_text(const IcmpSpec& icmp) {
  std::string text = icmp.type_name.empty()
                         ? fmt::format("icmp type {} code {}", icmp.type, icmp.code)
                         : "icmp " + icmp.type_name;
  if (!icmp.code_name.empty()) text += " " + icmp.code_name;
  if (icmp.rest != 0) text += fmt::format(" mtu {}", icmp.rest);
  return text;
}

std::string marks_text(const IpMarks& marks) {
  static constexpr const char* kNames[] = {"noecn", "ect0", "ect1", "ect01", "ce"};
  std::string text;
  const auto add = [&text](const std::string& mark) { text += (text.empty() ? "" : ", ") + mark; };
  if (marks.ecn) add(kNames[static_cast<int>(*marks.ecn)]);
  if (marks.tos) add(fmt::format("tos {:#04x}", *marks.tos));
  if (marks.ttl) add(fmt::format("ttl {}", *marks.ttl));
  if (marks.flow_label) add(fmt::format("flowlabel {:#x}", *marks.flow_label));
  return text.empty() ? "" : "[" + text + "] ";
}

}  // namespace

std::string flags_text(std::uint16_t flags) {
  std::string text;
  const auto add = [&](std::uint16_t flag, char letter) {
    if ((flags & flag) != 0) text += letter;
  };
  add(TcpFlags::kSyn, 'S');
  add(TcpFlags::kFin, 'F');
  add(TcpFlags::kRst, 'R');
  add(TcpFlags::kPsh, 'P');
  add(TcpFlags::kUrg, 'U');
  add(TcpFlags::kEce, 'E');
  add(TcpFlags::kCwr, 'W');
  add(kAccurateEcn, 'A');
  add(TcpFlags::kAck, '.');
  return text.empty() ? "-" : text;
}

std::string to_string(const std::vector<TcpOption>& options) {
  std::string text;
  for (const TcpOption& option : options) text += (text.empty() ? "" : ",") + option_text(option);
  return "<" + text + ">";
}

std::string to_string(const PacketSpec& packet) {
  std::string text = (packet.direction == Direction::in ? "< " : "> ") + marks_text(packet.marks);
  if (const auto* tcp = std::get_if<TcpSpec>(&packet.transport)) return text + tcp_text(*tcp);
  if (const auto* udp = std::get_if<UdpSpec>(&packet.transport))
    return text + fmt::format("udp ({})", udp->length);
  return text + icmp_text(std::get<IcmpSpec>(packet.transport));
}

}  // namespace estab::drill
