// TunQueue: the descriptor of a TUN interface, and how one frame is read from it and written to it.
// Law: one system call a frame, no copy but the kernel's, never waits. It knows no stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>

#include "estab/device_error.h"
#include "estab/frame.h"
#include "estab/octets.h"
#include "estab/tun.h"

#include "device/file_descriptor.h"
#include "device/virtio_header.h"

namespace estab::device {

class TunQueue {
 public:
  /// Attaches to the interface options.name, or makes it, and takes the offloads that are wanted;
  /// configures nothing else of it. Refused if another program has a queue of it open.
  static std::expected<TunQueue, DeviceError> attach(const TunOptions& options);

  int descriptor() const { return descriptor_.number(); }
  const std::string& name() const { return name_; }
  /// Frames carry virtio-net headers: super-segments and unfinished checksums may be written.
  bool has_headers() const { return has_headers_; }

  enum class ReadOutcome : std::uint8_t { frame, none_waits, interface_gone };
  struct Reading {
    ReadOutcome outcome = ReadOutcome::none_waits;
    std::size_t length = 0;
    VirtioNotes notes{};
  };
  Reading read(MutableOctets into) const;

  enum class WriteOutcome : std::uint8_t { sent, would_block, refused };
  WriteOutcome write(const TransmitFrame& frame) const;
  /// The same for a frame kept from before.
  WriteOutcome write(const VirtioHeader& header, Octets frame) const;

 private:
  TunQueue(FileDescriptor descriptor, std::string name)
      : descriptor_(std::move(descriptor)), name_(std::move(name)) {}
  bool set_header_format() const;
  bool set_offloads(TunOffloads wanted) const;

  FileDescriptor descriptor_;
  std::string name_;
  bool has_headers_ = false;
};

/// A name the kernel takes for an interface; empty counts, the kernel then chooses.
bool is_interface_name(const std::string& name);

/// The commands with which an administrator makes what `options` asks for, and with which he sets
/// up one that is there already.
std::string making_command(const TunOptions& options);
std::string setting_up_command(const TunOptions& options);

}  // namespace estab::device
