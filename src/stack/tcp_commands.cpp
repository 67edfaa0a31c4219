// The commands of an application (RFC 9293 §3.10.1 to §3.10.6) that concern more than one
// connection's own state.

#include <algorithm>

#include "stack/tcp_layer.h"
#include "wire/ip.h"

namespace estab::stack {

Result<ListenerId> TcpLayer::listen(Core& core, const ListenOptions& options) {
  if (options.local.port == 0) return std::unexpected(Error::invalid_argument);
  if (listeners_.size() >= core.config.limits.listeners)
    return std::unexpected(Error::limit_reached);
  const IpAddress& address = options.local.address;
  if (!address.is_unspecified() && !core.interfaces.is_local(address))
    return std::unexpected(Error::address_not_available);
  // [RFC 9293 MUST-41, MUST-42]
  if (find_exact_listener(options.local)) return std::unexpected(Error::address_in_use);
  tcp::Listener listener;
  listener.local = options.local;
  listener.backlog = std::max(options.backlog, 1u);
  listener.ipv6_only = options.ipv6_only;
  listener.config = std::make_shared<const TcpConfig>(options.tcp.value_or(core.config.tcp));
  listener_table_.make_room();
  const std::uint32_t index = listeners_.emplace(std::move(listener));
  listener_table_.insert(listener_hash(options.local), index);
  return ListenerId{index, listeners_.generation(index)};
}

// Openings under way are forgotten, and complete ones nobody has accepted are reset.
Result<void> TcpLayer::close_listener(Core& core, Instant now, ListenerId id) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  half_open_.for_each([&](std::uint32_t index, tcp::HalfOpen& record) {
    if (record.listener == id.index) forget_half_open(core, now, index, State::closed);
  });
  const base::Ring<StreamId> waiting = std::move(listener->queue);
  listener_table_.erase(listener_hash(listener->local), id.index);
  listeners_.erase(id.index);
  const bool behind = std::exchange(unsettled_, true);
  for (const StreamId& stream : waiting) {
    Flow* flow = flows_.find(stream.index, stream.generation);
    if (flow) flow->connection()->abort(core.context(now));
  }
  for (const StreamId& stream : waiting)
    if (flows_.find(stream.index, stream.generation)) settle_flow(core, now, stream.index);
  unsettled_ = behind;
  return {};
}

Result<StreamId> TcpLayer::accept(Core& core, Instant now, ListenerId id) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  make_up(core, now);
  while (!listener->queue.empty()) {
    const StreamId stream = listener->queue.front();
    if (Flow* flow = flows_.find(stream.index, stream.generation)) {
      flow->listener = kNone;
      unsettled_ = true;  // queueing may throw: then it waits to be accepted again
      if (flow->connection()->has_signals()) queue_event(*flow, stream.index);
      unsettled_ = false;
      return listener->queue.pop_front();
    }
    (void)listener->queue.pop_front();
  }
  return std::unexpected(Error::would_block);
}

Result<void> TcpLayer::reconfigure(ListenerId id, const TcpConfig& config, std::uint32_t backlog) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  listener->backlog = std::max(backlog, 1u);
  listener->config = std::make_shared<const TcpConfig>(config);
  return {};
}

Result<void> TcpLayer::reconfigure(Core& core, Instant now, StreamId id, const TcpConfig& config) {
  make_up(core, now);
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return std::unexpected(Error::no_such_id);
  auto shared = std::make_shared<const TcpConfig>(config);
  unsettled_ = true;
  if (tcp::Handshake* handshake = flow->handshake()) {
    handshake->reconfigure(core.context(now), std::move(shared));
  } else {
    flow->connection()->reconfigure(core.context(now), std::move(shared));
  }
  settle(core, now, id.index);
  return {};
}

// RFC 6056 §3.3.3 (algorithm 3): where the search begins depends on the destination and a secret;
// each open moves on by one.
bool TcpLayer::choose_port(Core& core, Chosen& chosen) {
  FourTuple& tuple = chosen.tuple;
  const std::uint32_t count = std::uint32_t{core.config.port_max} -
                              std::min(core.config.port_min, core.config.port_max) + 1;
  const std::uint32_t offset = core.secrets.port_offset(tuple.local_address, tuple.remote());
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    const std::uint32_t step = (offset + next_port_++) % count;
    tuple.local_port = static_cast<std::uint16_t>(core.config.port_min + step);
    chosen.hash = core.secrets.flow_hash(tuple);
    if (find_entry(chosen.hash, tuple).kind == Kind::nobody) return true;
  }
  return false;
}

Result<TcpLayer::Chosen> TcpLayer::choose_tuple(Core& core, const Path& path,
                                                const ConnectOptions& options) {
  Chosen chosen;
  FourTuple& tuple = chosen.tuple;
  tuple.remote_address = options.remote.address;
  tuple.remote_port = options.remote.port;
  tuple.local_port = options.local_port;
  // [RFC 9293 MUST-43]
  if (options.local_address) {
    // [RFC 1122 3.2.1.3-9]
    if (!core.interfaces.is_local(*options.local_address))
      return std::unexpected(Error::address_not_available);
    tuple.local_address = *options.local_address;  // MUST-43
  } else {
    // [RFC 9293 MUST-44]
    const auto source = core.interfaces.is_local(tuple.remote_address)
                            ? std::optional(tuple.remote_address)
                            : core.interfaces.select_source(path.hop.interface,
                                                            tuple.remote_address);  // MUST-44
    if (!source) return std::unexpected(Error::no_route);
    tuple.local_address = *source;
  }
  if (tuple.local_address.family() != tuple.remote_address.family())
    return std::unexpected(Error::invalid_argument);
  if (tuple.local_port == 0) {
    if (!choose_port(core, chosen)) return std::unexpected(Error::no_ports);
  } else {
    chosen.hash = core.secrets.flow_hash(tuple);
    if (find_entry(chosen.hash, tuple).kind != Kind::nobody)
      return std::unexpected(Error::address_in_use);
  }
  return chosen;
}

