#include "packetdrill/splice.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace estab::packetdrill {

namespace {

using posix::Outcome;

Outcome failed(int error) {
  return {.value = -1, .error = error};
}

std::size_t in_pipe(int fd) {
  int octets = 0;
  (void)::ioctl(fd, FIONREAD, &octets);
  return static_cast<std::size_t>(std::max(octets, 0));
}

Outcome from_socket(Machine& machine, int socket, int pipe, std::size_t count, int flags) {
  const int capacity = ::fcntl(pipe, F_GETPIPE_SZ);
  const std::size_t room = static_cast<std::size_t>(std::max(capacity, 0)) - in_pipe(pipe);
  if (room == 0) return failed(EAGAIN);
  std::vector<std::uint8_t> buffer(std::min(count, room));
  const Outcome got = machine.run([&](posix::Sockets& sockets, Instant now) {
    return sockets.recv(now, socket, buffer.data(), buffer.size(), flags);
  });
  if (got.value <= 0) return got;
  return {.value = ::write(pipe, buffer.data(), static_cast<std::size_t>(got.value))};
}

Outcome to_socket(Machine& machine, int pipe, int socket, std::size_t count, int flags) {
  std::vector<std::uint8_t> buffer(std::min(count, in_pipe(pipe)));
  if (buffer.empty()) return failed(EAGAIN);
  const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
  if (got <= 0) return failed(errno);
  return machine.run([&](posix::Sockets& sockets, Instant now) {
    return sockets.send(now, socket, buffer.data(), static_cast<std::size_t>(got), flags);
  });
}

}  // namespace

// In the order of Linux's checks (do_splice): a pipe has no offset, and neither has a socket.
Outcome splice(Machine& machine, SpliceEnd from, SpliceEnd to, std::size_t count, unsigned flags) {
  const bool from_pipe = machine.is_pipe(from.fd), into_pipe = machine.is_pipe(to.fd);
  if ((from_pipe && from.offset) || (into_pipe && to.offset)) return failed(ESPIPE);
  if (from.offset || to.offset || from_pipe == into_pipe) return failed(EINVAL);
  if (count == 0) return {};
  const int how = (flags & SPLICE_F_NONBLOCK) != 0 ? MSG_DONTWAIT : 0;
  const int more = (flags & SPLICE_F_MORE) != 0 ? MSG_MORE : 0;
  return into_pipe ? from_socket(machine, from.fd, to.fd, count, how)
                   : to_socket(machine, from.fd, to.fd, count, how | more);
}

}  // namespace estab::packetdrill
