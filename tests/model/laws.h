// Laws: what must hold of two ends together, in every state of an exploration.
#pragma once

#include <optional>
#include <string>

#include "model/application.h"
#include "model/bounds.h"
#include "model/facts.h"

namespace estab::model {

/// One side, as the laws see it.
struct End {
  const Application& application;
  const Facts& facts;
};

/// The first law broken; nothing if all hold.
std::optional<std::string> broken_law(const Bounds& bounds, const End& a, const End& b);

}  // namespace estab::model
