// RawSegment: a TCP segment read from a frame, as plainly as can be and with nothing of the stack's
// own parsers, so that an error there cannot hide itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estab/frame_tap.h"
#include "estab/octets.h"

namespace estab::properties {

struct RawSegment {
  struct Block {
    std::uint32_t left, right;
  };
  std::uint16_t source_port = 0, destination_port = 0, window = 0, urgent_pointer = 0;
  std::uint32_t seq = 0, ack = 0;
  bool fin = false, syn = false, rst = false, psh = false, has_ack = false, urg = false;
  std::optional<std::uint16_t> mss{};
  std::optional<std::uint8_t> window_scale{};
  bool sack_permitted = false;
  std::optional<std::uint32_t> ts_value{}, ts_echo{};
  std::vector<Block> sack{};
  std::size_t header_length = 0, ip_header_length = 0;
  std::vector<std::uint8_t> payload{};
  std::uint16_t gso_size = 0;

  std::uint32_t length() const {
    return static_cast<std::uint32_t>(payload.size()) + (syn ? 1 : 0) + (fin ? 1 : 0);
  }
};

/// What a frame is: a segment, something that is no TCP, or TCP gone wrong, with the reason.
struct RawFrame {
  std::optional<RawSegment> segment{};
  std::string wrong{};
};

RawFrame read_frame(const TappedFrame& frame);

}  // namespace estab::properties
