// Oracle: the same sequence to two hosts, and the first step they answer differently. Law: a
// difference is a fact about one sequence; whether it is known, and who is right, is said by
// settled.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "oracle/player.h"

namespace estab::oracle {

struct Difference {
  Sequence sequence;
  std::size_t step = 0;  ///< the first answered differently
  Played kernel, estab;

  const Step& at() const { return sequence.steps[step]; }
  const Answer& kernel_answer() const { return kernel.answers[step]; }
  const Answer& estab_answer() const { return estab.answers[step]; }
  /// The state both were in before the step.
  State before() const { return step == 0 ? State::closed : kernel.answers[step - 1].state; }
};

/// The name of the class a difference belongs to, if it is a known one.
using Settle = std::optional<std::string> (*)(const Difference&);

class Oracle {
 public:
  Oracle(Subject& kernel, Subject& estab) : kernel_(kernel), estab_(estab) {}

  std::optional<Difference> compare(const Sequence& sequence);
  /// The shortest sequence found that still differs in a way `settle` does not know. What the
  /// kernel does is asked twice before it counts.
  Difference shrink(Difference difference, Settle settle);

 private:
  std::optional<Difference> unexplained(const Sequence& sequence, Settle settle);
  bool shrink_once(Difference& difference, Settle settle);

  Subject& kernel_;
  Subject& estab_;
  std::uint32_t plays_ = 0;
};

/// The difference as a script with both answers side by side.
std::string describe(const Difference& difference);

}  // namespace estab::oracle
