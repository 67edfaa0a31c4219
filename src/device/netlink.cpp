#include "device/netlink.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "estab/octets.h"

#include "device/file_descriptor.h"

namespace estab::device {
namespace {

/// One request in the making: header, fixed part, attributes.
template <class Fixed>
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    header().nlmsg_len = NLMSG_LENGTH(sizeof fixed);
    std::memcpy(NLMSG_DATA(octets_.data()), &fixed, sizeof fixed);
  }
  /// There is room for four attributes of 16 octets.
  void add(std::uint16_t type, Octets value) {
    const std::size_t at = NLMSG_ALIGN(header().nlmsg_len);
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(value.size())), type};
    std::memcpy(octets_.data() + at, &attribute, sizeof attribute);
    std::memcpy(octets_.data() + at + RTA_LENGTH(0), value.data(), value.size());
    header().nlmsg_len = static_cast<std::uint32_t>(at + attribute.rta_len);
  }
  std::span<const char> octets() { return {octets_.data(), header().nlmsg_len}; }

 private:
  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(octets_.data()); }
  alignas(nlmsghdr) std::array<char, NLMSG_SPACE(sizeof(Fixed)) + 4 * RTA_SPACE(16)> octets_{};
};

struct Answer {
  alignas(nlmsghdr) std::array<char, 4096> octets;
  std::size_t length = 0;

  const nlmsghdr& header() const { return *reinterpret_cast<const nlmsghdr*>(octets.data()); }
  /// The fixed part of an answer of this type; null if it is another or cut short.
  template <class Fixed>
  const Fixed* as(std::uint16_t type) const {
    if (length < NLMSG_LENGTH(sizeof(Fixed)) || header().nlmsg_type != type) return nullptr;
    return reinterpret_cast<const Fixed*>(octets.data() + NLMSG_HDRLEN);
  }
};

/// Sends the request and waits for the kernel's answer, which it gives at once. Returns 0 or errno.
int exchange(std::span<const char> request, Answer& answer) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return errno;
  if (::send(socket.number(), request.data(), request.size(), 0) < 0) return errno;
  const ssize_t length = ::recv(socket.number(), answer.octets.data(), answer.octets.size(), 0);
  if (length < 0) return errno;
  answer.length = static_cast<std::size_t>(length);
  return 0;
}

int ask_kernel(std::span<const char> request) {
  Answer answer;
  if (const int error = exchange(request, answer)) return error;
  const auto* result = answer.as<nlmsgerr>(NLMSG_ERROR);
  return result == nullptr ? EPROTO : -result->error;
}

/// The kernel delivers to this address.
bool is_local(const IpAddress& address) {
  rtmsg fixed{};
  fixed.rtm_family = AF_INET6;
  fixed.rtm_dst_len = 128;
  Request request(RTM_GETROUTE, 0, fixed);
  request.add(RTA_DST, address.wire_octets());
  Answer answer;
  if (exchange(request.octets(), answer) != 0) return false;
  const auto* route = answer.as<rtmsg>(RTM_NEWROUTE);
  return route != nullptr && route->rtm_type == RTN_LOCAL;
}

/// A new IPv6 address is there at once, but its local route comes a moment later, by a worker of
/// the kernel's; what arrives before is lost. Worth waiting for, not worth failing for.
void wait_until_local(const IpAddress& address) {
  constexpr int kTries = 200;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (int i = 0; i < kTries && !is_local(address); ++i) ::nanosleep(&kPause, nullptr);
}

std::uint8_t prefix_length_of(const sockaddr& mask) {
  const auto count = [](const auto& octets) {
    int bits = 0;
    for (const std::uint8_t octet : octets) bits += std::popcount(octet);
    return static_cast<std::uint8_t>(bits);
  };
  if (mask.sa_family == AF_INET)
    return count(std::bit_cast<std::array<std::uint8_t, 4>>(
        reinterpret_cast<const sockaddr_in&>(mask).sin_addr));
  return count(std::bit_cast<std::array<std::uint8_t, 16>>(
      reinterpret_cast<const sockaddr_in6&>(mask).sin6_addr));
}

std::optional<Cidr> cidr_of(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr) return std::nullopt;
  const sockaddr& address = *entry.ifa_addr;
  if (address.sa_family == AF_INET)
    return Cidr{IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr)),
                prefix_length_of(*entry.ifa_netmask)};
  if (address.sa_family == AF_INET6)
    return Cidr{IpAddress::v6(std::bit_cast<std::array<std::uint8_t, 16>>(
                    reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)),
                prefix_length_of(*entry.ifa_netmask)};
  return std::nullopt;
}

bool has_address(const std::string& interface, const Cidr& wanted) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next)
    if (interface == entry->ifa_name && cidr_of(*entry) == wanted) return true;
  return false;
}

/// A query of the SIOCGIF family.
std::optional<ifreq> query(const std::string& interface, unsigned long what) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if (!socket || interface.size() >= sizeof request.ifr_name) return std::nullopt;
  std::ranges::copy(interface, request.ifr_name);
  if (::ioctl(socket.number(), what, &request) != 0) return std::nullopt;
  return request;
}

bool is_up(const std::string& interface) {
  const auto answer = query(interface, SIOCGIFFLAGS);
  return answer && (answer->ifr_flags & IFF_UP) != 0;
}

}  // namespace

int give_address(const std::string& interface, const Cidr& address) {
  if (has_address(interface, address)) return 0;
  const bool is_v4 = address.address.is_v4();
  ifaddrmsg fixed{};
  fixed.ifa_family = is_v4 ? AF_INET : AF_INET6;
  fixed.ifa_prefixlen = address.prefix_length;
  // Nobody else is on this link: an address need not be tried out first (RFC 4862 §5.4).
  fixed.ifa_flags = is_v4 ? 0 : IFA_F_NODAD;
  fixed.ifa_index = ::if_nametoindex(interface.c_str());
  if (fixed.ifa_index == 0) return ENODEV;
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, fixed);
  request.add(IFA_LOCAL, address.address.wire_octets());
  request.add(IFA_ADDRESS, address.address.wire_octets());
  const int error = ask_kernel(request.octets());
  if (error == 0 && !is_v4) wait_until_local(address.address);
  return error;
}

int set_link_up(const std::string& interface, std::optional<std::uint16_t> mtu) {
  const bool right_mtu = !mtu || mtu_of(interface) == *mtu;
  if (right_mtu && is_up(interface)) return 0;
  ifinfomsg fixed{};
  fixed.ifi_family = AF_UNSPEC;
  fixed.ifi_index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (fixed.ifi_index == 0) return ENODEV;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0, fixed);
  const std::uint32_t value = mtu.value_or(0);
  if (mtu) request.add(IFLA_MTU, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  return ask_kernel(request.octets());
}

std::optional<std::uint16_t> mtu_of(const std::string& interface) {
  const auto answer = query(interface, SIOCGIFMTU);
  if (!answer) return std::nullopt;
  return static_cast<std::uint16_t>(std::min(answer->ifr_mtu, 65535));
}

}  // namespace estab::device
