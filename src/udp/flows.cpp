#include "udp/flows.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/public_fields.h"

namespace estab::udp {

std::optional<DatagramFlowId> FlowTable::find(const Source& source) const {
  const auto index = index_.find(
      source.hash, [&](std::uint32_t at) { return flows_[at].source == source.endpoint; });
  if (!index) return std::nullopt;
  return DatagramFlowId{*index, flows_.generation(*index)};
}

std::optional<DatagramFlowId> FlowTable::open(Instant now, const Source& source,
                                              InterfaceId interface) {
  const IpAddress& address = source.endpoint.address;
  if (flows_.size() >= limits_.flows ||
      sources_.of(source.address_hash, address) >= limits_.flows_per_source)
    return std::nullopt;
  index_.make_room();
  sources_.make_room();
  Flow flow{.source = source.endpoint, .interface = interface};
  flow.hash = source.hash;
  flow.address_hash = source.address_hash;
  flow.used_at = now;
  const std::uint32_t index = flows_.emplace(std::move(flow));
  index_.insert(source.hash, index);
  sources_.add(source.address_hash, address);
  link_newest(index);
  return DatagramFlowId{index, flows_.generation(index)};
}

Verdict FlowTable::deliver(Instant now, DatagramFlowId id, const Endpoint& to, Octets payload) {
  Flow* flow = get(id);
  base::ensure(flow != nullptr && !flow->ended);
  touch(id.index, now);
  const std::size_t cost = payload.size() + kCostOfDatagram;
  if (cost > limits_.queue || flow->queued > limits_.queue - cost) return Verdict::queue_full;
  queue_event(id.index);
  flow->queue.push_back({to, {payload.begin(), payload.end()}});
  flow->queued += static_cast<std::uint32_t>(cost);
  return Verdict::datagram;
}

Result<Endpoint> FlowTable::use(Instant now, DatagramFlowId id) {
  Flow* flow = get(id);
  if (!flow) return std::unexpected(Error::no_such_id);
  if (flow->ended) return std::unexpected(Error::timed_out);
  touch(id.index, now);
  return flow->source;
}

std::optional<InterfaceId> FlowTable::interface(DatagramFlowId id) const {
  const Flow* flow = flows_.find(id.index, id.generation);
  return flow ? std::optional(flow->interface) : std::nullopt;
}

Result<ReceivedDatagram> FlowTable::receive(DatagramFlowId id, MutableOctets into) {
  Flow* flow = get(id);
  if (!flow) return std::unexpected(Error::no_such_id);
  if (flow->queue.empty())
    return std::unexpected(flow->ended ? Error::timed_out : Error::would_block);
  if (flow->queue.size() > 1) queue_event(id.index);
  const Waiting waiting = flow->queue.pop_front();
  flow->queue.shrink();
  const std::size_t length = waiting.payload.size();
  flow->queued -= static_cast<std::uint32_t>(length + kCostOfDatagram);
  std::copy_n(waiting.payload.begin(), std::min(length, into.size()), into.begin());
  return ReceivedDatagram{flow->source, waiting.to, length};
}

Result<void> FlowTable::close(DatagramFlowId id) {
  Flow* flow = get(id);
  if (!flow) return std::unexpected(Error::no_such_id);
  if (!flow->ended) leave(id.index);
  if (flow->in_events) tellers_.remove(id.index);
  sources_.remove(flow->address_hash, flow->source.address);
  flows_.erase(id.index);
  return {};
}

// ---- age

void FlowTable::expire(Instant now) {
  while (next_deadline() <= now && oldest_ != kNone) end(oldest_);
}

Instant FlowTable::next_deadline() const {
  return oldest_ == kNone ? kNever : flows_[oldest_].used_at + limits_.timeout;
}

void FlowTable::on_interface_removed(std::uint16_t zone) {
  flows_.for_each([&](std::uint32_t index, const Flow& flow) {
    if (!flow.ended && zone_of(flow.interface) == zone) end(index);
  });
}

void FlowTable::end(std::uint32_t index) {
  queue_event(index);
  leave(index);
  flows_[index].ended = true;
}

void FlowTable::leave(std::uint32_t index) {
  index_.erase(flows_[index].hash, index);
  unlink(index);
}

void FlowTable::touch(std::uint32_t index, Instant now) {
  flows_[index].used_at = now;
  if (newest_ == index) return;
  unlink(index);
  link_newest(index);
}

void FlowTable::link_newest(std::uint32_t index) {
  Flow& flow = flows_[index];
  flow.older = newest_;
  flow.newer = kNone;
  if (newest_ != kNone) flows_[newest_].newer = index;
  newest_ = index;
  if (oldest_ == kNone) oldest_ = index;
}

void FlowTable::unlink(std::uint32_t index) {
  const Flow& flow = flows_[index];
  (flow.older == kNone ? oldest_ : flows_[flow.older].newer) = flow.newer;
  (flow.newer == kNone ? newest_ : flows_[flow.newer].older) = flow.older;
}

// ---- events

void FlowTable::queue_event(std::uint32_t index) {
  if (flows_[index].in_events) return;
  tellers_.push_back(index);
  flows_[index].in_events = true;
}

std::optional<DatagramFlowEvent> FlowTable::poll_event() {
  while (!tellers_.empty()) {
    const std::uint32_t index = tellers_.pop_front();
    Flow& flow = flows_[index];
    flow.in_events = false;
    if (flow.queue.empty() && !flow.ended) continue;  // received without being told
    return DatagramFlowEvent{{index, flows_.generation(index)},
                             flow.source,
                             flow.interface,
                             !std::exchange(flow.told, true),
                             flow.ended};
  }
  return std::nullopt;
}

// ---- the value

std::size_t FlowTable::memory() const {
  std::size_t octets = flows_.memory() + index_.memory() + tellers_.memory() + sources_.memory();
  flows_.for_each([&](std::uint32_t, const Flow& flow) {
    octets += flow.queue.memory();
    for (const Waiting& waiting : flow.queue) octets += waiting.payload.capacity();
  });
  return octets;
}

// The index, the counts and the ends of the list follow from the flows.
void FlowTable::hash_into(base::Hasher& hasher) const {
  const auto& [limits, flows, index, tellers, sources, oldest, newest] = *this;
  hasher.add(base::derived(index));
  hasher.add(base::derived(sources));
  const auto& [most, most_per_source, most_octets, timeout] = limits;
  hasher.add_all(most, most_per_source, most_octets, timeout, tellers, oldest, newest);
  flows.hash_into(hasher, [](auto& h, const Flow& flow) {
    const auto& [source, interface, hash, address_hash, older, newer, used_at, queued, told, ended,
                 in_events, queue] = flow;
    h.add(base::derived(hash));
    h.add(base::derived(address_hash));
    h.add_all(source, interface, older, newer, used_at, queued, told, ended, in_events,
              queue.size());
    for (const Waiting& waiting : queue) {
      const auto& [to, payload] = waiting;
      h.add_all(to, payload);
    }
  });
}

}  // namespace estab::udp
