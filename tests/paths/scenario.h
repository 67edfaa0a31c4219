// A path drawn from a seed: hosts, links, what happens on them, settings and applications.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "estab/config.h"
#include "estab/sim/link.h"

namespace estab::paths {

/// One hop, each way.
struct Hop {
  sim::LinkConfig there, back;
};

struct Scenario {
  std::uint64_t seed = 0;
  std::vector<Hop> hops;  ///< from the senders to the receivers; all flows share them
  std::size_t flows = 1;
  std::uint64_t octets = 0;  ///< of each flow
  std::size_t appetite = 0;  ///< octets the reader takes in a millisecond; 0: whatever there is
  StackConfig sender, receiver;
  bool clean = false;    ///< nothing is lost, late or out of order
  bool orderly = false;  ///< what the receiver says comes back, and in order
};

Scenario draw_scenario(std::uint64_t seed);
std::string describe(const Scenario& scenario);

}  // namespace estab::paths
