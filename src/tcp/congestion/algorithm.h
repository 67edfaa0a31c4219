// The algorithms of congestion control there are, by name.
#pragma once

#include <cstdint>

namespace estab::tcp::congestion {

enum class Algorithm : std::uint8_t { new_reno, cubic, bbr, dctcp };

}  // namespace estab::tcp::congestion
