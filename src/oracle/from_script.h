// What a packetdrill script does, as a sequence: its packets in and its calls, and the time between
// them. What it expects is left out: the kernel says what is to be expected.
#pragma once

#include <string>
#include <vector>

#include "drill/script.h"
#include "oracle/sequence.h"

namespace estab::oracle {

struct ScriptedSequence {
  Sequence sequence;
  std::vector<std::string> left_out;  ///< what of the script has no counterpart, and its line
};

ScriptedSequence sequence_of(const drill::Script& script, Family family);

}  // namespace estab::oracle
