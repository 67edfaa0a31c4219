// Law: at one instant packets move before timers fire, as in a host's loop: an answer that arrives
// at the very instant its timer expires is in time. Nodes and links have their turns in the order
// in which they were made.
#include "estab/sim/network.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "base/ensure.h"
#include "sim/network_nodes.h"
#include "sim/plugged_device.h"
#include "wire/icmp.h"
#include "wire/ip.h"

namespace estab::sim {

namespace {

/// 10.0.0.1 and fd00::1 for node 0.
IpAddress address_of(std::uint32_t node, Family family) {
  const std::uint32_t number = node + 1;
  const auto octet = [number](int shift) { return static_cast<std::uint8_t>(number >> shift); };
  if (family == Family::ipv4) return IpAddress::v4(10, octet(16), octet(8), octet(0));
  std::array<std::uint8_t, 16> octets{0xfd};
  for (int i = 0; i < 4; ++i) octets[15 - static_cast<std::size_t>(i)] = octet(8 * i);
  return IpAddress::v6(octets);
}

void show(FrameTap* tap, Instant now, FrameDirection direction, const Packet& packet) {
  if (!tap) return;
  const Octets octets(packet);
  tap->on_frame(now, {.direction = direction, .pieces = std::span(&octets, 1)});
}

}  // namespace

// What watches a network, and the devices that were given away, belong to the original.
Network::Impl::Impl(const Impl& other)
    : prng(other.prng),
      now(other.now),
      nodes(other.nodes),
      links(other.links),
      by_address(other.by_address),
      ways_known(other.ways_known),
      without_way(other.without_way) {
  for (Node& node : nodes) node.tap = nullptr;
}

// ---- making it

std::uint32_t Network::Impl::add_node(Node node) {
  const auto number = static_cast<std::uint32_t>(nodes.size());
  nodes.push_back(std::move(node));
  for (const Family family : {Family::ipv4, Family::ipv6})
    by_address.emplace(address_of(number, family), number);
  ways_known = false;
  return number;
}

void Network::Impl::attach(std::uint32_t number, std::uint32_t link, std::uint8_t end,
                           std::uint16_t mtu) {
  Node& node = nodes[number];
  Port port{.link = link, .end = end};
  if (node.stack) {
    port.interface =
        node.stack->add_interface({.name = "sim" + std::to_string(node.ports.size()), .mtu = mtu});
    // Every port has the node's address: it has no other.
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      const IpAddress own = address_of(number, family);
      const auto bits = static_cast<std::uint8_t>(family == Family::ipv4 ? 32 : 128);
      if (node.ports.empty()) (void)node.stack->add_address(port.interface, {own, bits});
    }
  }
  node.ports.push_back(port);
  ways_known = false;
}

NodeId Network::add_host(std::string name, StackConfig config) {
  if (config.seed == StackConfig{}.seed) config.seed = {impl_->prng.next(), impl_->prng.next()};
  Node node{.name = std::move(name)};
  node.stack.emplace(config);
  return {impl_->add_node(std::move(node))};
}

NodeId Network::add_router(std::string name) {
  return {impl_->add_node({.name = std::move(name)})};
}

NodeId Network::add_plug(std::string name) {
  Node node{.name = std::move(name)};
  node.plug.emplace();
  return {impl_->add_node(std::move(node))};
}

LinkId Network::connect(NodeId a, NodeId b, const LinkConfig& both_ways) {
  return connect(a, b, both_ways, both_ways);
}

LinkId Network::connect(NodeId a, NodeId b, const LinkConfig& from_a, const LinkConfig& from_b) {
  Impl& it = *impl_;
  base::ensure(a.index < it.nodes.size() && b.index < it.nodes.size());
  const auto number = static_cast<std::uint32_t>(it.links.size());
  it.links.push_back(
      {{a.index, b.index},
       {Pipe(from_a, it.prng.next(), it.now), Pipe(from_b, it.prng.next(), it.now)}});
  it.attach(a.index, number, 0, from_a.mtu);
  it.attach(b.index, number, 1, from_b.mtu);
  return {number};
}

