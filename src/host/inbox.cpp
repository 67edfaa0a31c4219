#include "host/inbox.h"

#include <cerrno>
#include <cstdint>
#include <utility>

#include <sys/eventfd.h>

namespace estab::host {

Inbox::Inbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw_errno("eventfd");
}

void Inbox::stop() {
  stop_.store(true, std::memory_order_release);
  ring();
}

void Inbox::post(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  ring();
}

void Inbox::ring() {
  // A full counter (EAGAIN) is readable already. A signal handler must leave errno alone.
  rung_.store(true, std::memory_order_release);
  const int before = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_.number(), &one, sizeof one);
  errno = before;
}

std::size_t Inbox::open() {
  rung_.store(false,
              std::memory_order_relaxed);  // before the calls are counted: none is overlooked
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(event_.number(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

std::function<void()> Inbox::take_call() {
  const std::lock_guard lock(mutex_);
  std::function<void()> call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

}  // namespace estab::host
