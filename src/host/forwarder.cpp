#include "estab/forwarder.h"

#include "estab/host.h"

#include "host/loop.h"

namespace estab {

Result<StreamId> AcceptOfferOperation::open(Instant now) {
  return loop_->stack().accept(now, offer_, tcp_);
}

bool Offer::is_waiting() const {
  return loop_ && loop_->stack().is_waiting(event_.offer);
}

AcceptOfferOperation Offer::accept(std::optional<TcpConfig> tcp) && {
  return {std::exchange(loop_, nullptr), event_.offer, std::move(tcp)};
}

void Offer::reject(Refusal refusal) {
  if (loop_) loop_->reject(event_.offer, refusal);
  loop_ = nullptr;
}

bool NextOfferOperation::attempt(Instant) {
  host::ForwarderSlot* const slot = loop_->forwarders().find(interface_);
  if (!slot) {
    fail(Error::connection_aborted);
    return true;
  }
  // What the guest has given up meanwhile is no offer any more.
  while (!slot->offers.empty()) {
    Offer offer(*loop_, slot->offers.front());
    slot->offers.pop_front();
    if (!offer.is_waiting()) continue;
    result_ = std::move(offer);
    return true;
  }
  return false;
}

host::Wait** NextOfferOperation::place() {
  host::ForwarderSlot* const slot = loop_->forwarders().find(interface_);
  return slot ? &slot->waiter : nullptr;
}

NextOfferOperation Forwarder::next() {
  return {loop_, interface_};
}

bool NextFlowOperation::attempt(Instant) {
  host::ForwarderSlot* const slot = loop_->forwarders().find(interface_);
  if (!slot) {
    fail(Error::connection_aborted);
    return true;
  }
  if (slot->flows.empty()) return false;
  result_ = DatagramFlow(*loop_, slot->flows.front());
  slot->flows.pop_front();
  return true;
}

host::Wait** NextFlowOperation::place() {
  host::ForwarderSlot* const slot = loop_->forwarders().find(interface_);
  return slot ? &slot->flow_waiter : nullptr;
}

NextFlowOperation Forwarder::next_flow() {
  return {loop_, interface_};
}

bool ReceiveFlowOperation::attempt(Instant) {
  result_ = loop_->stack().recv_datagram(flow_, into_);
  return result_ || result_.error() != Error::would_block;
}

host::Wait** ReceiveFlowOperation::place() {
  host::DatagramFlowSlot* const slot = loop_->flows().enter(flow_);
  return slot ? &slot->receiver : nullptr;
}

ReceiveFlowOperation DatagramFlow::recv(MutableOctets into) {
  return {loop_, event_.flow, into};
}

Result<void> DatagramFlow::send(Octets octets, const Endpoint& from) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().send_datagram(loop_->now(), event_.flow, from, octets);
}

Result<void> DatagramFlow::reject(const Endpoint& destination, Refusal refusal) {
  if (!loop_) return std::unexpected(Error::no_such_id);
  return loop_->stack().reject(loop_->now(), event_.flow, destination, refusal);
}

void DatagramFlow::close() {
  if (loop_) loop_->close(event_.flow);
  loop_ = nullptr;
}

void Forwarder::close() {
  if (loop_) loop_->stop_forwarding(interface_);
  loop_ = nullptr;
  interface_ = {};
}

Result<Forwarder> Host::forward(InterfaceId interface, const Forwarding& forwarding) {
  if (auto begun = loop_->forward(interface, forwarding); !begun)
    return std::unexpected(begun.error());
  return Forwarder(*loop_, interface);
}

}  // namespace estab

namespace estab::host {

Result<void> Loop::forward(InterfaceId interface, const Forwarding& forwarding) {
  if (forwarders_.find(interface)) return std::unexpected(Error::address_in_use);
  if (auto set = stack_.set_forwarding(interface, forwarding); !set) return set;
  forwarders_.enter(interface);
  return {};
}

void Loop::stop_forwarding(InterfaceId interface) {
  static_cast<void>(stack_.set_forwarding(interface, {}));
  if (ForwarderSlot* const slot = forwarders_.find(interface)) {
    for (const OfferEvent& event : slot->offers) reject(event.offer, Refusal::reset);
    for (const DatagramFlowEvent& event : slot->flows) close(event.flow);
  }
  forwarders_.forget(interface);
}

void Loop::close(DatagramFlowId flow) {
  static_cast<void>(stack_.close(flow));
  flows_.release(flow);
}

// An offer that nobody takes is the stack's as long as the guest repeats it; here only those are
// kept that still wait.
void Loop::on_event(const OfferEvent& event) {
  ForwarderSlot* const slot = forwarders_.find(event.interface);
  if (!slot) return reject(event.offer, Refusal::reset);
  constexpr std::size_t kFewStale = 64;
  if (slot->offers.size() >= kFewStale + 2 * stack_.census().held_syns)
    std::erase_if(slot->offers,
                  [this](const OfferEvent& waiting) { return !stack_.is_waiting(waiting.offer); });
  slot->offers.push_back(event);
  wake_at(slot->waiter);
}

void Loop::on_event(const DatagramFlowEvent& event) {
  if (event.opened) {
    ForwarderSlot* const slot = forwarders_.find(event.interface);
    if (!slot) return close(event.flow);
    slot->flows.push_back(event);
    return wake_at(slot->flow_waiter);
  }
  if (DatagramFlowSlot* const slot = flows_.enter(event.flow)) wake_at(slot->receiver);
}

}  // namespace estab::host
