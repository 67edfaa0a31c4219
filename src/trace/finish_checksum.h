// Finishes a transport checksum that was left to a device (RFC 9293 §3.1, RFC 768).
#pragma once

#include <cstdint>

#include "estab/frame_tap.h"
#include "estab/octets.h"

#include "base/byte_order.h"
#include "wire/checksum.h"

namespace estab::trace {

/// Where `partial` points outside the frame, nothing is done: it may come from a foreign kernel.
inline void finish_checksum(MutableOctets frame, const PartialChecksum& partial) {
  constexpr std::uint16_t kUdpOffset = 6;
  const std::size_t field = std::size_t{partial.start} + partial.offset;
  if (field + 2 > frame.size()) return;
  // The field holds the pseudo-header's sum, so it is summed along with the rest.
  std::uint16_t sum = wire::checksum(frame.subspan(partial.start));
  if (sum == 0 && partial.offset == kUdpOffset) sum = 0xffff;  // zero would say: no checksum
  base::store_be16(frame.data() + field, sum);
}

}  // namespace estab::trace
