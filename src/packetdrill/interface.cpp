// packetdrill_interface_init, the one symbol this object exports, and the functions it hands out:
// each a call of Sockets on the machine in `userdata`, with its errno where C looks for it.

#include "packetdrill/interface.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "packetdrill/machine.h"
#include "packetdrill/splice.h"

namespace estab::packetdrill {
namespace {

using posix::Outcome;
using posix::Sockets;

Machine& machine_of(void* userdata) {
  return *static_cast<Machine*>(userdata);
}

template <class T>
T returned(const Outcome& outcome) {
  if (outcome.error != 0) errno = outcome.error;
  return static_cast<T>(outcome.error != 0 ? -1 : outcome.value);
}

template <class T, class Call>
T made(void* userdata, Call&& call) {
  return returned<T>(machine_of(userdata).run(std::forward<Call>(call)));
}

void free_machine(void* userdata) {
  delete &machine_of(userdata);
}

// ---- opening and closing

int do_socket(void* userdata, int domain, int type, int protocol) {
  return made<int>(userdata, [=](Sockets& s, Instant) { return s.socket(domain, type, protocol); });
}

int do_bind(void* userdata, int fd, const sockaddr* address, socklen_t length) {
  return made<int>(userdata, [=](Sockets& s, Instant) { return s.bind(fd, address, length); });
}

int do_listen(void* userdata, int fd, int backlog) {
  return made<int>(userdata, [=](Sockets& s, Instant now) { return s.listen(now, fd, backlog); });
}

int do_accept(void* userdata, int fd, sockaddr* address, socklen_t* length) {
  return made<int>(userdata,
                   [=](Sockets& s, Instant now) { return s.accept(now, fd, address, length); });
}

int do_connect(void* userdata, int fd, const sockaddr* address, socklen_t length) {
  return made<int>(userdata,
                   [=](Sockets& s, Instant now) { return s.connect(now, fd, address, length); });
}

int do_shutdown(void* userdata, int fd, int how) {
  return made<int>(userdata, [=](Sockets& s, Instant now) { return s.shutdown(now, fd, how); });
}

int do_close(void* userdata, int fd) {
  return returned<int>(machine_of(userdata).close(fd));
}

// ---- receiving

ssize_t do_read(void* userdata, int fd, void* into, size_t count) {
  if (machine_of(userdata).is_pipe(fd)) return ::read(fd, into, count);
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.read(now, fd, into, count); });
}

ssize_t do_readv(void* userdata, int fd, const iovec* vectors, int count) {
  if (machine_of(userdata).is_pipe(fd)) return ::readv(fd, vectors, count);
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.readv(now, fd, vectors, count); });
}

ssize_t do_recv(void* userdata, int fd, void* into, size_t count, int flags) {
  return made<ssize_t>(
      userdata, [=](Sockets& s, Instant now) { return s.recv(now, fd, into, count, flags); });
}

ssize_t do_recvfrom(void* userdata, int fd, void* into, size_t count, int flags, sockaddr* from,
                    socklen_t* length) {
  return made<ssize_t>(userdata, [=](Sockets& s, Instant now) {
    return s.recvfrom(now, fd, into, count, flags, from, length);
  });
}

ssize_t do_recvmsg(void* userdata, int fd, msghdr* message, int flags) {
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.recvmsg(now, fd, message, flags); });
}

// ---- sending

ssize_t do_write(void* userdata, int fd, const void* octets, size_t count) {
  if (machine_of(userdata).is_pipe(fd)) return ::write(fd, octets, count);
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.write(now, fd, octets, count); });
}

ssize_t do_writev(void* userdata, int fd, const iovec* vectors, int count) {
  if (machine_of(userdata).is_pipe(fd)) return ::writev(fd, vectors, count);
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.writev(now, fd, vectors, count); });
}

ssize_t do_send(void* userdata, int fd, const void* octets, size_t count, int flags) {
  return made<ssize_t>(
      userdata, [=](Sockets& s, Instant now) { return s.send(now, fd, octets, count, flags); });
}

ssize_t do_sendto(void* userdata, int fd, const void* octets, size_t count, int flags,
                  const sockaddr* to, socklen_t length) {
  return made<ssize_t>(userdata, [=](Sockets& s, Instant now) {
    return s.sendto(now, fd, octets, count, flags, to, length);
  });
}

ssize_t do_sendmsg(void* userdata, int fd, const msghdr* message, int flags) {
  return made<ssize_t>(userdata,
                       [=](Sockets& s, Instant now) { return s.sendmsg(now, fd, message, flags); });
}

// ---- settings

int do_fcntl(void* userdata, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const int argument = va_arg(arguments, int);  // of the commands known here each takes one or none
  va_end(arguments);
  return made<int>(userdata, [=](Sockets& s, Instant) { return s.fcntl(fd, command, argument); });
}

