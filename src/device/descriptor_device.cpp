// DescriptorDevice: what a descriptor must be to carry datagrams, and a FramePump on it.
#include "estab/descriptor_device.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "device/frame_pump.h"

namespace estab {
namespace {

using device::FrameChannel;

std::unexpected<DeviceError> unsuitable(int descriptor, std::string_view why, int number = 0) {
  std::string what = "cannot use descriptor " + std::to_string(descriptor) + " as a link: ";
  what += why;
  if (number != 0) what += std::string(": ") + std::strerror(number);
  return std::unexpected(
      DeviceError{DeviceError::Kind::unsuitable_descriptor, number, std::move(what)});
}

using Checked = std::expected<FrameChannel::Kind, DeviceError>;

Checked check_socket(int descriptor, Framing framing) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
    return unsuitable(descriptor, "it does not say what kind of socket it is", errno);
  if (type != SOCK_SEQPACKET && type != SOCK_DGRAM)
    return unsuitable(descriptor,
                      "it is a socket that does not keep datagrams apart; use one of type "
                      "SOCK_SEQPACKET or SOCK_DGRAM");
  sockaddr_storage peer{};
  length = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) != 0)
    return unsuitable(descriptor, "the socket has no other end; connect it first", errno);
  if (framing == Framing::packet_info)
    return unsuitable(descriptor, "Framing::packet_info is for TUN interfaces");
  return FrameChannel::Kind::socket;
}

// Whether IFF_NO_PI was given nobody can ask: findings/tun_hides_no_pi.sh.
Checked check_tun(int descriptor, Framing framing) {
  ifreq request{};
  if (::ioctl(descriptor, TUNGETIFF, &request) != 0)
    return unsuitable(descriptor, "it is neither a socket nor attached to a TUN interface");
  const auto flags = static_cast<unsigned short>(request.ifr_flags);
  const std::string name = request.ifr_name;
  if ((flags & IFF_TUN) == 0)
    return unsuitable(descriptor, name + " is a TAP interface: it carries Ethernet frames");
  const bool has_headers = (flags & IFF_VNET_HDR) != 0;
  if (has_headers && framing != Framing::virtio)
    return unsuitable(descriptor, name + " has IFF_VNET_HDR: its framing is Framing::virtio");
  if (!has_headers && framing == Framing::virtio)
    return unsuitable(descriptor, name + " was opened without IFF_VNET_HDR");
  int header_size = 0;
  if (framing == Framing::virtio && (::ioctl(descriptor, TUNGETVNETHDRSZ, &header_size) != 0 ||
                                     header_size != sizeof(device::VirtioHeader)))
    return unsuitable(descriptor, "the headers of " + name +
                                      " are not of 10 octets: set that with TUNSETVNETHDRSZ");
  return FrameChannel::Kind::file;
}

Checked check(int descriptor, Framing framing) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return unsuitable(descriptor, "it is not open", errno);
  return S_ISSOCK(status.st_mode) ? check_socket(descriptor, framing)
                                  : check_tun(descriptor, framing);
}

}  // namespace

struct DescriptorDevice::Impl {
  std::string name;
  device::FramePump pump;
};

DescriptorDevice::DescriptorDevice(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DescriptorDevice::~DescriptorDevice() = default;

std::expected<std::unique_ptr<DescriptorDevice>, DeviceError> DescriptorDevice::adopt(
    int descriptor, const DescriptorOptions& options) {
  if (options.mtu < 68) return unsuitable(descriptor, "an MTU is 68 to 65535 octets");
  const Checked kind = check(descriptor, options.framing);
  if (!kind) return std::unexpected(kind.error());
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
    return unsuitable(descriptor, "it cannot be made non-blocking", errno);
  FrameChannel channel(device::FileDescriptor(descriptor), options.framing, *kind);
  return std::unique_ptr<DescriptorDevice>(new DescriptorDevice(
      std::make_unique<Impl>(options.name, device::FramePump(std::move(channel), options.mtu))));
}

const FrameCounters& DescriptorDevice::counters() const {
  return impl_->pump.counters();
}
InterfaceConfig DescriptorDevice::interface_config() const {
  return impl_->pump.interface_config(impl_->name);
}
int DescriptorDevice::descriptor() const {
  return impl_->pump.channel().descriptor();
}
std::size_t DescriptorDevice::receive(Instant now, Stack& stack, InterfaceId interface,
                                      std::size_t burst) {
  return impl_->pump.receive(now, stack, interface, burst, tap());
}
bool DescriptorDevice::ready() const {
  return impl_->pump.ready();
}
bool DescriptorDevice::flush() {
  return impl_->pump.flush();
}
void DescriptorDevice::transmit(Instant now, const TransmitFrame& frame) {
  impl_->pump.transmit(now, frame, tap());
}

std::optional<DeviceError> DescriptorDevice::failure() const {
  if (!impl_->pump.gone()) return std::nullopt;
  return DeviceError{
      DeviceError::Kind::link_gone, 0,
      "the device " + impl_->name + " is gone: what its descriptor led to was closed"};
}

}  // namespace estab
