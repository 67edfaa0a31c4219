#include "oracle/from_script.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/byte_order.h"
#include "drill/option_kinds.h"

namespace estab::oracle {

namespace {

using Call = CallStep::Call;

struct Timed {
  Duration at;
  Step step;
};

std::int64_t number_of(const drill::SystemCall& call, std::size_t argument,
                       std::int64_t otherwise) {
  if (argument >= call.arguments.size()) return otherwise;
  const drill::Expression& e = call.arguments[argument];
  return e.kind == drill::Expression::Kind::integer ? e.number : otherwise;
}

bool names(const drill::Expression& e, std::string_view word) {
  return e.text == word ||
         std::ranges::any_of(e.items, [&](const drill::Expression& i) { return names(i, word); });
}

bool names(const drill::SystemCall& call, std::string_view word) {
  return std::ranges::any_of(call.arguments,
                             [&](const drill::Expression& e) { return names(e, word); });
}

class Translator {
 public:
  explicit Translator(Family family) { result_.sequence.family = family; }

  ScriptedSequence translate(const drill::Script& script) {
    for (const drill::ScriptEvent& event : script.events) {
      set_time(event.time);
      line_ = event.line;
      std::visit([&](const auto& action) { take(action); }, event.action);
    }
    std::ranges::stable_sort(steps_, {}, &Timed::at);
    Duration now{};
    for (const Timed& timed : steps_) {
      if (timed.at > now) result_.sequence.steps.push_back(WaitStep{timed.at - now});
      now = std::max(now, timed.at);
      result_.sequence.steps.push_back(timed.step);
    }
    return std::move(result_);
  }

 private:
  void set_time(const drill::EventTime& time) {
    using Form = drill::EventTime::Form;
    if (time.form == Form::absolute) now_ = time.at;
    if (time.form == Form::relative) now_ += time.at;
  }
  void add(Step step, Duration later = {}) { steps_.push_back({now_ + later, std::move(step)}); }
  void leave_out(const std::string& what) {
    result_.left_out.push_back("line " + std::to_string(line_) + ": " + what);
  }

  void take(const drill::Command& command) { leave_out("command " + command.text); }
  void take(const drill::Code&) { leave_out("code"); }
  void take(const drill::PacketSpec& packet) {
    if (packet.direction == drill::Direction::out) return;
    if (!packet.beyond.empty()) return leave_out(packet.beyond);
    if (const auto* tcp = std::get_if<drill::TcpSpec>(&packet.transport))
      return take_segment(*tcp, packet.marks);
    if (const auto* icmp = std::get_if<drill::IcmpSpec>(&packet.transport)) return take_icmp(*icmp);
    leave_out("a datagram");
  }

  void take_segment(const drill::TcpSpec& tcp, const drill::IpMarks& marks);
  void take_option(const drill::TcpOption& option, SegmentStep& step);
  void take_icmp(const drill::IcmpSpec& icmp);
  void take(const drill::SystemCall& call);
  bool take_other(const drill::SystemCall& call, Duration ends);

