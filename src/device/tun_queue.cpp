#include "device/tun_queue.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "device/netlink.h"

namespace estab::device {
namespace {

constexpr const char* kDriver = "/dev/net/tun";

std::unexpected<DeviceError> failure(DeviceError::Kind kind, int number, std::string what) {
  return std::unexpected(DeviceError{kind, number, std::move(what)});
}

std::unexpected<DeviceError> cannot_open_driver(int number) {
  const std::string start = std::string("cannot open ") + kDriver + ": ";
  if (number == ENOENT || number == ENODEV || number == ENXIO)
    return failure(DeviceError::Kind::no_tun_driver, number,
                   start +
                       "the kernel has no TUN driver loaded; load it with `sudo modprobe tun` "
                       "(a container needs `--device /dev/net/tun --cap-add NET_ADMIN`)");
  if (number == EACCES || number == EPERM)
    return failure(DeviceError::Kind::no_permission, number,
                   start + "permission denied; allow it with `sudo chmod 0666 /dev/net/tun`");
  return failure(DeviceError::Kind::system, number, start + std::strerror(number));
}

std::string name_and_prefix(const std::string& name) {
  return "cannot attach to TUN interface " + (name.empty() ? std::string("(any)") : name) + ": ";
}

std::unexpected<DeviceError> cannot_attach(const TunOptions& options, int number) {
  const std::string start = name_and_prefix(options.name);
  const bool exists = !options.name.empty() && ::if_nametoindex(options.name.c_str()) != 0;
  switch (number) {
    case EPERM:
      return failure(
          DeviceError::Kind::no_permission, number,
          start +
              (exists ? "it belongs to another user; make it anew for this one with `sudo ip "
                        "link delete " +
                            options.name + " && "
                      : "this user may not make one; make it with `") +
              making_command(options) + "`");
    case EBUSY:
      return failure(DeviceError::Kind::busy, number,
                     start + "another program holds it; end that program or choose another name");
    case EINVAL:
      return failure(DeviceError::Kind::name_taken, number,
                     start +
                         "an interface of that name is there and is no TUN interface (see `ip "
                         "-details link show " +
                         options.name + "`); choose another name");
    default:
      return failure(DeviceError::Kind::system, number, start + std::strerror(number));
  }
}

/// TUNSETIFF. Returns 0 or errno; `request` then holds the interface's name.
int set_interface(int descriptor, const std::string& name, int flags, ifreq& request) {
  request = {};
  std::copy_n(name.data(), name.size(), request.ifr_name);
  request.ifr_flags = static_cast<short>(flags);
  return ::ioctl(descriptor, TUNSETIFF, &request) == 0 ? 0 : errno;
}

/// What the interface really is: TUNSETIFF answers with what it was asked for.
std::optional<int> flags_of(int descriptor) {
  ifreq request{};
  if (::ioctl(descriptor, TUNGETIFF, &request) != 0) return std::nullopt;
  return static_cast<unsigned short>(request.ifr_flags);
}

/// Whoever else has one gets a part of the frames, and has set the form of all of them.
std::unexpected<DeviceError> another_queue_is_open(const std::string& name) {
  return failure(DeviceError::Kind::busy, EBUSY,
                 name_and_prefix(name) +
                     "another program has a queue of it open, and frames would be divided between "
                     "the two; end that program or choose another name");
}

}  // namespace

bool is_interface_name(const std::string& name) {
  if (name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::ranges::none_of(name, [](char c) {
    return c == '/' || c == ':' || c == '%' || c == '\0' ||
           std::isspace(static_cast<unsigned char>(c));
  });
}

std::string making_command(const TunOptions& options) {
  TunOptions named = options;
  if (named.name.empty()) named.name = "estab0";
  return "sudo ip tuntap add dev " + named.name + " mode tun user $USER && " +
         setting_up_command(named);
}

std::string setting_up_command(const TunOptions& options) {
  std::string command = "sudo ip link set dev " + options.name + " up";
  if (options.mtu) command += " mtu " + std::to_string(*options.mtu);
  for (const Cidr& address : options.host_addresses)
    command += " && sudo ip address add " + to_string(address) + " dev " + options.name;
  return command;
}

std::expected<TunQueue, DeviceError> TunQueue::attach(const TunOptions& options) {
  if (!is_interface_name(options.name))
    return failure(DeviceError::Kind::invalid_name, 0,
                   "not an interface name: '" + options.name +
                       "'; use 1 to 15 characters, none of them a space, '/', ':' or '%'");
  FileDescriptor descriptor(::open(kDriver, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) return cannot_open_driver(errno);

  unsigned features = 0;
  if (::ioctl(descriptor.number(), TUNGETFEATURES, &features) != 0) features = 0;
  int flags = IFF_TUN | IFF_NO_PI;
  if (options.offloads == TunOffloads::automatic && (features & IFF_VNET_HDR) != 0)
    flags |= IFF_VNET_HDR;

  ifreq request;
  int error = set_interface(descriptor.number(), options.name, flags, request);
  // A persistent interface made with several queues refuses whoever does not say so.
  if (error == EINVAL)
    error = set_interface(descriptor.number(), options.name, flags | IFF_MULTI_QUEUE, request);
  if (error != 0) return cannot_attach(options, error);

  const std::string name = request.ifr_name;
  if (queues_of(name) > 1) return another_queue_is_open(name);
  const std::optional<int> got = flags_of(descriptor.number());
  if (!got) return cannot_attach(options, errno);
  const Framing framing = (*got & IFF_VNET_HDR) != 0 ? Framing::virtio : Framing::bare;
  TunQueue queue(FrameChannel(std::move(descriptor), framing), name);
  if (queue.has_headers() && !queue.set_header_format()) {
    if (options.offloads == TunOffloads::none) return cannot_attach(options, errno);
    return attach({.name = options.name, .offloads = TunOffloads::none});
  }
  if (!queue.set_offloads(options.offloads)) return cannot_attach(options, errno);
  return queue;
}

bool TunQueue::set_header_format() const {
  int header_size = sizeof(VirtioHeader);  // whoever was here before may have left another
  int on = 1;
  return ::ioctl(descriptor(), TUNSETVNETHDRSZ, &header_size) == 0 &&
         ::ioctl(descriptor(), TUNSETVNETLE, &on) == 0;
}

// What we take from the kernel; what it takes from us it says with IFF_VNET_HDR alone. Without any
// of this it splits and sums before we read: slower, not wrong. The offloads belong to the
// interface and outlive its users, so that "none" must be said too, with headers and without: else
// frames come with checksums that nobody has finished.
bool TunQueue::set_offloads(TunOffloads wanted) const {
  constexpr std::array<unsigned, 4> kAll = {TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
                                            TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, TUN_F_CSUM, 0};
  const bool some = has_headers() && wanted == TunOffloads::automatic;
  return std::ranges::any_of(std::span(kAll).last(some ? kAll.size() : 1),
                             [this](unsigned long offloads) {
                               return ::ioctl(descriptor(), TUNSETOFFLOAD, offloads) == 0;
                             });
}

}  // namespace estab::device
