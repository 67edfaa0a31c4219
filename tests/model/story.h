// Story: how a world came to be, told so that it can be followed and run again: what happened, step
// by step; the ladder of both ends; and for each side a packetdrill script that puts a stack,
// alone, through what this one went through.
//
// To tell it the way is gone once more, with two stacks of its own under one clock, and nothing
// remembered from the exploration: a story that could be told has been checked.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model/explorer.h"

namespace estab::model {

struct Telling {
  std::string steps;
  std::string ladder;
  std::array<std::string, 2> scripts{};  ///< for side a, side b
  /// Where the second run differs from the first; empty if it does not.
  std::string difference{};
};

Telling tell(Explorer& explorer, const Bounds& bounds, const Violation& violation);
/// The same of any way, without a violation at its end.
Telling tell(Explorer& explorer, const Bounds& bounds, const std::vector<Move>& way);

}  // namespace estab::model
