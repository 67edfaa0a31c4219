// The classes of difference between Linux and this stack that are known and settled, each with the
// text that backs us. docs/differences.md says more. Law: a class is as narrow as it can be told;
// what fits none is unexplained.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "oracle/oracle.h"

namespace estab::oracle {

struct Settled {
  std::string_view name;
  std::string_view why;  ///< in a line, with the RFC's section
  bool (*fits)(const Difference&);
};

std::span<const Settled> settled_classes();
std::optional<std::string> settle(const Difference& difference);

}  // namespace estab::oracle
