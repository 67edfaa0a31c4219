#include "drill/world.h"

namespace estab::drill {
namespace {

/// Timers that fire at one and the same moment, one after another, at most: more is a fault.
constexpr int kMostAtOnce = 100'000;

}  // namespace

World::World(const WorldConfig& config)
    : stack_(config.stack),
      interface_(stack_.add_interface({.name = "tun0", .mtu = config.mtu})),
      sockets_(stack_, config.profile) {
  for (const Cidr& address : config.addresses) {
    (void)stack_.add_address(interface_, address);
    const Family family = address.address.family();
    (void)stack_.add_route({.destination = {IpAddress::any(family), 0}, .interface = interface_});
  }
  stack_.set_observer(&recorder_.add_end("estab"));
}

void World::arrive(Octets datagram) {
  stack_.handle_frame(now_, interface_, ReceivedFrame{.octets = datagram});
  settle();
}

void World::settle() {
  TransmitFrame frame;
  const auto drain = [&] {
    bool any = false;
    while (const auto event = stack_.poll_event()) sockets_.handle_event(now_, *event), any = true;
    for (; stack_.poll_transmit(now_, frame); any = true) {
      Sent sent{now_, std::vector<std::uint8_t>(frame.size())};
      frame.copy_to(sent.octets.data());
      sent_.push_back(std::move(sent));
    }
    return any;
  };
  while (drain()) {
  }
  if (!waiter_) return;
  waiter_until_ = waiter_();
  while (drain()) {
  }
}

void World::set_waiter(std::function<Instant()> waiter) {
  waiter_ = std::move(waiter);
  waiter_until_ = kNever;
}

void World::fire() {
  stack_.handle_deadline(now_);
  settle();
}

void World::pass_until(Instant until) {
  for (int rounds = 0; next_deadline() < until && rounds < kMostAtOnce; ++rounds) {
    if (next_deadline() > now_) {
      now_ = next_deadline();
      rounds = 0;
    }
    fire();
  }
  now_ = std::max(now_, until);
}

bool World::step(Instant limit) {
  const Instant next = next_deadline();
  if (next == kNever || next > limit) return false;
  now_ = std::max(now_, next);
  fire();
  return true;
}

}  // namespace estab::drill