void Network::set_link(LinkId link, NodeId from, const LinkConfig& config) {
  Link& changed = impl_->links.at(link.index);
  changed.pipes[changed.nodes[0] == from.index ? 0 : 1].set_config(config);
}

// ---- ways

/// Breadth first from each node: the fewest links, and of several such ways the first made.
void Network::Impl::find_ways() {
  for (std::uint32_t from = 0; from < nodes.size(); ++from) {
    Node& origin = nodes[from];
    origin.ways.assign(nodes.size(), std::nullopt);
    std::queue<std::uint32_t> reached;
    std::vector<bool> seen(nodes.size());
    seen[from] = true;
    reached.push(from);
    while (!reached.empty()) {
      const std::uint32_t at = reached.front();
      reached.pop();
      if (at != from && !nodes[at].is_router()) continue;  // hosts do not forward
      for (std::uint32_t port = 0; port < nodes[at].ports.size(); ++port) {
        const Port& tie = nodes[at].ports[port];
        const std::uint32_t next = links[tie.link].nodes[1 - tie.end];
        if (seen[next]) continue;
        seen[next] = true;
        origin.ways[next] = at == from ? port : origin.ways[at];
        reached.push(next);
      }
    }
    if (!origin.stack) continue;
    for (std::uint32_t to = 0; to < nodes.size(); ++to) {
      if (!origin.ways[to]) continue;
      const InterfaceId interface = origin.ports[*origin.ways[to]].interface;
      (void)origin.stack->add_route({{address_of(to, Family::ipv4), 32}, interface});
      (void)origin.stack->add_route({{address_of(to, Family::ipv6), 128}, interface});
    }
  }
  ways_known = true;
}

