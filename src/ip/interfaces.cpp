#include "ip/interfaces.h"

#include <algorithm>
#include <compare>

#include "base/ensure.h"
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

}  // namespace

// [RFC 1122 3.1-3]
InterfaceId InterfaceTable::add(const InterfaceConfig& config) {
  const InterfaceId id{static_cast<std::uint16_t>(interfaces_.size())};
  base::ensure(id != InterfaceId{});
  interfaces_.push_back({config, {}});
  set_mtu(id, config.mtu);
  return id;
}

void InterfaceTable::set_mtu(InterfaceId id, std::uint16_t mtu) {
  base::ensure(contains(id));
  interfaces_[id.index].config.mtu = std::max(mtu, kMinimumMtu);
}

// [RFC 1122 3.2.1.3-8, 3.2.2.9-1]
Result<void> InterfaceTable::add_address(InterfaceId id, const Cidr& address) {
  if (!contains(id)) return std::unexpected(Error::no_such_id);
  if (auto checked = check_address(address); !checked) return checked;
  if (is_local(address.address)) return std::unexpected(Error::address_in_use);
  std::vector<Cidr>& own = interfaces_[id.index].addresses;
  own.reserve(own.size() + 1);  // both or neither, if memory is short
  local_.insert(std::ranges::upper_bound(local_, address.address), address.address);
  own.push_back(address);
  return {};
}

std::span<const Cidr> InterfaceTable::addresses(InterfaceId id) const {
  if (!contains(id)) return {};
  return interfaces_[id.index].addresses;
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
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    if (is_broadcast(InterfaceId{static_cast<std::uint16_t>(i)}, address)) return true;
  }
  return false;
}

// [RFC 1122 3.2.1.3-11]
bool InterfaceTable::is_valid_source(const IpAddress& address) const {
  return is_single_host(address) && !is_any_broadcast(address) && !is_local(address);
}

std::optional<IpAddress> InterfaceTable::select_source(InterfaceId id,
                                                       const IpAddress& destination) const {
  const Family family = destination.family();
  const Scope wanted = scope_of(destination);
  std::optional<IpAddress> best;
  Fitness best_fitness{};
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    const bool outgoing = i == id.index;
    for (const Cidr& own : interfaces_[i].addresses) {
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
  }
  return best;
}

void InterfaceTable::hash_into(base::Hasher& hasher) const {
  hasher.add(interfaces_.size());
  for (const Interface& interface : interfaces_) {
    const InterfaceConfig& config = interface.config;
    hasher.add_all(as_octets(config.name), config.mtu, config.checksum_offload,
                   config.segmentation_v4, config.segmentation_v6, config.ignore_received_checksums,
                   interface.addresses.size());
    for (const Cidr& own : interface.addresses) hasher.add_all(own.address, own.prefix_length);
  }
}

}  // namespace estab::ip
