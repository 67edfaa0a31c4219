#include "tools/gateway_guest.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "estab/descriptor_device.h"

#include "device/netlink.h"
#include "device/tun_queue.h"
#include "tools/console.h"
#include "tools/demo_namespace.h"
#include "tools/exit_code.h"

namespace estab::tools {

namespace {

constexpr const char* kInterface = "estab0";
/// What the child says first: which frames go through the descriptor that comes with it.
constexpr char kBare = 'b', kVirtio = 'v', kFailed = 'f';
/// As a shell has it for a command that cannot be run.
constexpr int kNotRun = 127;

// ---- in the child

/// One message with its first octet, a text, and a descriptor if there is one.
void tell_parent(int control, char first, const std::string& text, int descriptor) {
  std::string octets = first + text;
  iovec piece{octets.data(), octets.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  if (descriptor >= 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  }
  static_cast<void>(::sendmsg(control, &message, MSG_NOSIGNAL));
}

std::optional<std::string> failed(const char* what, int number) {
  if (number == 0) return std::nullopt;
  return fmt::format("cannot {} in the namespace: {}", what, std::strerror(number));
}

std::optional<std::string> set_up_interface(const std::string& name, const Guest::Plan& plan) {
  if (auto why = failed("set lo up", device::set_link_up("lo", std::nullopt))) return why;
  if (auto why = failed("set the interface up", device::set_link_up(name, plan.mtu))) return why;
  for (const Cidr& address : plan.addresses) {
    if (auto why = failed("give the interface an address", device::give_address(name, address)))
      return why;
    if (auto why = failed("add a default route",
                          device::add_default_route(name, address.address.family())))
      return why;
  }
  return std::nullopt;
}

// The command finds our name server where it looks for one. A file of its own is laid over the
// host's, in a mount namespace; where that cannot be, names are looked up as outside.
void lay_over_resolv_conf(const IpAddress& name_server) {
  if (::unshare(CLONE_NEWNS) != 0) return;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  std::string path = "/tmp/estab-resolv.XXXXXX";
  const device::FileDescriptor file(::mkstemp(path.data()));
  if (!file) return;
  const std::string text = "nameserver " + to_string(name_server) + "\n";
  const Octets octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const bool written = device::write_all(file.number(), octets) == 0;
  static_cast<void>(::fchmod(file.number(), 0644));
  if (written)
    static_cast<void>(::mount(path.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr));
  ::unlink(path.c_str());
}

// This program ignores some signals; a command expects none to be ignored.
void restore_signals() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_command(const std::vector<std::string>& command) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  restore_signals();
  ::execvp(words[0], words.data());
  log_line(fmt::format("cannot run {}: {}", command.front(), std::strerror(errno)));
  ::_exit(kNotRun);
}

[[noreturn]] void be_guest(int control, pid_t parent, const Guest::Plan& plan) {
  const auto give_up = [&](const std::string& why) {
    tell_parent(control, kFailed, why, -1);
    ::_exit(1);
  };
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  if (const auto why = enter_own_network_namespace()) give_up(*why);
  auto queue = device::TunQueue::attach({.name = kInterface});
  if (!queue) give_up(queue.error().what);
  if (const auto why = set_up_interface(queue->name(), plan)) give_up(*why);
  if (plan.name_server) lay_over_resolv_conf(*plan.name_server);
  tell_parent(control, queue->has_headers() ? kVirtio : kBare, "", queue->descriptor());
  char go = 0;
  if (::read(control, &go, 1) != 1) ::_exit(1);
  run_command(plan.command);
}

// ---- in the parent

struct Answer {
  std::string text;
  device::FileDescriptor descriptor;
};

Answer hear_child(int control) {
  Answer answer{std::string(4096, '\0'), {}};
  iovec piece{answer.text.data(), answer.text.size()};
  msghdr message{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  const ssize_t length = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  answer.text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  const cmsghdr* const part = CMSG_FIRSTHDR(&message);
  if (length > 0 && part != nullptr && part->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    answer.descriptor = device::FileDescriptor(descriptor);
  }
  return answer;
}

}  // namespace

Guest::Guest(const Plan& plan) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Failure(ExitCode::found_wrong, fmt::format("socketpair: {}", std::strerror(errno)));
  control_ = device::FileDescriptor(ends[0]);
  device::FileDescriptor childs(ends[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw Failure(ExitCode::found_wrong, fmt::format("fork: {}", std::strerror(errno)));
  if (pid_ == 0) be_guest(childs.number(), parent, plan);
  childs = {};
  process_ = device::FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  Answer answer = hear_child(control_.number());
  if (!answer.descriptor || answer.text.empty())
    throw Failure(ExitCode::missing,
                  "--netns: " + (answer.text.size() > 1 ? answer.text.substr(1)
                                                        : std::string("the guest did not start")));
  DescriptorOptions options{.name = kInterface, .mtu = plan.mtu};
  options.framing = answer.text[0] == kVirtio ? Framing::virtio : Framing::bare;
  auto device = DescriptorDevice::adopt(answer.descriptor.number(), options);
  if (!device) throw Failure(ExitCode::found_wrong, "--netns: " + device.error().what);
  answer.descriptor.release();
  device_ = std::move(*device);
}

Guest::~Guest() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Guest::begin() {
  const char go = 'g';
  static_cast<void>(::send(control_.number(), &go, 1, MSG_NOSIGNAL));
  control_ = {};
}

void Guest::send_signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

Task<int> Guest::wait(Host& host) {
  static_cast<void>(co_await host.readable(process_.number()));
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace estab::tools
