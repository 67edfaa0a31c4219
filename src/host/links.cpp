#include "host/links.h"

#include <algorithm>
#include <utility>

#include <poll.h>

namespace estab::host {

namespace {

// A device that is full and has no descriptor is asked again after this long.
constexpr Duration kBlindRetry = std::chrono::milliseconds(1);

/// What epoll said may be old, and of the descriptor that had this number before.
bool is_in_error(int descriptor) {
  pollfd look{descriptor, 0, 0};
  return poll(&look, 1, 0) > 0;
}

DeviceError in_error(const Device& device) {
  return {DeviceError::Kind::link_gone, 0,
          "the device " + device.interface_config().name + " is gone: its descriptor is in error"};
}

}  // namespace

// ---- which there are

InterfaceId Links::add(std::unique_ptr<Device> device) {
  const InterfaceId interface = stack_.add_interface(device->interface_config());
  if (!interface) return interface;  // the stack has as many as its limits allow
  while (links_.size() <= interface.index) links_.emplace_back();
  Link& link = links_[interface.index];
  // The one before may have been removed from the stack alone.
  if (link.up) stop_watching(link);
  if (link.watcher) wake_(*link.watcher);
  link = {.interface = interface,
          .device = std::move(device),
          .up = true,
          .failure = std::nullopt,
          .watcher = nullptr};
  link.descriptor = link.device->descriptor();
  if (link.descriptor >= 0)
    poller_.watch(link.descriptor, EPOLLIN, {PollTag::Kind::link, interface.index});
  return interface;
}

Result<std::unique_ptr<Device>> Links::remove(Instant now, InterfaceId interface) {
  Link* const link = find(interface);
  if (!link) return std::unexpected(Error::no_such_id);
  static_cast<void>(stack_.remove_interface(now, interface));  // one that is gone was removed
  if (link->up) stop_watching(*link);
  link->interface = {};
  if (link->watcher) wake_(*link->watcher);
  return std::move(link->device);
}

const Links::Link* Links::find(InterfaceId interface) const {
  if (interface.index >= links_.size()) return nullptr;
  const Link& link = links_[interface.index];
  return link.interface == interface ? &link : nullptr;
}

bool Links::is_up(InterfaceId interface) const {
  const Link* const link = find(interface);
  return link && link->up;
}

// A descriptor in error stays readable for ever: watching it on would keep the loop spinning.
void Links::stop_watching(Link& link) {
  if (link.descriptor >= 0) poller_.forget(link.descriptor);
  link.up = false;
  link.full = false;
}

void Links::lose(Instant now, Link& link, DeviceError why) {
  stop_watching(link);
  link.failure = std::move(why);
  if (link.watcher) wake_(*link.watcher);
  static_cast<void>(stack_.remove_interface(now, link.interface));
}

bool Links::lose_if_failed(Instant now, Link& link) {
  auto failure = link.device->failure();
  if (failure) lose(now, link, *std::move(failure));
  return !link.up;
}

// ---- what comes in

std::size_t Links::receive(Instant now, Link& link) {
  link.emptied_at = now;
  const std::size_t count = link.device->receive(now, stack_, link.interface, burst_);
  if (count == burst_) link.emptied_at = Instant::min();
  return count;
}

void Links::on_ready(Instant now, std::uint32_t number, std::uint32_t events) {
  Link& link = links_[number];
  if (!link.up) return;
  if (events & EPOLLOUT) flush_device(now, link);
  if (!link.up || !(events & ~std::uint32_t{EPOLLOUT})) return;
  if (receive(now, link) > 0 || lose_if_failed(now, link)) return;
  if (events & (EPOLLERR | EPOLLHUP) && is_in_error(link.descriptor))
    lose(now, link, in_error(*link.device));
}

bool Links::poll_blind(Instant now) {
  bool more = false;
  for (Link& link : links_) {
    if (!link.up || link.descriptor >= 0) continue;
    if (link.full) flush_device(now, link);
    if (!link.up) continue;
    if (receive(now, link) > 0)
      more = true;
    else
      lose_if_failed(now, link);
  }
  return more;
}

// What comes in is answered burst by burst: the stack keeps only so many answers.
void Links::catch_up(Instant now) {
  for (Link& link : links_) {
    if (link.emptied_at == now) continue;
    for (int bursts = 0; bursts < kCatchUp && link.up; ++bursts) {
      if (receive(now, link) < burst_) break;
      allow_burst();
      transmit(now);  // and may find that the device is gone
    }
  }
}

// ---- what goes out

bool Links::transmit(Instant now) {
  for (; allowance_ > 0; --allowance_) {
    if (!stack_.poll_transmit(now, frame_)) return false;
    Link* const link = find(frame_.interface);
    if (!link || !link->up) continue;  // an interface without a device
    link->device->transmit(now, frame_);
    if (!link->device->ready()) on_full(now, *link);
  }
  return true;
}

void Links::on_full(Instant now, Link& link) {
  if (lose_if_failed(now, link)) return;
  link.full = true;
  static_cast<void>(stack_.pause_interface(link.interface));
  if (link.descriptor >= 0)
    poller_.watch(link.descriptor, EPOLLIN | EPOLLOUT, {PollTag::Kind::link, link.interface.index});
}

void Links::flush_device(Instant now, Link& link) {
  if (!link.full) return;
  if (!link.device->flush()) {
    lose_if_failed(now, link);
    return;
  }
  link.full = false;
  static_cast<void>(stack_.resume_interface(link.interface));
  if (link.descriptor >= 0)
    poller_.watch(link.descriptor, EPOLLIN, {PollTag::Kind::link, link.interface.index});
}

void Links::look(Instant now) {
  allow_burst();
  for (Link& link : links_)
    if (link.up) receive(now, link);
}

bool Links::flush(Instant now) {
  for (int looks = 0; looks < kCatchUp; ++looks) {
    if (!transmit(now)) return false;
    look(now);
  }
  return true;
}

void Links::transmit_all(Instant now) {
  do {
    allow_burst();
  } while (transmit(now));
}

Instant Links::next_deadline(Instant now) const {
  Instant next = kNever;
  for (const Link& link : links_) {
    if (!link.up) continue;
    next = std::min(next, link.device->next_deadline());
    if (link.full && link.descriptor < 0) next = std::min(next, now + kBlindRetry);
  }
  return next;
}

}  // namespace estab::host
