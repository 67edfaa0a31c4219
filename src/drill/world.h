// A stack with one interface and its socket calls, in virtual time. What it sends is kept with the
// moment it left; time passes only when it is told to.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "estab/posix.h"
#include "estab/recorder.h"
#include "estab/stack.h"

namespace estab::drill {

struct WorldConfig {
  StackConfig stack{};
  posix::Profile profile = posix::Profile::linux_;
  std::uint16_t mtu = 1500;
  std::vector<Cidr> addresses{};
};

class World {
 public:
  explicit World(const WorldConfig& config);

  /// When a script begins.
  static constexpr Instant kStart{std::chrono::seconds(1000)};

  Instant now() const { return now_; }
  Stack& stack() { return stack_; }
  const Stack& stack() const { return stack_; }
  posix::Sockets& sockets() { return sockets_; }
  const Recording& recording() const { return recorder_.recording(); }

  /// A datagram arrives.
  void arrive(Octets datagram);
  /// Everything that can happen at this moment without a timer.
  void settle();
  /// Lets time pass up to `until`. Timers of that very moment do not fire yet: what a script does
  /// at a time comes before what the stack does by itself at that time.
  void pass_until(Instant until);
  /// Jumps to the next thing that happens by itself and lets it happen, unless it is after `limit`.
  bool step(Instant limit);

  struct Sent {
    Instant when;
    std::vector<std::uint8_t> octets;
  };
  std::deque<Sent>& sent() { return sent_; }

  /// Somebody waits for something to happen: called after everything that did, and at the time it
  /// returned last.
  void set_waiter(std::function<Instant()> waiter);

 private:
  Instant next_deadline() const { return std::min(stack_.next_deadline(), waiter_until_); }
  void fire();

  Recorder recorder_;
  Stack stack_;
  InterfaceId interface_;
  posix::Sockets sockets_;
  Instant now_ = kStart;
  std::deque<Sent> sent_;
  std::function<Instant()> waiter_;
  Instant waiter_until_ = kNever;
};

}  // namespace estab::drill
