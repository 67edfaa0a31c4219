#include "host/poller.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace estab::host {

namespace {

// epoll_wait takes at most this long at a time; the loop simply comes round again.
constexpr Duration kLongest = std::chrono::hours(24);

int rounded_up_ms(Duration timeout) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
}

}  // namespace

void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll_create1");
}

int Poller::watch(int descriptor, std::uint32_t events, PollTag tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(tag.kind) << 32 | tag.number;
  // A descriptor closed meanwhile has left the set by itself, and its number may be another's now.
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
  if (errno != ENOENT) return errno;
  return epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

void Poller::forget(int descriptor) {
  epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, descriptor, nullptr);
}

std::span<const epoll_event> Poller::wait(Duration timeout) {
  const int count = wait_for(std::clamp(timeout, Duration::zero(), kLongest));
  return std::span(events_).first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

int Poller::wait_for(Duration timeout) {
  const int most = static_cast<int>(events_.size());
  timespec time{};
  time.tv_sec = std::chrono::floor<std::chrono::seconds>(timeout).count();
  time.tv_nsec = (timeout % std::chrono::seconds(1)).count();
  const int count = epoll_pwait2(epoll_.number(), events_.data(), most, &time, nullptr);
  if (count >= 0 || errno == EINTR) return count;
  // Linux before 5.11, and sandboxes that do not know the call.
  return epoll_wait(epoll_.number(), events_.data(), most, rounded_up_ms(timeout));
}

PollTag Poller::tag(const epoll_event& event) {
  return {static_cast<PollTag::Kind>(event.data.u64 >> 32),
          static_cast<std::uint32_t>(event.data.u64)};
}

}  // namespace estab::host
