#include "model/explorer.h"

#include <algorithm>

#include "model/laws.h"

namespace estab::model {

Explorer::Explorer(const Bounds& bounds)
    : bounds_(bounds),
      segments_(bounds.lifetime),
      hosts_(bounds_, segments_),
      physics_(bounds_, hosts_),
      fair_(physics_) {}

Result Explorer::run() {
  const World first = physics_.first();
  seen_.insert(first.hash(), 0);
  nodes_.push_back({});
  next_.push_back({first, 0});
  (void)check(first, 0, 0);
  while (!next_.empty() && !result_.violation && nodes_.size() < bounds_.most_states) {
    layer_.swap(next_);
    next_.clear();
    widest_ = std::max(widest_, layer_.size());
    for (const Frontier& from : layer_) {
      expand(from);
      if (result_.violation || nodes_.size() >= bounds_.most_states) break;
    }
    if (!next_.empty()) ++result_.depth;
  }
  return finish();
}

void Explorer::expand(const Frontier& from) {
  physics_.moves(from.world, moves_);
  for (const Move& move : moves_) {
    World world = from.world;
    const std::uint32_t complaint = physics_.make(world, move);
    ++result_.moves;
    const auto number = static_cast<std::uint32_t>(nodes_.size());
    if (!seen_.insert(world.hash(), number).fresh && complaint == 0) continue;
    nodes_.push_back({from.node, move.packed()});
    if (!check(world, number, complaint)) return;
    next_.push_back({world, number});
  }
}

bool Explorer::check(const World& world, std::uint32_t node, std::uint32_t complaint) {
  if (complaint != 0) {
    report(hosts_.complaint(complaint), node, false);
    return false;
  }
  const End a{hosts_.application(world.host[0]), hosts_.facts(world.host[0])};
  const End b{hosts_.application(world.host[1]), hosts_.facts(world.host[1])};
  if (auto broken = broken_law(bounds_, a, b)) {
    report(*broken, node, false);
    return false;
  }
  if (node % bounds_.fair_every != 0) return true;
  ++result_.fair_ends;
  const std::string bad_end = fair_.complaint(world);
  if (bad_end.empty()) return true;
  report(bad_end, node, true);
  return false;
}

void Explorer::report(const std::string& what, std::uint32_t node, bool at_fair_end) {
  Violation violation{what, {}, at_fair_end};
  for (; node != 0; node = nodes_[node].parent)
    violation.way.push_back(Move::unpack(nodes_[node].move));
  std::ranges::reverse(violation.way);
  result_.violation = std::move(violation);
}

Result Explorer::finish() {
  result_.states = nodes_.size();
  result_.complete = next_.empty() && !result_.violation;
  result_.host_states = hosts_.size();
  result_.host_steps = hosts_.steps();
  result_.segments = segments_.size();
  result_.longest_fair_end_ms = fair_.longest_ms();
  result_.fair_limit_ms = fair_.limit_ms();
  result_.memory =
      seen_.memory() + nodes_.capacity() * sizeof(Node) + 2 * widest_ * sizeof(Frontier);
  return result_;
}

}  // namespace estab::model
