#include "estab/datagram_socket.h"

#include "host/loop.h"

namespace estab {

bool ReceiveOperation::attempt(Instant) {
  if (host::DatagramSlot* const slot = loop_->ports().find(port_); slot && slot->failure) {
    fail(*std::exchange(slot->failure, std::nullopt));
    return true;
  }
  result_ = loop_->stack().recv_datagram(port_, into_);
  return result_ || result_.error() != Error::would_block;
}

host::Wait** ReceiveOperation::place() {
  host::DatagramSlot* const slot = loop_->ports().enter(port_);
  return slot ? &slot->receiver : nullptr;
}

Result<void> DatagramSocket::send_to(Octets octets, const Endpoint& to) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().send_datagram(loop_->now(), id_, to, octets);
}

ReceiveOperation DatagramSocket::recv_from(MutableOctets into) {
  return {loop_, id_, into};
}

Result<Endpoint> DatagramSocket::local_endpoint() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().local_endpoint(id_);
}

void DatagramSocket::close() {
  if (loop_) {
    static_cast<void>(loop_->stack().close(id_));
    loop_->ports().release(id_);
  }
  loop_ = nullptr;
  id_ = {};
}

}  // namespace estab
