// Sockets::Impl: the table of descriptors and the calls upon it, by concern: naming, opening,
// receiving, sending, closing, options, readiness, epoll.
#pragma once

#include <cerrno>
#include <map>
#include <span>
#include <vector>

#include "estab/posix.h"

#include "posix/option_table.h"
#include "posix/socket_record.h"

namespace estab::posix {

inline Outcome done(std::int64_t value = 0) {
  return {.value = value};
}
inline Outcome failed(int error) {
  return {.value = -1, .error = error};
}
inline Outcome waiting(Instant until) {
  return {.value = -1, .error = EAGAIN, .waits = true, .until = until};
}

struct Sockets::Impl {
  Impl(Stack& the_stack, Profile the_profile, Numbering the_numbering)
      : stack(the_stack),
        profile(the_profile),
        defaults(stack.config().tcp),
        sizes(profile == Profile::linux_ ? BufferSizes::doubled : BufferSizes::as_given),
        numbering(std::move(the_numbering)) {}

  Stack& stack;
  const Profile profile;
  TcpConfig defaults;
  const BufferSizes sizes;
  Numbering numbering;
  std::map<int, Descriptor> descriptors;
  std::map<const pollfd*, Instant> polls;  // blocking polls under way, and when they end
  std::uint16_t next_port = 0;

  // ---- the table (sockets.cpp)
  int add(Descriptor descriptor);
  Socket* find(int fd);
  EpollSet* find_epoll(int fd);
  /// EBADF, or ENOTSOCK for a descriptor of another kind.
  Outcome no_socket(int fd) const;
  Socket* owner_of(StreamId stream);
  /// Learns from the stack how the stream ended.
  void sync(Socket& socket);
  State state(const Socket& socket) const;
  static int take_error(Socket& socket);
  /// What shutdown and the end of a connection have closed, as Linux keeps it in sk_shutdown.
  bool reading_shut(const Socket& socket) const;
  bool writing_shut(const Socket& socket) const;
  bool received_fin(const Socket& socket) const;

  // ---- naming.cpp
  Outcome bind(Socket& socket, const Endpoint& endpoint);
  Outcome choose_name(Socket& socket);
  bool is_taken(const Socket& socket, const Endpoint& endpoint) const;
  std::optional<std::uint16_t> choose_port(const Socket& socket, const IpAddress& address);
  std::optional<Endpoint> local_name(const Socket& socket) const;
  std::optional<Endpoint> remote_name(const Socket& socket) const;

  // ---- opening.cpp
  Outcome listen(Instant now, Socket& socket, int backlog);
  Outcome accept(Instant now, Socket& socket, sockaddr* address, socklen_t* length, int flags);
  /// The next connection accept may return, without and with taking it.
  std::size_t acceptable(Instant now, Socket& socket);
  std::optional<StreamId> next_to_accept(Instant now, Socket& socket);
  void defer(Instant now, Socket& socket);
  bool is_due(Instant now, const std::pair<StreamId, Instant>& deferred) const;
  Outcome connect(Instant now, Socket& socket, const sockaddr* address, socklen_t length);
  /// How a connection is to be opened: plainly, or with octets in the SYN.
  enum class Opening : std::uint8_t { plain, fast, fast_held };
  Outcome start_connect(Instant now, Socket& socket, const Endpoint& remote, Opening how);
  Outcome open_stream(Instant now, Socket& socket, const Endpoint& remote, Opening how);
  Outcome finish_connect(Instant now, Socket& socket, int pending);
  Outcome connect_datagram(Instant now, Socket& socket, const Endpoint& remote);
  Outcome disconnect(Instant now, Socket& socket);

  // ---- receiving.cpp
  struct Message {  // what recvmsg tells beside the octets
    std::optional<Endpoint> from{};
    int flags = 0;
  };
  Outcome receive(Instant now, int fd, std::span<const iovec> into, int flags, Message& message);
  Outcome receive_stream(Instant now, Socket& socket, std::span<const iovec> into, int flags);
  Outcome receive_urgent(Socket& socket, std::span<const iovec> into, int flags,
                         Message& message) const;
  Outcome receive_datagram(Instant now, Socket& socket, std::span<const iovec> into, int flags,
                           Message& message);
  void give_control(const Socket& socket, msghdr& header) const;
  std::size_t take(Instant now, Socket& socket, std::span<const iovec> into, std::size_t skip,
                   int flags);

