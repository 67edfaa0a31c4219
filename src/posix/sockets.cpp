// The public face of Sockets, and its table of descriptors.

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "posix/endpoint_codec.h"
#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

Outcome wait_or_fail(Instant now, Blocked& blocked, Duration limit, int error) {
  if (!blocked.active) {
    blocked.active = true;
    blocked.until = deadline(now, limit);
    blocked.error = error;
  }
  if (now < blocked.until) return waiting(blocked.until);
  return failed(std::exchange(blocked, {}).error);
}

std::size_t total_size(std::span<const iovec> vectors) {
  std::size_t total = 0;
  for (const iovec& vector : vectors) total += vector.iov_len;
  return total;
}

bool has_hole(std::span<const iovec> vectors) {
  return std::ranges::any_of(vectors, [](const iovec& v) { return !v.iov_base && v.iov_len > 0; });
}

// ---- the table

int Sockets::Impl::add(Descriptor descriptor) {
  int fd = 3;
  if (numbering) {
    fd = numbering();
    if (fd < 0) return fd;
  } else {
    while (descriptors.contains(fd)) ++fd;
  }
  descriptors.insert_or_assign(fd, std::move(descriptor));
  return fd;
}

Socket* Sockets::Impl::find(int fd) {
  const auto found = descriptors.find(fd);
  return found == descriptors.end() ? nullptr : std::get_if<Socket>(&found->second);
}

EpollSet* Sockets::Impl::find_epoll(int fd) {
  const auto found = descriptors.find(fd);
  return found == descriptors.end() ? nullptr : std::get_if<EpollSet>(&found->second);
}

Outcome Sockets::Impl::no_socket(int fd) const {
  return failed(descriptors.contains(fd) ? ENOTSOCK : EBADF);
}

Socket* Sockets::Impl::owner_of(StreamId stream) {
  for (auto& [fd, descriptor] : descriptors) {
    Socket* socket = std::get_if<Socket>(&descriptor);
    if (socket && socket->stream == stream) return socket;
  }
  return nullptr;
}

namespace {

// As in tcp_reset of Linux: after the peer's FIN a reset is a broken pipe (EPIPE).
// RFC 9293 §3.10.7.4 has one signal for a reset; Linux another where the peer had ended its
// direction.
int errno_of_end(Error failure, const Socket& socket, Profile profile) {
  const bool as_linux = profile == Profile::linux_;
  if (as_linux && failure == Error::connection_reset && socket.peer_closed) return EPIPE;
  const int error = errno_of(failure);
  return error == ETIMEDOUT && socket.soft_error != 0 ? socket.soft_error : error;
}

}  // namespace

// RFC 9293 §3.10.7.4 lets a RST in CLOSING and LAST-ACK end the connection without a word; Linux
// and FreeBSD tell the application. Such a connection is over with octets, or the FIN,
// unacknowledged.
void Sockets::Impl::sync(Socket& socket) {
  if (!socket.stream || socket.failure_seen) return;
  const auto failure = stack.failure(socket.stream);
  if (failure) {
    socket.error = errno_of_end(*failure, socket, profile);
  } else {
    if (stack.state(socket.stream) != State::closed) return;
    const auto info = stack.info(socket.stream);
    if (info && info->unacked_bytes + info->notsent_bytes > 0) socket.error = ECONNRESET;
  }
  socket.failure_seen = true;
}

// In TIME-WAIT Linux replaces the socket by a small record, as the stack does: it reads as closed.
State Sockets::Impl::state(const Socket& socket) const {
  if (socket.is_listening()) return State::listen;
  if (!socket.stream) return State::closed;
  const State state = stack.state(socket.stream);
  return state == State::time_wait ? State::closed : state;
}

int Sockets::Impl::take_error(Socket& socket) {
  return std::exchange(socket.error, 0);
}

bool Sockets::Impl::received_fin(const Socket& socket) const {
  if (socket.peer_closed || stack.at_end(socket.stream)) return true;
  const State now_in = stack.state(socket.stream);
  return now_in == State::close_wait || now_in == State::closing || now_in == State::last_ack ||
         now_in == State::time_wait;
}

bool Sockets::Impl::reading_shut(const Socket& socket) const {
  if (socket.shut_read) return true;
  return socket.stream && (state(socket) == State::closed || received_fin(socket));
}

bool Sockets::Impl::writing_shut(const Socket& socket) const {
  return socket.shut_write || (socket.stream && state(socket) == State::closed);
}

// ---- the public face

Sockets::Sockets(Stack& stack, Profile profile, Numbering numbering)
    : impl_(std::make_unique<Impl>(stack, profile, std::move(numbering))) {}

Sockets::~Sockets() = default;

void Sockets::set_defaults(const TcpConfig& defaults) {
  impl_->defaults = defaults;
}

