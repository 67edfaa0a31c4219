// The two ECN bits of an IP header (RFC 3168 §5), and what else of its datagram comes with a
// segment.
#pragma once

#include <cstdint>

#include "estab/block.h"

namespace estab::tcp {

/// As they stand on the wire.
enum class IpMark : std::uint8_t {
  not_ect = 0,  ///< the sender does not understand marks
  ect1 = 1,
  ect0 = 2,
  ce = 3,  ///< congestion experienced: a router under load has marked it
};

/// What a segment came in: the block, if it may be kept, and what the way there left on it.
struct Carrier {
  Block* owner = nullptr;
  IpMark mark = IpMark::not_ect;
  std::uint16_t segments = 1;  ///< of how many a device has made this one
};

}  // namespace estab::tcp
