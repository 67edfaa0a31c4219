// TunQueue: how a TUN interface is opened, and what is asked of the kernel for it. What comes of it
// is a FrameChannel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "estab/device_error.h"
#include "estab/frame.h"
#include "estab/octets.h"
#include "estab/tun.h"

#include "device/frame_channel.h"

namespace estab::device {

class TunQueue {
 public:
  /// Attaches to the interface options.name, or makes it, and takes the offloads that are wanted;
  /// configures nothing else of it. Refused if another program has a queue of it open.
  static std::expected<TunQueue, DeviceError> attach(const TunOptions& options);

  int descriptor() const { return channel_.descriptor(); }
  const std::string& name() const { return name_; }
  /// Frames carry virtio-net headers: super-segments and unfinished checksums may be written.
  bool has_headers() const { return channel_.has_headers(); }

  using ReadOutcome = FrameChannel::ReadOutcome;
  using Reading = FrameChannel::Reading;
  Reading read(MutableOctets into) const { return channel_.read(into); }

  using WriteOutcome = FrameChannel::WriteOutcome;
  WriteOutcome write(const TransmitFrame& frame) const { return channel_.write(frame); }
  WriteOutcome write(const VirtioHeader& header, Octets frame) const {
    return channel_.write(header, frame);
  }
  /// What is left of it once it is set up.
  FrameChannel release() && { return std::move(channel_); }

 private:
  TunQueue(FrameChannel channel, std::string name)
      : channel_(std::move(channel)), name_(std::move(name)) {}
  bool set_header_format() const;
  bool set_offloads(TunOffloads wanted) const;

  FrameChannel channel_;
  std::string name_;
};

/// A name the kernel takes for an interface; empty counts, the kernel then chooses.
bool is_interface_name(const std::string& name);

/// The commands with which an administrator makes what `options` asks for, and with which he sets
/// up one that is there already.
std::string making_command(const TunOptions& options);
std::string setting_up_command(const TunOptions& options);

}  // namespace estab::device
