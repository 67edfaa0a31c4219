// Law: hosts have their turns in the order in which they were added; time moves on only when none
// has anything to do at this instant and no packet is due.
#include "estab/sim/world.h"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>

#include "host/loop.h"

namespace estab::sim {

struct World::Impl {
  explicit Impl(std::uint64_t of) : seed(of), network(of) {}

  /// The time of one host. While that host waits, the others and the network go on.
  class HostClock final : public Clock {
   public:
    HostClock(Impl& world, NodeId node) : world_(world), node_(node) {}
    Instant now() const override { return world_.network.now(); }
    void wait(Instant until) override { world_.wait_for(node_, until); }

   private:
    Impl& world_;
    NodeId node_;
  };

  struct Member {
    Member(Impl& world, NodeId number, HostOptions options)
        : node(number), clock(world, number), host(with_clock(std::move(options), clock)) {}
    static HostOptions with_clock(HostOptions options, Clock& clock) {
      options.clock = &clock;
      return options;
    }
    NodeId node;
    HostClock clock;
    Host host;
    bool connected = false;
  };

  struct Name {
    std::string text;
    NodeId node;
  };

  void join(NodeId node);
  bool turns();
  bool step(Instant end);
  void wait_for(NodeId waiting, Instant until);
  bool is_over();

  std::uint64_t seed;
  Network network;
  std::deque<Member> members{};  // destroyed before the network that carries their devices
  std::vector<Name> names{};
};

// ---- running

/// Every host that has something to do at this instant does it. Hosts that are in the middle of a
/// round (they wait, in wait_for) have theirs when that returns.
bool World::Impl::turns() {
  bool worked = false;
  for (Member& member : members) {
    if (member.host.loop().is_in_round()) continue;
    while (member.host.next_deadline() <= network.now()) {
      member.host.run_once(Duration::zero());
      worked = true;
    }
  }
  return worked;
}

/// Lets happen what is due now; if nothing is, moves time on. False: nothing more until `end`.
bool World::Impl::step(Instant end) {
  bool worked = turns();
  const Instant before = network.now();
  network.run_to(before);
  worked |= turns();
  if (worked) return true;
  Instant next = network.next_deadline();
  for (Member& member : members)
    if (!member.host.loop().is_in_round()) next = std::min(next, member.host.next_deadline());
  if (next == kNever || next > end) return false;
  network.run_to(std::max(next, before + Duration{1}));
  return true;
}

void World::Impl::wait_for(NodeId waiting, Instant until) {
  while (network.now() < until && !network.has_arrived(waiting)) {
    if (step(until)) continue;
    if (until == kNever)
      throw std::logic_error("every host of the simulated world waits, and nothing is under way");
    network.run_to(until);
  }
}

bool World::Impl::is_over() {
  return std::ranges::all_of(
      members, [](Member& member) { return member.host.loop().tasks().foreground() == 0; });
}

bool World::run(Duration limit) {
  const Instant end = now() + limit;
  while (!impl_->is_over()) {
    if (impl_->step(end)) continue;
    if (impl_->network.next_deadline() != kNever && end != kNever) impl_->network.run_to(end);
    return impl_->is_over();
  }
  return true;
}

void World::run_for(Duration time) {
  const Instant end = now() + time;
  while (impl_->step(end)) {
  }
  impl_->network.run_to(end);
}

// ---- making it

World::World(std::uint64_t seed) : impl_(std::make_unique<Impl>(seed)) {}
World::~World() = default;

Host& World::add_host(std::string_view name, HostOptions options) {
  const NodeId node = impl_->network.add_plug(std::string(name));
  impl_->names.push_back({std::string(name), node});
  options.seed = std::array<std::uint64_t, 2>{impl_->seed, node.index + 1u};
  return impl_->members.emplace_back(*impl_, node, std::move(options)).host;
}

void World::add_router(std::string_view name) {
  const NodeId node = impl_->network.add_router(std::string(name));
  impl_->names.push_back({std::string(name), node});
}

/// A host gets its device, its addresses and its default routes with its link.
void World::Impl::join(NodeId node) {
  const auto found = std::ranges::find(members, node, &Member::node);
  if (found == members.end()) return;
  if (std::exchange(found->connected, true))
    throw std::invalid_argument("sim::World: a host has one link; put a router between");
  const InterfaceId interface = found->host.add_device(network.plug(node));
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto bits = static_cast<std::uint8_t>(family == Family::ipv4 ? 32 : 128);
    (void)found->host.add_address(interface, {network.address(node, family), bits});
    (void)found->host.add_default_route(interface, family);
  }
}

LinkId World::connect(std::string_view a, std::string_view b, const LinkConfig& both_ways) {
  return connect(a, b, both_ways, both_ways);
}

LinkId World::connect(std::string_view a, std::string_view b, const LinkConfig& from_a,
                      const LinkConfig& from_b) {
  const NodeId left = node(a), right = node(b);
  const LinkId link = impl_->network.connect(left, right, from_a, from_b);
  impl_->join(left);
  impl_->join(right);
  return link;
}

NodeId World::node(std::string_view name) const {
  const auto found = std::ranges::find(impl_->names, name, &Impl::Name::text);
  if (found == impl_->names.end())
    throw std::invalid_argument("sim::World: no node is called '" + std::string(name) + "'");
  return found->node;
}

IpAddress World::address(std::string_view name, Family family) const {
  return impl_->network.address(node(name), family);
}

Network& World::network() {
  return impl_->network;
}

Instant World::now() const {
  return impl_->network.now();
}

}  // namespace estab::sim
