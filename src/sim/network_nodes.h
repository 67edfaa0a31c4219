// What a Network is made of. References are by number, so that a copy of all is the compiler's.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "estab/sim/network.h"
#include "estab/sim/pipe.h"

#include "base/prng.h"
#include "sim/packet.h"

namespace estab::sim {

/// Where a node is tied to a link: the link, and which end of it.
struct Port {
  std::uint32_t link = 0;
  std::uint8_t end = 0;
  InterfaceId interface{};  // of a host's stack
};

/// Frames that a device was given or is to give: for nodes whose stack is elsewhere.
struct Plug {
  std::deque<Packet> arrived;
  bool taken = false;  // plug() has given the device
};

struct Node {
  std::string name;
  std::optional<Stack> stack{};  // of a host
  std::optional<Plug> plug{};
  std::vector<Port> ports{};
  FrameTap* tap = nullptr;
  /// By number of the destination: which port leads there. Worked out when it is first needed.
  std::vector<std::optional<std::uint32_t>> ways{};

  bool is_router() const { return !stack && !plug; }
};

struct Link {
  std::array<std::uint32_t, 2> nodes;
  std::array<Pipe, 2> pipes;  // pipes[e] carries what end e sends
};

struct Network::Impl {
  Impl(std::uint64_t seed, Instant start) : prng(seed), now(start) {}
  Impl(const Impl& other);
  Impl& operator=(const Impl&) = delete;

  std::uint32_t add_node(Node node);
  void attach(std::uint32_t node, std::uint32_t link, std::uint8_t end, std::uint16_t mtu);
  void find_ways();
  std::optional<std::uint32_t> destination_of(const Packet& packet) const;
  std::optional<std::uint32_t> way(std::uint32_t from, std::uint32_t to);

  bool pump();
  bool pump_host(Node& node);
  bool deliver_due();
  bool fire_timers();
  void arrive(std::uint32_t node, Packet packet);
  void hand_in(Node& node, Packet packet, std::uint32_t link);
  void send(const Node& node, std::uint32_t port, Packet packet);
  void forward(std::uint32_t router, Packet packet);
  void report_too_big(std::uint32_t router, const Packet& packet, std::uint16_t mtu);
  bool step_within(Instant end);

  base::Prng prng;
  Instant now;
  std::deque<Node> nodes{};  // stay where they are
  std::vector<Link> links{};
  std::map<IpAddress, std::uint32_t> by_address{};
  bool ways_known = false;
  std::uint64_t without_way = 0;
  TransmitFrame scratch;  // too large to be made for each frame
};

}  // namespace estab::sim
