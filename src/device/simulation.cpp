#include "estab/simulation.h"

#include <algorithm>

namespace estab {
namespace {

SimulationConfig::End default_end(Side side) {
  const std::uint64_t seed = side == Side::a ? 1 : 2;
  SimulationConfig::End end;
  end.stack.seed = {seed, 0};
  end.interface.name.assign(1, side == Side::a ? 'a' : 'b');
  end.addresses = {{Simulation::address_v4(side), 24}, {Simulation::address_v6(side), 64}};
  return end;
}

InterfaceId attach(Stack& stack, const SimulationConfig::End& end) {
  const InterfaceId interface = stack.add_interface(end.interface);
  // A simulation whose addresses make no sense has none of them: nothing will get through.
  for (const Cidr& address : end.addresses) (void)stack.add_address(interface, address);
  return interface;
}

}  // namespace

IpAddress Simulation::address_v4(Side side) {
  return IpAddress::v4(10, 0, 0, side == Side::a ? 1 : 2);
}

IpAddress Simulation::address_v6(Side side) {
  std::array<std::uint8_t, 16> octets{0xfd};
  octets[15] = side == Side::a ? 1 : 2;
  return IpAddress::v6(octets);
}

SimulationConfig::SimulationConfig() : a(default_end(Side::a)), b(default_end(Side::b)) {}

Simulation::Simulation(const SimulationConfig& config)
    : a_(config.a.stack),
      b_(config.b.stack),
      link_(config.link),
      interface_a_(attach(a_, config.a)),
      interface_b_(attach(b_, config.b)),
      now_(config.start) {}

bool Simulation::pump() {
  return link_.pump(now_, {a_, interface_a_}, {b_, interface_b_});
}

bool Simulation::fire_timers() {
  bool fired = false;
  for (Stack* each : {&a_, &b_}) {
    if (each->next_deadline() > now_) continue;
    each->handle_deadline(now_);
    fired = true;
  }
  return fired;
}

Instant Simulation::next_deadline() const {
  return std::min({a_.next_deadline(), b_.next_deadline(), link_.next_deadline()});
}

bool Simulation::step() {
  return step_within(kNever);
}

/// Frames before timers, as in a host's loop: an answer that arrives at the very instant its timer
/// expires is in time.
bool Simulation::step_within(Instant end) {
  if (pump()) return true;
  const bool fired = fire_timers();
  if (fired && pump()) return true;
  if (next_deadline() == kNever) return fired;
  // A deadline may be early: advancing at least a tick keeps that from stopping time for ever.
  const Instant next = std::max(next_deadline(), now_ + Duration{1});
  if (next > end) return false;
  now_ = next;
  return true;
}

bool Simulation::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = now_ + limit;
  while (!condition()) {
    if (step_within(end)) continue;
    // Only time is left to pass. If nothing is to come at all, none need pass.
    if (next_deadline() != kNever) now_ = end;
    return condition();
  }
  return true;
}

void Simulation::run_for(Duration time) {
  const Instant end = now_ + time;
  while (step_within(end)) {
  }
  now_ = std::max(now_, end);
}

void Simulation::settle() {
  while (pump()) {
  }
}

}  // namespace estab
