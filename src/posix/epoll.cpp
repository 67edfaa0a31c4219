// epoll: level and edge triggered, one-shot. An edge is any event of the stack's about the socket
// since it was last reported.

#include <algorithm>
#include <vector>

#include "posix/sockets_impl.h"

namespace estab::posix {

namespace {

constexpr std::uint32_t kAlways = EPOLLERR | EPOLLHUP;
constexpr std::uint32_t kSettings = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;

}  // namespace

// What of it is to be reported now, if anything.
std::uint32_t Sockets::Impl::due(Instant now, int fd, const EpollInterest& interest) {
  Socket* socket = find(fd);
  if (!socket || (interest.events & ~kSettings) == 0) return 0;
  // The stack announces only the first connection in a queue; each one is an edge.
  if (socket->is_listening()) {
    const std::size_t queued = acceptable(now, *socket);
    if (queued > socket->queued) ++socket->wakes;
    socket->queued = queued;
  }
  const std::uint32_t mask = readiness(now, *socket) & ((interest.events & ~kSettings) | kAlways);
  const bool edge = (interest.events & EPOLLET) != 0;
  if (edge && !interest.fresh && interest.seen == socket->wakes) return 0;
  return mask;
}

bool Sockets::Impl::is_ready(Instant now, const EpollSet& set) {
  return std::ranges::any_of(
      set.interests, [&](const auto& entry) { return due(now, entry.first, entry.second) != 0; });
}

// Fills events round-robin, so that none is starved.
int Sockets::Impl::report(Instant now, EpollSet& set, std::span<epoll_event> events) {
  std::vector<int> order;
  order.reserve(set.interests.size());
  for (const auto& [fd, interest] : set.interests) order.push_back(fd);
  std::ranges::rotate(order, std::ranges::upper_bound(order, set.last));
  std::size_t count = 0;
  for (const int fd : order) {
    if (count == events.size()) break;
    EpollInterest& interest = set.interests[fd];
    const std::uint32_t mask = due(now, fd, interest);
    if (mask == 0) continue;
    events[count].events = mask;
    events[count].data = interest.data;
    ++count;
    interest.fresh = false;
    interest.seen = find(fd)->wakes;
    if ((interest.events & EPOLLONESHOT) != 0) interest.events &= kSettings;
    set.last = fd;
  }
  return static_cast<int>(count);
}

Outcome Sockets::epoll_create(int flags) {
  if ((flags & ~EPOLL_CLOEXEC) != 0) return failed(EINVAL);
  const int fd = impl_->add(EpollSet{});
  return fd < 0 ? failed(EMFILE) : done(fd);
}

Outcome Sockets::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  if (!impl_->descriptors.contains(epoll) || !impl_->descriptors.contains(fd)) return failed(EBADF);
  EpollSet* set = impl_->find_epoll(epoll);
  if (!set || epoll == fd) return failed(EINVAL);
  if (!impl_->find(fd)) return failed(ELOOP);  // sets of sets are not offered
  if (operation != EPOLL_CTL_DEL && !event) return failed(EFAULT);
  const auto found = set->interests.find(fd);
  const bool there = found != set->interests.end();
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (there) return failed(EEXIST);
      set->interests[fd] = {event->events, event->data};
      return done();
    case EPOLL_CTL_MOD:
      if (!there) return failed(ENOENT);
      found->second = {event->events, event->data};
      return done();
    case EPOLL_CTL_DEL:
      if (!there) return failed(ENOENT);
      set->interests.erase(found);
      return done();
    default:
      return failed(EINVAL);
  }
}

Outcome Sockets::epoll_wait(Instant now, int epoll, epoll_event* events, int room, int timeout_ms) {
  if (!impl_->descriptors.contains(epoll)) return failed(EBADF);
  EpollSet* set = impl_->find_epoll(epoll);
  if (!set || room <= 0) return failed(EINVAL);
  const int ready = impl_->report(now, *set, {events, static_cast<std::size_t>(room)});
  if (ready > 0 || timeout_ms == 0) {
    set->waiting = {};
    return done(ready);
  }
  const Duration limit =
      timeout_ms < 0 ? Duration::zero() : Duration(std::chrono::milliseconds(timeout_ms));
  const Outcome still = wait_or_fail(now, set->waiting, limit, 0);
  return still.waits ? still : done(0);
}

}  // namespace estab::posix
