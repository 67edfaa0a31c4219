#include "model/world.h"

#include "base/hasher.h"

namespace estab::model {

namespace {

void add(base::Hasher& hasher, const Bag& bag) {
  hasher.add(bag.size());
  for (std::size_t i = 0; i < bag.size(); ++i) hasher.add(bag[i]);
}

constexpr std::uint32_t kTickMs = 1;

}  // namespace

std::uint64_t World::hash_of_future() const {
  base::Hasher hasher;
  hasher.add(std::uint64_t{host[0]} << 32 | host[1]);
  for (const Bag& bag : bags) add(hasher, bag);
  return hasher.finish();
}

std::uint64_t World::hash() const {
  base::Hasher hasher;
  hasher.add_all(hash_of_future(), bursts << 24 | losses << 16 | duplicates << 8 | firings);
  return hasher.finish();
}

World Physics::first() const {
  World world;
  for (const Side side : {Side::a, Side::b}) world.host[index_of(side)] = hosts_.first(side);
  return world;
}

void Physics::moves(const World& world, std::vector<Move>& moves) const {
  moves.clear();
  for (const Side side : {Side::a, Side::b}) {
    const Bag& bag = world.bags[index_of(side)];
    for (std::uint8_t i = 0; i < bag.size(); ++i) {
      if (i > 0 && bag[i] == bag[i - 1]) continue;
      moves.push_back({.kind = Move::Kind::deliver, .side = side, .place = i});
      if (world.duplicates < bounds_.duplicates)
        moves.push_back({.kind = Move::Kind::deliver_copy, .side = side, .place = i});
      if (world.bursts < bounds_.bursts && bag.size() > 1)
        moves.push_back({.kind = Move::Kind::deliver_first, .side = side, .place = i});
      if (world.losses < bounds_.losses)
        moves.push_back({.kind = Move::Kind::lose, .side = side, .place = i});
    }
    const std::uint32_t enabled = hosts_.enabled(world.host[index_of(side)]);
    for (std::uint32_t act = 0; act < static_cast<std::uint32_t>(Act::count_); ++act)
      if (enabled >> act & 1) moves.push_back({.side = side, .act = static_cast<Act>(act)});
    if (world.firings < bounds_.firings) moves.push_back({.side = side, .act = Act::fire});
  }
}

std::uint32_t Physics::make(World& world, const Move& move) {
  Bag& bag = world.bags[index_of(move.side)];
  switch (move.kind) {
    case Move::Kind::act: {
      if (move.act == Act::connect) tick_if_drawn(world, move.side);
      const std::uint32_t before = world.host[index_of(move.side)];
      const std::uint32_t complaint = perform(world, move.side, {move.act, 0});
      if (move.act == Act::fire && world.host[index_of(move.side)] != before) ++world.firings;
      return complaint;
    }
    case Move::Kind::lose:
      ++world.losses;
      bag.remove(move.place);
      return 0;
    case Move::Kind::deliver_copy:
    case Move::Kind::deliver_first:
    case Move::Kind::deliver: {
      std::uint32_t segment = bag[move.place];
      const bool is_copy = move.kind == Move::Kind::deliver_copy;
      const bool is_first = move.kind == Move::Kind::deliver_first;
      world.duplicates += is_copy ? 1 : 0;
      world.bursts += is_first ? 1 : 0;
      if (!is_copy) bag.remove(move.place);
      const bool ticked =
          hosts_.segments().is_bare_syn(segment) && tick_if_drawn(world, other(move.side));
      if (ticked) {
        const auto older = hosts_.segments().after(segment, kTickMs);
        if (!older) return 0;
        segment = *older;
      }
      const Act act = is_first ? Act::deliver_first : Act::deliver;
      return perform(world, other(move.side), {act, segment});
    }
  }
  return 0;
}

std::uint32_t Physics::perform(World& world, Side side, Input input) {
  std::uint32_t& host = world.host[index_of(side)];
  if (told_) told_->push_back({side, input});
  const Step step = hosts_.step(host, input);
  host = step.to;
  if (step.elapsed_ms > 0) pass(world, step.elapsed_ms, side);
  Bag& bag = world.bags[index_of(side)];
  const std::size_t capacity = std::min<std::size_t>(bounds_.capacity, Bag::kMost);
  for (std::size_t i = 0; i < step.frame_count && bag.size() < capacity; ++i)
    bag.add(hosts_.frame(step, i));
  return step.complaint;
}

// One side does not open two connections at the same time of day: the clock of initial sequence
// numbers has moved on.
bool Physics::tick_if_drawn(World& world, Side side) {
  if (!hosts_.facts(world.host[index_of(side)]).drew_isn) return false;
  pass(world, kTickMs, side);
  (void)perform(world, side, {Act::pass, kTickMs});
  return true;
}

// In the network; what becomes too old is gone.
void Physics::age(Bag& bag, std::uint32_t ms) const {
  const Bag before = bag;
  bag = Bag();
  for (std::size_t i = 0; i < before.size(); ++i)
    if (const auto older = hosts_.segments().after(before[i], ms)) bag.add(*older);
}

// It has passed already at that side.
void Physics::pass(World& world, std::uint32_t ms, Side elsewhere) {
  for (Bag& bag : world.bags) age(bag, ms);
  std::uint32_t& host = world.host[index_of(other(elsewhere))];
  if (told_) told_->push_back({other(elsewhere), {Act::pass, ms}});
  host = hosts_.step(host, {Act::pass, ms}).to;
}

std::optional<std::uint32_t> Physics::wait_ms(const World& world, Side side) {
  const std::uint32_t host = world.host[index_of(side)];
  const Step step = hosts_.step(host, {Act::fire, 0});
  if (step.to == host && step.elapsed_ms == 0) return std::nullopt;
  return step.elapsed_ms;
}

}  // namespace estab::model
