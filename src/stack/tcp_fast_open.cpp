// Fast Open of listeners (RFC 7413 §4.2.2, "Server"): connections that a SYN alone has opened.
//
// Law: such a connection is a flow like any other, in SYN-RECEIVED and offered to accept; but its
// place in the flow table is held by a half-open record, which repeats the SYN-ACK, until that is
// acknowledged. So the segments of other connections never ask about Fast Open, and a record knows
// its flow as the flow, by its endpoints, finds the record.

#include "stack/tcp_layer.h"
#include "tcp/open/fast_open_server.h"

namespace estab::stack {

// [RFC 7413 2-1, 4.2-1, 4.2-2, 4.2-3]
tcp::FastOpenAnswer TcpLayer::answer_fast_open(Core& core, Instant now, const Arrived& in,
                                               std::uint32_t index) {
  tcp::Listener& listener = listeners_[index];
  const FastOpen& settings = listener.config->fast_open;
  if (!tcp::concerns_fast_open(settings, in.segment)) return {};
  if (!listener.fast_opens.has_room(settings.pending, now)) {
    ++core.counters.fast_open_overflow;
    return {};
  }
  const tcp::CookieIssuer issuer(core.secrets, settings, core.config.fast_open_key_lifetime, now);
  const tcp::FastOpenAnswer answer = tcp::answer_fast_open(settings, issuer, in.tuple, in.segment);
  const auto& asked = in.segment.options.fast_open;
  if (!answer.takes_octets && !asked->cookie.empty()) ++core.counters.fast_open_bad_cookies;
  return answer;
}

// The record is there, and stays an ordinary one if there is no memory or no room for more. A FIN
// beside the octets is left for its sender to repeat: that the stream has ended can wait until it
// is known who said so. [RFC 7413 4.2.2-5]
bool TcpLayer::open_by_syn(Core& core, Instant now, const Arrived& in, std::uint32_t record_index,
                           const Path& path) {
  tcp::HalfOpen& record = half_open_[record_index];
  const std::uint32_t listening = record.listener;
  tcp::Listener& listener = listeners_[listening];
  if (flows_.size() >= core.config.limits.connections) return false;
  // Only the ACK of a SYN-ACK can say how that came through (RFC 9768 table 4), and this connection
  // does not wait for it: it does without AccECN.
  if (record.negotiated.ecn == tcp::EcnMode::accurate) {
    record.negotiated.ecn = tcp::EcnMode::none;
    record.negotiated.ect = false;
  }
  tcp::Opening opening = tcp::make_opening(record, in.segment, now);
  opening.rtt.reset();
  opening.state = State::syn_received;
  if (!in.segment.payload.empty()) opening.fast_open = FastOpenOutcome::taken;
  listener.queue.make_room();
  queue_accept_event(listening);
  make_room();
  const std::uint32_t index = flows_.emplace(
      std::in_place_type<tcp::Connection>, Flow::Place{in.hash, path, now, core.path_version},
      core.context(now), opening, config_for(listener, record.return_route),
      limits_of(core, path, in.tuple.family()));
  Flow& flow = flows_[index];
  flow.indexed = true;
  flow.listener = listening;
  flow.learns_route = listener.config->source_route.empty();
  listener.queue.push_back({index, flows_.generation(index)});
  record.flow = index;
  --listener.half_open;
  listener.fast_opens.add();
  ++opened_by_syn_;
  ++core.counters.fast_opens_in;
  interrupted_ = true;
  Segment syn = in.segment;
  syn.flags = syn.flags.without(kFin);
  flow.connection()->on_opened(core.context(now), syn, in.carrier, tcp::Answer::nothing);
  follow_up(core, now, index);
  return true;
}

// What its connection has received by now is acknowledged. The window of a segment with SYN is not
// scaled (RFC 7323 §2.2).
tcp::Emission TcpLayer::make_syn_ack(Instant now, tcp::HalfOpen& record,
                                     const std::optional<FastOpenOption>& fast_open) {
  if (!record.is_opened()) return tcp::make_syn_ack(record, now, fast_open);
  tcp::Connection& connection = *flows_[record.flow].connection();
  const tcp::Receiver& receiver = connection.receiver();
  record.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(receiver.window(), 0xffff));
  if (record.negotiated.timestamps) record.ts_recent = receiver.ts_recent();
  tcp::Emission emission = tcp::make_syn_ack(record, now, fast_open);
  emission.segment.ack = receiver.ack_number();
  connection.on_syn_ack_sent();
  return emission;
}

