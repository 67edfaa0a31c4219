// Oracle: the same sequence to two hosts, and the first step they answer differently. Law: a
// difference is a fact about one sequence; whether it is known, and who is right, is said by
// the classes given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/player.h"

namespace estab::oracle {

struct Difference {
  Sequence sequence;
  std::size_t step = 0;  ///< the first answered differently
  Played kernel, estab;

  const Step& at() const { return sequence.steps[step]; }
  const Answer& kernel_answer() const { return kernel.answers[step]; }
  const Answer& estab_answer() const { return estab.answers[step]; }
  bool is_none() const { return kernel_answer() == estab_answer(); }
  /// The state both were in before the step.
  State before() const { return step == 0 ? State::closed : kernel.answers[step - 1].state; }
};

/// A class of difference that is known, with the text that backs this stack.
/// docs/differences.md says more. Law: a class is as narrow as it can be told; what fits none is
/// unexplained.
struct KnownDifference {
  enum class Then : std::uint8_t {
    goes_on,  ///< both are in the same state still: what follows is compared
    ends,     ///< they have parted
  };
  std::string_view name;
  std::string_view law;  ///< section and sentence, shortened
  Then then = Then::ends;
  bool (*fits)(const Difference&) = nullptr;
  /// For a class that is about a field or two of the segments sent, in place of `fits`: where these
  /// differ and it explains them, gives both answers the same. What else differs is left.
  bool (*level)(Difference&) = nullptr;
  /// For a class whose answers may be the same while what is remembered is not: whether they part
  /// at this step, unseen.
  bool (*parts)(const Difference&) = nullptr;
};

using KnownDifferences = std::span<const KnownDifference>;

/// The outcome of one sequence.
struct Comparison {
  std::vector<const KnownDifference*> known;  ///< in the order they came
  std::optional<Difference> unexplained;      ///< the first
};

class Oracle {
 public:
  Oracle(Subject& kernel, Subject& estab, KnownDifferences classes)
      : kernel_(kernel), estab_(estab), classes_(classes) {}

  Comparison compare(const Sequence& sequence);
  /// The shortest sequence found whose difference no class explains. The kernel is asked twice
  /// before a difference counts; one that cannot be reproduced is dropped.
  std::optional<Difference> shrink(const Difference& difference);

 private:
  std::optional<Difference> unexplained(const Sequence& sequence);
  bool shrink_once(Difference& difference);
  /// Adds the classes the difference belongs to. False if they do not explain all of it.
  bool explain(Difference difference, std::vector<const KnownDifference*>& found) const;
  const KnownDifference* find_parting(const Difference& difference) const;

  Subject& kernel_;
  Subject& estab_;
  KnownDifferences classes_;
  std::uint32_t plays_ = 0;
};

/// The difference as a script with both answers side by side.
std::string describe(const Difference& difference);

}  // namespace estab::oracle
