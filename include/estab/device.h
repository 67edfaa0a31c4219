// Device: anything that moves IP datagrams. A device owns no stack; a host loop carries frames
// between the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "estab/device_error.h"
#include "estab/frame.h"
#include "estab/frame_tap.h"
#include "estab/stack.h"

namespace estab {

/// What has passed through a device on a descriptor.
struct FrameCounters {
  std::uint64_t frames_received = 0, octets_received = 0;
  std::uint64_t frames_sent = 0, octets_sent = 0;
  std::uint64_t super_segments_received = 0, super_segments_sent = 0;
  std::uint64_t sends_refused = 0;  ///< frames lost: the interface is down, or the kernel said no
  std::uint64_t sends_put_off = 0;  ///< frames kept for flush()
  friend bool operator==(const FrameCounters&, const FrameCounters&) = default;
};

class Device {
 public:
  virtual ~Device() = default;

  /// What a stack should be told of this link: MTU and offloads.
  virtual InterfaceConfig interface_config() const = 0;
  /// Readable when a frame waits (for epoll); -1 if the device has none.
  virtual int descriptor() const = 0;
  /// Receives at most `burst` frames into blocks of the stack's own pool and hands each to
  /// stack.handle_frame. Returns how many; 0 when none waits.
  virtual std::size_t receive(Instant now, Stack& stack, InterfaceId interface,
                              std::size_t burst) = 0;
  /// False while the device holds a frame it could not send yet: give it no more
  /// (Stack::pause_interface) until descriptor() is writable and flush() returned true. False for
  /// ever once a frame has shown that nothing will go here again: see failure().
  virtual bool ready() const = 0;
  virtual bool flush() = 0;
  /// Sends the frame, or keeps a copy of it to be flushed. Only while ready().
  virtual void transmit(Instant now, const TransmitFrame& frame) = 0;

  /// When receive() will have something to do of which descriptor() does not tell: frames under way
  /// on a simulated link, say. It is then called; not after now: at once.
  virtual Instant next_deadline() const { return kNever; }

  /// Why nothing will ever come or go here again; nothing while the device lives. Worth asking when
  /// receive() gives nothing, or the device is not ready.
  virtual std::optional<DeviceError> failure() const { return std::nullopt; }

  /// Shows `tap` every frame received, before the stack gets it, and every frame sent. Null
  /// detaches; the tap must outlive the device or be detached.
  void set_tap(FrameTap* tap) { tap_ = tap; }

 protected:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  FrameTap* tap() const { return tap_; }

 private:
  FrameTap* tap_ = nullptr;
};

}  // namespace estab