Outcome Sockets::socket(int domain, int type, int protocol) {
  if (domain != AF_INET && domain != AF_INET6) return failed(EAFNOSUPPORT);
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (kind < 0 || kind > SOCK_PACKET) return failed(EINVAL);
  if (kind == SOCK_RAW) return failed(EPROTONOSUPPORT);
  if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return failed(ESOCKTNOSUPPORT);
  const int wanted = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
  if (protocol != 0 && protocol != wanted) return failed(EPROTONOSUPPORT);
  Socket socket;
  socket.domain = domain;
  socket.type = kind;
  socket.protocol = wanted;
  socket.nonblocking = (type & SOCK_NONBLOCK) != 0;
  socket.descriptor_flags = (type & SOCK_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
  socket.options = default_options(impl_->defaults, impl_->sizes);
  const int fd = impl_->add(std::move(socket));
  return fd < 0 ? failed(EMFILE) : done(fd);
}

Outcome Sockets::bind(int fd, const sockaddr* address, socklen_t length) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  const auto endpoint = read_bound_endpoint(socket->domain, address, length);
  if (!endpoint) return failed(endpoint.error());
  return impl_->bind(*socket, *endpoint);
}

Outcome Sockets::listen(Instant now, int fd, int backlog) {
  Socket* socket = impl_->find(fd);
  return socket ? impl_->listen(now, *socket, backlog) : impl_->no_socket(fd);
}

Outcome Sockets::accept(Instant now, int fd, sockaddr* address, socklen_t* length, int flags) {
  Socket* socket = impl_->find(fd);
  return socket ? impl_->accept(now, *socket, address, length, flags) : impl_->no_socket(fd);
}

Outcome Sockets::connect(Instant now, int fd, const sockaddr* address, socklen_t length) {
  Socket* socket = impl_->find(fd);
  return socket ? impl_->connect(now, *socket, address, length) : impl_->no_socket(fd);
}

Outcome Sockets::shutdown(Instant now, int fd, int how) {
  Socket* socket = impl_->find(fd);
  return socket ? impl_->shutdown(now, *socket, how) : impl_->no_socket(fd);
}

Outcome Sockets::close(Instant now, int fd) {
  return impl_->close(now, fd);
}

Outcome Sockets::fcntl(int fd, int command, std::int64_t argument) {
  if (!impl_->descriptors.contains(fd)) return failed(EBADF);
  Socket* socket = impl_->find(fd);
  if (!socket) return command == F_GETFL ? done(O_RDWR) : done(0);
  switch (command) {
    case F_GETFL:
      return done(O_RDWR | (socket->nonblocking ? O_NONBLOCK : 0));
    case F_SETFL:
      socket->nonblocking = (argument & O_NONBLOCK) != 0;
      return done();
    case F_GETFD:
      return done(socket->descriptor_flags);
    case F_SETFD:
      socket->descriptor_flags = static_cast<int>(argument) & FD_CLOEXEC;
      return done();
    default:
      return failed(EINVAL);
  }
}

Outcome Sockets::getsockopt(Instant now, int fd, int level, int option, void* value,
                            socklen_t* length) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  return impl_->get_option(now, *socket, level, option, value, length);
}

Outcome Sockets::setsockopt(Instant now, int fd, int level, int option, const void* value,
                            socklen_t length) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  return impl_->set_option(now, *socket, level, option, value, length);
}

Outcome Sockets::getsockname(int fd, sockaddr* address, socklen_t* length) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  const auto name = impl_->local_name(*socket);
  write_endpoint(socket->domain, name.value_or(any_endpoint(socket->domain)), address, length);
  return done();
}

Outcome Sockets::getpeername(int fd, sockaddr* address, socklen_t* length) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  const auto name = impl_->remote_name(*socket);
  if (!name) return failed(ENOTCONN);
  write_endpoint(socket->domain, *name, address, length);
  return done();
}

// ---- what the stack tells

namespace {

void take_stream_event(Socket& socket, const StreamEvent& event) {
  ++socket.wakes;
  if (event.peer_closed) socket.peer_closed = true;
  if (event.urgent) socket.urgent_read = socket.past_urgent = false;
  // That R1 has been reached is no report from the network (RFC 9293 §3.8.3).
  if (!event.soft_error || event.soft_error == Error::connection_timed_out) return;
  const bool wants_it =
      socket.domain == AF_INET ? socket.options.receive_error : socket.options.receive_error6;
  const int error = errno_of(*event.soft_error);
  (wants_it ? socket.error : socket.soft_error) = error;
}

}  // namespace

void Sockets::handle_event(Instant, const Event& event) {
  if (const auto* stream = std::get_if<StreamEvent>(&event)) {
    if (Socket* socket = impl_->owner_of(stream->stream)) take_stream_event(*socket, *stream);
    return;
  }
  for (auto& [fd, descriptor] : impl_->descriptors) {
    Socket* socket = std::get_if<Socket>(&descriptor);
    if (!socket) continue;
    const auto* accept = std::get_if<AcceptEvent>(&event);
    const auto* datagram = std::get_if<DatagramEvent>(&event);
    const bool mine = (accept && socket->listener && accept->listener == socket->listener) ||
                      (datagram && socket->port && datagram->port == socket->port);
    if (mine) ++socket->wakes;
  }
}

// ---- the table of ss

std::string Sockets::table() const {
  std::string text;
  for (const SocketRow& row : impl_->stack.table()) {
    const bool v4 = row.local.address.is_v4();
    text += to_string(row.local) + " ";
    text += row.remote ? to_string(*row.remote) : v4 ? "0.0.0.0:*" : "[::]:*";
    text += " " + std::string(name(row.state)) + "\n";
  }
  return text;
}

}  // namespace estab::posix
