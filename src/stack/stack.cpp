// Stack's public face: each call is handed to the layer it concerns.

#include "estab/stack.h"

#include <algorithm>

#include "base/public_fields.h"
#include "stack/stack_impl.h"

namespace estab {

namespace {

ip::ReassemblerConfig fragment_config(const StackConfig& config) {
  base::Prng prng(
      std::array<std::uint64_t, 2>{config.seed[0], config.seed[1] ^ 0x667261676d656e74});
  return {{prng.next(), prng.next()},
          config.limits.fragment_octets,
          config.limits.fragments_per_datagram,
          config.fragment_timeout};
}

udp::DatagramTableConfig datagram_config(const StackConfig& config) {
  return {config.limits.datagram_ports, config.limits.datagram_queue, config.port_min,
          config.port_max};
}

}  // namespace

Stack::Impl::Impl(const StackConfig& config)
    : core(config),
      datagrams(datagram_config(config)),
      datagram_flows({config.limits.datagram_flows, config.limits.datagram_flows_per_source,
                      config.limits.datagram_queue, config.datagram_flow_timeout}),
      fragments(fragment_config(config)) {}

Stack::Stack(const StackConfig& config) : impl_(std::make_unique<Impl>(config)) {}
Stack::Stack(const Stack& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Stack& Stack::operator=(const Stack& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Stack::Stack(Stack&& other) noexcept = default;
Stack& Stack::operator=(Stack&& other) noexcept = default;
Stack::~Stack() = default;

// ---- getters

const StackConfig& Stack::config() const {
  return impl_->core.config;
}
const StackCounters& Stack::counters() const {
  return impl_->core.counters;
}
State Stack::state(StreamId stream) const {
  return impl_->tcp.state(impl_->core, stream);
}

Result<TcpInfo> Stack::info(StreamId stream) const {
  return info(impl_->core.latest, stream);
}

Result<TcpInfo> Stack::info(Instant now, StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  if (!flow) return std::unexpected(Error::no_such_id);
  if (const auto* connection = flow->connection()) return connection->info(now);
  TcpInfo info;
  info.state = flow->state();
  info.notsent_bytes = flow->handshake()->early_data().size();
  info.fast_open = flow->handshake()->fast_open_outcome();
  return info;
}

Result<FourTuple> Stack::endpoints(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  if (!flow) return std::unexpected(Error::no_such_id);
  return flow->tuple();
}

Result<Endpoint> Stack::local_endpoint(ListenerId listener) const {
  const auto* found = impl_->tcp.find(listener);
  if (!found) return std::unexpected(Error::no_such_id);
  return found->local;
}

bool Stack::is_local(const IpAddress& address) const {
  const auto own = impl_->core.interfaces.own(address);
  return own || own.error() == Error::invalid_argument;  // of several interfaces
}

Result<IpAddress> Stack::own_address(const IpAddress& address) const {
  return impl_->core.interfaces.own(address);
}

// What has aged since the last call that named a time will be found out by the next that does.
Result<RouteInfo> Stack::route(const IpAddress& remote, const IpAddress& local) const {
  const auto way = impl_->core.find_way(impl_->core.latest, local, remote);
  if (!way) return std::unexpected(way.error());
  const stack::Path& path = way->path;
  return RouteInfo{way->local, way->remote, path.hop.interface, path.hop.next_hop, path.mtu};
}

bool Stack::is_broadcast(const IpAddress& address) const {
  return impl_->core.interfaces.is_any_broadcast(address);
}

std::optional<InterfaceId> Stack::find_interface(std::string_view name) const {
  return impl_->core.interfaces.find(name);
}

std::size_t Stack::readable(StreamId stream) const {
  const auto* connection = impl_->tcp.find_connection(stream);
  return connection ? connection->receiver().readable() : 0;
}

std::size_t Stack::writable(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  if (const auto* handshake = flow ? flow->handshake() : nullptr)
    return handshake->state() == State::closed ? 0
                                               : handshake->early_data().room(handshake->config());
  const auto* connection = impl_->tcp.find_connection(stream);
  if (!connection || connection->sender().outgoing().fin_queued()) return 0;
  const State state = connection->state();
  const bool open =
      state == State::established || state == State::close_wait || state == State::syn_received;
  return open ? connection->send_room() : 0;
}

std::size_t Stack::syn_room(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  const auto* handshake = flow ? flow->handshake() : nullptr;
  return handshake ? handshake->syn_room() : 0;
}

bool Stack::at_end(StreamId stream) const {
  const auto* connection = impl_->tcp.find_connection(stream);
  return connection && connection->receiver().at_end();
}

std::optional<UrgentMark> Stack::urgent(StreamId stream) const {
  const auto* connection = impl_->tcp.find_connection(stream);
  if (!connection) return std::nullopt;
  return connection->receiver().urgent(connection->config());
}

std::optional<Error> Stack::failure(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  return flow ? flow->failure() : std::nullopt;
}

std::optional<IcmpReport> Stack::icmp_report(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  const auto* handshake = flow ? flow->handshake() : nullptr;
  return handshake ? handshake->icmp_report() : std::nullopt;
}

std::optional<Error> Stack::failure(ListenerId listener) const {
  const auto* found = impl_->tcp.find(listener);
  return found ? found->failure : std::nullopt;
}

Result<TcpConfig> Stack::settings(StreamId stream) const {
  const auto* flow = impl_->tcp.find(stream);
  if (!flow) return std::unexpected(Error::no_such_id);
  return flow->config();
}

Result<TcpConfig> Stack::settings(ListenerId listener) const {
  const auto* found = impl_->tcp.find(listener);
  if (!found) return std::unexpected(Error::no_such_id);
  return *found->config;
}

std::size_t Stack::acceptable(ListenerId listener) const {
  const auto* found = impl_->tcp.find(listener);
  return found ? found->queue.size() : 0;
}

std::vector<SocketRow> Stack::table() const {
  return impl_->tcp.table();
}

Stack::Census Stack::census() const {
  Census census;
  impl_->tcp.census(census);
  census.datagram_ports = impl_->datagrams.size();
  census.datagram_flows = impl_->datagram_flows.size();
  return census;
}

std::size_t Stack::memory() const {
  const Impl& impl = *impl_;
  return sizeof(Impl) + impl.tcp.memory() + impl.datagrams.memory() + impl.datagram_flows.memory() +
         impl.fragments.memory() + impl.core.path_mtu.memory() + impl.core.fast_open.memory() +
         impl.core.blocks.free_octets() + impl.core.replies.memory() +
         impl.core.echo_requests.memory() + impl.core.echo_events.memory() +
         impl.raw_frame.capacity();
}

std::uint64_t Stack::hash() const {
  base::Hasher hasher;
  impl_->core.hash_into(hasher);
  impl_->tcp.hash_into(hasher);
  impl_->datagrams.hash_into(hasher);
  impl_->datagram_flows.hash_into(hasher);
  impl_->fragments.hash_into(hasher);
  return hasher.finish();
}

bool Stack::equals(const Stack& other) const {
  return impl_->core.equals(other.impl_->core) && impl_->tcp.equals(other.impl_->tcp) &&
         impl_->datagrams == other.impl_->datagrams &&
         impl_->datagram_flows == other.impl_->datagram_flows &&
         impl_->fragments == other.impl_->fragments;
}

// ---- configuration

InterfaceId Stack::add_interface(const InterfaceConfig& config) {
  return impl_->core.interfaces.add(config, impl_->core.config.limits.interfaces);
}

Result<InterfaceConfig> Stack::interface(InterfaceId id) const {
  const InterfaceConfig* config = impl_->core.interfaces.find(id);
  if (!config) return std::unexpected(Error::no_such_id);
  return *config;
}

// [RFC 1122 3.3.3-5]
Result<void> Stack::set_mtu(InterfaceId id, std::uint16_t mtu) {
  ++impl_->core.path_version;
  return impl_->core.interfaces.set_mtu(id, mtu);
}

// [RFC 1122 3.3.1.6-1, 3.3.1.6-2]
Result<void> Stack::add_address(InterfaceId id, const Cidr& address) {
  impl_->core.routes.make_room();
  if (auto added = impl_->core.interfaces.add_address(id, address); !added) return added;
  return add_route({address, id, std::nullopt});
}

Result<void> Stack::add_route(const Route& route) {
  stack::Core& core = impl_->core;
  if (!core.interfaces.contains(route.interface)) return std::unexpected(Error::no_such_id);
  const auto meant = core.complete(route);
  if (!meant) return std::unexpected(meant.error());
  ++core.path_version;
  return core.routes.add(*meant);
}

Result<void> Stack::remove_route(const Route& route) {
  stack::Core& core = impl_->core;
  const auto meant = core.complete(route);
  if (!meant || !core.routes.remove(*meant)) return std::unexpected(Error::no_route);
  ++core.path_version;
  return {};
}

Result<void> Stack::remove_address(Instant now, InterfaceId id, const IpAddress& address) {
  stack::Core& core = impl_->core;
  const auto removed = core.interfaces.remove_address(id, address);
  if (!removed) return std::unexpected(removed.error());
  const bool shared = std::ranges::any_of(core.interfaces.addresses(id), [&](const Cidr& other) {
    return other.prefix_length == removed->prefix_length && other.contains(removed->address);
  });
  if (!shared) (void)core.routes.remove({*removed, id, std::nullopt});
  impl_->on_removed(now, {{removed->address}, 0});
  return {};
}

Result<void> Stack::remove_interface(Instant now, InterfaceId id) {
  stack::Core& core = impl_->core;
  if (!core.interfaces.contains(id)) return std::unexpected(Error::no_such_id);
  stack::Removed gone{{}, zone_of(id)};
  for (const Cidr& own : core.interfaces.addresses(id)) gone.addresses.push_back(own.address);
  core.routes.remove_all(id);
  (void)core.interfaces.remove(id);
  impl_->on_removed(now, gone);
  return {};
}

Result<void> Stack::pause_interface(InterfaceId id) {
  return impl_->core.interfaces.set_paused(id, true);
}

Result<void> Stack::resume_interface(InterfaceId id) {
  return impl_->core.interfaces.set_paused(id, false);
}

// What is in each layer of what has been removed from the tables below.
void Stack::Impl::on_removed(Instant now, const stack::Removed& gone) {
  core.latest = now;
  ++core.path_version;
  core.forget_replies(gone);
  core.fast_open.forget_if([&](const FourTuple& tuple) { return gone.concerns(tuple); });
  if (gone.zone != 0) {
    core.path_mtu.forget_zone(gone.zone);
    fragments.forget_zone(gone.zone);
    datagram_flows.on_interface_removed(gone.zone);
  }
  tcp.on_removed(core, now, gone);
  for (const IpAddress& address : gone.addresses) datagrams.on_address_removed(address);
}

void Stack::set_observer(Observer* observer) {
  impl_->core.observer = observer;
}

// ---- handle

Verdict Stack::handle_frame(Instant now, InterfaceId interface, const ReceivedFrame& frame) {
  impl_->core.latest = now;
  return impl_->handle_frame(now, interface, frame, Impl::Origin::link);
}

void Stack::handle_deadline(Instant now) {
  Impl& impl = *impl_;
  impl.core.latest = now;
  impl.tcp.on_deadline(impl.core, now);
  impl.datagram_flows.expire(now);
  impl.fragments.expire(
      now, [&](const wire::IpPacket& first) { impl.send_reassembly_timeout(now, first); });
}

Block Stack::take_block(std::size_t octets) {
  return impl_->core.blocks.take(octets);
}
void Stack::give_block(Block&& block) {
  impl_->core.blocks.give(std::move(block));
}

// ---- poll

bool Stack::poll_transmit(Instant now, TransmitFrame& frame) {
  impl_->core.latest = now;
  return impl_->has_output() && impl_->poll_transmit(now, frame);
}

std::optional<Event> Stack::poll_event() {
  if (auto event = impl_->tcp.poll_event()) return *event;
  if (auto event = impl_->tcp.poll_accept_event()) return *event;
  if (auto event = impl_->datagrams.poll_event()) return *event;
  if (auto event = impl_->tcp.poll_offer()) return *event;
  if (auto event = impl_->datagram_flows.poll_event()) return *event;
  if (impl_->core.echo_events.empty()) return std::nullopt;
  return impl_->core.echo_events.pop_front();
}

Instant Stack::next_deadline() const {
  return std::min({impl_->tcp.next_deadline(impl_->core.latest), impl_->fragments.next_deadline(),
                   impl_->datagram_flows.next_deadline()});
}

}  // namespace estab
