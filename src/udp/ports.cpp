#include "udp/ports.h"

#include <algorithm>
#include <utility>

#include "base/port_range.h"
#include "base/public_fields.h"

namespace estab::udp {
namespace {

/// Two bindings of one port that cannot both be: the same address, or two wildcards of which one
/// is `::` and so takes both families.
bool collide(const IpAddress& a, const IpAddress& b) {
  return a == b || (a.is_unspecified() && b.is_unspecified());
}

/// How closely a binding's address fits a destination; 0: not at all.
int specificity(const IpAddress& bound, const IpAddress& destination) {
  if (bound == destination) return 3;
  if (!bound.is_unspecified()) return 0;
  if (bound.is_v4()) return destination.is_v4() ? 2 : 0;
  return 1;
}

}  // namespace

Result<DatagramId> DatagramTable::bind(const Endpoint& local, base::Prng& prng,
                                       const DatagramConfig& config) {
  if (local.address.is_multicast() || local.address.is_limited_broadcast()) {
    return std::unexpected(Error::address_not_available);
  }
  if (bindings_.size() >= config_.ports) return std::unexpected(Error::limit_reached);
  Binding binding{.local = local, .config = config};
  if (local.port == 0) {
    const auto port = choose_port(prng);
    if (!port) return std::unexpected(port.error());
    binding.local.port = *port;
  } else if (is_taken(local)) {
    return std::unexpected(Error::address_in_use);
  }

  const std::uint16_t port = binding.local.port;
  const auto first = first_on_port(port);
  ports_.make_room();
  binding.next_on_port = first.value_or(kNone);
  const std::uint32_t index = bindings_.emplace(std::move(binding));
  if (first) {
    ports_.replace(port, *first, index);
  } else {
    ports_.insert(port, index);
  }
  return DatagramId{index, bindings_.generation(index)};
}

Result<void> DatagramTable::close(DatagramId id) {
  if (bindings_.find(id.index, id.generation) == nullptr) {
    return std::unexpected(Error::no_such_id);
  }
  if (!bindings_[id.index].ended) unlink(id.index);
  bindings_.erase(id.index);
  return {};
}

Result<void> DatagramTable::reconfigure(DatagramId id, const DatagramConfig& config) {
  Binding* binding = bindings_.find(id.index, id.generation);
  if (binding == nullptr) return std::unexpected(Error::no_such_id);
  binding->config = config;
  return {};
}

std::vector<DatagramId> DatagramTable::on_address_removed(const IpAddress& address) {
  std::vector<DatagramId> ended;
  bindings_.for_each([&](std::uint32_t index, Binding& binding) {
    if (binding.ended || binding.local.address != address) return;
    ended.push_back({index, bindings_.generation(index)});
    unlink(index);
    binding.ended = true;
  });
  return ended;
}

Result<Endpoint> DatagramTable::local_endpoint(DatagramId id) const {
  const Binding* binding = bindings_.find(id.index, id.generation);
  if (binding == nullptr) return std::unexpected(Error::no_such_id);
  return binding->local;
}

Result<DatagramTable::Sender> DatagramTable::sender(DatagramId id) const {
  const Binding* binding = bindings_.find(id.index, id.generation);
  if (binding == nullptr) return std::unexpected(Error::no_such_id);
  if (binding->ended) return std::unexpected(Error::address_removed);
  return Sender{binding->local, binding->config};
}

std::optional<DatagramId> DatagramTable::lookup(const Endpoint& destination) const {
  std::optional<DatagramId> best;
  int best_fit = 0;
  auto index = first_on_port(destination.port).value_or(kNone);
  for (; index != kNone; index = bindings_[index].next_on_port) {
    const int fit = specificity(bindings_[index].local.address, destination.address);
    if (fit <= best_fit) continue;
    best_fit = fit;
    best = DatagramId{index, bindings_.generation(index)};
  }
  return best;
}

Verdict DatagramTable::deliver(DatagramId id, const Endpoint& from, const Endpoint& to,
                               Octets payload) {
  Binding* binding = bindings_.find(id.index, id.generation);
  base::ensure(binding != nullptr);
  const std::size_t cost = payload.size() + kCostOfDatagram;
  if (cost > config_.queue || binding->queued > config_.queue - cost) return Verdict::queue_full;
  binding->queue.push_back({from, to, {payload.begin(), payload.end()}});
  binding->queued += static_cast<std::uint32_t>(cost);
  return Verdict::datagram;
}

void DatagramTable::report(DatagramId id, Error error) {
  Binding* binding = bindings_.find(id.index, id.generation);
  base::ensure(binding != nullptr);
  binding->failure = error;
}

Result<ReceivedDatagram> DatagramTable::receive(DatagramId id, MutableOctets into) {
  Binding* binding = bindings_.find(id.index, id.generation);
  if (binding == nullptr) return std::unexpected(Error::no_such_id);
  if (binding->failure) {
    return std::unexpected(*std::exchange(binding->failure, std::nullopt));
  }
  if (binding->queue.empty())
    return std::unexpected(binding->ended ? Error::address_removed : Error::would_block);

  const Waiting waiting = binding->queue.pop_front();
  binding->queue.shrink();
  const std::size_t length = waiting.payload.size();
  binding->queued -= static_cast<std::uint32_t>(length + kCostOfDatagram);
  std::copy_n(waiting.payload.begin(), std::min(length, into.size()), into.begin());
  return ReceivedDatagram{waiting.from, waiting.to, length};
}

bool DatagramTable::is_readable(DatagramId id) const {
  const Binding* binding = bindings_.find(id.index, id.generation);
  return binding != nullptr && (binding->failure || binding->ended || !binding->queue.empty());
}

std::optional<std::uint32_t> DatagramTable::first_on_port(std::uint16_t port) const {
  return ports_.find(port,
                     [&](std::uint32_t index) { return bindings_[index].local.port == port; });
}

bool DatagramTable::is_taken(const Endpoint& local) const {
  auto index = first_on_port(local.port).value_or(kNone);
  for (; index != kNone; index = bindings_[index].next_on_port) {
    if (collide(bindings_[index].local.address, local.address)) return true;
  }
  return false;
}

Result<std::uint16_t> DatagramTable::choose_port(base::Prng& prng) const {
  const base::PortRange ports(config_.port_min, config_.port_max);
  if (ports.size() == 0) return std::unexpected(Error::no_ports);
  const auto start = static_cast<std::uint32_t>(prng.below(ports.size()));
  for (std::uint32_t i = 0; i < ports.size(); ++i) {
    const std::uint16_t port = ports.at(start + i);
    if (!first_on_port(port)) return port;
  }
  return std::unexpected(Error::no_ports);
}

void DatagramTable::unlink(std::uint32_t index) {
  const Binding& binding = bindings_[index];
  const std::uint16_t port = binding.local.port;
  const std::uint32_t next = binding.next_on_port;
  std::uint32_t before = *first_on_port(port);
  if (before == index && next == kNone) {
    ports_.erase(port, index);
  } else if (before == index) {
    ports_.replace(port, index, next);
  } else {
    while (bindings_[before].next_on_port != index) before = bindings_[before].next_on_port;
    bindings_[before].next_on_port = next;
  }
}

std::size_t DatagramTable::memory() const {
  std::size_t octets = bindings_.memory() + ports_.memory();
  bindings_.for_each([&](std::uint32_t, const Binding& binding) {
    octets += binding.queue.memory();
    for (const Waiting& waiting : binding.queue) octets += waiting.payload.capacity();
  });
  return octets;
}

void DatagramTable::hash_into(base::Hasher& hasher) const {
  const auto& [table, bindings, ports] = *this;
  hasher.add(base::derived(ports));
  const auto& [most_ports, most_octets, port_min, port_max] = table;
  hasher.add_all(most_ports, most_octets, port_min, port_max);
  bindings.hash_into(hasher, [](auto& h, const Binding& binding) {
    const auto& [local, next_on_port, queued, config, ended, failure, queue] = binding;
    h.add_all(local, next_on_port, queued, config, ended, failure, queue.size());
    for (const Waiting& waiting : queue) {
      const auto& [from, to, payload] = waiting;
      h.add_all(from, to, payload);
    }
  });
}

}  // namespace estab::udp
