#include "device/frame_pump.h"

#include <utility>

#include "device/tapping.h"

namespace estab::device {
namespace {

/// A super-segment has at most 65535 octets behind its fixed header.
constexpr std::size_t kLargestFrame = 65535 + 40;

}  // namespace

FramePump::FramePump(FrameChannel channel, std::uint16_t mtu)
    : channel_(std::move(channel)), mtu_(mtu) {
  kept_.reserve(kLargestFrame);
}

InterfaceConfig FramePump::interface_config(const std::string& name) const {
  const bool offloads = channel_.has_headers();
  return {.name = name,
          .mtu = mtu_,
          .checksum_offload = offloads,
          .segmentation_v4 = offloads,
          .segmentation_v6 = offloads};
}

std::size_t FramePump::room_per_frame() const {
  return channel_.has_headers() ? kLargestFrame : mtu_;
}

void FramePump::count_received(std::size_t octets, std::uint16_t gso_size) {
  ++counters_.frames_received;
  counters_.octets_received += octets;
  counters_.super_segments_received += gso_size != 0;
}

std::size_t FramePump::receive(Instant now, Stack& stack, InterfaceId interface, std::size_t burst,
                               FrameTap* tap) {
  Block block;
  std::size_t count = 0;
  while (count < burst) {
    if (!block) block = stack.take_block(room_per_frame());
    const FrameChannel::Reading reading = channel_.read(block.octets());
    gone_ |= reading.outcome == FrameChannel::ReadOutcome::gone;
    if (reading.outcome != FrameChannel::ReadOutcome::frame) break;
    ++count;
    const Octets frame = block.octets().first(reading.length);
    const auto& notes = reading.notes;
    count_received(frame.size(), notes.gso_size);
    if (tap != nullptr) show_received(*tap, now, frame, notes.gso_size, notes.partial_checksum);
    stack.handle_frame(now, interface,
                       {.octets = frame,
                        .checksum_verified = notes.checksum_verified,
                        .gso_size = notes.gso_size,
                        .owner = &block});
  }
  if (block) stack.give_block(std::move(block));
  return count;
}

bool FramePump::note(FrameChannel::WriteOutcome outcome, std::size_t octets,
                     std::uint16_t gso_size) {
  switch (outcome) {
    case FrameChannel::WriteOutcome::sent:
      ++counters_.frames_sent;
      counters_.octets_sent += octets;
      counters_.super_segments_sent += gso_size != 0;
      return false;
    case FrameChannel::WriteOutcome::would_block:
      return true;
    case FrameChannel::WriteOutcome::gone:
      gone_ = true;
      break;
    case FrameChannel::WriteOutcome::refused:
      break;
  }
  ++counters_.sends_refused;
  return false;
}

void FramePump::transmit(Instant now, const TransmitFrame& frame, FrameTap* tap) {
  if (tap != nullptr) show_sent(*tap, now, frame);
  const auto outcome = ready() ? channel_.write(frame) : FrameChannel::WriteOutcome::refused;
  if (!note(outcome, frame.size(), frame.gso_size)) return;
  kept_.resize(frame.size());
  frame.copy_to(kept_.data());
  kept_header_ = virtio_header_of(frame);
  ++counters_.sends_put_off;
}

bool FramePump::flush() {
  if (kept_.empty()) return !gone_;
  const auto outcome = channel_.write(kept_header_, kept_);
  if (note(outcome, kept_.size(), little_endian(kept_header_.gso_size))) return false;
  kept_.clear();
  return !gone_;
}

}  // namespace estab::device
