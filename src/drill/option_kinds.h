// Numbers of TCP options, also of those the stack itself does not know.
#pragma once

#include <cstddef>
#include <cstdint>

namespace estab::drill::option_kind {

inline constexpr std::uint8_t kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4,
                              kSack = 5, kTimestamps = 8, kMd5 = 19, kFastOpen = 34,
                              kAccurateEcn0 = 172, kAccurateEcn1 = 174, kExperiment = 254;
inline constexpr std::uint16_t kFastOpenIdentifier = 0xf989;
inline constexpr std::size_t kMd5Octets = 16;

}  // namespace estab::drill::option_kind
