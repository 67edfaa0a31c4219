// Tables of enumerators and their names. Law: a table stands in the order of its enumeration and
// leaves none out; is_complete(), in a static_assert beside each table, sees to it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace estab::base {

template <class Enum>
struct Named {
  Enum value;
  std::string_view name;
};

template <class Row, std::size_t kRows>
consteval bool is_complete(const std::array<Row, kRows>& table, std::size_t enumerators) {
  for (std::size_t i = 0; i < kRows; ++i)
    if (static_cast<std::size_t>(table[i].value) != i || table[i].name.empty()) return false;
  return kRows == enumerators;
}

template <class Row, std::size_t kRows, class Enum>
constexpr std::string_view name_in(const std::array<Row, kRows>& table, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < kRows ? table[index].name : "unknown";
}

}  // namespace estab::base
