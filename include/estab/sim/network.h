// Network: hosts, routers and links in virtual time, in one process, without an operating system.
// Law: everything that happens follows from the seed and the calls; hours pass in no time; a copy
// goes its own way (its taps and plugged devices stay with the original).
//
//   sim::Network network(7);
//   auto client = network.add_host("client"), server = network.add_host("server");
//   network.connect(client, server, {.rate_bits_per_second = 50'000'000, .delay = 30ms});
//   auto listener = network.stack(server).listen({.local = {IpAddress(), 80}});
//   network.run_for(10s);
//
// Each host has a Stack; applications are the calls of Stack and its events. For applications that
// are coroutines see sim/world.h. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "estab/device.h"
#include "estab/frame_tap.h"
#include "estab/sim/link.h"
#include "estab/stack.h"

namespace estab::sim {

struct NodeId {
  std::uint32_t index = 0xffffffff;
  friend bool operator==(NodeId, NodeId) = default;
};
struct LinkId {
  std::uint32_t index = 0xffffffff;
  friend bool operator==(LinkId, LinkId) = default;
};

class Network {
 public:
  explicit Network(std::uint64_t seed = 1, Instant start = {});
  Network(const Network& other);
  Network& operator=(const Network& other);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  // ---- making it

  /// A host with a stack of its own, which draws its secrets from the network's seed.
  NodeId add_host(std::string name, StackConfig config = {});
  /// Passes on what is for others, by the shortest way. It sends ICMP "packet too big" for what
  /// does not fit the next link, and keeps no count of hops.
  NodeId add_router(std::string name);
  /// A host whose stack is elsewhere, behind the Device that plug() gives.
  NodeId add_plug(std::string name);

  LinkId connect(NodeId a, NodeId b, const LinkConfig& both_ways);
  LinkId connect(NodeId a, NodeId b, const LinkConfig& from_a, const LinkConfig& from_b);
  /// From the next packet on. `from` must be one of the link's two ends.
  void set_link(LinkId link, NodeId from, const LinkConfig& config);

  // ---- what is in it

  /// The node's address: 10.0.0.1, 10.0.0.2, ... and fd00::1, ... in the order they were added.
  IpAddress address(NodeId node, Family family = Family::ipv4) const;
  std::string_view name(NodeId node) const;
  /// Of a host.
  Stack& stack(NodeId host);
  const Stack& stack(NodeId host) const;
  const PipeCounters& counters(LinkId link, NodeId from) const;
  /// Packets that wait before the link in that direction.
  std::size_t waiting(LinkId link, NodeId from) const;
  /// Packets that led nowhere, or were too large to be passed on and not allowed to be cut.
  std::uint64_t packets_without_way() const;

  /// The device of an add_plug() node, for a Host or any other owner of a stack; its frames travel
  /// here. The network must outlive it. Its address is the node's: add it yourself, and a default
  /// route. One device a node.
  std::unique_ptr<Device> plug(NodeId node);
  /// Whether something waits for the stack behind the device.
  bool has_arrived(NodeId plugged) const;

  /// Shows the tap what a host or plugged device sends and what reaches it. Null detaches.
  void set_tap(NodeId host, FrameTap* tap);

  // ---- time

  Instant now() const;
  /// When something will happen next by itself; kNever if nothing will. (What the stacks behind
  /// plugged devices will do, nobody here knows.)
  Instant next_deadline() const;
  /// Moves packets and fires timers until nothing more can happen at this instant.
  void settle();
  /// Lets time pass until `then`, and whatever happens meanwhile happen.
  void run_to(Instant then);
  void run_for(Duration time) { run_to(now() + time); }
  /// Until the condition holds, and says whether it does; for no longer than `limit`. It is asked
  /// after every instant at which something happened.
  bool run_until(const std::function<bool()>& condition, Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// So many clients and servers, client n against server n, all over one link between two routers.
struct Dumbbell {
  std::vector<NodeId> clients, servers;
  NodeId left, right;
  LinkId bottleneck;
};

struct DumbbellConfig {
  std::size_t pairs = 1;
  LinkConfig to_servers{}, to_clients{};  ///< the bottleneck, each way
  LinkConfig access{};                    ///< between each host and its router, both ways
  StackConfig client{}, server{};
};

Dumbbell make_dumbbell(Network& network, const DumbbellConfig& config);

/// Two hosts and routers between them, a link from each to the next: `links` has one more than
/// there are routers.
struct Chain {
  NodeId client, server;
  std::vector<LinkId> links;
};

Chain make_chain(Network& network, const std::vector<LinkConfig>& links, StackConfig client = {},
                 StackConfig server = {});

}  // namespace estab::sim
