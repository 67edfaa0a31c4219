// How frames are shown to a FrameTap. Called only when somebody watches, and kept out of line: what
// passes by is to cost nothing.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "estab/frame.h"
#include "estab/frame_tap.h"

namespace estab::device {

[[gnu::cold]] inline void show_sent(FrameTap& tap, Instant now, const TransmitFrame& frame) {
  std::array<Octets, 1 + TransmitFrame::kMaxPieces> pieces;
  pieces[0] = frame.header();
  std::copy_n(frame.pieces.begin(), frame.piece_count, pieces.begin() + 1);
  TappedFrame seen{.direction = FrameDirection::sent,
                   .pieces = std::span(pieces).first(1u + frame.piece_count),
                   .gso_size = frame.gso_size};
  if (frame.checksum_partial)
    seen.partial_checksum = {.start = frame.transport_offset, .offset = frame.checksum_offset};
  tap.on_frame(now, seen);
}

[[gnu::cold]] inline void show_received(FrameTap& tap, Instant now, Octets frame,
                                        std::uint16_t gso_size,
                                        std::optional<PartialChecksum> partial_checksum) {
  tap.on_frame(now, {.direction = FrameDirection::received,
                     .pieces = std::span(&frame, 1),
                     .gso_size = gso_size,
                     .partial_checksum = partial_checksum});
}

}  // namespace estab::device
