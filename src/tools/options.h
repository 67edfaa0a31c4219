// Command-line options whose values are more than a word: each is read by a parser of its own, and
// one that cannot be read ends the program with what, where, why and what to write instead.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "estab/address.h"
#include "estab/time.h"

#include "tools/units.h"

namespace estab::tools {

/// The failure of one option's value: `--mtu '70000': must be 68 to 65535`.
[[noreturn]] void refuse_option(const std::string& option, const std::string& value,
                                const std::string& why);

/// An option read by `parse`, a function from text to Read<T>; `store` gets what it made.
template <class T>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, const std::string& type_name,
                        Read<T> (*parse)(std::string_view), const std::function<void(T)>& store,
                        const std::string& help) {
  std::string option = names.substr(names.rfind(',') + 1);
  auto read = [=](const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      Read<T> parsed = parse(value);
      if (!parsed) refuse_option(option, value, parsed.error());
      store(*parsed);
    }
  };
  return app.add_option_function<std::vector<std::string>>(names, read, help)
      ->type_name(type_name)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

/// The same, kept in a variable; given twice, the last one counts.
template <class T, class Variable>
CLI::Option* add_value(CLI::App& app, const std::string& names, const std::string& type_name,
                       Read<T> (*parse)(std::string_view), Variable& variable,
                       const std::string& help) {
  return add_parsed<T>(
      app, names, type_name, parse, [&variable](T value) { variable = std::move(value); }, help);
}

Read<Cidr> parse_cidr(std::string_view text);
Read<IpAddress> parse_address(std::string_view text);
Read<std::uint16_t> parse_port(std::string_view text);
Read<std::uint16_t> parse_mtu(std::string_view text);
/// Any whole number that 64 bits hold.
Read<std::uint64_t> parse_count(std::string_view text);

}  // namespace estab::tools
