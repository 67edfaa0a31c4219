#include "ip/routes.h"

#include <algorithm>

#include "base/public_fields.h"
#include "ip/address_rules.h"

namespace estab::ip {
namespace {

Result<void> check_route(const Route& route) {
  if (route.interface == InterfaceId{}) return std::unexpected(Error::no_such_id);
  const Family family = route.destination.address.family();
  if (route.destination.prefix_length > address_bits(family)) {
    return std::unexpected(Error::invalid_argument);
  }
  if (!route.gateway) return {};
  if (route.gateway->family() != family || !is_single_host(*route.gateway)) {
    return std::unexpected(Error::invalid_argument);
  }
  return {};
}

}  // namespace

// [RFC 1122 3.3.1.2-5]
Result<void> RouteTable::add(const Route& route) {
  if (auto checked = check_route(route); !checked) return checked;
  const Entry entry = entry_of(route);
  auto& table = tables_[index_of(route.destination.address.family())];
  const auto known = [&](const Entry& other) { return other.is_same_route(entry); };
  if (std::ranges::any_of(table, known)) return {};
  // Behind every prefix that is as long or longer: among equals the first added stays first.
  const auto shorter =
      std::ranges::find_if(table, [&](const Entry& other) { return other.length < entry.length; });
  table.insert(shorter, entry);
  return {};
}

bool RouteTable::remove(const Route& route) {
  if (!check_route(route)) return false;
  const Entry gone = entry_of(route);
  auto& table = tables_[index_of(route.destination.address.family())];
  return std::erase_if(table, [&](const Entry& entry) { return entry.is_same_route(gone); }) > 0;
}

void RouteTable::remove_all(InterfaceId interface) {
  for (auto& table : tables_)
    std::erase_if(table, [&](const Entry& entry) { return entry.interface == interface; });
}

bool RouteTable::is_on_link(InterfaceId interface, const IpAddress& address) const {
  return std::ranges::any_of(tables_[index_of(address.family())], [&](const Entry& entry) {
    return entry.interface == interface && !entry.gateway &&
           masked(bits_of(address), entry.mask) == entry.prefix;
  });
}

// [RFC 1122 3.3.1.4-1, 3.3.1.4-5, 3.3.1.4-2, 3.3.1.4-3, 3.3.1.5-1]
bool RouteTable::advise_against(const Hop& hop, Instant until) {
  bool found = false;
  for (Entry& entry : tables_[index_of(hop.next_hop.family())]) {
    if (entry.interface != hop.interface || entry.gateway != hop.next_hop) continue;
    entry.suspect_until = until;
    found = true;
  }
  return found;
}

RouteTable::Entry RouteTable::entry_of(const Route& route) {
  Entry entry;
  entry.mask = mask_of(route.destination.address.family(), route.destination.prefix_length);
  entry.prefix = masked(bits_of(route.destination.address), entry.mask);
  entry.length = route.destination.prefix_length;
  entry.interface = route.interface;
  entry.gateway = route.gateway;
  return entry;
}

RouteTable::Bits RouteTable::mask_of(Family family, std::uint8_t length) {
  // An IPv4 address is the last 32 bits of its mapped form.
  const unsigned total = length + (128u - address_bits(family));
  const auto leading_ones = [](unsigned n) {
    return n == 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(n, 64u));
  };
  return {leading_ones(std::min(total, 64u)), leading_ones(total > 64 ? total - 64 : 0)};
}

void RouteTable::hash_into(base::Hasher& hasher) const {
  for (const auto& table : tables_) {
    hasher.add(table.size());
    for (const Entry& entry : table) {
      const auto& [prefix, mask, length, interface, gateway, suspect_until] = entry;
      hasher.add_all(prefix.high, prefix.low, mask.high, mask.low, length, interface, gateway,
                     suspect_until);
    }
  }
}

}  // namespace estab::ip