int do_ioctl(void* userdata, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return made<int>(userdata,
                   [=](Sockets& s, Instant now) { return s.ioctl(now, fd, request, argument); });
}

int do_getsockopt(void* userdata, int fd, int level, int option, void* value, socklen_t* length) {
  return made<int>(userdata, [=](Sockets& s, Instant now) {
    return s.getsockopt(now, fd, level, option, value, length);
  });
}

int do_setsockopt(void* userdata, int fd, int level, int option, const void* value,
                  socklen_t length) {
  return made<int>(userdata, [=](Sockets& s, Instant now) {
    return s.setsockopt(now, fd, level, option, value, length);
  });
}

// ---- waiting

int do_poll(void* userdata, pollfd* descriptors, nfds_t count, int timeout_ms) {
  return made<int>(userdata, [=](Sockets& s, Instant now) {
    return s.poll(now, descriptors, count, timeout_ms);
  });
}

int do_epoll_create(void* userdata, int size) {
  if (size <= 0) return returned<int>({.value = -1, .error = EINVAL});
  return made<int>(userdata, [](Sockets& s, Instant) { return s.epoll_create(0); });
}

int do_epoll_ctl(void* userdata, int epoll, int operation, int fd, epoll_event* event) {
  return made<int>(userdata,
                   [=](Sockets& s, Instant) { return s.epoll_ctl(epoll, operation, fd, event); });
}

int do_epoll_wait(void* userdata, int epoll, epoll_event* events, int room, int timeout_ms) {
  return made<int>(userdata, [=](Sockets& s, Instant now) {
    return s.epoll_wait(now, epoll, events, room, timeout_ms);
  });
}

// ---- pipes

int do_pipe(void* userdata, int ends[2]) {
  return machine_of(userdata).make_pipe(ends);
}

int do_splice(void* userdata, int from, loff_t* from_at, int to, loff_t* to_at, size_t count,
              unsigned flags) {
  return returned<int>(splice(machine_of(userdata), {from, from_at}, {to, to_at}, count, flags));
}

// ---- the link and the clock

int do_netdev_send(void* userdata, const void* packet, size_t count) {
  machine_of(userdata).send_packet({static_cast<const std::uint8_t*>(packet), count});
  return 0;
}

std::int64_t microseconds(Instant at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

int do_netdev_receive(void* userdata, void* packet, size_t* count, long long* time_usecs) {
  const auto received = machine_of(userdata).receive_packet();
  if (!received) {
    *count = 0;
    return 0;
  }
  *count = std::min(*count, received->octets.size());
  std::memcpy(packet, received->octets.data(), *count);
  *time_usecs = microseconds(received->at);
  return 0;
}

int do_usleep(void* userdata, useconds_t span) {
  machine_of(userdata).sleep(std::chrono::microseconds(span));
  return 0;
}

int do_gettimeofday(void* userdata, timeval* time, struct timezone*) {
  const std::int64_t now = microseconds(machine_of(userdata).time());
  time->tv_sec = now / 1'000'000;
  time->tv_usec = now % 1'000'000;
  return 0;
}

[[noreturn]] void refuse(const std::string& complaint) {
  std::fprintf(stderr, "libestab-packetdrill.so: %s\n", complaint.c_str());
  std::exit(2);
}

packetdrill_interface table(Machine* machine) {
  return {.userdata = machine,
          .free = free_machine,
          .socket = do_socket,
          .bind = do_bind,
          .listen = do_listen,
          .accept = do_accept,
          .connect = do_connect,
          .read = do_read,
          .readv = do_readv,
          .recv = do_recv,
          .recvfrom = do_recvfrom,
          .recvmsg = do_recvmsg,
          .write = do_write,
          .writev = do_writev,
          .send = do_send,
          .sendto = do_sendto,
          .sendmsg = do_sendmsg,
          .fcntl = do_fcntl,
          .ioctl = do_ioctl,
          .close = do_close,
          .shutdown = do_shutdown,
          .getsockopt = do_getsockopt,
          .setsockopt = do_setsockopt,
          .poll = do_poll,
          .netdev_send = do_netdev_send,
          .netdev_receive = do_netdev_receive,
          .usleep = do_usleep,
          .gettimeofday = do_gettimeofday,
          .epoll_create = do_epoll_create,
          .epoll_ctl = do_epoll_ctl,
          .epoll_wait = do_epoll_wait,
          .pipe = do_pipe,
          .splice = do_splice};
}

}  // namespace

void fill(const char* flags, packetdrill_interface& interface) {
  const auto settings = parse_settings(flags ? flags : "");
  if (!settings) refuse(settings.error());
  interface = table(new Machine(*settings));
}

}  // namespace estab::packetdrill

extern "C" __attribute__((visibility("default"))) void packetdrill_interface_init(
    const char* flags, packetdrill_interface* interface) {
  estab::packetdrill::fill(flags, *interface);
}
