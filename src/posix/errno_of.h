// The errno of Linux for each Error of the core, where the call does not say something more
// special.
#pragma once

#include "estab/error.h"

namespace estab::posix {

int errno_of(Error error);

}  // namespace estab::posix
