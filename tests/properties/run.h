// A run: a scenario from the first SYN until nothing is left, watched at every step.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "estab/info.h"

#include "properties/scenario.h"
#include "properties/wire_laws.h"

namespace estab::properties {

struct Report {
  /// What was wrong; empty if nothing was.
  std::string complaint{};
  WireCounts wire{};
  std::array<std::uint64_t, kVerdictCount> verdicts{};
  std::uint64_t runs = 0, steps = 0, state_changes = 0, copies = 0, failures = 0;
  std::uint64_t octets_read = 0, urgent_marks = 0;

  bool good() const { return complaint.empty(); }
  /// Adds the counts.
  Report& operator+=(const Report& other);
};

/// Runs it; shows each event on `trace` if that is given.
Report run(const Scenario& scenario, std::ostream* trace = nullptr);

/// Runs the scenario of a seed. A complaint also names the parameters and how to see it again.
Report run_seed(std::uint64_t seed, std::ostream* trace = nullptr);

/// The counts in words.
std::string summary(const Report& report);

}  // namespace estab::properties