std::optional<std::uint32_t> Network::Impl::destination_of(const Packet& packet) const {
  const auto ip = wire::parse_ip(packet);
  if (!ip) return std::nullopt;
  const auto found = by_address.find(ip->header.destination);
  return found == by_address.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> Network::Impl::way(std::uint32_t from, std::uint32_t to) {
  return from == to ? std::nullopt : nodes[from].ways[to];
}

// ---- packets

void Network::Impl::send(const Node& node, std::uint32_t port, Packet packet) {
  const Port& tie = node.ports[port];
  links[tie.link].pipes[tie.end].enter(now, std::move(packet));
}

bool Network::Impl::pump_host(Node& node) {
  bool moved = false;
  while (node.stack->poll_transmit(now, scratch)) {
    moved = true;
    Packet packet(scratch.size());
    scratch.copy_to(packet.data());
    show(node.tap, now, FrameDirection::sent, packet);
    const auto port = std::ranges::find(node.ports, scratch.interface, &Port::interface);
    if (port != node.ports.end())
      send(node, static_cast<std::uint32_t>(port - node.ports.begin()), std::move(packet));
    else
      ++without_way;
  }
  return moved;
}

bool Network::Impl::pump() {
  if (!ways_known) find_ways();
  bool moved = false;
  for (Node& node : nodes)
    if (node.stack) moved |= pump_host(node);
  return moved | deliver_due();
}

bool Network::Impl::deliver_due() {
  bool moved = false;
  for (std::size_t i = 0; i < links.size(); ++i) {
    for (std::size_t end = 0; end < 2; ++end) {
      if (links[i].pipes[end].next_deadline() > now) continue;
      while (auto packet = links[i].pipes[end].take(now)) {
        moved = true;
        Node& node = nodes[links[i].nodes[1 - end]];
        if (node.is_router())
          forward(links[i].nodes[1 - end], std::move(*packet));
        else
          hand_in(node, std::move(*packet), static_cast<std::uint32_t>(i));
      }
    }
  }
  return moved;
}

void Network::Impl::hand_in(Node& node, Packet packet, std::uint32_t link) {
  show(node.tap, now, FrameDirection::received, packet);
  if (node.plug) return node.plug->arrived.push_back(std::move(packet));
  const auto port = std::ranges::find(node.ports, link, &Port::link);
  node.stack->handle_frame(now, port->interface, {.octets = packet});
}

void Network::Impl::forward(std::uint32_t router, Packet packet) {
  const auto destination = destination_of(packet);
  const auto port = destination ? way(router, *destination) : std::nullopt;
  if (!port) {
    ++without_way;
    return;
  }
  const Port& tie = nodes[router].ports[*port];
  const std::uint16_t mtu = links[tie.link].pipes[tie.end].config().mtu;
  if (packet.size() > mtu) return report_too_big(router, packet, mtu);
  send(nodes[router], *port, std::move(packet));
}

/// RFC 1191 §4, RFC 8201 §3. What may be cut (IPv4 without DF) is dropped: this router cuts
/// nothing.
void Network::Impl::report_too_big(std::uint32_t router, const Packet& packet, std::uint16_t mtu) {
  ++without_way;
  const auto ip = wire::parse_ip(packet);
  if (!ip) return;
  const Family family = ip->header.family();
  if (family == Family::ipv4 && !ip->header.dont_fragment) return;
  const auto source = by_address.find(ip->header.source);
  if (source == by_address.end()) return;
  const auto port = way(router, source->second);
  if (!port) return;
  const IpAddress own = address_of(router, family);
  const wire::IcmpMessage error =
      wire::make_icmp_error(family, wire::IcmpError::Kind::packet_too_big, mtu, ip->octets());
  std::array<std::uint8_t, wire::kMaxIcmpErrorV6> icmp;
  const std::size_t length = wire::emit_icmp_error(error, own, ip->header.source, icmp.data());
  wire::IpHeader header;
  header.source = own;
  header.destination = ip->header.source;
  header.protocol = wire::icmp_protocol(family);
  Packet answer(wire::ip_header_length(family) + length);
  const std::size_t begin = wire::emit_ip(header, length, answer.data());
  std::copy_n(icmp.begin(), length, answer.begin() + static_cast<std::ptrdiff_t>(begin));
  send(nodes[router], *port, std::move(answer));
}

// ---- time

bool Network::Impl::fire_timers() {
  bool fired = false;
  for (Node& node : nodes) {
    if (!node.stack || node.stack->next_deadline() > now) continue;
    node.stack->handle_deadline(now);
    fired = true;
  }
  return fired;
}

/// False: nothing more happens until `end`.
bool Network::Impl::step_within(Instant end) {
  if (pump()) return true;
  if (fire_timers()) return true;
  Instant next = kNever;
  for (const Node& node : nodes)
    if (node.stack) next = std::min(next, node.stack->next_deadline());
  for (const Link& link : links)
    for (const Pipe& pipe : link.pipes) next = std::min(next, pipe.next_deadline());
  // A deadline may be early: advancing at least a tick keeps that from stopping time for ever.
  next = std::max(next, now + Duration{1});
  if (next > end || next == kNever) return false;
  now = next;
  return true;
}

Network::Network(std::uint64_t seed, Instant start) : impl_(std::make_unique<Impl>(seed, start)) {}
Network::Network(const Network& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Network& Network::operator=(const Network& other) {
  impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

Instant Network::now() const {
  return impl_->now;
}

Instant Network::next_deadline() const {
  Instant next = kNever;
  for (const Node& node : impl_->nodes)
    if (node.stack) next = std::min(next, node.stack->next_deadline());
  for (const Link& link : impl_->links)
    for (const Pipe& pipe : link.pipes) next = std::min(next, pipe.next_deadline());
  return std::max(next, impl_->now);
}

void Network::settle() {
  while (impl_->pump() || impl_->fire_timers()) {
  }
}

void Network::run_to(Instant then) {
  while (impl_->step_within(then)) {
  }
  impl_->now = std::max(impl_->now, then);
}

bool Network::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = impl_->now + limit;
  while (!condition()) {
    if (impl_->step_within(end)) continue;
    if (next_deadline() != kNever) impl_->now = std::max(impl_->now, end);
    return condition();
  }
  return true;
}

// ---- what is in it

IpAddress Network::address(NodeId node, Family family) const {
  return address_of(node.index, family);
}

std::string_view Network::name(NodeId node) const {
  return impl_->nodes.at(node.index).name;
}

Stack& Network::stack(NodeId host) {
  if (!impl_->ways_known) impl_->find_ways();
  return impl_->nodes.at(host.index).stack.value();
}

const Stack& Network::stack(NodeId host) const {
  return impl_->nodes.at(host.index).stack.value();
}

const PipeCounters& Network::counters(LinkId link, NodeId from) const {
  const Link& found = impl_->links.at(link.index);
  return found.pipes[found.nodes[0] == from.index ? 0 : 1].counters();
}

std::size_t Network::waiting(LinkId link, NodeId from) const {
  const Link& found = impl_->links.at(link.index);
  return found.pipes[found.nodes[0] == from.index ? 0 : 1].waiting();
}

std::uint64_t Network::packets_without_way() const {
  return impl_->without_way;
}

void Network::set_tap(NodeId host, FrameTap* tap) {
  impl_->nodes.at(host.index).tap = tap;
}

// ---- devices

std::unique_ptr<Device> Network::plug(NodeId number) {
  Node& node = impl_->nodes.at(number.index);
  base::ensure(node.plug && !node.plug->taken && !node.ports.empty());
  node.plug->taken = true;
  const Port& tie = node.ports.front();
  const std::uint16_t mtu = impl_->links[tie.link].pipes[tie.end].config().mtu;
  return std::make_unique<PluggedDevice>(
      node.name, mtu, *node.plug, [inside = impl_.get(), index = number.index](Packet packet) {
        Impl& it = *inside;  // stays where it is when the network is moved
        if (!it.ways_known) it.find_ways();
        const Node& from = it.nodes[index];
        show(from.tap, it.now, FrameDirection::sent, packet);
        const auto destination = it.destination_of(packet);
        const auto port = destination ? it.way(index, *destination) : std::nullopt;
        if (port)
          it.send(from, *port, std::move(packet));
        else
          ++it.without_way;
      });
}

bool Network::has_arrived(NodeId plugged) const {
  const Node& node = impl_->nodes.at(plugged.index);
  return node.plug && !node.plug->arrived.empty();
}

// ---- shapes

Dumbbell make_dumbbell(Network& network, const DumbbellConfig& config) {
  Dumbbell made;
  made.left = network.add_router("left");
  made.right = network.add_router("right");
  made.bottleneck = network.connect(made.left, made.right, config.to_servers, config.to_clients);
  for (std::size_t i = 0; i < config.pairs; ++i) {
    const std::string number = std::to_string(i + 1);
    made.clients.push_back(network.add_host("client" + number, config.client));
    network.connect(made.clients.back(), made.left, config.access);
    made.servers.push_back(network.add_host("server" + number, config.server));
    network.connect(made.right, made.servers.back(), config.access);
  }
  return made;
}

Chain make_chain(Network& network, const std::vector<LinkConfig>& links, StackConfig client,
                 StackConfig server) {
  base::ensure(!links.empty());
  Chain made;
  made.client = network.add_host("client", std::move(client));
  NodeId last = made.client;
  for (std::size_t i = 0; i + 1 < links.size(); ++i) {
    const NodeId router = network.add_router("router" + std::to_string(i + 1));
    made.links.push_back(network.connect(last, router, links[i]));
    last = router;
  }
  made.server = network.add_host("server", std::move(server));
  made.links.push_back(network.connect(last, made.server, links.back()));
  return made;
}

}  // namespace estab::sim
