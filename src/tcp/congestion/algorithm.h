// The algorithms of congestion control there are, by name.
#pragma once

#include "estab/config.h"

namespace estab::tcp::congestion {

using Algorithm = CongestionControl;

}  // namespace estab::tcp::congestion
