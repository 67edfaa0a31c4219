// The operations of a stream: each tries the call at the stack, and waits for the event that says
// it may be tried again.
#include "estab/tcp_stream.h"

#include "host/loop.h"

namespace estab {

namespace {

using host::StreamSlot;

/// What became of a connection says more than that it is no longer open.
Error explain(host::Loop& loop, StreamId stream, Error error) {
  if (error != Error::no_such_id && error != Error::not_connected) return error;
  const StreamSlot* const slot = loop.streams().find(stream);
  return slot && slot->failure ? *slot->failure : error;
}

/// Where an operation waits, in the slot of its stream.
host::Wait** seat(host::Loop& loop, StreamId stream, host::Wait* StreamSlot::* which) {
  StreamSlot* const slot = loop.streams().enter(stream);
  return slot ? &(slot->*which) : nullptr;
}

}  // namespace

// ---- reading

bool ReadOperation::attempt(Instant now) {
  result_ = loop_->stack().recv(now, stream_, into_);
  if (result_) return true;
  if (result_.error() == Error::would_block) return false;
  fail(explain(*loop_, stream_, result_.error()));
  return true;
}

host::Wait** ReadOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::reader);
}

bool PeekOperation::attempt(Instant) {
  const std::span<Octets> views = loop_->views();
  const std::size_t count = loop_->stack().peek(stream_, views);
  result_ = views.first(count);
  if (count > 0) return true;
  if (loop_->stack().at_end(stream_)) {
    fail(Error::end_of_stream);
    return true;
  }
  if (const auto known = loop_->stack().info(stream_); !known) {
    fail(explain(*loop_, stream_, known.error()));
    return true;
  }
  const StreamSlot* const slot = loop_->streams().find(stream_);
  if (!slot || !slot->failure) return false;
  fail(*slot->failure);
  return true;
}

host::Wait** PeekOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::reader);
}

// ---- writing

bool WriteOperation::attempt(Instant now) {
  if (octets_.empty()) return true;
  result_ = loop_->stack().send(now, stream_, octets_, mode_);
  if (result_) return true;
  if (result_.error() == Error::would_block) return false;
  fail(explain(*loop_, stream_, result_.error()));
  return true;
}

host::Wait** WriteOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::writer);
}

bool WriteAllOperation::attempt(Instant now) {
  while (!rest_.empty()) {
    const Result<std::size_t> taken = loop_->stack().send(now, stream_, rest_, mode_);
    if (!taken && taken.error() == Error::would_block) return false;
    if (!taken) {
      fail(explain(*loop_, stream_, taken.error()));
      return true;
    }
    rest_ = rest_.subspan(*taken);
  }
  return true;
}

host::Wait** WriteAllOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::writer);
}

bool WriteOwnedOperation::attempt(Instant now) {
  result_ = loop_->stack().send_owned(now, stream_, octets_, owner_, mode_);
  if (result_) return true;
  if (result_.error() == Error::would_block) return false;
  fail(explain(*loop_, stream_, result_.error()));
  return true;
}

host::Wait** WriteOwnedOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::writer);
}

bool RoomOperation::attempt(Instant now) {
  const auto room = loop_->stack().await_room(now, stream_);
  if (room) return true;
  if (room.error() == Error::would_block) return false;
  fail(explain(*loop_, stream_, room.error()));
  return true;
}

host::Wait** RoomOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::writer);
}

// ---- ending

bool ClosedOperation::attempt(Instant) {
  const StreamSlot* const slot = loop_->streams().find(stream_);
  if (slot && slot->failure) {
    fail(*slot->failure);
    return true;
  }
  if (slot && slot->closed) return true;
  const auto info = loop_->stack().info(stream_);
  if (info) return info->state == State::time_wait;
  fail(info.error());
  return true;
}

host::Wait** ClosedOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::closer);
}

bool UrgentOperation::attempt(Instant) {
  StreamSlot* const slot = loop_->streams().enter(stream_);
  const auto mark = loop_->stack().urgent(stream_);
  if (slot && slot->urgent && mark) {
    slot->urgent = false;
    result_ = *mark;
    return true;
  }
  if (const auto info = loop_->stack().info(stream_); !info) {
    fail(explain(*loop_, stream_, info.error()));
  } else if (slot && slot->failure) {
    fail(*slot->failure);
  } else if (slot && slot->peer_closed) {
    fail(Error::end_of_stream);
  } else {
    return false;
  }
  return true;
}

host::Wait** UrgentOperation::place() {
  return seat(*loop_, stream_, &StreamSlot::urgent_waiter);
}

// ---- the stream

ReadOperation TcpStream::read(MutableOctets into) {
  return {loop_, id_, into};
}
PeekOperation TcpStream::peek() {
  return {loop_, id_};
}
WriteOperation TcpStream::write(Octets octets, SendMode mode) {
  return {loop_, id_, octets, mode};
}
WriteAllOperation TcpStream::write_all(Octets octets, SendMode mode) {
  return {loop_, id_, octets, mode};
}
WriteOwnedOperation TcpStream::write_owned(Octets octets, std::shared_ptr<const void> owner,
                                           SendMode mode) {
  return {loop_, id_, octets, std::move(owner), mode};
}
RoomOperation TcpStream::room() {
  return {loop_, id_};
}
ClosedOperation TcpStream::closed() {
  return {loop_, id_};
}
UrgentOperation TcpStream::urgent_arrived() {
  return {loop_, id_};
}

Result<void> TcpStream::consume(std::size_t octets) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().consume(loop_->now(), id_, octets);
}

std::size_t TcpStream::readable() const {
  return loop_ ? loop_->stack().readable(id_) : 0;
}
std::size_t TcpStream::writable() const {
  return loop_ ? loop_->stack().writable(id_) : 0;
}

Result<void> TcpStream::shutdown() {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().shutdown(loop_->now(), id_);
}

void TcpStream::close() {
  if (loop_) loop_->close(id_);
  loop_ = nullptr;
  id_ = {};
}

void TcpStream::abort() {
  if (loop_) loop_->abort(id_);
  loop_ = nullptr;
  id_ = {};
}

State TcpStream::state() const {
  return loop_ ? loop_->stack().state(id_) : State::closed;
}

Result<TcpInfo> TcpStream::info() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().info(id_);
}

Result<Endpoint> TcpStream::local_endpoint() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  const auto both = loop_->stack().endpoints(id_);
  if (!both) return std::unexpected(both.error());
  return both->local();
}

Result<Endpoint> TcpStream::remote_endpoint() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  const auto both = loop_->stack().endpoints(id_);
  if (!both) return std::unexpected(both.error());
  return both->remote();
}

std::optional<Error> TcpStream::soft_error() {
  StreamSlot* const slot = loop_ ? loop_->streams().find(id_) : nullptr;
  return slot ? std::exchange(slot->soft_error, std::nullopt) : std::nullopt;
}

std::optional<UrgentMark> TcpStream::urgent() const {
  return loop_ ? loop_->stack().urgent(id_) : std::nullopt;
}

Result<TcpConfig> TcpStream::settings() const {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().settings(id_);
}

Result<void> TcpStream::reconfigure(const TcpConfig& config) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().reconfigure(loop_->now(), id_, config);
}

}  // namespace estab
