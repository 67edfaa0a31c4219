// write, send and the like: tcp_sendmsg and udp_sendmsg of Linux, check by check.

#include <algorithm>
#include <vector>

#include "posix/endpoint_codec.h"
#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {

/// All octets contiguously. A single vector needs no copy.
class Gathered {
 public:
  explicit Gathered(std::span<const iovec> from) {
    if (from.size() == 1) {
      view_ = {static_cast<const std::uint8_t*>(from[0].iov_base), from[0].iov_len};
      return;
    }
    for (const iovec& vector : from) {
      const auto* begin = static_cast<const std::uint8_t*>(vector.iov_base);
      copy_.insert(copy_.end(), begin, begin + vector.iov_len);
    }
    view_ = copy_;
  }
  Octets octets() const { return view_; }

 private:
  std::vector<std::uint8_t> copy_;
  Octets view_;
};

SendMode mode_of(int flags) {
  if ((flags & MSG_OOB) != 0) return SendMode::urgent;
  if ((flags & MSG_MORE) != 0) return SendMode::more;
  return SendMode::normal;
}

}  // namespace

// Linux waits for the handshake to complete; RFC 9293 §3.10.2 and FreeBSD queue what is sent
// before.
bool Sockets::Impl::may_send(const Socket& socket) const {
  const State in = state(socket);
  if (in == State::established || in == State::close_wait || is_opened_by_syn(socket)) return true;
  const bool opening = in == State::syn_sent || in == State::syn_received;
  return opening && profile != Profile::linux_;
}

Outcome Sockets::Impl::transmit_stream(Instant now, Socket& socket, std::span<const iovec> from,
                                       int flags) {
  const bool at_once = socket.nonblocking || (flags & MSG_DONTWAIT) != 0;
  const auto end = [&](int error) {
    socket.writing = {};
    return failed(error);
  };
  if (!may_send(socket)) {
    if (socket.error != 0) return end(take_error(socket));
    const State in = state(socket);
    if (in != State::syn_sent && in != State::syn_received) {
      const bool never = !socket.stream && profile == Profile::freebsd;
      return end(never ? ENOTCONN : EPIPE);
    }
    if (at_once) return end(EAGAIN);
    return wait_or_fail(now, socket.writing, socket.options.send_timeout, EAGAIN);
  }
  if (socket.error != 0) return end(take_error(socket));
  if (writing_shut(socket)) return end(EPIPE);
  const Outcome pushed = push_octets(now, socket, from, flags);
  if (!pushed.waits) return pushed;
  const std::size_t so_far = socket.writing.done;
  if (at_once) {
    socket.writing = {};
    return so_far > 0 ? done(static_cast<std::int64_t>(so_far)) : failed(EAGAIN);
  }
  const Outcome still = wait_or_fail(now, socket.writing, socket.options.send_timeout, EAGAIN);
  if (still.waits || so_far == 0) return still;
  return done(static_cast<std::int64_t>(so_far));
}

// Hands over what there is room for. If not all: `waits`, and Socket::writing says how much went.
Outcome Sockets::Impl::push_octets(Instant now, Socket& socket, std::span<const iovec> from,
                                   int flags) {
  const Gathered gathered(from);
  const Octets left =
      gathered.octets().subspan(std::min(socket.writing.done, gathered.octets().size()));
  const auto low_water = static_cast<std::uint32_t>(socket.options.not_sent_low_water);
  const auto info = stack.info(socket.stream);
  const bool held_back = low_water > 0 && info && info->notsent_bytes >= low_water;
  if (held_back && !left.empty()) return waiting(kNever);
  const auto sent = stack.send(now, socket.stream, left, mode_of(flags));
  if (!sent && sent.error() != Error::would_block) {
    socket.writing = {};
    sync(socket);
    const int error = take_error(socket);
    return failed(error != 0 ? error : EPIPE);
  }
  socket.writing.done += sent.value_or(0);
  if (socket.writing.done < gathered.octets().size()) return waiting(kNever);
  socket.writing = {};
  return done(static_cast<std::int64_t>(gathered.octets().size()));
}

