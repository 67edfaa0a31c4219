#include "host/links.h"

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
  return interface.index < links_.size() && links_[interface.index].up;
}

void Links::on_ready(Instant now, std::uint32_t number, std::uint32_t events) {
  Link& link = links_[number];
  if (!link.up) return;
  if (events & EPOLLOUT) flush(number);
  if (!(events & ~std::uint32_t{EPOLLOUT})) return;
  const InterfaceId interface{static_cast<std::uint16_t>(number)};
  const std::size_t received = link.device->receive(now, stack_, interface, burst_);
  if (received > 0) return;
  if (events & (EPOLLERR | EPOLLHUP) || link.device->failure()) lose(link);
}

bool Links::poll_blind(Instant now) {
  if (blind_ == 0) return false;
  bool more = false;
  for (std::uint32_t number = 0; number < links_.size(); ++number) {
    Link& link = links_[number];
    if (!link.up || link.descriptor >= 0) continue;
    if (link.full) flush(number);
    const InterfaceId interface{static_cast<std::uint16_t>(number)};
    if (link.device->receive(now, stack_, interface, burst_) > 0) more = true;
  }
  return more;
}

void Links::transmit(Instant now) {
  while (full_ == 0 && stack_.poll_transmit(now, frame_)) {
    const std::uint32_t number = frame_.interface.index;
    if (!is_up(frame_.interface)) continue;  // an interface without a device, or a lost one
    Link& link = links_[number];
    link.device->transmit(now, frame_);
    if (!link.device->ready()) on_full(number);
  }
}

Duration Links::longest_sleep() const {
  return blind_ > 0 && full_ > 0 ? kBlindRetry : kForever;
}

void Links::on_full(std::uint32_t number) {
  Link& link = links_[number];
  link.full = true;
  ++full_;
  if (link.descriptor >= 0)
    poller_.watch(link.descriptor, EPOLLIN | EPOLLOUT, {PollTag::Kind::link, number});
}

void Links::flush(std::uint32_t number) {
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
