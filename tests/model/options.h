// The command line of estab_model: which explorations, and other bounds than theirs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/bounds.h"

namespace estab::model {

struct Options {
  Size size = Size::full;
  std::vector<std::string> names{};  ///< none: all
  unsigned jobs = 1;
  bool only_lists = false;
  std::vector<std::function<void(Bounds&)>> changes{};
};

/// What is wrong with the line goes to `wrong`.
std::optional<Options> read_options(int argc, char** argv, std::string& wrong);
std::string usage();

}  // namespace estab::model