// What acknowledges the SYN-ACK, and what answers or repeats the SYN, concerns the record; all else
// the connection, which is as strict as any.
Verdict TcpLayer::to_opened_by_syn(Core& core, Instant now, const Arrived& in,
                                   std::uint32_t record_index) {
  const tcp::HalfOpen& record = half_open_[record_index];
  const std::uint32_t index = record.flow;
  const tcp::Connection& connection = *flows_[index].connection();
  const tcp::Receiver& receiver = connection.receiver();
  const tcp::SendSpace& space = connection.sender().space();
  const tcp::SynReceivedView view{record.iss,
                                  record.irs,
                                  receiver.ack_number(),
                                  space.wire(space.max()),
                                  receiver.window(),
                                  connection.config().require_timestamps,
                                  record.negotiated,
                                  receiver.ts_recent()};
  switch (tcp::check_syn_received(view, in.segment)) {
    case tcp::SynReceivedStep::establish:
      return complete_opened_by_syn(core, now, in, record_index);
    case tcp::SynReceivedStep::repeat_syn_ack:
      half_open_[record_index].sent_twice = true;
      send_syn_ack(core, now, record_index);
      return Verdict::accepted;
    case tcp::SynReceivedStep::refuse_ack:
      refuse(core, in, SendReason::reset_bad_ack);
      return Verdict::ack_unacceptable;
    default:
      return to_flow(core, now, in, index);
  }
}

// RFC 7413 §4.2.2, "Server: receiving ACK".
Verdict TcpLayer::complete_opened_by_syn(Core& core, Instant now, const Arrived& in,
                                         std::uint32_t record_index) {
  const tcp::HalfOpen record = half_open_[record_index];
  Flow& flow = flows_[record.flow];
  settle_opened_by_syn(now, flow, record_index, Settled::acknowledged);
  ++core.counters.passive_opens;
  interrupted_ = true;
  flow.connection()->on_syn_acked(core.context(now),
                                  tcp::make_opening(record, in.segment, now).rtt);
  const Verdict verdict = to_flow(core, now, in, record.flow);
  const bool good = verdict == Verdict::accepted || verdict == Verdict::predicted;
  return good ? Verdict::handshake_completed : verdict;
}

// The record goes, and its place in the table is the flow's.
void TcpLayer::settle_opened_by_syn(Instant now, Flow& flow, std::uint32_t record_index,
                                    Settled how) {
  const tcp::HalfOpen& record = half_open_[record_index];
  table_.replace(flow.hash, Entry{Kind::half_open, record_index}.packed(),
                 Entry{Kind::flow, record.flow}.packed());
  if (tcp::Listener* listener = listeners_.get(record.listener)) {
    tcp::PendingFastOpens& pending = listener->fast_opens;
    how == Settled::reset ? pending.remove_reset(now) : pending.remove();
  }
  --opened_by_syn_;
  wheel_.cancel(half_open_[record_index].timer);
  half_open_.erase(record_index);
}

// The connection has ended before its SYN-ACK was acknowledged, if there is a record of that.
void TcpLayer::forget_opened_by_syn(Instant now, Flow& flow, std::uint32_t index) {
  const Entry entry = find_entry(flow.hash, flow.tuple());
  if (entry.kind != Kind::half_open || half_open_[entry.index].flow != index) return;
  const bool reset = flow.failure() == Error::connection_reset;
  settle_opened_by_syn(now, flow, entry.index, reset ? Settled::reset : Settled::otherwise);
}

// Until it is accepted it is an opening, which ICMP may end (SHLD-26); from then on, a connection.
void TcpLayer::icmp_to_opened_by_syn(Core& core, Instant now, const tcp::HalfOpen& record,
                                     SeqNum seq, const ip::IcmpEffect& effect,
                                     const IcmpReport& report) {
  const std::uint32_t index = record.flow;
  Flow& flow = flows_[index];
  tcp::Connection& connection = *flow.connection();
  if (seq != record.iss && !connection.is_outstanding(seq)) return;
  const bool hard =
      effect.error == Error::port_unreachable || effect.error == Error::protocol_unreachable;
  const bool accepted = flow.listener == kNone;
  interrupted_ = true;
  if (!accepted && (hard || flow.config().soft_errors_end_opening))
    connection.on_hard_error(core.context(now), effect.error, report);
  else
    connection.on_soft_error(effect.error, report);
  follow_up(core, now, index);
}

}  // namespace estab::stack
