// Runs a piece of a test in a network namespace of its own, where it may do as it likes.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/file_descriptor.h"

namespace estab::test {

inline void write_to(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
  ::close(file);
}

/// Moves this process into a new network namespace; without root into a new user namespace as well.
/// Says why, if it may not.
inline std::optional<std::string> enter_network_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0 && ::unshare(CLONE_NEWNET) == 0) return std::nullopt;
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return std::string("no network namespace may be made here: ") + std::strerror(errno);
  write_to("/proc/self/setgroups", "deny");
  write_to("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
  write_to("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  return std::nullopt;
}

/// Whether a TUN interface may be made here; else why not.
inline std::optional<std::string> try_tun() {
  const device::FileDescriptor driver(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (driver && ::ioctl(driver.number(), TUNSETIFF, &request) == 0) return std::nullopt;
  return std::string("no TUN interface may be made here: ") + std::strerror(errno);
}

/// Runs `body` in a child process in a namespace of its own and fails if it did. Skips, with the
/// reason, where there are no namespaces or no TUN.
inline void in_network_namespace(const std::function<void()>& body) {
  constexpr int kFailed = 1, kCannot = 77;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto obstacle = enter_network_namespace();
    if (!obstacle) obstacle = try_tun();
    if (obstacle) std::fprintf(stderr, "%s\n", obstacle->c_str());
    if (obstacle) ::_exit(kCannot);
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? kFailed : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannot)
    GTEST_SKIP() << "no TUN in a network namespace of its own (the reason is above)";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "the part in the namespace failed, see above (status " << status << ")";
}

}  // namespace estab::test
