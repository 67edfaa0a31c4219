#include "host/inbox.h"

#include <cerrno>
#include <cstdint>

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
  const int before = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_.number(), &one, sizeof one);
  errno = before;
}

void Inbox::run_calls() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(event_.number(), &count, sizeof count);
  std::vector<std::function<void()>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(calls_);
  }
  for (std::function<void()>& call : calls) call();
}

}  // namespace estab::host
