// Simulation: two stacks, the wire between them and a virtual clock. Hours pass in no time, and
// everything that happens follows from the seeds. A simulation is a value: a copy goes its own way.
//
//   Simulation world;
//   auto listener = world.b().listen({.local = {IpAddress(), 80}});
//   auto stream = world.a().connect(world.now(), {.remote = {Simulation::address_v4(Side::b),
//   80}}); world.run_until([&] { return world.a().state(*stream) == State::established; }, 1s);
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/config.h"
#include "estab/memory_link.h"
#include "estab/stack.h"
#include "estab/time.h"

namespace estab {

struct SimulationConfig {
  struct End {
    StackConfig stack{};
    InterfaceConfig interface{};
    std::vector<Cidr> addresses{};
  };
  /// 10.0.0.1/24 and fd00::1/64 on side a, 10.0.0.2/24 and fd00::2/64 on side b, MTU 1500, seeds of
  /// their own.
  SimulationConfig();

  End a, b;
  MemoryLinkConfig link{};
  Instant start{};
};

class Simulation {
 public:
  explicit Simulation(const SimulationConfig& config = {});

  Stack& a() { return a_; }
  Stack& b() { return b_; }
  Stack& stack(Side side) { return side == Side::a ? a_ : b_; }
  const Stack& stack(Side side) const { return side == Side::a ? a_ : b_; }
  MemoryLink& link() { return link_; }
  const MemoryLink& link() const { return link_; }
  InterfaceId interface(Side side) const { return side == Side::a ? interface_a_ : interface_b_; }
  Instant now() const { return now_; }
  /// When something will happen next, by itself; kNever if nothing will.
  Instant next_deadline() const;

  /// Lets happen what is due now; if nothing is, jumps to the next deadline. False if there is
  /// none: then only a command of the application can set anything going.
  bool step();
  /// Steps until the condition holds, and says whether it does; for no longer than `limit`.
  bool run_until(const std::function<bool()>& condition, Duration limit);
  /// Lets so much time pass.
  void run_for(Duration time);
  /// Moves frames until no more can move at this instant. Time stands still.
  void settle();

  static IpAddress address_v4(Side side);
  static IpAddress address_v6(Side side);

  friend bool operator==(const Simulation&, const Simulation&) = default;

 private:
  bool pump();
  bool fire_timers();
  bool step_within(Instant end);

  Stack a_, b_;
  MemoryLink link_;
  InterfaceId interface_a_, interface_b_;
  Instant now_;
};

}  // namespace estab
