// SegmentTable: every frame that was ever sent in an exploration, once, under a number. A network
// is then a few numbers, and what is delivered is exactly what was sent.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "estab/octets.h"
#include "estab/segment.h"

namespace estab::model {

/// Reads the TCP segment of a frame; the payload is a view into it.
Segment segment_of(Octets frame);
/// Writes another acknowledgement or sequence number into a frame, and the checksum that fits.
void set_numbers(std::vector<std::uint8_t>& frame, SeqNum seq, SeqNum ack);

class SegmentTable {
 public:
  std::uint32_t intern(Octets frame);
  Octets octets(std::uint32_t number) const { return as_octets(frames_[number]); }
  std::size_t size() const { return frames_.size(); }

 private:
  std::deque<std::string> frames_;  // never moved: the index points into them
  std::unordered_map<std::string_view, std::uint32_t> index_;
};

}  // namespace estab::model
