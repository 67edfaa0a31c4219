#include "host/links.h"

#include <algorithm>

namespace estab::host {

namespace {

// A device that is full and has no descriptor is asked again after this long.
constexpr Duration kBlindRetry = std::chrono::milliseconds(1);

}  // namespace

InterfaceId Links::add(std::unique_ptr<Device> device) {
  const InterfaceId interface = stack_.add_interface(device->interface_config());
  if (!interface) return interface;  // the stack has as many as its limits allow
  if (links_.size() <= interface.index) links_.resize(interface.index + std::size_t{1});
  Link& link = links_[interface.index];
  link.descriptor = device->descriptor();
  link.interface = interface;
  link.device = std::move(device);
  link.up = true;
  if (link.descriptor < 0) {
    ++blind_;
  } else {
    poller_.watch(link.descriptor, EPOLLIN, {PollTag::Kind::link, interface.index});
  }
  return interface;
}

bool Links::is_up(InterfaceId interface) const {
  if (interface.index >= links_.size()) return false;
  const Link& link = links_[interface.index];
  return link.up && link.interface == interface;
}

std::size_t Links::receive(Instant now, std::uint32_t number) {
  Link& link = links_[number];
  link.emptied_at = now;
  const std::size_t count = link.device->receive(now, stack_, link.interface, burst_);
  if (count == burst_) link.emptied_at = Instant::min();
  return count;
}

void Links::on_ready(Instant now, std::uint32_t number, std::uint32_t events) {
  Link& link = links_[number];
  if (!link.up) return;
  if (events & EPOLLOUT) flush_device(number);
  if (!(events & ~std::uint32_t{EPOLLOUT})) return;
  if (receive(now, number) > 0) return;
  if (events & (EPOLLERR | EPOLLHUP) || link.device->failure()) lose(link);
}

bool Links::poll_blind(Instant now) {
  if (blind_ == 0) return false;
  bool more = false;
  for (std::uint32_t number = 0; number < links_.size(); ++number) {
    Link& link = links_[number];
    if (!link.up || link.descriptor >= 0) continue;
    if (link.full) flush_device(number);
    if (receive(now, number) > 0) more = true;
  }
  return more;
}

// What comes in is answered burst by burst: the stack keeps only so many answers.
void Links::catch_up(Instant now) {
  for (std::uint32_t number = 0; number < links_.size(); ++number) {
    const Link& link = links_[number];
    if (!link.up || link.emptied_at == now) continue;
    for (int bursts = 0; bursts < kCatchUp && receive(now, number) == burst_; ++bursts) {
      allow_burst();
      transmit(now);
    }
  }
}

bool Links::transmit(Instant now) {
  for (; full_ == 0 && allowance_ > 0; --allowance_) {
    if (!stack_.poll_transmit(now, frame_)) return false;
    const std::uint32_t number = frame_.interface.index;
    if (!is_up(frame_.interface)) continue;  // an interface without a device, or a lost one
    Link& link = links_[number];
    link.device->transmit(now, frame_);
    if (!link.device->ready()) on_full(number);
  }
  return full_ == 0;
}

void Links::look(Instant now) {
  allow_burst();
  for (std::uint32_t number = 0; number < links_.size(); ++number)
    if (links_[number].up) receive(now, number);
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

void Links::on_full(std::uint32_t number) {
  Link& link = links_[number];
  link.full = true;
  ++full_;
  if (link.descriptor >= 0)
    poller_.watch(link.descriptor, EPOLLIN | EPOLLOUT, {PollTag::Kind::link, number});
}

void Links::flush_device(std::uint32_t number) {
  Link& link = links_[number];
  if (!link.full || !link.device->flush()) return;
  link.full = false;
  --full_;
  if (link.descriptor >= 0) poller_.watch(link.descriptor, EPOLLIN, {PollTag::Kind::link, number});
}

// A descriptor in error stays readable for ever: watching it on would keep the loop spinning.
void Links::lose(Link& link) {
  poller_.forget(link.descriptor);
  link.up = false;
  if (link.full) --full_;
  link.full = false;
}

}  // namespace estab::host
