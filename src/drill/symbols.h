// The names of constants that scripts use in system calls and asserts, with Linux's numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace estab::drill {

std::optional<std::int64_t> symbol(std::string_view name);
/// `ECONNREFUSED` for its number; the number if it has no name.
std::string error_name(int error);

}  // namespace estab::drill
