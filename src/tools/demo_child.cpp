#include "tools/demo_child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace estab::tools {

namespace {

constexpr std::size_t kMaxOutput = 64 << 10;

// Everything the child must have otherwise than this process has it.
class Arrangement {
 public:
  explicit Arrangement(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // This program ignores some signals and blocks those its loop waits for; a child does not.
    posix_spawnattr_init(&attributes_);
    sigset_t none, ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    for (const int number : {SIGPIPE, SIGXFSZ}) sigaddset(&ignored, number);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &ignored);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Arrangement() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Arrangement(const Arrangement&) = delete;
  Arrangement& operator=(const Arrangement&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

std::expected<Child, std::string> Child::start(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return std::unexpected(std::string(std::strerror(errno)));
  device::FileDescriptor output(ends[0]), input(ends[1]);
  // The writing end blocks, as programs expect of their output.
  ::fcntl(input.number(), F_SETFL, 0);

  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const Arrangement arrangement(input.number());
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words[0], arrangement.actions(), arrangement.attributes(),
                                   words.data(), environ);
  if (error != 0) return std::unexpected(std::string(std::strerror(error)));
  device::FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return Child(pid, std::move(process), std::move(output));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      process_(std::move(other.process_)),
      output_(std::move(other.output_)) {}

Child::~Child() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Task<ChildResult> Child::wait(Host& host) {
  ChildResult result;
  std::array<char, 4096> buffer;
  while (true) {
    (void)co_await host.readable(output_.number());
    const ssize_t count = ::read(output_.number(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) break;
    if (result.output.size() < kMaxOutput)
      result.output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (process_) (void)co_await host.readable(process_.number());
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  co_return result;
}

}  // namespace estab::tools
