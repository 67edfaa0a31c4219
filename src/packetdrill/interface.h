// The interface through which packetdrill drives a user-space stack: a table of functions, in C,
// that the object fills in. Law: the order of the members is packetdrill's, and every one is set.
#pragma once

#include <cstddef>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

extern "C" {

/// Each function takes `userdata` first; results and errno are those of the call of its name.
struct packetdrill_interface {
  void* userdata;
  void (*free)(void*);
  int (*socket)(void*, int domain, int type, int protocol);
  int (*bind)(void*, int fd, const struct sockaddr*, socklen_t);
  int (*listen)(void*, int fd, int backlog);
  int (*accept)(void*, int fd, struct sockaddr*, socklen_t*);
  int (*connect)(void*, int fd, const struct sockaddr*, socklen_t);
  ssize_t (*read)(void*, int fd, void*, size_t);
  ssize_t (*readv)(void*, int fd, const struct iovec*, int);
  ssize_t (*recv)(void*, int fd, void*, size_t, int flags);
  ssize_t (*recvfrom)(void*, int fd, void*, size_t, int flags, struct sockaddr*, socklen_t*);
  ssize_t (*recvmsg)(void*, int fd, struct msghdr*, int flags);
  ssize_t (*write)(void*, int fd, const void*, size_t);
  ssize_t (*writev)(void*, int fd, const struct iovec*, int);
  ssize_t (*send)(void*, int fd, const void*, size_t, int flags);
  ssize_t (*sendto)(void*, int fd, const void*, size_t, int flags, const struct sockaddr*,
                    socklen_t);
  ssize_t (*sendmsg)(void*, int fd, const struct msghdr*, int flags);
  int (*fcntl)(void*, int fd, int command, ...);
  int (*ioctl)(void*, int fd, unsigned long request, ...);
  int (*close)(void*, int fd);
  int (*shutdown)(void*, int fd, int how);
  int (*getsockopt)(void*, int fd, int level, int option, void*, socklen_t*);
  int (*setsockopt)(void*, int fd, int level, int option, const void*, socklen_t);
  int (*poll)(void*, struct pollfd*, nfds_t, int timeout_ms);
  /// An IP packet into the stack.
  int (*netdev_send)(void*, const void* packet, size_t count);
  /// The next IP packet out of the stack: `count` is the room, then the length, and the time is
  /// when it left. A length of 0: none will come.
  int (*netdev_receive)(void*, void* packet, size_t* count, long long* time_usecs);
  int (*usleep)(void*, useconds_t);
  int (*gettimeofday)(void*, struct timeval*, struct timezone*);
  int (*epoll_create)(void*, int size);
  int (*epoll_ctl)(void*, int epoll, int operation, int fd, struct epoll_event*);
  int (*epoll_wait)(void*, int epoll, struct epoll_event*, int room, int timeout_ms);
  int (*pipe)(void*, int ends[2]);
  int (*splice)(void*, int from, loff_t* from_at, int to, loff_t* to_at, size_t, unsigned flags);
};

/// Fills `interface`. `flags` may be null. With flags it cannot read it says so on stderr and ends
/// the process with 2.
void packetdrill_interface_init(const char* flags, struct packetdrill_interface* interface);
}

static_assert(sizeof(packetdrill_interface) == 33 * sizeof(void*));
static_assert(sizeof(void*) != 8 || sizeof(packetdrill_interface) == 264);