  // ---- sending.cpp
  Outcome transmit(Instant now, int fd, std::span<const iovec> from, int flags,
                   const std::optional<Endpoint>& to);
  Outcome transmit_stream(Instant now, Socket& socket, std::span<const iovec> from, int flags);
  Outcome push_octets(Instant now, Socket& socket, std::span<const iovec> from, int flags);
  Outcome transmit_datagram(Instant now, Socket& socket, std::span<const iovec> from,
                            const std::optional<Endpoint>& to);
  bool may_send(const Socket& socket) const;
  // ---- fast_open.cpp
  Outcome transmit_fast_open(Instant now, Socket& socket, std::span<const iovec> from, int flags,
                             const std::optional<Endpoint>& to);
  Outcome start_fast_open(Instant now, Socket& socket, std::span<const iovec> from, int flags);
  Outcome connect_fast_open(Instant now, Socket& socket, const Endpoint& remote);
  Outcome set_fast_open_keys(Socket& socket, const void* value, socklen_t length);
  /// A SYN alone has opened it (RFC 7413): it is in SYN-RECEIVED, and accepted.
  bool is_opened_by_syn(const Socket& socket) const {
    return socket.link == Link::connected && stack.state(socket.stream) == State::syn_received;
  }
  bool may_broadcast(const Socket& socket, const IpAddress& to) const {
    return socket.options.broadcast != 0 || !stack.is_broadcast(to);
  }

  // ---- closing.cpp
  Outcome shutdown(Instant now, Socket& socket, int how);
  bool leaves_urgent_octet(const Socket& socket) const;
  Outcome close(Instant now, int fd);
  void close_listener(Instant now, Socket& socket);
  void let_go(Instant now, Socket& socket);

  // ---- options.cpp
  Outcome get_option(Instant now, Socket& socket, int level, int option, void* value,
                     socklen_t* length);
  Outcome set_option(Instant now, Socket& socket, int level, int option, const void* value,
                     socklen_t length);
  /// Neither connected nor trying to be.
  bool is_unused(const Socket& socket) const;
  Outcome set_tcp_option(Socket& socket, int name, const void* value, socklen_t length);
  void apply_options(Instant now, Socket& socket);
  void apply_at_once(Instant now, Socket& socket, int option);
  Outcome get_socket_option(Socket& socket, int name, void* value, socklen_t* length);
  Outcome get_tcp_option(Instant now, Socket& socket, int name, void* value, socklen_t* length);
  Outcome get_ip_option(Socket& socket, int level, int name, void* value, socklen_t* length);
  int max_segment(const Socket& socket) const;
  int shown_number(const Socket& socket, const NumberOption& option) const;
  TcpConfig config(const Socket& socket) const {
    return config_of(socket.options, defaults, sizes);
  }

  // ---- controls.cpp
  Outcome queue_lengths(Socket& socket, unsigned long request, int& length);

  // ---- readiness.cpp, epoll.cpp
  /// What poll would report: POLLIN, POLLOUT, POLLHUP and so on.
  unsigned readiness(Instant now, Socket& socket);
  unsigned ready_stream(Instant now, Socket& socket);
  unsigned ready_datagram(Socket& socket);
  bool is_writable(const Socket& socket) const;
  /// Moves what the stack holds for a UDP port to its socket.
  void drain_port(Socket& socket);
  std::uint32_t due(Instant now, int fd, const EpollInterest& interest);
  bool is_ready(Instant now, const EpollSet& set);
  int report(Instant now, EpollSet& set, std::span<epoll_event> events);
};

/// When a call with this time limit (zero: none) must end.
inline Instant deadline(Instant now, Duration limit) {
  return limit == Duration::zero() ? kNever : now + limit;
}

/// For a call that cannot go on: waits, or fails with `error` once its time is up.
Outcome wait_or_fail(Instant now, Blocked& blocked, Duration limit, int error);

std::size_t total_size(std::span<const iovec> vectors);
/// A null pointer where there should be octets.
bool has_hole(std::span<const iovec> vectors);

}  // namespace estab::posix
