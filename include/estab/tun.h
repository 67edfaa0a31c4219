// TunDevice: a Linux TUN interface. The kernel's end of it is an ordinary interface with addresses
// and routes; our end moves IP datagrams, as super-segments with unfinished checksums where the
// kernel has virtio-net headers.
//
//   auto device = estab::TunDevice::open({.name = "estab0", .host_addresses = {host}});
//   if (!device) return complain(device.error().what);
//   InterfaceId interface = stack.add_interface((*device)->interface_config());
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/address.h"
#include "estab/device.h"
#include "estab/device_error.h"

namespace estab {

enum class TunOffloads : std::uint8_t {
  automatic,  ///< super-segments and unfinished checksums if the kernel takes them
  none,       ///< one datagram of at most the MTU a time, with its checksum
};

struct TunOptions {
  /// Attaches to the interface of this name, or makes it. Empty: the kernel finds a name.
  std::string name{};
  /// Addresses the kernel's end gets. Those it has already need no right to be given.
  std::vector<Cidr> host_addresses{};
  std::optional<std::uint16_t> mtu{};  ///< nothing: as the interface has it
  TunOffloads offloads = TunOffloads::automatic;
};

using TunCounters = FrameCounters;

class TunDevice final : public Device {
 public:
  static std::expected<std::unique_ptr<TunDevice>, DeviceError> open(const TunOptions& options);
  ~TunDevice() override;

  const std::string& name() const;
  const TunCounters& counters() const;

  InterfaceConfig interface_config() const override;
  int descriptor() const override;
  std::size_t receive(Instant now, Stack& stack, InterfaceId interface, std::size_t burst) override;
  bool ready() const override;
  bool flush() override;
  void transmit(Instant now, const TransmitFrame& frame) override;
  std::optional<DeviceError> failure() const override;

 private:
  struct Impl;
  explicit TunDevice(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab
