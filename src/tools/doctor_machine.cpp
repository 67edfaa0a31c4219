// The examinations of `estab doctor`. What would leave a trace (a TUN, a namespace) is tried in a
// child process, in a network namespace that ends with it.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/file_descriptor.h"
#include "tools/doctor.h"

namespace estab::tools {
namespace {

using device::FileDescriptor;

constexpr rlim_t kManyFiles = 4096;

std::string text_of(int error) {
  return std::strerror(error);
}

FileDescriptor open_tun() {
  return FileDescriptor(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
}

// Runs `attempt` in a child and gives back the errno it returned; 0 is success.
int in_child(int (*attempt)()) {
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(attempt());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

bool has_net_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[0].effective >> CAP_NET_ADMIN & 1) != 0;
}

// A network namespace of our own: with a user namespace around it where there is no privilege.
int enter_namespace() {
  int flags = CLONE_NEWNET | (has_net_admin() ? 0 : CLONE_NEWUSER);
  return unshare(flags) == 0 ? 0 : errno;
}

int try_user_namespace() {
  return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : errno;
}

int try_offloads() {
  if (int error = enter_namespace()) return error;
  FileDescriptor tun = open_tun();
  if (!tun) return errno;
  ifreq request{};
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
  if (ioctl(tun.number(), TUNSETIFF, &request) != 0) return errno;
  unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  return ioctl(tun.number(), TUNSETOFFLOAD, offloads) == 0 ? 0 : errno;
}

Finding examine_kernel() {
  utsname name{};
  uname(&name);
  return {.key = "kernel",
          .what = "Linux kernel",
          .present = true,
          .detail = fmt::format("{} on {}", name.release, name.machine)};
}

#ifdef __x86_64__
bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0;
}
#else
bool has_avx2() {
  return false;
}
#endif

Finding examine_cpu() {
  Finding finding{.key = "avx2", .what = "AVX2", .need = Need::nothing};
  finding.present = has_avx2();
  finding.detail = finding.present ? "supported" : "not supported";
  if (!finding.present)
    finding.meaning = "checksums are computed more slowly; nothing else changes";
  return finding;
}

Finding examine_tun() {
  Finding finding{.key = "tun_device", .what = "/dev/net/tun", .need = Need::live};
  FileDescriptor tun = open_tun();
  finding.present = static_cast<bool>(tun);
  finding.detail = finding.present ? "can be opened" : text_of(errno);
  if (finding.present) return finding;
  bool exists = access("/dev/net/tun", F_OK) == 0;
  finding.meaning = "no command can have a link with the kernel";
  finding.command = exists ? "sudo chmod 666 /dev/net/tun"
                           : "sudo modprobe tun && sudo mkdir -p /dev/net && "
                             "{ test -e /dev/net/tun || sudo mknod -m 666 /dev/net/tun c 10 200; }";
  return finding;
}

Finding examine_vnet_header() {
  Finding finding{.key = "vnet_hdr", .what = "TUN with IFF_VNET_HDR", .need = Need::nothing};
  FileDescriptor tun = open_tun();
  unsigned int features = 0;
  bool asked = tun && ioctl(tun.number(), TUNGETFEATURES, &features) == 0;
  finding.present = asked && (features & IFF_VNET_HDR) != 0;
  finding.detail = finding.present ? "supported by the driver"
                   : asked         ? "not supported by the driver"
                                   : "unknown without /dev/net/tun";
  if (!finding.present)
    finding.meaning = "no super-segments: bulk transfer is several times slower";
  return finding;
}

Finding examine_offloads() {
  int error = in_child(try_offloads);
  Finding finding{.key = "tun_offloads",
                  .what = "TUN offloads TSO4, TSO6",
                  .present = error == 0,
                  .need = Need::nothing,
                  .detail = error == 0 ? "accepted by the driver" : text_of(error)};
  if (error == EPERM)
    finding.meaning = "could not be tested without root or a user namespace";
  else if (error != 0)
    finding.meaning = "no super-segments: bulk transfer is several times slower";
  if (error == EPERM) finding.command = "sudo estab doctor";
  return finding;
}

Finding examine_privilege() {
  bool present = has_net_admin();
  Finding finding{.key = "cap_net_admin",
                  .what = "CAP_NET_ADMIN",
                  .present = present,
                  .need = Need::live,
                  .detail = present ? "held by this process" : "not held by this process"};
  if (present) return finding;
  const char* user = std::getenv("USER");
  finding.meaning = "this user cannot create a link; an administrator can create one for this user";
  finding.command = fmt::format(
      "sudo ip tuntap add dev estab0 mode tun user {} && sudo ip addr add 10.77.0.1/24 dev estab0 "
      "&& sudo ip addr add fd77::1/64 dev estab0 && sudo ip link set estab0 up",
      user != nullptr ? user : "$(id -un)");
  return finding;
}

Finding examine_namespaces() {
  int error = in_child(try_user_namespace);
  Finding finding{.key = "namespaces",
                  .what = "user and network namespaces",
                  .present = error == 0,
                  .need = Need::live_as_user,
                  .detail = error == 0 ? "can be created" : text_of(error)};
  if (error == 0) return finding;
  finding.meaning = "without root, `estab demo` runs in memory instead of against the kernel";
  // Debian and Ubuntu each have a switch of their own besides the number of namespaces.
  if (access("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", F_OK) == 0)
    finding.command = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  else if (access("/proc/sys/kernel/unprivileged_userns_clone", F_OK) == 0)
    finding.command =
        "sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000";
  else
    finding.command = "sudo sysctl user.max_user_namespaces=10000";
  return finding;
}

Finding examine_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  Finding finding{
      .key = "open_files",
      .what = "open file limit",
      .present = limit.rlim_cur >= kManyFiles,
      .need = Need::nothing,
      .detail = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit.rlim_cur)};
  if (finding.present) return finding;
  finding.meaning =
      "`estab serve` keeps one file open per response in progress; connections need none";
  finding.command = fmt::format("ulimit -n {}", std::min(limit.rlim_max, kManyFiles));
  return finding;
}

bool is_in_path(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    std::string candidate(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(candidate.size() + 1, rest.size()));
    candidate.append("/").append(program);
    if (access(candidate.c_str(), X_OK) == 0) return true;
  }
  return false;
}

Finding examine_curl() {
  bool present = is_in_path("curl");
  Finding finding{.key = "curl",
                  .what = "curl",
                  .present = present,
                  .need = Need::nothing,
                  .detail = present ? "in the path" : "not in the path"};
  if (present) return finding;
  finding.meaning = "`estab demo` without a case uses it to fetch through the kernel";
  finding.command = "sudo apt-get install curl";
  return finding;
}

}  // namespace

std::vector<Finding> examine_machine() {
  return {examine_kernel(),      examine_cpu(),        examine_tun(),
          examine_vnet_header(), examine_offloads(),   examine_privilege(),
          examine_namespaces(),  examine_file_limit(), examine_curl()};
}

}  // namespace estab::tools
