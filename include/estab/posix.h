// The socket calls of POSIX over a Stack: descriptors, errno as Linux numbers it, options, poll and
// epoll, TCP_INFO. It owns the table of descriptors and nothing else; it never waits. A call on a
// blocking descriptor that could not finish says so (Outcome::waits), and its caller, who owns the
// clock, calls again with the same arguments when something has happened or at `until`.
//
// Errors: Outcome::value is -1 and Outcome::error the errno, as the POSIX call would give them.
// Thread rule: one thread at a time, the stack's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "estab/stack.h"
#include "estab/time.h"

namespace estab::posix {

/// What a call gave.
struct Outcome {
  std::int64_t value = 0;  ///< what the POSIX call returns; -1 on an error
  int error = 0;           ///< errno, 0 if none
  /// The descriptor is blocking and the call has not finished: call again, with the same arguments,
  /// when the stack has done something, or at `until` (SO_RCVTIMEO, poll's time-out).
  bool waits = false;
  Instant until = kNever;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Whose behaviour the calls and the stack's defaults follow where the RFCs leave a choice.
enum class Profile : std::uint8_t {
  rfc,      ///< the RFCs' own values: minimum RTO of 1 s, MSL of 2 minutes
  linux_,   ///< what the public packetdrill scripts of Linux assume
  freebsd,  ///< what those of FreeBSD assume
};

/// The settings of a stack that behaves so.
StackConfig stack_config(Profile profile);

class Sockets {
 public:
  /// Gives the number of the next descriptor; by default 3, 4, 5, ..., the lowest one free.
  using Numbering = std::function<int()>;

  /// `stack` must outlive this. Who polls events of the stack gives them to handle_event.
  explicit Sockets(Stack& stack, Profile profile = Profile::linux_, Numbering numbering = {});
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  /// What sockets are made with from now on, as sysctl sets it; at first StackConfig::tcp.
  /// `fast_open.connect` lets MSG_FASTOPEN and TCP_FASTOPEN_CONNECT be used, and does no more.
  void set_defaults(const TcpConfig& defaults);

  /// Takes what Stack::poll_event gave: errors for SO_ERROR, accepts, urgent marks.
  void handle_event(Instant now, const Event& event);

  Outcome socket(int domain, int type, int protocol);
  Outcome bind(int fd, const sockaddr* address, socklen_t length);
  Outcome listen(Instant now, int fd, int backlog);
  Outcome accept(Instant now, int fd, sockaddr* address, socklen_t* length, int flags = 0);
  Outcome connect(Instant now, int fd, const sockaddr* address, socklen_t length);

  Outcome read(Instant now, int fd, void* into, std::size_t octets);
  Outcome readv(Instant now, int fd, const iovec* vectors, int count);
  Outcome recv(Instant now, int fd, void* into, std::size_t octets, int flags);
  Outcome recvfrom(Instant now, int fd, void* into, std::size_t octets, int flags, sockaddr* from,
                   socklen_t* length);
  Outcome recvmsg(Instant now, int fd, msghdr* message, int flags);

  Outcome write(Instant now, int fd, const void* octets, std::size_t count);
  Outcome writev(Instant now, int fd, const iovec* vectors, int count);
  Outcome send(Instant now, int fd, const void* octets, std::size_t count, int flags);
  Outcome sendto(Instant now, int fd, const void* octets, std::size_t count, int flags,
                 const sockaddr* to, socklen_t length);
  Outcome sendmsg(Instant now, int fd, const msghdr* message, int flags);

  Outcome shutdown(Instant now, int fd, int how);
  Outcome close(Instant now, int fd);
  Outcome fcntl(int fd, int command, std::int64_t argument);
  Outcome ioctl(Instant now, int fd, unsigned long request, void* argument);
  Outcome getsockopt(Instant now, int fd, int level, int option, void* value, socklen_t* length);
  Outcome setsockopt(Instant now, int fd, int level, int option, const void* value,
                     socklen_t length);
  Outcome getsockname(int fd, sockaddr* address, socklen_t* length);
  Outcome getpeername(int fd, sockaddr* address, socklen_t* length);

  Outcome poll(Instant now, pollfd* descriptors, nfds_t count, int timeout_ms);
  Outcome epoll_create(int flags);
  Outcome epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
  Outcome epoll_wait(Instant now, int epoll, epoll_event* events, int room, int timeout_ms);

  /// The socket table, one line a socket: local, remote, state, as `ss -tan` would order them.
  std::string table() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab::posix
