// read, recv and the like: tcp_recvmsg and udp_recvmsg of Linux, check by check.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "posix/endpoint_codec.h"
#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {

constexpr int kTcpInq = 36;  // TCP_CM_INQ

/// Copies octets into the vectors, `skip` octets in; returns how many.
std::size_t scatter(std::span<const iovec> into, std::size_t skip, Octets octets) {
  std::size_t copied = 0;
  for (const iovec& vector : into) {
    if (skip >= vector.iov_len) {
      skip -= vector.iov_len;
      continue;
    }
    const std::size_t n = std::min(vector.iov_len - skip, octets.size() - copied);
    if (n > 0)
      std::memcpy(static_cast<std::uint8_t*>(vector.iov_base) + skip, octets.data() + copied, n);
    copied += n;
    skip = 0;
    if (copied == octets.size()) break;
  }
  return copied;
}

}  // namespace

// Transfers what is there, whether or not it is enough. With MSG_PEEK it stays; with MSG_TRUNC it
// is discarded instead of copied.
std::size_t Sockets::Impl::take(Instant now, Socket& socket, std::span<const iovec> into,
                                std::size_t skip, int flags) {
  std::size_t wanted = total_size(into) - skip;
  // Reading stops before the urgent octet, and resumes with it or after it.
  const auto mark = stack.urgent(socket.stream);
  if (mark && mark->octets_before_end > 1)
    wanted = std::min<std::size_t>(wanted, mark->octets_before_end - 1);
  std::array<Octets, 64> views;
  std::size_t moved = 0;
  while (moved < wanted) {
    const std::size_t count = stack.peek(socket.stream, views);
    std::size_t seen = 0;
    for (std::size_t i = 0; i < count && moved + seen < wanted; ++i) {
      const Octets part = views[i].first(std::min(views[i].size(), wanted - moved - seen));
      if ((flags & MSG_TRUNC) == 0) (void)scatter(into, skip + moved + seen, part);
      seen += part.size();
    }
    moved += seen;
    if (seen == 0 || (flags & MSG_PEEK) != 0) break;
    (void)stack.consume(now, socket.stream, seen);
  }
  // At the mark reading resumes after it, and the out-of-band octet is gone, even if nothing
  // follows.
  if (mark && mark->octets_before_end == 0 && (flags & MSG_PEEK) == 0) socket.past_urgent = true;
  return moved;
}

// tcp_recv_urg.
Outcome Sockets::Impl::receive_urgent(Socket& socket, std::span<const iovec> into, int flags,
                                      Message& message) const {
  const auto mark = stack.urgent(socket.stream);
  const bool gone = socket.urgent_read || socket.past_urgent;
  if (socket.options.oob_inline || !mark || gone) return failed(EINVAL);
  if (state(socket) == State::closed && !received_fin(socket)) return failed(ENOTCONN);
  if (!mark->out_of_band) {
    if (state(socket) == State::closed || reading_shut(socket)) return done(0);
    return failed(EAGAIN);
  }
  if ((flags & MSG_PEEK) == 0) socket.urgent_read = true;
  message.flags |= MSG_OOB;
  if (total_size(into) == 0) {
    message.flags |= MSG_TRUNC;
    return done(0);
  }
  if ((flags & MSG_TRUNC) == 0) (void)scatter(into, 0, {&*mark->out_of_band, 1});
  return done(1);
}

Outcome Sockets::Impl::receive_stream(Instant now, Socket& socket, std::span<const iovec> into,
                                      int flags) {
  const std::size_t wanted = total_size(into);
  const bool all = (flags & MSG_WAITALL) != 0;
  const auto low_water = static_cast<std::size_t>(std::max(socket.options.receive_low_water, 1));
  const std::size_t target = std::max<std::size_t>(all ? wanted : std::min(low_water, wanted), 1);
  const bool at_once = socket.nonblocking || (flags & MSG_DONTWAIT) != 0;
  Blocked& call = socket.reading;

  std::size_t copied = (flags & MSG_PEEK) != 0 ? 0 : call.done;
  copied += take(now, socket, into, copied, flags);
  const auto end = [&](const Outcome& outcome) {
    call = {};
    return outcome;
  };
  if (copied >= target || (copied == 0 && wanted == 0 && stack.readable(socket.stream) > 0))
    return end(done(static_cast<std::int64_t>(copied)));
  const bool closed = state(socket) == State::closed;
  if (copied > 0) {
    if (at_once || socket.error != 0 || closed || reading_shut(socket))
      return end(done(static_cast<std::int64_t>(copied)));
  } else {
    if (socket.stream && received_fin(socket)) return end(done(0));
    if (socket.error != 0) return end(failed(take_error(socket)));
    if (reading_shut(socket)) return end(done(0));
    if (closed) return end(failed(ENOTCONN));
    if (at_once) return end(failed(EAGAIN));
  }
  const Outcome still = wait_or_fail(now, call, socket.options.receive_timeout, EAGAIN);
  if (!still.waits) return copied > 0 ? done(static_cast<std::int64_t>(copied)) : still;
  call.done = copied;
  return still;
}

