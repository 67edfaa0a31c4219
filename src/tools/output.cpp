#include "tools/output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace estab::tools {
namespace {

constexpr std::size_t kMaxPieces = 16;

std::unexpected<std::string> system_failure(int error) {
  return std::unexpected(std::string(std::strerror(error)));
}

bool is_writable_now(int descriptor) {
  pollfd look{descriptor, POLLOUT, 0};
  return poll(&look, 1, 0) > 0;
}

}  // namespace

Output Output::standard() {
  struct stat about{};
  if (fstat(STDOUT_FILENO, &about) == 0 && S_ISSOCK(about.st_mode))
    return {STDOUT_FILENO, Kind::socket};
  if (S_ISREG(about.st_mode)) return {STDOUT_FILENO, Kind::nonblocking};
  // One that is not open for writing must stay so.
  if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY)
    return {STDOUT_FILENO, Kind::nonblocking};
  // O_NONBLOCK on the descriptor itself would hold for everybody who shares it, our shell too. A
  // description of our own has no such effect.
  int own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own >= 0) return Output(device::FileDescriptor(own));
  return {STDOUT_FILENO, Kind::small_writes};
}

std::expected<Output, std::string> Output::file(const std::string& path) {
  int opened = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (opened < 0) return system_failure(errno);
  return Output(device::FileDescriptor(opened));
}

std::expected<std::size_t, std::string> Output::try_write(std::span<const Octets> pieces) {
  std::array<iovec, kMaxPieces> vectors;
  pieces = pieces.first(std::min(pieces.size(), kMaxPieces));
  std::ranges::transform(pieces, vectors.begin(), [](Octets piece) {
    return iovec{const_cast<std::uint8_t*>(piece.data()), piece.size()};
  });
  ssize_t written = 0;
  if (kind_ == Kind::socket) {
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = pieces.size();
    written = sendmsg(descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (kind_ == Kind::nonblocking) {
    written = writev(descriptor(), vectors.data(), static_cast<int>(pieces.size()));
  } else {
    // What poll() calls writable takes PIPE_BUF octets without blocking.
    if (pieces.empty() || !is_writable_now(descriptor())) return 0;
    written =
        write(descriptor(), pieces[0].data(), std::min<std::size_t>(pieces[0].size(), PIPE_BUF));
  }
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return system_failure(errno);
}

std::expected<void, std::string> Output::write_all(Octets octets) {
  if (const int error = device::write_all(descriptor(), octets)) return system_failure(error);
  return {};
}

std::expected<void, std::string> Output::close() {
  if (!owned_) return {};
  if (const int error = owned_.close()) return system_failure(error);
  return {};
}

}  // namespace estab::tools
