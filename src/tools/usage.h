// What is said to somebody who called the program wrongly: one line with what, why, and what to
// write instead. CLI11 finds the mistake; the words are ours.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace estab::tools {

/// `program` as far as it has been parsed, and what stopped it.
std::string explain_usage_error(const CLI::App& program, const CLI::ParseError& error);

/// The same for a first word that is no command at all.
std::string explain_unknown_command(const CLI::App& program, std::string_view word);

}  // namespace estab::tools
