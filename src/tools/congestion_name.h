// Congestion control by the name one types: reno, cubic, bbr, dctcp.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "estab/config.h"

#include "tools/units.h"

namespace estab::tools {

inline constexpr std::array<std::pair<std::string_view, CongestionControl>, 4> kCongestionNames{{
    {"reno", CongestionControl::new_reno},
    {"cubic", CongestionControl::cubic},
    {"bbr", CongestionControl::bbr},
    {"dctcp", CongestionControl::dctcp},
}};

inline Read<CongestionControl> parse_congestion_control(std::string_view text) {
  for (const auto& [name, control] : kCongestionNames)
    if (name == text) return control;
  return std::unexpected("write reno, cubic, bbr or dctcp");
}

inline std::string_view name_of(CongestionControl control) {
  for (const auto& [name, known] : kCongestionNames)
    if (known == control) return name;
  return {};
}

}  // namespace estab::tools