namespace {

// [RFC 9293 MUST-51]
// A source route the IPv4 header can hold (MUST-51).
bool is_usable(const std::vector<IpAddress>& route) {
  return route.size() <= wire::kMaxSourceRoute &&
         std::all_of(route.begin(), route.end(), [](const IpAddress& hop) { return hop.is_v4(); });
}

}  // namespace

Result<StreamId> TcpLayer::connect(Core& core, Instant now, const ConnectOptions& options) {
  const IpAddress& to = options.remote.address;
  if (options.remote.port == 0) return std::unexpected(Error::invalid_argument);
  const auto& route = options.tcp ? options.tcp->source_route : core.config.tcp.source_route;
  if (!is_usable(route)) return std::unexpected(Error::invalid_argument);
  const auto path = core.find_path(now, tcp::first_hop(route, to));
  // [RFC 9293 MUST-46]
  // MUST-46: no connection to an address that is no single host's.
  const bool nobody = to.is_unspecified() || to.is_multicast() || to.is_limited_broadcast() ||
                      (path && core.interfaces.is_broadcast(path->hop.interface, to));
  if (nobody) return std::unexpected(Error::address_not_available);
  if (!path) return std::unexpected(Error::no_route);
  make_up(core, now);
  if (flows_.size() >= core.config.limits.connections) return std::unexpected(Error::limit_reached);
  const auto chosen = choose_tuple(core, *path, options);
  if (!chosen) return std::unexpected(chosen.error());
  auto config =
      options.tcp ? std::make_shared<const TcpConfig>(*options.tcp) : default_config(core);
  make_room();
  output_.make_room();
  const std::uint32_t index = flows_.emplace(
      std::in_place_type<tcp::Handshake>, Flow::Place{chosen->hash, *path, now, core.path_version},
      core.context(now), core.secrets, chosen->tuple, std::move(config), path->link_mtu);
  table_.insert(chosen->hash, Entry{Kind::flow, index}.packed());
  flows_[index].indexed = true;
  settle(core, now, index);
  return StreamId{index, flows_.generation(index)};
}

// One object for all connections with default settings.
std::shared_ptr<const TcpConfig> TcpLayer::default_config(const Core& core) {
  if (!default_config_) default_config_ = std::make_shared<const TcpConfig>(core.config.tcp);
  return default_config_;
}

// Destructors call this, ABORT and close_listener: what they are for is done before anything can
// fail for want of memory, even if another call did before.
Result<void> TcpLayer::close(Core& core, Instant now, StreamId id) {
  const bool behind = unsettled_;
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return std::unexpected(Error::no_such_id);
  tcp::Connection* connection = flow->connection();
  if (!connection) {
    tcp::Handshake& handshake = *flow->handshake();
    if (handshake.released()) return std::unexpected(Error::no_such_id);
    if (handshake.state() != State::syn_received)
      return abandon(core, now, id, SendReason::reset_abort);
    handshake.release();
    return {};
  }
  if (connection->released()) return std::unexpected(Error::no_such_id);
  unsettled_ = true;
  connection->release(core.context(now));
  behind ? settle_all(core, now) : settle(core, now, id.index);
  return {};
}

Result<void> TcpLayer::abort(Core& core, Instant now, StreamId id) {
  const bool behind = unsettled_;
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return std::unexpected(Error::no_such_id);
  tcp::Connection* connection = flow->connection();
  if (!connection) return abandon(core, now, id, SendReason::reset_abort);
  if (connection->released()) return std::unexpected(Error::no_such_id);
  // RFC 9293 §3.10.5: in TIME-WAIT too the control block is deleted.
  const Entry entry = find_entry(core.secrets.flow_hash(flow->tuple()), flow->tuple());
  if (connection->state() == State::time_wait && entry.kind == Kind::time_wait)
    drop_time_wait(core, now, entry.index);
  unsettled_ = true;
  connection->abort(core.context(now));
  behind ? settle_all(core, now) : settle(core, now, id.index);
  return {};
}

// CLOSE in SYN-SENT, ABORT before the connection is open (RFC 9293 §3.10.4, §3.10.5): in SYN-SENT
// it is simply forgotten, in SYN-RECEIVED the peer is told.
Result<void> TcpLayer::abandon(Core& core, Instant now, StreamId id, SendReason reason) {
  const tcp::Handshake& handshake = *flows_[id.index].handshake();
  if (handshake.released()) return std::unexpected(Error::no_such_id);
  if (handshake.state() != State::closed)
    core.context(now).trace(
        [&] { return StateChanged{handshake.tuple(), handshake.state(), State::closed}; });
  const bool tell = handshake.state() == State::syn_received;
  const FourTuple tuple = handshake.tuple();
  const tcp::Emission reset = handshake.make_reset(core.context(now), reason);
  const auto config = handshake.shared_config();
  erase_flow(core, id.index);
  if (tell) send_reply(core, tuple, reset, State::closed, *config);
  return {};
}

}  // namespace estab::stack
