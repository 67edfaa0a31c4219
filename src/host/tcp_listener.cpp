#include "estab/tcp_listener.h"

#include "host/loop.h"

namespace estab {

bool AcceptOperation::attempt(Instant now) {
  const Result<StreamId> stream = loop_->stack().accept(now, listener_);
  if (stream) {
    result_ = TcpStream(*loop_, *stream);
    return true;
  }
  if (stream.error() == Error::would_block) return false;
  fail(stream.error());
  return true;
}

host::Wait** AcceptOperation::place() {
  host::ListenerSlot* const slot = loop_->listeners().enter(listener_);
  return slot ? &slot->acceptor : nullptr;
}

AcceptOperation TcpListener::accept() {
  return {loop_, id_};
}

Result<Endpoint> TcpListener::local_endpoint() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().local_endpoint(id_);
}

Result<TcpConfig> TcpListener::settings() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().settings(id_);
}

Result<void> TcpListener::reconfigure(const TcpConfig& config) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().reconfigure(loop_->now(), id_, config);
}

void TcpListener::close() {
  if (loop_) loop_->close(id_);
  loop_ = nullptr;
  id_ = {};
}

}  // namespace estab
