// World: a simulation with its applications at both sides. A value: a copy lives the same life from
// there on, and its end can be compared with the original's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/simulation.h"

#include "properties/application.h"
#include "properties/scenario.h"

namespace estab::properties {

/// The ports the openers were given: how an acceptor knows which connection it has got.
using OpenerPorts = std::vector<std::uint16_t>;

/// The applications of one side.
class Host {
 public:
  Host(const Scenario& scenario, Side side);

  void listen(Stack& stack);
  /// Lets the applications do one thing each; true if anything was done.
  bool act(Instant now, Stack& stack, OpenerPorts& ports);
  Instant wake(Instant now) const;
  bool done() const;
  void stop_listening(Instant now, Stack& stack);

  const std::vector<Application>& applications() const { return applications_; }
  std::string complaint() const;

 private:
  enum class Role : std::uint8_t { opens, accepts };
  Role role(std::size_t i) const;
  bool open_due(Instant now, Stack& stack, OpenerPorts& ports);
  bool accept_due(Instant now, Stack& stack, const OpenerPorts& ports);
  bool take_events(Instant now, Stack& stack);
  Application* find(StreamId stream);
  bool may_open(std::size_t i, Instant now) const;

  const Scenario* scenario_;
  Side side_;
  Instant start_;
  std::vector<Application> applications_;
  std::optional<ListenerId> listener_{};
  Instant accept_at_ = kNever;
  Instant try_again_at_ = kNever;  // the ports of an earlier connection are still taken
  std::string complaint_{};
};

class World {
 public:
  explicit World(const Scenario& scenario);

  /// The applications' turn, until none has anything to do now. False if none had.
  bool act();
  /// What is due next happens; false if there is nothing left that ever could.
  bool advance();
  /// Every application has let go.
  bool done() const;
  void stop_listening();

  Simulation& simulation() { return simulation_; }
  const Simulation& simulation() const { return simulation_; }
  const Host& host(Side side) const { return hosts_[static_cast<std::size_t>(side)]; }
  std::string complaint() const;

 private:
  Instant wake() const;
  Instant next_mtu_change() const;
  std::uint64_t frames_moved() const;
  void fall_silent_if_due();
  void change_mtu_if_due();

  const Scenario* scenario_;
  Simulation simulation_;
  std::array<Host, 2> hosts_;
  OpenerPorts ports_;
  Instant silent_at_ = kNever;
  std::size_t mtu_changes_made_ = 0;
};

}  // namespace estab::properties
