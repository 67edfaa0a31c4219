// DescriptorDevice: a Device from a descriptor that somebody else has opened: a TUN interface that
// a privileged parent has set up, one end of a socketpair, a connected datagram socket.
//
//   int ends[2];
//   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
//   auto device = estab::DescriptorDevice::adopt(ends[0], {.name = "pair", .mtu = 9000});
//   if (!device) return complain(device.error().what);
//   host.add_device(*std::move(device));
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "estab/device.h"
#include "estab/device_error.h"

namespace estab {

/// What stands before each datagram.
enum class Framing : std::uint8_t {
  bare,         ///< nothing: sockets, and TUN with IFF_NO_PI
  packet_info,  ///< flags and protocol, 4 octets: TUN without IFF_NO_PI
  virtio,       ///< virtio_net_hdr, 10 octets, little-endian: TUN with IFF_NO_PI | IFF_VNET_HDR.
                ///< Both sides then take super-segments and unfinished checksums.
};

struct DescriptorOptions {
  std::string name = "descriptor";  ///< of the interface, in messages and captures
  std::uint16_t mtu = 1500;         ///< largest datagram, octets: 68 to 65535
  Framing framing = Framing::bare;
};

/// That the other end is gone a SOCK_SEQPACKET socket and a TUN interface tell at once, and a
/// SOCK_DGRAM socket with the next frame it is given.
class DescriptorDevice final : public Device {
 public:
  /// Takes the descriptor over: the device closes it. It has to keep datagrams apart, so it is a
  /// SOCK_SEQPACKET or SOCK_DGRAM socket that is connected, or a TUN interface; it is made
  /// non-blocking. Else DeviceError::Kind::unsuitable_descriptor, and the descriptor is still the
  /// caller's. (Of a TUN interface it can be told whether it has virtio headers, but not whether it
  /// has packet_info.)
  static std::expected<std::unique_ptr<DescriptorDevice>, DeviceError> adopt(
      int descriptor, const DescriptorOptions& options = {});
  ~DescriptorDevice() override;

  const FrameCounters& counters() const;

  InterfaceConfig interface_config() const override;
  int descriptor() const override;
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface, std::size_t burst) override;
  bool ready() const override;
  bool flush() override;
  void transmit(Instant now, const TransmitFrame& frame) override;
  std::optional<DeviceError> failure() const override;

 private:
  struct Impl;
  explicit DescriptorDevice(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab
