// Which segments can be drawn as one straight arrow at the moment they left, without telling
// anything false about the order of things, and which need one line for leaving and one for
// arriving.
#pragma once

#include "trace/ladder_join.h"

namespace estab::trace {

/// Sets Passage::slanted. Passages must be in the order of departure.
void mark_slanted(const Recording& recording, Conversation& conversation);

}  // namespace estab::trace
