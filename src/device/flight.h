// Flight: the frames in flight in one direction of a memory link, by time of arrival. A value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "estab/frame_tap.h"
#include "estab/time.h"

namespace estab::device {

struct FlyingFrame {
  Instant arrival;
  std::uint64_t number = 0;  // of its entry: frames that arrive together keep that order
  std::vector<std::uint8_t> octets;
  std::uint16_t gso_size = 0;
  /// Left unfinished by the sender; the receiver then need not verify it.
  std::optional<PartialChecksum> partial_checksum{};
  friend bool operator==(const FlyingFrame&, const FlyingFrame&) = default;
};

class Flight {
 public:
  void add(FlyingFrame frame) {
    frame.number = next_number_++;
    frames_.push_back(std::move(frame));
    std::ranges::push_heap(frames_, arrives_later);
  }
  Instant next_arrival() const { return frames_.empty() ? kNever : frames_.front().arrival; }
  std::size_t size() const { return frames_.size(); }
  /// The frame that arrives first. There must be one.
  FlyingFrame take() {
    std::ranges::pop_heap(frames_, arrives_later);
    FlyingFrame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  friend bool operator==(const Flight&, const Flight&) = default;

 private:
  static bool arrives_later(const FlyingFrame& x, const FlyingFrame& y) {
    return x.arrival != y.arrival ? x.arrival > y.arrival : x.number > y.number;
  }
  std::vector<FlyingFrame> frames_;  // a heap
  std::uint64_t next_number_ = 0;
};

}  // namespace estab::device
