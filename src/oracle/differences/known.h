// What is known of how Linux differs, and who is right: every class with its RFC text.
#pragma once

#include "oracle/oracle.h"

namespace estab::oracle {

KnownDifferences known_differences();

}  // namespace estab::oracle