Outcome Sockets::Impl::receive_datagram(Instant now, Socket& socket, std::span<const iovec> into,
                                        int flags, Message& message) {
  drain_port(socket);
  if (socket.error != 0) return failed(take_error(socket));
  if (socket.datagrams.empty()) {
    if (socket.nonblocking || (flags & MSG_DONTWAIT) != 0) return failed(EAGAIN);
    if (socket.shut_read) return done(0);
    return wait_or_fail(now, socket.reading, socket.options.receive_timeout, EAGAIN);
  }
  socket.reading = {};
  const QueuedDatagram& datagram = socket.datagrams.front();
  const std::size_t copied = scatter(into, 0, datagram.octets);
  const std::size_t whole = datagram.octets.size();
  if (copied < whole) message.flags |= MSG_TRUNC;
  message.from = datagram.from;
  if ((flags & MSG_PEEK) == 0) socket.datagrams.pop_front();
  return done(static_cast<std::int64_t>((flags & MSG_TRUNC) != 0 ? whole : copied));
}

Outcome Sockets::Impl::receive(Instant now, int fd, std::span<const iovec> into, int flags,
                               Message& message) {
  Socket* socket = find(fd);
  if (!socket) return no_socket(fd);
  if (has_hole(into)) return failed(EFAULT);
  if ((flags & MSG_ERRQUEUE) != 0) return failed(EAGAIN);  // nothing is ever queued there
  if (!socket->is_tcp()) return receive_datagram(now, *socket, into, flags, message);
  sync(*socket);
  if (socket->is_listening()) return failed(ENOTCONN);
  if ((flags & MSG_OOB) != 0) return receive_urgent(*socket, into, flags, message);
  return receive_stream(now, *socket, into, flags);
}

// Ancillary data: with TCP_INQ how many more octets there are, 1 if only the end of the stream is
// left (tcp_inq_hint).
void Sockets::Impl::give_control(const Socket& socket, msghdr& header) const {
  const std::size_t room = std::exchange(header.msg_controllen, 0);
  if (!socket.is_tcp() || !socket.options.inq) return;
  if (!header.msg_control || room < CMSG_SPACE(sizeof(int))) {
    header.msg_flags |= MSG_CTRUNC;
    return;
  }
  const int left = static_cast<int>(stack.readable(socket.stream)) + (received_fin(socket) ? 1 : 0);
  header.msg_controllen = CMSG_SPACE(sizeof(int));
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = IPPROTO_TCP;
  control->cmsg_type = kTcpInq;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &left, sizeof left);
}

// ---- the public face

// read and readv of zero octets do not look at the queue (sock_read_iter); recv does.
Outcome Sockets::read(Instant now, int fd, void* into, std::size_t octets) {
  if (octets == 0) return impl_->find(fd) ? done() : impl_->no_socket(fd);
  return recv(now, fd, into, octets, 0);
}

Outcome Sockets::readv(Instant now, int fd, const iovec* vectors, int count) {
  if (count < 0 || count > 1024) return failed(EINVAL);
  const std::span<const iovec> into(vectors, static_cast<std::size_t>(count));
  if (total_size(into) == 0) return read(now, fd, nullptr, 0);
  Impl::Message message;
  return impl_->receive(now, fd, into, 0, message);
}

Outcome Sockets::recv(Instant now, int fd, void* into, std::size_t octets, int flags) {
  return recvfrom(now, fd, into, octets, flags, nullptr, nullptr);
}

Outcome Sockets::recvfrom(Instant now, int fd, void* into, std::size_t octets, int flags,
                          sockaddr* from, socklen_t* length) {
  const iovec vector{into, octets};
  Impl::Message message;
  const Outcome outcome = impl_->receive(now, fd, {&vector, 1}, flags, message);
  if (outcome.error != 0) return outcome;
  if (message.from) {
    write_endpoint(impl_->find(fd)->domain, *message.from, from, length);
  } else if (from && length) {
    *length = 0;  // a stream's octets have no sender of their own
  }
  return outcome;
}

Outcome Sockets::recvmsg(Instant now, int fd, msghdr* header, int flags) {
  Impl::Message message;
  const Outcome outcome =
      impl_->receive(now, fd, {header->msg_iov, header->msg_iovlen}, flags, message);
  if (outcome.error != 0) return outcome;
  header->msg_flags = message.flags;
  impl_->give_control(*impl_->find(fd), *header);
  if (message.from && header->msg_name) {
    write_endpoint(impl_->find(fd)->domain, *message.from, static_cast<sockaddr*>(header->msg_name),
                   &header->msg_namelen);
  } else {
    header->msg_namelen = 0;
  }
  return outcome;
}

}  // namespace estab::posix
