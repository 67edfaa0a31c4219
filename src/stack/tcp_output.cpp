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
  recover(core, now);
  output_.follow(core.path_version);
  while (output_.next(core.interfaces)) {
    const StreamId id = output_.front();
    const std::uint32_t index = id.index;
    Flow* flow = flows_.find(index, id.generation);
    if (!flow || !flow->in_output) {
      output_.drop_front();
      continue;
    }
    if (has_to_wait(core, now, *flow)) {
      output_.set_aside(flow->path.hop.interface);
      continue;
    }
    const bool sent = poll_flow(core, now, *flow, frame);
    if (sent && flow->wants_to_send()) return true;
    output_.drop_front();
    flow->in_output = false;
    interrupted_ = true;
    rearm(*flow, index);
    interrupted_ = false;
    if (sent) return true;
  }
  return false;
}

// Ids of flows that have ended leave the queue in their turn, which does not come while nobody
// polls.
void TcpLayer::sweep_output() {
  output_.sweep([this](StreamId id) {
    const Flow* flow = flows_.find(id.index, id.generation);
    return flow && flow->in_output;
  });
}

bool TcpLayer::has_to_wait(const Core& core, Instant now, Flow& flow) {
  if (!core.interfaces.any_paused() || !flow.indexed) return false;
  refresh_path(core, now, flow);
  return core.has_to_wait(flow.path.hop);
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
    auto handshake = flow.handshake()->poll(context, frame.pieces);
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
    if (tcp::Handshake* handshake = flow.handshake())
      return handshake->poll(context, frame.pieces).has_value();
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
      event = flow->handshake()->take_signals();
    }
    event.stream = id;
    event.connected = std::exchange(flow->connected_due, false);
    return event;
  }
  return std::nullopt;
}

// Who opens and aborts streams and never asks for events leaves entries here of what is gone.
void TcpLayer::drop_stale_events() {
  for (std::size_t left = ready_.size(); left > 0; --left) {
    const StreamId id = ready_.pop_front();
    if (flows_.find(id.index, id.generation)) ready_.push_back(id);
  }
}

// Called with each connection that comes, and whenever one is accepted and more are left: so it
// does not matter whether the application accepts one for an event, or all.
void TcpLayer::queue_accept_event(std::uint32_t index) {
  if (listeners_[index].in_events) return;
  acceptable_.push_back(index);
  listeners_[index].in_events = true;
}

std::optional<AcceptEvent> TcpLayer::poll_accept_event() {
  while (!acceptable_.empty()) {
    const std::uint32_t index = acceptable_.pop_front();
    tcp::Listener& listener = listeners_[index];
    listener.in_events = false;
    if (listener.queue.empty() && !listener.failure) continue;  // accepted without being told
    return AcceptEvent{{index, listeners_.generation(index)}};
  }
  return std::nullopt;
}

}  // namespace estab::stack
