// What this machine gives to estab: the findings of `estab doctor`.
#pragma once

#include <string>
#include <vector>

namespace estab::tools {

enum class Need {
  nothing,      ///< without it something is slower or smaller
  live,         ///< commands on a link need it
  live_as_user  ///< commands on a link without root need it, or somebody who prepares the link
};

struct Finding {
  std::string key;   ///< as in the JSON document
  std::string what;  ///< as in the table
  bool present = false;
  Need need = Need::nothing;
  std::string detail{};   ///< what was found
  std::string meaning{};  ///< what its absence means; empty if present
  std::string command{};  ///< what mends it; empty if nothing does, or nothing must
};

std::vector<Finding> examine_machine();

}  // namespace estab::tools
