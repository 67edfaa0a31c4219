// ioctl: what waits in the queues, the urgent mark, FIONBIO.

#include <algorithm>
#include <cstring>
#include <limits>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "posix/sockets_impl.h"

namespace estab::posix {

// tcp_ioctl and udp_ioctl.
Outcome Sockets::Impl::queue_lengths(Socket& socket, unsigned long request, int& length) {
  length = 0;
  if (!socket.is_tcp()) {
    drain_port(socket);
    if (request == SIOCINQ && !socket.datagrams.empty())
      length = static_cast<int>(socket.datagrams.front().octets.size());
    return done();
  }
  if (socket.is_listening()) return failed(EINVAL);
  const State in = state(socket);
  if (in == State::syn_sent || in == State::syn_received) return done();
  const auto info = stack.info(socket.stream);
  if (!info) return done();
  if (request == SIOCINQ) {
    // At the mark nothing is readable before it (tcp_inq).
    const auto mark = stack.urgent(socket.stream);
    const bool at_mark = mark && mark->octets_before_end == 0 && !socket.past_urgent;
    length = at_mark ? 0 : static_cast<int>(stack.readable(socket.stream));
  } else {
    const bool all = request == SIOCOUTQ && in != State::closed;
    const std::uint64_t octets = info->notsent_bytes + (all ? info->unacked_bytes : 0);
    length = static_cast<int>(std::min<std::uint64_t>(octets, std::numeric_limits<int>::max()));
  }
  return done();
}

Outcome Sockets::ioctl(Instant, int fd, unsigned long request, void* argument) {
  if (!impl_->descriptors.contains(fd)) return failed(EBADF);
  Socket* socket = impl_->find(fd);
  if (!socket) return failed(ENOTTY);
  if (!argument) return failed(EFAULT);
  int number = 0;
  switch (request) {
    case FIONBIO:
      std::memcpy(&number, argument, sizeof number);
      socket->nonblocking = number != 0;
      return done();
    case SIOCINQ:  // FIONREAD
    case SIOCOUTQ:
    case SIOCOUTQNSD: {
      if (request == SIOCOUTQNSD && !socket->is_tcp()) return failed(ENOTTY);
      const Outcome outcome = impl_->queue_lengths(*socket, request, number);
      if (outcome.error == 0) std::memcpy(argument, &number, sizeof number);
      return outcome;
    }
    case SIOCATMARK: {
      if (!socket->is_tcp()) return failed(ENOTTY);
      // If the octet is in the stream the mark is before it, otherwise where it was.
      const auto mark = impl_->stack.urgent(socket->stream);
      const std::uint64_t at = socket->options.oob_inline ? 1 : 0;
      number = mark && !socket->past_urgent && mark->octets_before_end == at ? 1 : 0;
      std::memcpy(argument, &number, sizeof number);
      return done();
    }
    default:
      return failed(ENOTTY);
  }
}

}  // namespace estab::posix
