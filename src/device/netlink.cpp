#include "device/netlink.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <ranges>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "device/netlink_socket.h"

namespace estab::device {
namespace {

int ask_kernel(const NetlinkRequest& request) {
  return NetlinkSocket(NETLINK_ROUTE).exchange(request);
}

/// The kernel delivers to this address.
bool is_local(const IpAddress& address) {
  const auto route = route_to(address);
  return route && route->to_itself;
}

/// A new IPv6 address is there at once, but a kernel worker adds its local route a moment later;
/// what arrives before that is lost. Worth waiting for, not worth failing for.
void wait_until_local(const IpAddress& address) {
  constexpr int kTries = 200;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (int i = 0; i < kTries && !is_local(address); ++i) ::nanosleep(&kPause, nullptr);
}

bool has_address(unsigned index, const Cidr& wanted) {
  ifaddrmsg fixed{};
  fixed.ifa_family = wanted.address.is_v4() ? AF_INET : AF_INET6;
  bool found = false;
  const NetlinkRequest all(RTM_GETADDR, NLM_F_DUMP, fixed);
  NetlinkSocket(NETLINK_ROUTE).exchange(all, [&](const nlmsghdr& answer) {
    const auto* entry = fixed_part<ifaddrmsg>(answer);
    if (entry == nullptr || entry->ifa_index != index) return;
    Octets own = attribute(answer, sizeof *entry, IFA_LOCAL);
    if (own.empty()) own = attribute(answer, sizeof *entry, IFA_ADDRESS);
    found = found || (entry->ifa_prefixlen == wanted.prefix_length &&
                      std::ranges::equal(own, wanted.address.wire_octets()));
  });
  return found;
}

struct Link {
  bool up = false;
  std::uint32_t mtu = 0;
};

/// Nothing if there is no such interface.
std::optional<Link> link_of(const std::string& interface) {
  ifinfomsg fixed{};
  fixed.ifi_index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (fixed.ifi_index == 0) return std::nullopt;
  std::optional<Link> link;
  const NetlinkRequest request(RTM_GETLINK, 0, fixed);
  NetlinkSocket(NETLINK_ROUTE).exchange(request, [&](const nlmsghdr& answer) {
    const auto* entry = fixed_part<ifinfomsg>(answer);
    if (entry == nullptr) return;
    link = Link{.up = (entry->ifi_flags & IFF_UP) != 0};
    const Octets mtu = attribute(answer, sizeof *entry, IFLA_MTU);
    if (mtu.size() == sizeof link->mtu) std::memcpy(&link->mtu, mtu.data(), mtu.size());
  });
  return link;
}

/// The value of the first attribute of that type among nested ones; empty if there is none.
Octets nested_attribute(Octets attributes, std::uint16_t type) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr head;
    std::memcpy(&head, attributes.data(), sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > attributes.size()) return {};
    if ((head.nla_type & NLA_TYPE_MASK) == type)
      return attributes.subspan(sizeof head, head.nla_len - sizeof head);
    attributes =
        attributes.subspan(std::min<std::size_t>(NLA_ALIGN(head.nla_len), attributes.size()));
  }
  return {};
}

}  // namespace

std::expected<KernelRoute, int> route_to(const IpAddress& address) {
  rtmsg fixed{};
  fixed.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
  fixed.rtm_dst_len = address.is_v4() ? 32 : 128;
  NetlinkRequest request(RTM_GETROUTE, 0, fixed);
  request.add(RTA_DST, address.wire_octets());
  KernelRoute found;
  const int error = NetlinkSocket(NETLINK_ROUTE).exchange(request, [&](const nlmsghdr& answer) {
    const auto* route = fixed_part<rtmsg>(answer);
    if (route == nullptr) return;
    found.to_itself = route->rtm_type == RTN_LOCAL;
    found.to_one = route->rtm_type == RTN_UNICAST;
    const Octets by = attribute(answer, sizeof *route, RTA_OIF);
    if (by.size() == sizeof found.interface) std::memcpy(&found.interface, by.data(), by.size());
  });
  if (error != 0) return std::unexpected(error);
  return found;
}

int give_address(const std::string& interface, const Cidr& address) {
  const bool is_v4 = address.address.is_v4();
  ifaddrmsg fixed{};
  fixed.ifa_family = is_v4 ? AF_INET : AF_INET6;
  fixed.ifa_prefixlen = address.prefix_length;
  // Nobody else is on this link: duplicate address detection is not needed (RFC 4862 §5.4).
  fixed.ifa_flags = is_v4 ? 0 : IFA_F_NODAD;
  fixed.ifa_index = ::if_nametoindex(interface.c_str());
  if (fixed.ifa_index == 0) return ENODEV;
  if (has_address(fixed.ifa_index, address)) return 0;
  NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, fixed);
  request.add(IFA_LOCAL, address.address.wire_octets());
  request.add(IFA_ADDRESS, address.address.wire_octets());
  const int error = ask_kernel(request);
  if (error == 0 && !is_v4) wait_until_local(address.address);
  return error;
}

int add_default_route(const std::string& interface, Family family) {
  rtmsg fixed{};
  fixed.rtm_family = family == Family::ipv4 ? AF_INET : AF_INET6;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_BOOT;
  fixed.rtm_scope = family == Family::ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, fixed);
  mnl_attr_put_u32(request.message(), RTA_OIF, ::if_nametoindex(interface.c_str()));
  return ask_kernel(request);
}

int set_link_up(const std::string& interface, std::optional<std::uint16_t> mtu) {
  const auto link = link_of(interface);
  if (!link) return ENODEV;
  if (link->up && (!mtu || link->mtu == *mtu)) return 0;
  ifinfomsg fixed{};
  fixed.ifi_family = AF_UNSPEC;
  fixed.ifi_index = static_cast<int>(::if_nametoindex(interface.c_str()));
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  NetlinkRequest request(RTM_NEWLINK, 0, fixed);
  if (mtu) mnl_attr_put_u32(request.message(), IFLA_MTU, *mtu);
  return ask_kernel(request);
}

std::optional<std::uint16_t> mtu_of(const std::string& interface) {
  const auto link = link_of(interface);
  if (!link) return std::nullopt;
  return static_cast<std::uint16_t>(std::min(link->mtu, std::uint32_t{65535}));
}

std::uint32_t queues_of(const std::string& interface) {
  ifinfomsg fixed{};
  fixed.ifi_index = static_cast<int>(::if_nametoindex(interface.c_str()));
  std::uint32_t queues = 0;
  if (fixed.ifi_index == 0) return queues;
  const NetlinkRequest request(RTM_GETLINK, 0, fixed);
  NetlinkSocket(NETLINK_ROUTE).exchange(request, [&](const nlmsghdr& answer) {
    if (fixed_part<ifinfomsg>(answer) == nullptr) return;
    const Octets kind = attribute(answer, sizeof(ifinfomsg), IFLA_LINKINFO);
    const Octets number =
        nested_attribute(nested_attribute(kind, IFLA_INFO_DATA), IFLA_TUN_NUM_QUEUES);
    if (number.size() == sizeof queues) std::memcpy(&queues, number.data(), sizeof queues);
  });
  return queues;
}

}  // namespace estab::device
