// FrameTap: somebody who watches frames go by, such as a packet capture. Devices and the memory
// link show it each frame; it changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "estab/octets.h"
#include "estab/time.h"

namespace estab {

/// As seen from the stack.
enum class FrameDirection : std::uint8_t { received, sent };

/// The transport checksum is not finished: its field, at `start` + `offset`, holds only the folded
/// sum of the pseudo-header, and the rest is to be summed from `start` to the frame's end.
struct PartialChecksum {
  std::uint16_t start = 0;
  std::uint16_t offset = 0;
  friend bool operator==(const PartialChecksum&, const PartialChecksum&) = default;
};

/// A frame going by. The views are valid during the call only.
struct TappedFrame {
  FrameDirection direction;
  std::span<const Octets> pieces;  ///< the IP datagram, in order, from its first header octet
  std::uint16_t gso_size = 0;      ///< payload octets per segment of a super-segment, else 0
  std::optional<PartialChecksum> partial_checksum{};

  std::size_t size() const {
    std::size_t sum = 0;
    for (const Octets piece : pieces) sum += piece.size();
    return sum;
  }
};

class FrameTap {
 public:
  virtual ~FrameTap() = default;
  virtual void on_frame(Instant now, const TappedFrame& frame) = 0;
};

}  // namespace estab
