// shutdown and close.

#include <utility>

#include "posix/sockets_impl.h"

namespace estab::posix {

// inet_shutdown and tcp_shutdown.
Outcome Sockets::Impl::shutdown(Instant now, Socket& socket, int how) {
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return failed(EINVAL);
  const bool read = how != SHUT_WR, write = how != SHUT_RD;
  if (!socket.is_tcp()) {
    socket.shut_read |= read;
    socket.shut_write |= write;
    ++socket.wakes;
    return socket.peer ? done() : failed(ENOTCONN);
  }
  sync(socket);
  const State in = state(socket);
  ++socket.wakes;
  if (in == State::listen && !read) return done();
  if (in == State::listen || in == State::syn_sent) {
    const Outcome ended = disconnect(now, socket);
    if (in == State::listen) socket.error = 0;
    return ended;
  }
  socket.shut_read |= read;
  socket.shut_write |= write;
  if (in == State::closed) return failed(ENOTCONN);
  if (write) (void)stack.shutdown(now, socket.stream);
  if (socket.shut_read) (void)stack.refuse_input(now, socket.stream);
  if (socket.link == Link::connecting && in != State::syn_received) socket.link = Link::connected;
  return done();
}

Outcome Sockets::Impl::close(Instant now, int fd) {
  if (!descriptors.contains(fd)) return failed(EBADF);
  Socket* socket = find(fd);
  if (socket) {
    if (!socket->closing.active) let_go(now, *socket);
    const State in = stack.state(socket->stream);
    const bool lingers = socket->options.linger_on && socket->options.linger_seconds > 0;
    const bool busy = in == State::fin_wait_1 || in == State::closing || in == State::last_ack;
    if (socket->stream && lingers && busy) {
      const Duration limit = Duration(std::chrono::seconds(1)) * socket->options.linger_seconds;
      const Outcome still = wait_or_fail(now, socket->closing, limit, 0);
      if (still.waits) return still;
    }
  }
  descriptors.erase(fd);
  for (auto& [number, descriptor] : descriptors)
    if (EpollSet* set = std::get_if<EpollSet>(&descriptor)) set->interests.erase(fd);
  return done();
}

void Sockets::Impl::close_listener(Instant now, Socket& socket) {
  if (!socket.is_listening()) return;
  (void)stack.close(now, std::exchange(socket.listener, {}));
  for (const auto& [stream, until] : socket.deferred) (void)stack.abort(now, stream);
  socket.deferred.clear();
}

// An out-of-band octet has left the stack's stream, but if nobody has read it
// the peer must not believe that it was delivered (RFC 1122 §4.2.2.13, SHLD-3).
bool Sockets::Impl::leaves_urgent_octet(const Socket& socket) const {
  const State in = stack.state(socket.stream);
  const bool open = in == State::established || in == State::close_wait ||
                    in == State::fin_wait_1 || in == State::fin_wait_2;
  const auto mark = stack.urgent(socket.stream);
  return open && mark && mark->out_of_band && !socket.urgent_read && !socket.past_urgent;
}

// What close does to the stack's side. SO_LINGER with no time to linger resets (RFC 9293 §3.10.5).
void Sockets::Impl::let_go(Instant now, Socket& socket) {
  close_listener(now, socket);
  if (socket.port) (void)stack.close(socket.port);
  if (!socket.stream) return;
  const bool aborts = socket.options.linger_on && socket.options.linger_seconds == 0;
  if (aborts || leaves_urgent_octet(socket)) {
    (void)stack.abort(now, socket.stream);
  } else {
    (void)stack.close(now, socket.stream);
  }
}

}  // namespace estab::posix