  ScriptedSequence result_;
  std::vector<Timed> steps_;
  std::set<std::int64_t> listeners_;
  Duration now_{};
  int line_ = 0;
};

Place at_number(std::uint32_t number) {
  return {Place::Base::origin, static_cast<std::int32_t>(number)};
}

void Translator::take_option(const drill::TcpOption& option, SegmentStep& step) {
  namespace kind = drill::option_kind;
  const std::vector<std::uint8_t>& body = option.body;
  const bool plain = !option.length && !option.verbatim;
  if (option.kind == kind::kNop || option.kind == kind::kEnd) return;
  if (plain && option.kind == kind::kMss && body.size() == 2) {
    step.mss = base::load_be16(body.data());
  } else if (plain && option.kind == kind::kWindowScale && body.size() == 1) {
    step.window_scale = body[0];
  } else if (plain && option.kind == kind::kSackPermitted) {
    step.sack_permitted = true;
  } else if (plain && option.kind == kind::kTimestamps && body.size() == 8) {
    const bool none = base::load_be32(body.data() + 4) == 0;
    step.timestamps = TimestampStep{base::load_be32(body.data()),
                                    none ? TimestampStep::Echo::zero : TimestampStep::Echo::latest};
  } else if (plain && option.kind == kind::kSack && body.size() % 8 == 0) {
    for (std::size_t i = 0; i < body.size(); i += 8)
      step.sack.push_back({at_number(base::load_be32(body.data() + i)),
                           at_number(base::load_be32(body.data() + i + 4))});
  } else {
    step.raw_options.push_back(option.kind);
    step.raw_options.push_back(option.length.value_or(static_cast<std::uint8_t>(body.size() + 2)));
    step.raw_options.insert(step.raw_options.end(), body.begin(), body.end());
  }
}

void Translator::take_segment(const drill::TcpSpec& tcp, const drill::IpMarks& marks) {
  SegmentStep step;
  step.flags = TcpFlags(static_cast<std::uint8_t>(tcp.flags));
  step.reserved = (tcp.flags & drill::kAccurateEcn) != 0 ? 1 : 0;
  step.seq = at_number(tcp.seq);
  if (tcp.ack) step.ack = at_number(*tcp.ack);
  step.window = tcp.window.value_or(0);
  step.urgent_pointer = tcp.urgent.value_or(0);
  step.payload = static_cast<std::uint16_t>(std::min<std::uint32_t>(tcp.length, 0xffff));
  for (const drill::TcpOption& option : tcp.options) take_option(option, step);
  switch (marks.ecn.value_or(drill::EcnMark::not_ect)) {
    case drill::EcnMark::not_ect:
      break;
    case drill::EcnMark::ect1:
      step.ecn = 1;
      break;
    case drill::EcnMark::ect0:
    case drill::EcnMark::ect:
      step.ecn = 2;
      break;
    case drill::EcnMark::ce:
      step.ecn = 3;
      break;
  }
  add(step);
}

void Translator::take_icmp(const drill::IcmpSpec& icmp) {
  using Kind = IcmpStep::Kind;
  if (!icmp.quote) return leave_out("ICMP without a quote");
  IcmpStep step;
  step.seq = at_number(icmp.quote->seq);
  const std::string_view code = icmp.code_name;
  if (code == "frag_needed" || icmp.type_name == "packet_too_big") {
    step.kind = Kind::too_big;
    step.mtu = static_cast<std::uint16_t>(icmp.rest);
  } else if (icmp.type_name != "unreachable" && icmp.type_name != "dst_unreachable") {
    return leave_out("icmp " + icmp.type_name);
  } else {
    step.kind = code.starts_with("net")     ? Kind::net_unreachable
                : code.starts_with("port")  ? Kind::port_unreachable
                : code.starts_with("proto") ? Kind::protocol_unreachable
                                            : Kind::host_unreachable;
  }
  add(step);
}

// What only some scripts call. False if there is no counterpart.
bool Translator::take_other(const drill::SystemCall& call, Duration ends) {
  const bool sets = call.name == "setsockopt", gets = call.name == "getsockopt";
  if (sets && names(call, "TCP_NODELAY")) {
    add(CallStep{Call::no_delay});
  } else if (gets && names(call, "SO_ERROR")) {
    add(CallStep{Call::socket_error});
  } else if (call.name == "ioctl" && (names(call, "SIOCINQ") || names(call, "FIONREAD"))) {
    add(CallStep{Call::unread});
  } else if (call.name == "poll") {
    add(CallStep{Call::poll}, ends);
  } else {
    return call.name == "socket" || call.name == "bind" || call.name == "fcntl" ||
           (sets && names(call, "SO_REUSEADDR"));
  }
  return true;
}

// A call that blocks is made when it is to return: the sockets here do not.
void Translator::take(const drill::SystemCall& call) {
  const Duration ends = call.ends.value_or(Duration::zero());
  const std::int64_t fd = number_of(call, 0, -1);
  const auto amount =
      static_cast<std::uint32_t>(std::max<std::int64_t>(number_of(call, 2, call.result.number), 0));
  if (call.name == "listen") {
    listeners_.insert(fd);
    add(CallStep{Call::listen});
  } else if (call.name == "accept" || call.name == "accept4") {
    add(CallStep{Call::accept}, ends);
  } else if (call.name == "connect") {
    add(CallStep{Call::connect});
  } else if (call.name == "close") {
    add(CallStep{listeners_.erase(fd) > 0 ? Call::close_listener : Call::close});
  } else if (call.name == "shutdown") {
    add(CallStep{names(call, "SHUT_RD")   ? Call::shutdown_read
                 : names(call, "SHUT_WR") ? Call::shutdown_write
                                          : Call::shutdown_both});
  } else if (call.name.starts_with("write") || call.name.starts_with("send")) {
    add(CallStep{names(call, "MSG_OOB") ? Call::write_urgent : Call::write, amount});
  } else if (call.name.starts_with("read") || call.name.starts_with("recv")) {
    add(CallStep{names(call, "MSG_OOB")    ? Call::read_urgent
                 : names(call, "MSG_PEEK") ? Call::peek
                                           : Call::read,
                 amount},
        ends);
  } else if (!take_other(call, ends)) {
    leave_out(call.name);
  }
}

}  // namespace

ScriptedSequence sequence_of(const drill::Script& script, Family family) {
  return Translator(family).translate(script);
}

}  // namespace estab::oracle