Outcome Sockets::Impl::transmit_datagram(Instant now, Socket& socket, std::span<const iovec> from,
                                         const std::optional<Endpoint>& to) {
  const std::optional<Endpoint>& target = to ? to : socket.peer;
  if (!target) return failed(EDESTADDRREQ);
  if (target->port == 0) return failed(EINVAL);
  if (!may_broadcast(socket, target->address)) return failed(EACCES);
  if (!socket.port)
    if (const Outcome named = choose_name(socket); named.error != 0) return named;
  drain_port(socket);
  if (socket.error != 0) return failed(take_error(socket));
  if (socket.shut_write) return failed(EPIPE);
  const Gathered gathered(from);
  (void)stack.reconfigure(socket.port,
                          datagram_config_of(socket.options, defaults, target->address.family()));
  const auto sent = stack.send_datagram(now, socket.port, *target, gathered.octets());
  if (!sent) return failed(errno_of(sent.error()));
  return done(static_cast<std::int64_t>(gathered.octets().size()));
}

Outcome Sockets::Impl::transmit(Instant now, int fd, std::span<const iovec> from, int flags,
                                const std::optional<Endpoint>& to) {
  Socket* socket = find(fd);
  if (!socket) return no_socket(fd);
  if (has_hole(from)) return failed(EFAULT);
  if (!socket->is_tcp()) {
    if ((flags & MSG_FASTOPEN) != 0) return failed(EOPNOTSUPP);
    if ((flags & MSG_OOB) != 0) return failed(EOPNOTSUPP);
    return transmit_datagram(now, *socket, from, to);
  }
  sync(*socket);
  if (socket->syn_held || (flags & MSG_FASTOPEN) != 0)
    return transmit_fast_open(now, *socket, from, flags, to);
  return transmit_stream(now, *socket, from, flags);
}

// ---- the public face

Outcome Sockets::write(Instant now, int fd, const void* octets, std::size_t count) {
  return send(now, fd, octets, count, 0);
}

Outcome Sockets::writev(Instant now, int fd, const iovec* vectors, int count) {
  if (count < 0 || count > 1024) return failed(EINVAL);
  const std::span<const iovec> from(vectors, static_cast<std::size_t>(count));
  if (total_size(from) == 0) return impl_->find(fd) ? done() : impl_->no_socket(fd);
  return impl_->transmit(now, fd, from, 0, std::nullopt);
}

Outcome Sockets::send(Instant now, int fd, const void* octets, std::size_t count, int flags) {
  const iovec vector{const_cast<void*>(octets), count};
  return impl_->transmit(now, fd, {&vector, 1}, flags, std::nullopt);
}

Outcome Sockets::sendto(Instant now, int fd, const void* octets, std::size_t count, int flags,
                        const sockaddr* to, socklen_t length) {
  const iovec vector{const_cast<void*>(octets), count};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to);
  message.msg_namelen = to ? length : 0;
  message.msg_iov = const_cast<iovec*>(&vector);
  message.msg_iovlen = 1;
  return sendmsg(now, fd, &message, flags);
}

Outcome Sockets::sendmsg(Instant now, int fd, const msghdr* message, int flags) {
  Socket* socket = impl_->find(fd);
  if (!socket) return impl_->no_socket(fd);
  std::optional<Endpoint> to;
  // A connected stream has its peer: Linux ignores the name, unless it is to connect.
  const bool connects = (flags & MSG_FASTOPEN) != 0 && socket->link == Link::unconnected;
  if (message->msg_name && (!socket->is_tcp() || connects)) {
    if (connects && message->msg_namelen < sizeof(sa_family_t)) return failed(EINVAL);
    const auto* name = static_cast<const sockaddr*>(message->msg_name);
    if (connects && (!impl_->defaults.fast_open.connect || name->sa_family == AF_UNSPEC))
      return failed(EOPNOTSUPP);
    const auto endpoint = read_endpoint(
        socket->domain, static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
    if (!endpoint) return failed(endpoint.error());
    to = *endpoint;
  }
  return impl_->transmit(now, fd, {message->msg_iov, message->msg_iovlen}, flags, to);
}

}  // namespace estab::posix
