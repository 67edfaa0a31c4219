#include "tools/demo_namespace.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "device/file_descriptor.h"

namespace estab::tools {

namespace {

bool write_file(const char* path, const std::string& text) {
  const device::FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && device::write_all(file.number(), as_octets(text)) == 0;
}

// One user and one group of the outside are root inside (user_namespaces(7)).
bool map_to_root(uid_t user, gid_t group) {
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", fmt::format("0 {} 1", user)) &&
         write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
}

}  // namespace

std::optional<std::string> enter_own_network_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNET) == 0) return std::nullopt;
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return fmt::format("no network namespace may be made here ({})", std::strerror(errno));
  if (!map_to_root(user, group))
    return fmt::format("no user namespace may be set up here ({})", std::strerror(errno));
  return std::nullopt;
}

}  // namespace estab::tools
