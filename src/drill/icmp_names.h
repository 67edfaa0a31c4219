// The names that scripts have for ICMP's types and codes. The same name stands for different
// numbers in the two families.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "estab/address.h"

namespace estab::drill {

std::optional<std::uint8_t> icmp_type(Family family, std::string_view name);
std::optional<std::uint8_t> icmp_code(Family family, std::uint8_t type, std::string_view name);
/// The name, or an empty text.
std::string icmp_type_name(Family family, std::uint8_t type);
std::string icmp_code_name(Family family, std::uint8_t type, std::uint8_t code);

}  // namespace estab::drill
