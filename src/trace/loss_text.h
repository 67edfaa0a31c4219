// The sentence that says by which rule a segment was taken for lost.
#pragma once

#include <string>

#include "estab/trace.h"

namespace estab::trace {

/// "RACK: sent 61 ms ago, before what was delivered after 60 ms, by more than reo_wnd 0.5 ms"
std::string loss_text(const SegmentLost& lost);

}  // namespace estab::trace
