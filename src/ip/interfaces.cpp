#include "ip/interfaces.h"

#include <algorithm>
#include <compare>
#include <span>
#include <utility>

#include "base/ensure.h"
#include "base/public_fields.h"
#include "ip/address_rules.h"

namespace estab::ip {
namespace {

/// Zeros in the whole host part were once a broadcast, and still name no host
/// (RFC 1122 §3.2.1.3, §3.3.6). /31 and /32 have no such address (RFC 3021).
bool is_network_itself(const Cidr& cidr) {
  if (!cidr.address.is_v4() || cidr.prefix_length > 30) return false;
  return cidr.address.v4_number() << cidr.prefix_length == 0;
}

// [RFC 1122 3.2.1.3-3, 3.2.1.3-4, 3.2.1.3-5, 3.2.1.3-6, 3.2.2.9-9]
Result<void> check_address(const Cidr& cidr) {
  if (cidr.prefix_length > address_bits(cidr.address.family())) {
    return std::unexpected(Error::invalid_argument);
  }
  if (!is_single_host(cidr.address) || cidr.is_broadcast(cidr.address) || is_network_itself(cidr)) {
    return std::unexpected(Error::address_not_available);
  }
  return {};
}

/// How well a source suits a destination: compared field by field, the greatest wins, and among
/// equals the one added first. The fields are the rules of RFC 6724 §5.
struct Fitness {
  bool same_address;        // rule 1
  std::uint8_t scope;       // rule 2
  bool outgoing_interface;  // rule 5
  unsigned common_prefix;   // rule 8
  auto operator<=>(const Fitness&) const = default;
};

/// Rule 2: of the scopes wide enough the narrowest, else the widest.
std::uint8_t scope_fitness(Scope source, Scope destination) {
  if (source == destination) return 2;
  return source > destination ? 1 : 0;
}

bool has_v6(std::span<const Cidr> addresses) {
  return std::ranges::any_of(addresses, [](const Cidr& own) { return !own.address.is_v4(); });
}

}  // namespace

// ---- interfaces

// [RFC 1122 3.1-3]
InterfaceId InterfaceTable::add(const InterfaceConfig& config, std::uint32_t most) {
  if (interfaces_.size() >= std::min(most, kMost)) return {};
  const InterfaceId id = id_of(interfaces_.emplace(Interface{config, {}}));
  InterfaceConfig& its = get(id)->config;
  its.mtu = std::max(its.mtu, kMinimumMtu);
  return id;
}

Result<void> InterfaceTable::remove(InterfaceId id) {
  const Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  for (const Cidr& own : interface->addresses) forget_local(own.address);
  paused_ -= interface->paused;
  interfaces_.erase(id.index);
  return {};
}

std::optional<InterfaceId> InterfaceTable::find(std::string_view name) const {
  std::optional<InterfaceId> found;
  interfaces_.for_each([&](std::uint32_t index, const Interface& interface) {
    if (!found && interface.config.name == name) found = id_of(index);
  });
  return found;
}

std::optional<InterfaceId> InterfaceTable::in_zone(std::uint16_t zone) const {
  if (zone == 0 || !interfaces_.holds(zone - 1u)) return std::nullopt;
  return id_of(zone - 1u);
}

Result<void> InterfaceTable::set_paused(InterfaceId id, bool on) {
  Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  paused_ += on;
  paused_ -= std::exchange(interface->paused, on);
  return {};
}

Result<void> InterfaceTable::set_mtu(InterfaceId id, std::uint16_t mtu) {
  Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  if (mtu < kMinimumMtuV6 && has_v6(interface->addresses))
    return std::unexpected(Error::mtu_too_small);
  interface->config.mtu = std::max(mtu, kMinimumMtu);
  return {};
}

Result<void> InterfaceTable::set_forwarding(InterfaceId id, const Forwarding& forwarding) {
  Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  interface->config.forwarding = forwarding;
  return {};
}

// ---- addresses

// [RFC 1122 3.2.1.3-8, 3.2.2.9-1]
Result<void> InterfaceTable::add_address(InterfaceId id, const Cidr& address) {
  Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  if (auto checked = check_address(address); !checked) return checked;
  const bool elsewhere = address.address.zone() != 0 && address.address.zone() != zone_of(id);
  if (elsewhere) return std::unexpected(Error::invalid_argument);
  if (!address.address.is_v4() && interface->config.mtu < kMinimumMtuV6)
    return std::unexpected(Error::mtu_too_small);
  const Cidr own{address.address.in_zone(zone_of(id)), address.prefix_length};
  if (is_local(own.address)) return std::unexpected(Error::address_in_use);
  interface->addresses.reserve(interface->addresses.size() + 1);  // both or neither
  local_.insert(std::ranges::upper_bound(local_, own.address), own.address);
  interface->addresses.push_back(own);
  return {};
}

Result<Cidr> InterfaceTable::remove_address(InterfaceId id, const IpAddress& address) {
  Interface* interface = get(id);
  if (!interface) return std::unexpected(Error::no_such_id);
  const IpAddress meant = address.zone() == 0 ? address.in_zone(zone_of(id)) : address;
  const auto own = std::ranges::find(interface->addresses, meant, &Cidr::address);
  if (own == interface->addresses.end()) return std::unexpected(Error::address_not_available);
  const Cidr removed = *own;
  interface->addresses.erase(own);
  forget_local(meant);
  return removed;
}

void InterfaceTable::forget_local(const IpAddress& address) {
  local_.erase(std::ranges::lower_bound(local_, address));
}

std::span<const Cidr> InterfaceTable::addresses(InterfaceId id) const {
  const Interface* interface = interfaces_.find(id.index, id.generation);
  if (!interface) return {};
  return interface->addresses;
}

Result<IpAddress> InterfaceTable::own(const IpAddress& address) const {
  if (is_local(address)) return address;
  if (!address.is_zoned() || address.zone() != 0)
    return std::unexpected(Error::address_not_available);
  // They stand together, in the order of their zones, where the one without a zone would stand.
  const auto first = std::ranges::lower_bound(local_, address);
  const auto is_meant = [&](auto at) {
    return at != local_.end() && at->octets() == address.octets();
  };
  if (!is_meant(first)) return std::unexpected(Error::address_not_available);
  if (is_meant(first + 1)) return std::unexpected(Error::invalid_argument);
  return *first;
}

bool InterfaceTable::has_address(InterfaceId id, const IpAddress& address) const {
  const auto own = addresses(id);
  return std::ranges::find(own, address, &Cidr::address) != own.end();
}

// [RFC 1122 3.3.6-1]
bool InterfaceTable::is_broadcast(InterfaceId id, const IpAddress& address) const {
  if (!address.is_v4()) return false;
  if (address.is_limited_broadcast()) return true;
  return std::ranges::any_of(addresses(id),
                             [&](const Cidr& own) { return own.is_broadcast(address); });
}

bool InterfaceTable::is_any_broadcast(const IpAddress& address) const {
  if (!address.is_v4()) return false;
  bool found = address.is_limited_broadcast();
  interfaces_.for_each([&](std::uint32_t, const Interface& interface) {
    for (const Cidr& own : interface.addresses) found |= own.is_broadcast(address);
  });
  return found;
}

// [RFC 1122 3.2.1.3-11]
bool InterfaceTable::is_valid_source(const IpAddress& address) const {
  return is_single_host(address) && !is_any_broadcast(address) && !is_local(address);
}

bool InterfaceTable::can_stand_in_for(const IpAddress& address) const {
  return is_valid_source(address) && !address.is_zoned() && !is_reserved_v4(address);
}

std::optional<IpAddress> InterfaceTable::select_source(InterfaceId id,
                                                       const IpAddress& destination) const {
  const Family family = destination.family();
  const Scope wanted = scope_of(destination);
  std::optional<IpAddress> best;
  Fitness best_fitness{};
  interfaces_.for_each([&](std::uint32_t index, const Interface& interface) {
    const bool outgoing = index == id.index;
    for (const Cidr& own : interface.addresses) {
      if (own.address.family() != family) continue;
      const Scope scope = scope_of(own.address);
      const bool same = own.address == destination;
      // A link-local address means nothing on another link (RFC 4291 §2.5.6).
      if (scope == Scope::link_local && !outgoing && !same) continue;
      const Fitness fitness{same, scope_fitness(scope, wanted), outgoing,
                            common_prefix_length(own.address, destination, own.prefix_length)};
      if (best && fitness <= best_fitness) continue;
      best = own.address;
      best_fitness = fitness;
    }
  });
  return best;
}

void InterfaceTable::hash_into(base::Hasher& hasher) const {
  const auto& [interfaces, paused_count, local] = *this;
  hasher.add(base::derived(paused_count));
  hasher.add(base::derived(local));
  interfaces.hash_into(hasher, [](auto& h, const Interface& interface) {
    const auto& [config, addresses, paused] = interface;
    h.add_all(config, addresses, paused);
  });
}

}  // namespace estab::ip
