// generate: sequences by a grammar: first a legal way into a state, then hostile steps near the
// edges. Law: the same seed and number give the same sequence, on every machine.
#pragma once

#include <cstdint>

#include "oracle/sequence.h"

namespace estab::oracle {

Sequence generate(std::uint64_t seed, std::uint64_t number);

}  // namespace estab::oracle
