// What TCP has to send and to tell.

#include "stack/frame_builder.h"
#include "stack/tcp_layer.h"

namespace estab::stack {

namespace {

/// For an observer, the segment with its text in one piece.
void trace_sent(Core& core, Instant now, const FourTuple& tuple, const tcp::Emission& emission,
                State state, const TransmitFrame& frame) {
  core.context(now).trace([&] {
    std::vector<std::uint8_t>& text = core.traced_text;
    text.clear();
    for (std::size_t i = 0; i < frame.piece_count; ++i)
      text.insert(text.end(), frame.pieces[i].begin(), frame.pieces[i].end());
    SegmentSent sent{tuple, emission.segment, emission.reason, state, emission.gso_size};
    sent.segment.payload = text;
    return sent;
  });
}

}  // namespace

// Flows take turns burst by burst: one keeps its turn until it has nothing more to say, which the
// windows see to.
bool TcpLayer::poll_transmit(Core& core, Instant now, TransmitFrame& frame) {
  make_up(core, now);
  while (!output_.empty()) {
    const std::uint32_t index = output_.front();
    Flow* flow = flows_.get(index);
    if (!flow || !flow->in_output) {
      output_.pop_front();
      continue;
    }
    const bool sent = poll_flow(core, now, *flow, frame);
    if (sent && flow->wants_to_send()) return true;
    output_.pop_front();
    flow->in_output = false;
    unsettled_ = true;
    rearm(*flow, index);
    unsettled_ = false;
    if (sent) return true;
  }
  return false;
}

bool TcpLayer::poll_flow(Core& core, Instant now, Flow& flow, TransmitFrame& frame) {
  if (!flow.indexed) return false;
  refresh_path(core, now, flow);
  const tcp::Context context = core.context(now);
  const FourTuple& tuple = flow.tuple();
  if (!core.interfaces.contains(flow.path.hop.interface))
    return drop_output(core, flow, context, frame);
  tcp::Emission emission;
  if (tcp::Connection* connection = flow.connection()) {
    const tcp::PathLimits limits = limits_of(core, flow.path, tuple.family());
    if (!connection->poll(context, limits, frame.pieces, emission)) return false;
  } else {
    auto handshake = flow.handshake()->poll(context);
    if (!handshake) return false;
    emission = *handshake;
  }
  const TcpConfig& config = flow.config();
  // [RFC 9293 MUST-48, SHLD-21, SHLD-22, MUST-49]
  const IpService service{config.ttl, static_cast<std::uint8_t>(config.dscp << 2),
                          &config.source_route};
  build_tcp_frame(core, flow.path, tuple, emission, service, frame);
  trace_sent(core, now, tuple, emission, flow.state(), frame);
  return true;
}

// With no way to the peer, what is to be sent is lost as on a link, and the timers see to the rest:
// the connection goes on if a route comes before they give it up.
bool TcpLayer::drop_output(Core& core, Flow& flow, const tcp::Context& context,
                           TransmitFrame& frame) {
  const tcp::PathLimits limits = limits_of(core, flow.path, flow.tuple().family());
  const auto drop_next = [&] {
    if (tcp::Handshake* handshake = flow.handshake()) return handshake->poll(context).has_value();
    tcp::Emission emission;
    return flow.connection()->poll(context, limits, frame.pieces, emission);
  };
  while (drop_next()) ++core.counters.segments_without_route;
  return false;
}

void TcpLayer::build_reply(Core& core, Instant now, const Path& path, const TcpReply& reply,
                           TransmitFrame& frame) {
  build_tcp_frame(core, path, reply.tuple, reply.emission,
                  {reply.ttl, reply.traffic_class, &reply.source_route}, frame);
  trace_sent(core, now, reply.tuple, reply.emission, reply.state, frame);
}

std::optional<StreamEvent> TcpLayer::poll_event() {
  while (!ready_.empty()) {
    const StreamId id = ready_.pop_front();
    Flow* flow = flows_.find(id.index, id.generation);
    if (!flow || !flow->in_events) continue;
    flow->in_events = false;
    // What the application has let go of since then is no longer its business.
    if (flow->connection() && flow->connection()->released()) continue;
    StreamEvent event;
    if (tcp::Connection* connection = flow->connection()) {
      event = connection->take_signals();
    } else {
      event.failure = flow->handshake()->failure();
      event.soft_error = flow->handshake()->take_soft_error();
      event.closed = event.failure.has_value();
      if (event.failure || event.soft_error) event.reported = flow->handshake()->icmp_report();
    }
    event.stream = id;
    event.connected = std::exchange(flow->connected_due, false);
    return event;
  }
  return std::nullopt;
}

}  // namespace estab::stack
