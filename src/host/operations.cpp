// The operations that are not a stream's: an opening, descriptors, links, signals.
#include <cerrno>

#include <poll.h>

#include "host/loop.h"

namespace estab {

// ---- opening

OpeningOperation::~OpeningOperation() {
  withdraw();
  if (stream_) loop_->abort(stream_);
}

bool OpeningOperation::attempt(Instant now) {
  if (!stream_) {
    const Result<StreamId> opened = open(now);
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

void OpeningOperation::fail(Error error) {
  withdraw();
  if (stream_) report_ = loop_->stack().icmp_report(stream_);
  Operation::fail(error);
  if (stream_) loop_->abort(std::exchange(stream_, {}));
}

host::Wait** OpeningOperation::place() {
  host::StreamSlot* const slot = loop_->streams().enter(stream_);
  return slot ? &slot->reader : nullptr;
}

Result<StreamId> ConnectOperation::open(Instant now) {
  if (refused_) return std::unexpected(*refused_);
  return loop_->stack().connect(now, options_);
}

// ---- descriptors

namespace {

/// What epoll and poll are asked for; that a descriptor is of no use any more they tell unasked.
short events_of(DescriptorOperation::Direction direction) {
  switch (direction) {
    case DescriptorOperation::Direction::in:
      return POLLIN;
    case DescriptorOperation::Direction::out:
      return POLLOUT;
    case DescriptorOperation::Direction::end:
      break;
  }
  return 0;
}
static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT);

}  // namespace

bool DescriptorOperation::attempt(Instant) {
  const short events = events_of(direction_);
  if (!asked_) {
    // Never ready at once: a loop over an endless file must leave the others their turn.
    asked_ = true;
    if (!loop_->descriptor(descriptor_)) {
      fail(Error::invalid_argument);
      return true;
    }
  } else {
    pollfd look{descriptor_, events, 0};
    if (poll(&look, 1, 0) > 0) return true;
  }
  const int refused = loop_->arm(descriptor_, static_cast<std::uint32_t>(events));
  if (refused == 0) return false;
  if (refused == EPERM && direction_ != Direction::end) {  // a plain file, always ready
    loop_->wake(*this);
    return false;
  }
  fail(Error::invalid_argument);
  return true;
}

host::Wait** DescriptorOperation::place() {
  auto* const slot = loop_->descriptor(descriptor_);
  if (!slot) return nullptr;
  switch (direction_) {
    case Direction::in:
      return &slot->reader;
    case Direction::out:
      return &slot->writer;
    case Direction::end:
      break;
  }
  return &slot->watcher;
}

// ---- links

bool LinkDownOperation::attempt(Instant) {
  const host::Links::Link* const link = loop_->links().find(interface_);
  if (!link) {
    fail(Error::no_such_id);
    return true;
  }
  if (!link->failure) return false;
  result_ = *link->failure;
  return true;
}

host::Wait** LinkDownOperation::place() {
  host::Links::Link* const link = loop_->links().find(interface_);
  return link ? &link->watcher : nullptr;
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
