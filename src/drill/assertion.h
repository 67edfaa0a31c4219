// The code blocks of scripts: assertions in Python about the numbers of TCP_INFO. A small part of
// Python is understood: `assert` with arithmetic, comparisons (chained ones too), and, or, not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace estab::drill {

struct Assertion {
  enum class Outcome : std::uint8_t { holds, failed, unsupported };
  Outcome outcome = Outcome::holds;
  std::string text{};    ///< the expression that failed, or what is not understood
  std::string values{};  ///< what the names in it stood for
};

using FindName = std::function<std::optional<double>(std::string_view name)>;

Assertion evaluate(std::string_view code, const FindName& find);

}  // namespace estab::drill
