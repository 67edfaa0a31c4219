#include "oracle/kernel_namespace.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/netlink.h"
#include "device/netlink_socket.h"

namespace estab::oracle {

namespace {

using device::FileDescriptor;

constexpr const char* kInterface = "oracle0";

bool write_file(const std::string& path, const std::string& text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file &&
         ::write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string because(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

std::optional<std::string> enter_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNET) == 0) return std::nullopt;
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return because("no network namespace may be made here");
  if (!write_file("/proc/self/setgroups", "deny") ||
      !write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") ||
      !write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1"))
    return because("no user namespace may be set up here");
  return std::nullopt;
}

struct Setting {
  const char* name;
  const char* value;
};

// A setting that this kernel does not have is skipped.
constexpr Setting kSettings[] = {
    {"ipv4/tcp_congestion_control", "reno"},
    {"ipv4/tcp_ecn", "0"},
    {"ipv4/tcp_fastopen", "0"},
    {"ipv4/tcp_early_retrans", "0"},
    {"ipv4/tcp_recovery", "0"},
    {"ipv4/tcp_frto", "0"},
    {"ipv4/tcp_autocorking", "0"},
    {"ipv4/tcp_no_metrics_save", "1"},
    {"ipv4/tcp_invalid_ratelimit", "0"},
    {"ipv4/tcp_challenge_ack_limit", "2147483647"},
    {"ipv4/tcp_moderate_rcvbuf", "0"},
    {"ipv4/tcp_rmem", "4096 131072 6291456"},
    {"ipv4/tcp_wmem", "4096 262144 4194304"},
    {"ipv4/tcp_comp_sack_nr", "0"},
    {"ipv4/tcp_backlog_ack_defer", "0"},
    {"ipv4/tcp_slow_start_after_idle", "0"},
    {"ipv4/tcp_mtu_probing", "0"},
    {"ipv4/tcp_max_syn_backlog", "65536"},
    {"ipv4/tcp_rfc1337", "0"},
    {"ipv4/tcp_syn_linear_timeouts", "0"},
    {"ipv4/tcp_min_tso_segs", "1"},
    {"ipv4/tcp_tso_win_divisor", "255"},
    {"ipv4/icmp_ratelimit", "0"},
    {"ipv4/icmp_msgs_per_sec", "1000000"},
    {"ipv4/icmp_msgs_burst", "1000000"},
    {"ipv6/icmp/ratelimit", "0"},
    {"ipv6/conf/all/accept_dad", "0"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/default/autoconf", "0"},
    {"ipv6/conf/default/accept_ra", "0"},
    {"ipv6/conf/default/router_solicitations", "0"},
    {"ipv6/conf/default/addr_gen_mode", "1"},
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
};

// `ip route add PREFIX dev oracle0 quickack 1`.
int add_route(const Cidr& destination) {
  const bool v4 = destination.address.is_v4();
  rtmsg fixed{};
  fixed.rtm_family = v4 ? AF_INET : AF_INET6;
  fixed.rtm_dst_len = destination.prefix_length;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  device::NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE, fixed);
  request.add(RTA_DST, destination.address.wire_octets());
  mnl_attr_put_u32(request.message(), RTA_OIF, ::if_nametoindex(kInterface));
  nlattr* metrics = mnl_attr_nest_start(request.message(), RTA_METRICS);
  mnl_attr_put_u32(request.message(), RTAX_QUICKACK, 1);
  mnl_attr_nest_end(request.message(), metrics);
  return device::NetlinkSocket(NETLINK_ROUTE).exchange(request);
}

std::expected<FileDescriptor, std::string> open_tun() {
  FileDescriptor tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request{};
  std::strcpy(request.ifr_name, kInterface);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (!tun || ::ioctl(tun.number(), TUNSETIFF, &request) != 0)
    return std::unexpected(because("no TUN interface may be made here"));
  return tun;
}

int configure_interface() {
  if (const int error = device::set_link_up(kInterface, 1500)) return error;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const bool v4 = family == Family::ipv4;
    const Cidr own{kernel_address(family), static_cast<std::uint8_t>(v4 ? 32 : 128)};
    if (const int error = device::give_address(kInterface, own)) return error;
    const Cidr peers{peer_address(family, 0), static_cast<std::uint8_t>(v4 ? 8 : 64)};
    if (const int error = add_route(peers)) return error;
  }
  return 0;
}

}  // namespace

IpAddress kernel_address(Family family) {
  return family == Family::ipv4 ? IpAddress::v4(192, 0, 2, 1) : *IpAddress::parse("2001:db8:1::1");
}

IpAddress peer_address(Family family, std::uint32_t number) {
  if (family == Family::ipv4) return IpAddress::v4((10u << 24) + (number & 0xffffff));
  std::array<std::uint8_t, 16> octets = IpAddress::parse("2001:db8:2::")->octets();
  for (std::size_t i = 0; i < 4; ++i)
    octets[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return IpAddress::v6(octets);
}

std::expected<KernelNamespace, std::string> enter_kernel_namespace() {
  if (const auto obstacle = enter_namespace()) return std::unexpected(*obstacle);
  for (const Setting& setting : kSettings)
    (void)write_file(std::string("/proc/sys/net/") + setting.name, setting.value);
  auto tun = open_tun();
  if (!tun) return std::unexpected(tun.error());
  if (const int error = configure_interface())
    return std::unexpected(std::string("the TUN interface cannot be set up: ") +
                           std::strerror(error));
  return KernelNamespace{std::move(*tun)};
}

}  // namespace estab::oracle
