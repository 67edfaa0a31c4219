// poll, and what it reports for a socket in each state: tcp_poll, udp_poll and datagram_poll of
// Linux.

#include <poll.h>

#include "posix/errno_of.h"
#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {
constexpr unsigned kReadable = POLLIN | POLLRDNORM, kWritable = POLLOUT | POLLWRNORM;
}

// Worth waking a writer for: a third of the buffer is free (sk_stream_is_writeable).
bool Sockets::Impl::is_writable(const Socket& socket) const {
  const State in = state(socket);
  const bool sends =
      in == State::established || in == State::close_wait || is_opened_by_syn(socket);
  if (!sends) return true;  // nothing is queued
  const auto info = stack.info(socket.stream);
  const std::size_t free = stack.writable(socket.stream);
  const std::size_t queued = info ? info->unacked_bytes + info->notsent_bytes : 0;
  const auto low_water = static_cast<std::uint32_t>(socket.options.not_sent_low_water);
  if (low_water > 0 && info && info->notsent_bytes >= low_water) return false;
  return free >= queued / 2 && free > 0;
}

unsigned Sockets::Impl::ready_stream(Instant now, Socket& socket) {
  sync(socket);
  const State in = state(socket);
  if (in == State::listen) return acceptable(now, socket) > 0 ? kReadable : 0;
  unsigned mask = 0;
  const bool read_shut = reading_shut(socket), write_shut = writing_shut(socket);
  if ((read_shut && write_shut) || in == State::closed) mask |= POLLHUP;
  if (read_shut) mask |= kReadable | POLLRDHUP;
  if (socket.syn_held) mask |= kWritable;
  if ((in != State::syn_sent && in != State::syn_received) || is_opened_by_syn(socket)) {
    const auto low_water = static_cast<std::size_t>(std::max(socket.options.receive_low_water, 1));
    if (stack.readable(socket.stream) >= low_water) mask |= kReadable;
    if (write_shut || is_writable(socket)) mask |= kWritable;
    const auto mark = stack.urgent(socket.stream);
    const bool unread = mark && !socket.urgent_read && !socket.past_urgent;
    if (unread && (mark->out_of_band || socket.options.oob_inline)) mask |= POLLPRI;
  }
  if (socket.error != 0) mask |= POLLERR;
  return mask;
}

unsigned Sockets::Impl::ready_datagram(Socket& socket) {
  drain_port(socket);
  unsigned mask = kWritable | POLLWRBAND;
  if (socket.error != 0) mask |= POLLERR;
  if (socket.shut_read) mask |= kReadable | POLLRDHUP;
  if (socket.shut_read && socket.shut_write) mask |= POLLHUP;
  if (!socket.datagrams.empty()) mask |= kReadable;
  return mask;
}

unsigned Sockets::Impl::readiness(Instant now, Socket& socket) {
  return socket.is_tcp() ? ready_stream(now, socket) : ready_datagram(socket);
}

void Sockets::Impl::drain_port(Socket& socket) {
  if (!socket.port) return;
  std::vector<std::uint8_t> buffer(65536);
  while (true) {
    const auto got = stack.recv_datagram(socket.port, buffer);
    if (!got && got.error() == Error::would_block) return;
    if (!got) {
      // Only a connected socket, or one that asked for it, hears of ICMP (RFC 1122 §4.1.3.3).
      const bool is_last =
          got.error() == Error::no_such_id || got.error() == Error::address_removed;
      const bool asked =
          socket.domain == AF_INET ? socket.options.receive_error : socket.options.receive_error6;
      if (is_last || socket.peer || asked) socket.error = errno_of(got.error());
      if (is_last) return;
      continue;
    }
    if (socket.peer && got->from != *socket.peer) continue;
    const std::size_t size = std::min(got->length, buffer.size());
    socket.datagrams.push_back(
        {got->from, got->to, {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)}});
  }
}

Outcome Sockets::poll(Instant now, pollfd* descriptors, nfds_t count, int timeout_ms) {
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    pollfd& one = descriptors[i];
    one.revents = 0;
    if (one.fd < 0) continue;
    unsigned mask = POLLNVAL;
    if (Socket* socket = impl_->find(one.fd)) mask = impl_->readiness(now, *socket);
    if (EpollSet* set = impl_->find_epoll(one.fd))
      mask = impl_->is_ready(now, *set) ? kReadable : 0;
    const unsigned wanted = static_cast<unsigned short>(one.events);
    one.revents = static_cast<short>(mask & (wanted | POLLERR | POLLHUP | POLLNVAL));
    if (one.revents != 0) ++ready;
  }
  const auto under_way = impl_->polls.find(descriptors);
  const Instant until = under_way != impl_->polls.end() ? under_way->second
                        : timeout_ms < 0                ? kNever
                                         : now + std::chrono::milliseconds(timeout_ms);
  if (ready == 0 && now < until) {
    impl_->polls[descriptors] = until;
    return waiting(until);
  }
  impl_->polls.erase(descriptors);
  return done(ready);
}

}  // namespace estab::posix
