// The operations that are not a stream's: opening a connection, descriptors, signals.
#include <cerrno>

#include <poll.h>

#include "host/loop.h"

namespace estab {

// ---- connect

ConnectOperation::~ConnectOperation() {
  withdraw();
  if (stream_) loop_->abort(stream_);
}

bool ConnectOperation::attempt(Instant now) {
  if (refused_) {
    fail(*refused_);
    return true;
  }
  if (!stream_) {
    const Result<StreamId> opened = loop_->stack().connect(now, options_);
    if (!opened) {
      fail(opened.error());
      return true;
    }
    stream_ = *opened;
    loop_->streams().enter(stream_);
    return false;
  }
  const host::StreamSlot* const slot = loop_->streams().find(stream_);
  if (slot && slot->connected) {
    result_ = TcpStream(*loop_, std::exchange(stream_, {}));
    return true;
  }
  if (slot && !slot->closed) return false;
  fail(slot && slot->failure ? *slot->failure : Error::connection_aborted);
  return true;
}

void ConnectOperation::fail(Error error) {
  withdraw();
  if (stream_) report_ = loop_->stack().icmp_report(stream_);
  Operation::fail(error);
  if (stream_) loop_->abort(std::exchange(stream_, {}));
}

host::Wait** ConnectOperation::place() {
  host::StreamSlot* const slot = loop_->streams().enter(stream_);
  return slot ? &slot->reader : nullptr;
}

// ---- descriptors

bool DescriptorOperation::attempt(Instant) {
  const bool in = direction_ == Direction::in;
  if (!asked_) {
    // Never ready at once: a loop over an endless file must leave the others their turn.
    asked_ = true;
    if (!loop_->descriptor(descriptor_)) {
      fail(Error::invalid_argument);
      return true;
    }
  } else {
    pollfd look{descriptor_, static_cast<short>(in ? POLLIN : POLLOUT), 0};
    if (poll(&look, 1, 0) > 0) return true;
  }
  const int refused = loop_->arm(descriptor_, in ? EPOLLIN : EPOLLOUT);
  if (refused == 0) return false;
  if (refused == EPERM) {  // a plain file, always ready
    loop_->wake(*this);
    return false;
  }
  fail(Error::invalid_argument);
  return true;
}

host::Wait** DescriptorOperation::place() {
  auto* const slot = loop_->descriptor(descriptor_);
  if (!slot) return nullptr;
  return direction_ == Direction::in ? &slot->reader : &slot->writer;
}

// ---- signals

bool SignalOperation::attempt(Instant) {
  if (!host::Signals::is_number(number_) || !loop_->watch_signal(number_)) {
    fail(Error::invalid_argument);
    return true;
  }
  return loop_->signals().take(number_);
}

host::Wait** SignalOperation::place() {
  return host::Signals::is_number(number_) ? loop_->signals().place(number_) : nullptr;
}

}  // namespace estab
