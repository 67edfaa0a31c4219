// FrameChannel: a descriptor that keeps frames apart, and how one is read from it and written to
// it. Law: one system call a frame, no copy but the kernel's, never waits. It knows no stack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/uio.h>

#include "estab/descriptor_device.h"
#include "estab/frame.h"
#include "estab/octets.h"

#include "device/file_descriptor.h"
#include "device/virtio_header.h"

namespace estab::device {

class FrameChannel {
 public:
  /// What kind of call reads and writes it.
  enum class Kind : std::uint8_t { file, socket };

  FrameChannel(FileDescriptor descriptor, Framing framing, Kind kind = Kind::file)
      : descriptor_(std::move(descriptor)), framing_(framing), kind_(kind) {}

  int descriptor() const { return descriptor_.number(); }
  /// The descriptor, which is then the caller's.
  FileDescriptor release() && { return std::move(descriptor_); }
  /// Frames carry virtio-net headers: super-segments and unfinished checksums may be written.
  bool has_headers() const { return framing_ == Framing::virtio; }
  /// poll() says so. A socket's error may pass, a TUN interface's does not.
  bool is_in_error() const;

  enum class ReadOutcome : std::uint8_t { frame, none_waits, gone };
  struct Reading {
    ReadOutcome outcome = ReadOutcome::none_waits;
    std::size_t length = 0;
    VirtioNotes notes{};
  };
  Reading read(MutableOctets into) const;

  enum class WriteOutcome : std::uint8_t { sent, would_block, refused, gone };
  WriteOutcome write(const TransmitFrame& frame) const;
  /// The same for a frame kept from before.
  WriteOutcome write(const VirtioHeader& header, Octets frame) const;

 private:
  /// Flags and the EtherType, as TUN without IFF_NO_PI has them.
  using PacketInfo = std::array<std::uint8_t, 4>;
  /// What stands before a frame: none of it, or one of the two.
  struct Prefix {
    VirtioHeader virtio{};
    PacketInfo info{};
  };
  iovec prefix_of(Prefix& prefix) const;
  ssize_t receive(std::array<iovec, 2>& pieces) const;
  WriteOutcome send(iovec* pieces, std::size_t count) const;

  FileDescriptor descriptor_;
  Framing framing_;
  Kind kind_;
};

}  // namespace estab::device
