#include "tools/usage.h"

#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/http_text.h"
#include "tools/suggestion.h"

namespace estab::tools {
namespace {

// The command the user was at, and its whole name.
struct Place {
  const CLI::App* command;
  std::string name = "estab";
};

Place place_reached(const CLI::App& program) {
  Place place{&program};
  for (auto chosen = program.get_subcommands(); !chosen.empty();
       chosen = place.command->get_subcommands()) {
    place.command = chosen.front();
    place.name += " " + place.command->get_name();
  }
  return place;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string no_such_command(const Place& place, std::string_view word) {
  const std::vector<std::string> names = commands_of(*place.command);
  std::string hint = did_you_mean(word, names);
  if (hint.empty() && names.size() == 1)
    hint = fmt::format("; there is `{} {}`", place.name, names.front());
  return fmt::format("there is no command `{} {}`{}", place.name, escape_control(word), hint);
}

std::string not_expected(const Place& place, const std::string& word) {
  if (word.starts_with('-')) {
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("`{}` has no option '{}'{}", place.name, escape_control(name),
                       did_you_mean(name, options_of(*place.command)));
  }
  const bool wants_command = !commands_of(*place.command).empty();
  return wants_command ? no_such_command(place, word)
                       : fmt::format("unexpected argument '{}'", escape_control(word));
}

// CLI11 tells the kinds apart by type, and the names in them only by the words of the message.
std::string in_our_words(const CLI::ParseError& error) {
  std::string text = error.what();
  while (text.ends_with('.')) text.pop_back();
  if (error.get_name() == "ExcludesError") {
    constexpr std::string_view kBetween = " excludes ";
    if (const std::size_t at = text.find(kBetween); at != text.npos)
      return fmt::format("{} and {} cannot be given together", text.substr(0, at),
                         text.substr(at + kBetween.size()));
  }
  if (error.get_name() == "ArgumentMismatch") {
    const bool lacks = text.ends_with(" missing");
    return fmt::format("{} {}", text.substr(0, text.find(':')),
                       lacks ? "needs a value" : "was given too many values");
  }
  if (error.get_name() == "RequiredError" && text.starts_with("A subcommand"))
    return "a command is missing";
  return text;
}

std::string with_hint(const std::string& what, const std::string& command) {
  return fmt::format("{} (see `{} --help`)", what, command);
}

}  // namespace

std::string explain_usage_error(const CLI::App& program, const CLI::ParseError& error) {
  const Place place = place_reached(program);
  // What was not understood comes first: what seems to be missing may only be misspelt.
  const std::vector<std::string> unknown = program.remaining(true);
  const bool has_value_error = error.get_name() == "ValidationError";
  if (!unknown.empty() && !has_value_error)
    return with_hint(not_expected(place, unknown.front()), place.name);
  return with_hint(escape_control(in_our_words(error)), place.name);
}

std::string explain_unknown_command(const CLI::App& program, std::string_view word) {
  return with_hint(no_such_command({&program}, word), "estab");
}

}  // namespace estab::tools
