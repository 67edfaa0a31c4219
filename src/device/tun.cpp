// TunDevice: a TunQueue with its interface set up, and a FramePump on it.
#include "estab/tun.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "device/frame_pump.h"
#include "device/netlink.h"
#include "device/tun_queue.h"

namespace estab {
namespace {

using device::TunQueue;

std::unexpected<DeviceError> cannot_configure(const std::string& what, int number,
                                              const TunOptions& options) {
  const bool no_right = number == EPERM;
  std::string text = "cannot " + what + ": " + std::strerror(number);
  if (no_right) {
    text += "; let an administrator do it with `" + device::setting_up_command(options) + "`";
  } else if (number == EACCES) {
    text += "; IPv6 is switched off there, allow it with `sudo sysctl net.ipv6.conf." +
            options.name + ".disable_ipv6=0`";
  } else if (number == EINVAL) {
    text += "; an MTU is 68 to 65535 octets, and at least 1280 where there are IPv6 addresses";
  }
  const auto kind = no_right ? DeviceError::Kind::no_permission : DeviceError::Kind::system;
  return std::unexpected(DeviceError{kind, number, std::move(text)});
}

std::expected<void, DeviceError> set_up(const TunOptions& options) {
  std::string up = "set " + options.name + " up";
  if (options.mtu) up += " with an MTU of " + std::to_string(*options.mtu);
  if (const int error = device::set_link_up(options.name, options.mtu))
    return cannot_configure(up, error, options);
  for (const Cidr& address : options.host_addresses)
    if (const int error = device::give_address(options.name, address))
      return cannot_configure("give " + options.name + " the address " + to_string(address), error,
                              options);
  return {};
}

}  // namespace

struct TunDevice::Impl {
  std::string name;
  device::FramePump pump;
};

TunDevice::TunDevice(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TunDevice::~TunDevice() = default;

std::expected<std::unique_ptr<TunDevice>, DeviceError> TunDevice::open(const TunOptions& options) {
  auto queue = TunQueue::attach(options);
  if (!queue) return std::unexpected(std::move(queue.error()));
  TunOptions named = options;
  named.name = queue->name();
  if (auto done = set_up(named); !done) return std::unexpected(std::move(done.error()));
  const auto mtu = device::mtu_of(named.name);
  if (!mtu) return cannot_configure("read the MTU of " + named.name, ENODEV, named);
  return std::unique_ptr<TunDevice>(new TunDevice(
      std::make_unique<Impl>(named.name, device::FramePump(std::move(*queue).release(), *mtu))));
}

const std::string& TunDevice::name() const {
  return impl_->name;
}
const TunCounters& TunDevice::counters() const {
  return impl_->pump.counters();
}
InterfaceConfig TunDevice::interface_config() const {
  return impl_->pump.interface_config(impl_->name);
}
int TunDevice::descriptor() const {
  return impl_->pump.channel().descriptor();
}
std::size_t TunDevice::receive(Instant now, Stack& stack, InterfaceId interface,
                               std::size_t burst) {
  return impl_->pump.receive(now, stack, interface, burst, tap());
}
bool TunDevice::ready() const {
  return impl_->pump.ready();
}
bool TunDevice::flush() {
  return impl_->pump.flush();
}
void TunDevice::transmit(Instant now, const TransmitFrame& frame) {
  impl_->pump.transmit(now, frame, tap());
}

// A descriptor is in error as soon as its interface is being deleted, some milliseconds before
// reads fail.
std::optional<DeviceError> TunDevice::failure() const {
  if (!impl_->pump.gone() && !impl_->pump.channel().is_in_error()) return std::nullopt;
  return DeviceError{DeviceError::Kind::link_gone, EBADFD,
                     "the interface " + name() + " has been deleted; start again to make it anew"};
}

}  // namespace estab
