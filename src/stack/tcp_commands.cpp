// The commands of an application (RFC 9293 §3.10.1 to §3.10.6) that concern more than one
// connection's own state.

#include <algorithm>

#include "base/port_range.h"
#include "stack/tcp_layer.h"
#include "tcp/connection/negotiated.h"
#include "tcp/open/syn.h"

namespace estab::stack {

Result<ListenerId> TcpLayer::listen(Core& core, const ListenOptions& options) {
  const TcpConfig& config = options.tcp ? *options.tcp : core.config.tcp;
  if (!tcp::is_usable_route(config.source_route)) return std::unexpected(Error::invalid_argument);
  if (listeners_.size() >= core.config.limits.listeners)
    return std::unexpected(Error::limit_reached);
  tcp::Listener listener;
  listener.local = options.local;
  if (!options.local.address.is_unspecified()) {
    const auto own = core.interfaces.own(options.local.address);
    if (!own) return std::unexpected(own.error());
    listener.local.address = *own;
  }
  if (listener.local.port == 0) {
    const auto port = choose_listening_port(core);
    if (!port) return std::unexpected(Error::no_ports);
    listener.local.port = *port;
  }
  // [RFC 9293 MUST-41, MUST-42]
  if (find_exact_listener(listener.local)) return std::unexpected(Error::address_in_use);
  listener.backlog = std::max(options.backlog, 1u);
  listener.ipv6_only = options.ipv6_only;
  listener.config = std::make_shared<const TcpConfig>(config);
  listener_table_.make_room();
  const std::uint64_t hash = listener_hash(listener.local);
  const std::uint32_t index = listeners_.emplace(std::move(listener));
  listener_table_.insert(hash, index);
  return ListenerId{index, listeners_.generation(index)};
}

// RFC 6056 §3.3.1. One on which nobody listens yet, at whatever address: a listener at another
// address would be given what was meant for this one.
std::optional<std::uint16_t> TcpLayer::choose_listening_port(Core& core) const {
  const base::PortRange ports(core.config.port_min, core.config.port_max);
  if (ports.size() == 0) return std::nullopt;
  std::vector<bool> taken(std::size_t{1} << 16);
  listeners_.for_each([&](std::uint32_t, const tcp::Listener& listener) {
    if (!listener.failure) taken[listener.local.port] = true;
  });
  const auto start = static_cast<std::uint32_t>(core.prng.below(ports.size()));
  for (std::uint32_t tries = 0; tries < ports.size(); ++tries)
    if (const std::uint16_t port = ports.at(start + tries); !taken[port]) return port;
  return std::nullopt;
}

Result<void> TcpLayer::close_listener(Core& core, Instant now, ListenerId id) {
  if (!listeners_.find(id.index, id.generation)) return std::unexpected(Error::no_such_id);
  const base::Ring<StreamId> waiting = stop_listening(core, now, id.index, Tell::peers);
  if (listeners_[id.index].in_events) acceptable_.remove(id.index);
  listeners_.erase(id.index);
  const bool behind = std::exchange(interrupted_, true);
  for (const StreamId& stream : waiting) {
    Flow* flow = flows_.find(stream.index, stream.generation);
    if (flow) flow->connection()->abort(core.context(now));
  }
  for (const StreamId& stream : waiting)
    if (flows_.find(stream.index, stream.generation)) follow_up_flow(core, now, stream.index);
  interrupted_ = behind;
  return {};
}

// Openings under way are forgotten; complete ones nobody has accepted are given back, to be reset.
base::Ring<StreamId> TcpLayer::stop_listening(Core& core, Instant now, std::uint32_t index,
                                              Tell tell) {
  tcp::Listener& listener = listeners_[index];
  half_open_.for_each([&](std::uint32_t record, tcp::HalfOpen& half_open) {
    if (half_open.listener != index) return;
    if (half_open.is_opened()) {
      half_open.listener = kNone;  // its connection lives on, or ends as those that wait for accept
      return;
    }
    if (half_open.answered && tell == Tell::peers)
      send_reset(core, now, half_open, SendReason::reset_abort);
    forget_half_open(core, now, record, State::closed);
  });
  if (!listener.failure) listener_table_.erase(listener_hash(listener.local), index);
  return std::move(listener.queue);
}

Result<StreamId> TcpLayer::accept(Core& core, Instant now, ListenerId id) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  recover(core, now);
  while (!listener->queue.empty()) {
    const StreamId stream = listener->queue.front();
    if (Flow* flow = flows_.find(stream.index, stream.generation)) {
      flow->listener = kNone;
      interrupted_ = true;  // queueing may throw: then it waits to be accepted again
      if (flow->connection()->has_signals()) queue_event(*flow, stream.index);
      if (listener->queue.size() > 1) queue_accept_event(id.index);
      interrupted_ = false;
      return listener->queue.pop_front();
    }
    (void)listener->queue.pop_front();
  }
  return std::unexpected(listener->failure.value_or(Error::would_block));
}

Result<void> TcpLayer::reconfigure(ListenerId id, const TcpConfig& config) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  if (!tcp::is_usable_route(config.source_route)) return std::unexpected(Error::invalid_argument);
  listener->config = std::make_shared<const TcpConfig>(config);
  return {};
}

Result<void> TcpLayer::set_backlog(ListenerId id, std::uint32_t backlog) {
  tcp::Listener* listener = listeners_.find(id.index, id.generation);
  if (!listener) return std::unexpected(Error::no_such_id);
  listener->backlog = std::max(backlog, 1u);
  return {};
}

Result<void> TcpLayer::reconfigure(Core& core, Instant now, StreamId id, const TcpConfig& config) {
  recover(core, now);
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow || flow->released()) return std::unexpected(Error::no_such_id);
  if (!flow->indexed) return std::unexpected(flow->failure().value_or(Error::not_connected));
  if (auto may = tcp::check_change(flow->state(), flow->config(), config); !may) return may;
  const bool same_route = flow->config().source_route == config.source_route;
  auto shared = std::make_shared<const TcpConfig>(config);
  interrupted_ = true;
  if (tcp::Handshake* handshake = flow->handshake()) {
    handshake->reconfigure(core.context(now), std::move(shared));
  } else {
    flow->connection()->reconfigure(core.context(now), std::move(shared));
  }
  if (!same_route) flow->path_version = core.path_version - 1;  // it begins at another hop now
  follow_up(core, now, id.index);
  return {};
}

// RFC 6056 §3.3.3 (algorithm 3): where the search begins depends on the destination and a secret;
// each open moves on by one.
bool TcpLayer::choose_port(Core& core, Chosen& chosen) {
  FourTuple& tuple = chosen.tuple;
  const base::PortRange ports(core.config.port_min, core.config.port_max);
  const std::uint32_t offset = core.secrets.port_offset(tuple.local_address, tuple.remote());
  for (std::uint32_t tries = 0; tries < ports.size(); ++tries) {
    tuple.local_port = ports.at(offset + next_port_++);
    chosen.hash = core.secrets.flow_hash(tuple);
    if (find_entry(chosen.hash, tuple).kind == Kind::nobody) return true;
  }
  return false;
}

Result<TcpLayer::Chosen> TcpLayer::choose_tuple(Core& core, const Way& way,
                                                const ConnectOptions& options) {
  Chosen chosen{{way.local, way.remote, options.local_port, options.remote.port}};
  if (options.local_port == 0) {
    if (!choose_port(core, chosen)) return std::unexpected(Error::no_ports);
  } else {
    chosen.hash = core.secrets.flow_hash(chosen.tuple);
    if (find_entry(chosen.hash, chosen.tuple).kind != Kind::nobody)
      return std::unexpected(Error::address_in_use);
  }
  return chosen;
}

