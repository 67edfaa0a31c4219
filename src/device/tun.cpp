// TunDevice: a TunQueue with its interface set up, its frames carried to and from a stack's own
// blocks.
#include "estab/tun.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "device/netlink.h"
#include "device/tapping.h"
#include "device/tun_queue.h"

namespace estab {
namespace {

using device::TunQueue;

/// A super-segment has at most 65535 octets behind its fixed header.
constexpr std::size_t kLargestFrame = 65535 + 40;

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
  Impl(TunQueue with, std::uint16_t its_mtu) : queue(std::move(with)), mtu(its_mtu) {
    kept.reserve(kLargestFrame);
  }
  std::size_t room_per_frame() const { return queue.has_headers() ? kLargestFrame : mtu; }
  void count_received(std::size_t octets, std::uint16_t gso_size);
  void count_sent(std::size_t octets, std::uint16_t gso_size);
  void keep(const TransmitFrame& frame);

  TunQueue queue;
  std::uint16_t mtu;
  bool gone = false;
  TunCounters counters{};
  /// The frame that could not be sent yet; none if empty. Its memory is never given up.
  std::vector<std::uint8_t> kept{};
  device::VirtioHeader kept_header{};
};

void TunDevice::Impl::count_received(std::size_t octets, std::uint16_t gso_size) {
  ++counters.frames_received;
  counters.octets_received += octets;
  counters.super_segments_received += gso_size != 0;
}

void TunDevice::Impl::count_sent(std::size_t octets, std::uint16_t gso_size) {
  ++counters.frames_sent;
  counters.octets_sent += octets;
  counters.super_segments_sent += gso_size != 0;
}

void TunDevice::Impl::keep(const TransmitFrame& frame) {
  kept.resize(frame.size());
  frame.copy_to(kept.data());
  kept_header = device::virtio_header_of(frame);
  ++counters.sends_put_off;
}

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
  return std::unique_ptr<TunDevice>(new TunDevice(std::make_unique<Impl>(std::move(*queue), *mtu)));
}

const std::string& TunDevice::name() const {
  return impl_->queue.name();
}
const TunCounters& TunDevice::counters() const {
  return impl_->counters;
}
int TunDevice::descriptor() const {
  return impl_->queue.descriptor();
}
bool TunDevice::ready() const {
  return impl_->kept.empty();
}

InterfaceConfig TunDevice::interface_config() const {
  const bool offloads = impl_->queue.has_headers();
  return {.name = name(),
          .mtu = impl_->mtu,
          .checksum_offload = offloads,
          .segmentation_v4 = offloads,
          .segmentation_v6 = offloads};
}

std::optional<DeviceError> TunDevice::failure() const {
  if (!impl_->gone) return std::nullopt;
  return DeviceError{DeviceError::Kind::link_gone, EBADFD,
                     "the interface " + name() + " has been deleted; start again to make it anew"};
}

std::size_t TunDevice::receive(Instant now, Stack& stack, InterfaceId interface,
                               std::size_t burst) {
  Block block;
  std::size_t count = 0;
  while (count < burst) {
    if (!block) block = stack.take_block(impl_->room_per_frame());
    const TunQueue::Reading reading = impl_->queue.read(block.octets());
    impl_->gone |= reading.outcome == TunQueue::ReadOutcome::interface_gone;
    if (reading.outcome != TunQueue::ReadOutcome::frame) break;
    ++count;
    const Octets frame = block.octets().first(reading.length);
    const auto& notes = reading.notes;
    impl_->count_received(frame.size(), notes.gso_size);
    if (tap() != nullptr)
      device::show_received(*tap(), now, frame, notes.gso_size, notes.partial_checksum);
    stack.handle_frame(now, interface,
                       {.octets = frame,
                        .checksum_verified = notes.checksum_verified,
                        .gso_size = notes.gso_size,
                        .owner = &block});
  }
  if (block) stack.give_block(std::move(block));
  return count;
}

void TunDevice::transmit(Instant now, const TransmitFrame& frame) {
  if (tap() != nullptr) device::show_sent(*tap(), now, frame);
  const auto outcome = ready() ? impl_->queue.write(frame) : TunQueue::WriteOutcome::refused;
  if (outcome == TunQueue::WriteOutcome::sent)
    return impl_->count_sent(frame.size(), frame.gso_size);
  if (outcome == TunQueue::WriteOutcome::would_block) return impl_->keep(frame);
  ++impl_->counters.sends_refused;
}

bool TunDevice::flush() {
  if (ready()) return true;
  const auto outcome = impl_->queue.write(impl_->kept_header, impl_->kept);
  if (outcome == TunQueue::WriteOutcome::would_block) return false;
  if (outcome == TunQueue::WriteOutcome::sent)
    impl_->count_sent(impl_->kept.size(), device::little_endian(impl_->kept_header.gso_size));
  else
    ++impl_->counters.sends_refused;
  impl_->kept.clear();
  return true;
}

}  // namespace estab
