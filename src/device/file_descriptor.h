// FileDescriptor: owns one descriptor of the operating system and closes it; and how a blocking
// caller writes all it has to one.
#pragma once

#include <cerrno>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "estab/octets.h"

namespace estab::device {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  /// It is the caller's from now on.
  int release() { return std::exchange(number_, -1); }
  /// Closes it now. Returns 0 or errno: some file systems tell only here that a write failed.
  int close() { return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno; }

 private:
  int number_ = -1;
};

/// Writes every octet, in however many calls that takes, and waits where the descriptor does not
/// block by itself. Returns 0 or errno; some of the octets may have been written then.
inline int write_all(int descriptor, Octets octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written >= 0) {
      octets = octets.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{descriptor, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace estab::device
