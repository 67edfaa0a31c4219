// The grammar of packetdrill: from a script's text to what it says. Every construct of the language
// is read, also those that the runner cannot act on, so that a script is refused only for a
// mistake.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "drill/script.h"

namespace estab::drill {

struct ScriptError {
  int line = 0;
  std::string what;
};

std::expected<Script, ScriptError> parse_script(std::string_view text, const Defines& defines = {});

}  // namespace estab::drill
