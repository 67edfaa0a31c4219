// Linux's errno for each Error of the core, where the call has none more specific.
#pragma once

#include "estab/error.h"

namespace estab::posix {

int errno_of(Error error);

}  // namespace estab::posix
