// FramePump: carries frames between a FrameChannel and a stack's own blocks. Keeps the one frame
// that could not be sent yet, counts, shows what passes to whoever watches, and remembers that the
// channel is gone. Every device on a descriptor is one of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "estab/device.h"

#include "device/frame_channel.h"

namespace estab::device {

class FramePump {
 public:
  FramePump(FrameChannel channel, std::uint16_t mtu);

  const FrameChannel& channel() const { return channel_; }
  std::uint16_t mtu() const { return mtu_; }
  const FrameCounters& counters() const { return counters_; }
  /// Nothing will come or go any more.
  bool gone() const { return gone_; }
  InterfaceConfig interface_config(const std::string& name) const;

  // As the calls of Device; `tap` may be null.
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface, std::size_t burst,
                      FrameTap* tap);
  bool ready() const { return kept_.empty() && !gone_; }
  bool flush();
  void transmit(Instant now, const TransmitFrame& frame, FrameTap* tap);

 private:
  std::size_t room_per_frame() const;
  void count_received(std::size_t octets, std::uint16_t gso_size);
  /// What became of a frame; true if it is to be kept.
  bool note(FrameChannel::WriteOutcome outcome, std::size_t octets, std::uint16_t gso_size);

  FrameChannel channel_;
  std::uint16_t mtu_;
  bool gone_ = false;
  FrameCounters counters_{};
  /// The frame that could not be sent yet; none if empty. Its memory is never given up.
  std::vector<std::uint8_t> kept_{};
  VirtioHeader kept_header_{};
};

}  // namespace estab::device
