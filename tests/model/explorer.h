// Explorer: breadth first over every world there is within the bounds, each once. Of a world that
// has been seen only its hash is kept, the world it was first reached from, and the move: enough to
// tell the shortest way to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/fair.h"
#include "model/world.h"

namespace estab::model {

/// A law broken, and the shortest way to it.
struct Violation {
  std::string what;
  std::vector<Move> way;
  bool at_fair_end = false;  ///< it shows only when all goes well from there on
};

struct Result {
  std::uint64_t states = 0, moves = 0;
  std::uint32_t depth = 0;
  bool complete = false;  ///< nothing within the bounds was left out
  std::uint64_t host_states = 0, host_steps = 0, segments = 0;
  std::uint64_t fair_ends = 0, longest_fair_end_ms = 0, fair_limit_ms = 0;
  std::uint64_t memory = 0;  ///< octets, of what was kept about worlds
  std::optional<Violation> violation{};
};

class Explorer {
 public:
  explicit Explorer(const Bounds& bounds);
  Result run();

  Physics& physics() { return physics_; }
  const SegmentTable& segments() const { return segments_; }

 private:
  struct Node {
    std::uint32_t parent = 0;
    std::uint16_t move = 0;
  };
  struct Frontier {
    World world;
    std::uint32_t node = 0;
  };

  void expand(const Frontier& from);
  bool check(const World& world, std::uint32_t node, std::uint32_t complaint);
  void report(const std::string& what, std::uint32_t node, bool at_fair_end);
  Result finish();

  Bounds bounds_;
  SegmentTable segments_;
  HostTable hosts_;
  Physics physics_;
  FairEnd fair_;
  HashMap seen_;
  std::vector<Node> nodes_;
  std::vector<Frontier> layer_, next_;
  std::vector<Move> moves_;
  std::size_t widest_ = 0;
  Result result_;
};

}  // namespace estab::model
