// World: both sides and the network between them, as numbers into a HostTable and a SegmentTable,
// and what is left of the bounds. Small enough that millions of them can be looked at.
//
// The network is two bags: whatever is under way in a direction may arrive next, or later, or (if
// losses are left) never.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/bounds.h"
#include "model/host_table.h"

namespace estab::model {

/// The segments under way in one direction; kept in order, so that equal bags are equal.
class Bag {
 public:
  static constexpr std::size_t kMost = 4;

  std::size_t size() const { return size_; }
  std::uint32_t operator[](std::size_t i) const { return segments_[i]; }
  void add(std::uint32_t segment) {
    std::size_t at = size_++;
    for (; at > 0 && segment < segments_[at - 1]; --at) segments_[at] = segments_[at - 1];
    segments_[at] = segment;
  }
  void remove(std::size_t i) {
    for (--size_; i < size_; ++i) segments_[i] = segments_[i + 1];
    segments_[size_] = 0;
  }

 private:
  std::array<std::uint32_t, kMost> segments_{};
  std::uint8_t size_ = 0;
};

struct World {
  std::array<std::uint32_t, 2> host{};
  std::array<Bag, 2> bags{};                                         ///< by the side that sent
  std::uint8_t losses = 0, duplicates = 0, bursts = 0, firings = 0;  ///< used up

  std::uint64_t hash() const;
  /// Of what a network without faults makes of it: what is used up does not count.
  std::uint64_t hash_of_future() const;
};

/// One thing that can happen next.
struct Move {
  enum class Kind : std::uint8_t { act, deliver, deliver_first, deliver_copy, lose };
  Kind kind = Kind::act;
  Side side = Side::a;     ///< where it happens; of a segment, who sent it
  Act act = Act::pass;     ///< of Kind::act
  std::uint8_t place = 0;  ///< in the bag, of the others

  std::uint16_t packed() const {
    return static_cast<std::uint16_t>(static_cast<unsigned>(kind) << 10 |
                                      static_cast<unsigned>(index_of(side)) << 9 |
                                      static_cast<unsigned>(act) << 4 | place);
  }
  static Move unpack(std::uint16_t packed) {
    return {static_cast<Kind>(packed >> 10), packed >> 9 & 1 ? Side::b : Side::a,
            static_cast<Act>(packed >> 4 & 31), static_cast<std::uint8_t>(packed & 15)};
  }
};

/// What was done to one side in the course of a move.
struct Performed {
  Side side = Side::a;
  Input input{};
};

/// What can happen in a world, and what comes of it.
class Physics {
 public:
  Physics(const Bounds& bounds, HostTable& hosts) : bounds_(bounds), hosts_(hosts) {}

  World first() const;
  /// All moves the bounds leave; some may come to nothing.
  void moves(const World& world, std::vector<Move>& moves) const;
  /// Makes the move; gives the number of the complaint of the side that acted, 0 for none.
  std::uint32_t make(World& world, const Move& move);
  /// How long until a timer of that side comes to anything; nothing if none runs.
  std::optional<std::uint32_t> wait_ms(const World& world, Side side);

  /// From now on whatever is done to a side is added there; null ends that.
  void tell(std::vector<Performed>* told) { told_ = told; }

  HostTable& hosts() { return hosts_; }
  const HostTable& hosts() const { return hosts_; }
  const Bounds& bounds() const { return bounds_; }

 private:
  std::uint32_t perform(World& world, Side side, Input input);
  bool tick_if_drawn(World& world, Side side);
  void age(Bag& bag, std::uint32_t ms) const;
  void pass(World& world, std::uint32_t ms, Side elsewhere);

  const Bounds& bounds_;
  HostTable& hosts_;
  std::vector<Performed>* told_ = nullptr;
};

}  // namespace estab::model