Result<StreamId> TcpLayer::connect(Core& core, Instant now, const ConnectOptions& options) {
  const IpAddress& to = options.remote.address;
  if (options.remote.port == 0) return std::unexpected(Error::invalid_argument);
  const auto& route = options.tcp ? options.tcp->source_route : core.config.tcp.source_route;
  // [RFC 9293 MUST-51]
  if (!tcp::is_usable_route(route)) return std::unexpected(Error::invalid_argument);
  // [RFC 9293 MUST-46]
  // MUST-46: no connection to an address that is no single host's.
  if (to.is_unspecified() || to.is_multicast() || core.interfaces.is_any_broadcast(to))
    return std::unexpected(Error::address_not_available);
  const TcpConfig& wanted = options.tcp ? *options.tcp : core.config.tcp;
  if (options.first_octets.size() > wanted.send_buffer.initial)
    return std::unexpected(Error::message_too_long);
  const auto way =
      core.find_way(now, options.local_address.value_or(IpAddress::any(to.family())), to, route);
  if (!way) return std::unexpected(way.error());
  recover(core, now);
  if (flows_.size() >= core.config.limits.connections) return std::unexpected(Error::limit_reached);
  const auto chosen = choose_tuple(core, *way, options);
  if (!chosen) return std::unexpected(chosen.error());
  auto config =
      options.tcp ? std::make_shared<const TcpConfig>(*options.tcp) : default_config(core);
  const std::uint32_t largest = tcp::announced_mss(chosen->tuple.family(), way->path.mtu, *config);
  const tcp::FastOpenSyn fast_open =
      tcp::plan_fast_open(core.fast_open, chosen->tuple, config->fast_open, largest, now);
  make_room();
  output_.make_room();
  const std::uint32_t index = flows_.emplace(
      std::in_place_type<tcp::Handshake>,
      Flow::Place{chosen->hash, way->path, now, core.path_version}, core.context(now), core.secrets,
      chosen->tuple, std::move(config), way->path.link_mtu, fast_open);
  if (options.hold_syn) flows_[index].handshake()->hold_syn();
  send_first(core, index, options.first_octets);
  table_.insert(chosen->hash, Entry{Kind::flow, index}.packed());
  flows_[index].indexed = true;
  follow_up(core, now, index);
  return StreamId{index, flows_.generation(index)};
}

void TcpLayer::send_first(Core& core, std::uint32_t index, Octets octets) {
  tcp::Handshake& handshake = *flows_[index].handshake();
  if (octets.empty()) return;
  try {
    (void)handshake.early_data().send(handshake.config(), octets, SendMode::normal, core.blocks);
  } catch (...) {
    flows_.erase(index);
    throw;
  }
  handshake.release_syn();
}

// One object for all connections with default settings.
std::shared_ptr<const TcpConfig> TcpLayer::default_config(const Core& core) {
  if (!default_config_) default_config_ = std::make_shared<const TcpConfig>(core.config.tcp);
  return default_config_;
}

// Destructors call this, ABORT and close_listener: what they are for is done before anything can
// fail for want of memory, even if another call did before.
Result<void> TcpLayer::close(Core& core, Instant now, StreamId id) {
  const bool behind = interrupted_;
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
  interrupted_ = true;
  connection->release(core.context(now));
  behind ? follow_up_all(core, now) : follow_up(core, now, id.index);
  return {};
}

Result<void> TcpLayer::abort(Core& core, Instant now, StreamId id) {
  const bool behind = interrupted_;
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return std::unexpected(Error::no_such_id);
  tcp::Connection* connection = flow->connection();
  if (!connection) return abandon(core, now, id, SendReason::reset_abort);
  if (connection->released()) return std::unexpected(Error::no_such_id);
  // RFC 9293 §3.10.5: in TIME-WAIT too the control block is deleted.
  const Entry entry = find_entry(core.secrets.flow_hash(flow->tuple()), flow->tuple());
  if (connection->state() == State::time_wait && entry.kind == Kind::time_wait)
    drop_time_wait(core, now, entry.index);
  interrupted_ = true;
  connection->abort(core.context(now));
  behind ? follow_up_all(core, now) : follow_up(core, now, id.index);
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
