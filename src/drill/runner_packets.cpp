// Packets: those the script sends, and those it expects.
#include <fmt/format.h>

#include "drill/icmp_names.h"
#include "drill/match.h"
#include "drill/packet.h"
#include "drill/refusal.h"
#include "drill/runner.h"

namespace estab::drill {
namespace {

/// How far ahead is looked for a packet that did not come in time, to say when it would have.
constexpr Duration kSearch = std::chrono::minutes(10);

bool is_syn(const PacketSpec& packet) {
  const auto* tcp = std::get_if<TcpSpec>(&packet.transport);
  return tcp == nullptr || (tcp->flags & TcpFlags::kSyn) != 0;
}

/// Marks the script has no opinion on are not worth showing.
void leave_out_unasked(const IpMarks& asked, IpMarks& marks) {
  if (!asked.ecn) marks.ecn.reset();
  if (!asked.tos) marks.tos.reset();
  if (!asked.ttl) marks.ttl.reset();
  if (!asked.flow_label) marks.flow_label.reset();
}

}  // namespace

IcmpSpec Runner::resolve(IcmpSpec icmp) const {
  if (!icmp.type_name.empty()) {
    const auto type = icmp_type(family(), icmp.type_name);
    if (!type) mistake("there is no ICMP message '" + icmp.type_name + "' in this family");
    icmp.type = *type;
  }
  if (!icmp.code_name.empty()) {
    const auto code = icmp_code(family(), icmp.type, icmp.code_name);
    if (!code)
      mistake("there is no code '" + icmp.code_name + "' of ICMP's '" + icmp.type_name + "'");
    icmp.code = *code;
  }
  return icmp;
}

// ---- in

void Runner::send_packet(const ScriptEvent&, PacketSpec packet) {
  World& place = world();
  TestSocket& socket = connections_.receiver();
  Flow& flow = socket.flow;
  if (auto* tcp = std::get_if<TcpSpec>(&packet.transport)) {
    const bool opens = (tcp->flags & TcpFlags::kSyn) != 0 && (tcp->flags & TcpFlags::kAck) == 0;
    socket.new_incarnation |= opens;
    const bool is_syn = (tcp->flags & TcpFlags::kSyn) != 0;
    is_syn ? flow.learn_remote_isn(tcp->seq) : flow.learn_remote_number(tcp->seq);
    packet.transport = flow.to_wire(*tcp);
  } else if (auto* icmp = std::get_if<IcmpSpec>(&packet.transport)) {
    packet.transport = flow.to_wire(resolve(*icmp));
  }
  place.arrive(build_packet(packet, flow.tuple));
}

// ---- out

Runner::Kind Runner::kind_of(const PacketSpec& packet) {
  return std::holds_alternative<IcmpSpec>(packet.transport) ? Kind::or_icmp : Kind::of_the_flow;
}

std::optional<Runner::Seen> Runner::peek_packet(TestSocket& socket, Kind wanted) {
  auto& sent = world().sent();
  while (!sent.empty()) {
    auto packet = read_sent_packet(sent.front().when, sent.front().octets);
    if (!packet)
      throw Mismatch{fmt::format("the stack sent a packet at {} and {}", moment(sent.front().when),
                                 packet.error())};
    const bool is_its_icmp = wanted == Kind::or_icmp && kind_of(packet->packet) == Kind::or_icmp;
    if (is_its_icmp ||
        Connections::takes(socket, packet->flow, is_syn(packet->packet) ? Opens::yes : Opens::no))
      return Seen{std::move(packet->packet), packet->when};
    sent.pop_front();
  }
  return std::nullopt;
}

std::optional<Runner::Seen> Runner::next_packet(TestSocket& socket, Kind wanted, Instant limit) {
  for (;;) {
    if (auto seen = peek_packet(socket, wanted)) {
      world().sent().pop_front();
      return seen;
    }
    if (!world().step(limit)) return std::nullopt;
  }
}

// The stack cuts what it sends to segments; a script shows what an offload engine would be given.
void Runner::join_burst(TestSocket& socket, const PacketSpec& expected, Seen& seen, Instant limit) {
  const auto* whole = std::get_if<TcpSpec>(&expected.transport);
  auto* part = std::get_if<TcpSpec>(&seen.packet.transport);
  if (whole == nullptr || part == nullptr || (part->flags & TcpFlags::kSyn) != 0) return;
  while (part->length < whole->length) {
    auto next = peek_packet(socket, Kind::of_the_flow);
    while (!next && world().step(limit)) next = peek_packet(socket, Kind::of_the_flow);
    if (!next || !continues(seen.packet, next->packet)) return;
    if (part->length + std::get<TcpSpec>(next->packet.transport).length > whole->length) return;
    join(seen.packet, next->packet);
    world().sent().pop_front();
  }
}

void Runner::report_silence(TestSocket& socket, const PacketSpec& expected, Instant limit) {
  const auto late = next_packet(socket, kind_of(expected), limit + kSearch);
  if (!late)
    throw Mismatch{fmt::format("nothing was sent by {}, and nothing will be", moment(limit)),
                   to_string(expected), "nothing"};
  const PacketSpec sent = translate(socket, expected, late->packet);
  throw Mismatch{fmt::format("nothing was sent by {}; the next packet leaves at {}", moment(limit),
                             moment(late->when)),
                 to_string(expected), to_string(sent)};
}

void Runner::translate_timestamps(Flow& flow, const TcpSpec& expected, TcpSpec& sent) const {
  const TcpOption* theirs = find_timestamps(expected);
  for (TcpOption& option : sent.options) {
    auto timestamps = timestamps_of(option);
    if (!timestamps) continue;
    const std::uint32_t on_wire = timestamps->value;
    const auto counted = flow.script_timestamp(on_wire);
    if (counted) timestamps->value = *counted;
    if (theirs == nullptr) {
      if (!counted) flow.learn_timestamp(on_wire, on_wire);
    } else {
      const std::uint32_t wanted = timestamps_of(*theirs)->value;
      const auto off = static_cast<std::int32_t>(counted.value_or(wanted) - wanted);
      const Duration apart = std::chrono::microseconds(std::int64_t{timestamp_tick_us_} * off);
      if (timestamp_tick_us_ == 0 || std::chrono::abs(apart) <= tolerance_) {
        flow.learn_timestamp(wanted, on_wire);
        timestamps->value = wanted;
      }
    }
    set_timestamps(option, *timestamps);
  }
}

PacketSpec Runner::translate(TestSocket& socket, const PacketSpec& expected, PacketSpec sent) {
  leave_out_unasked(expected.marks, sent.marks);
  auto* tcp = std::get_if<TcpSpec>(&sent.transport);
  if (tcp == nullptr) return sent;
  const auto* wanted = std::get_if<TcpSpec>(&expected.transport);
  Flow& flow = socket.flow;
  const bool is_syn = (tcp->flags & TcpFlags::kSyn) != 0;
  if (is_syn && wanted != nullptr && (socket.new_incarnation || !flow.knows_isn())) {
    flow.learn_isn(wanted->seq, tcp->seq);
    socket.new_incarnation = false;
  }
  if (!is_syn && wanted != nullptr && wanted->ack) flow.learn_remote_number(*wanted->ack);
  // RFC 9293 §3.5.2: where there is no acknowledgment to take a number from, a reset has number 0.
  const bool is_zero_reset =
      (tcp->flags & TcpFlags::kRst) != 0 && tcp->seq == 0 && wanted != nullptr && wanted->seq == 0;
  *tcp = flow.to_script(std::move(*tcp));
  if (is_zero_reset) tcp->seq = 0;
  translate_timestamps(flow, wanted == nullptr ? TcpSpec{} : *wanted, *tcp);
  return sent;
}

void Runner::expect_packet(const ScriptEvent& event, const PacketSpec& packet) {
  World& place = world();
  PacketSpec expected = packet;
  if (auto* icmp = std::get_if<IcmpSpec>(&expected.transport)) *icmp = resolve(*icmp);
  TestSocket* socket = connections_.under_test();
  if (socket == nullptr)
    mistake("a packet is expected, and there is neither a socket nor a packet");
  const auto from = due(event.time);
  const Instant last =
      event.time.until ? at(event.time, *event.time.until) : from.value_or(place.now() + kSearch);
  const Instant limit = std::max(last, place.now()) + tolerance_;
  auto seen = next_packet(*socket, kind_of(expected), limit);
  if (!seen) report_silence(*socket, expected, limit);
  join_burst(*socket, expected, *seen, limit);
  const PacketSpec sent = translate(*socket, expected, seen->packet);
  try {
    if (const auto found = difference(expected, sent)) throw Mismatch{"it has " + *found};
    check_time(event.time, seen->when, "the packet was sent");
  } catch (Mismatch& mismatch) {
    mismatch.expected = to_string(expected);
    mismatch.actual = to_string(sent);
    throw;
  }
  remember_time(event.time, seen->when);
}

}  // namespace estab::drill
