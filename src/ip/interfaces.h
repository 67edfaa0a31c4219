// InterfaceTable: the stack's interfaces and the addresses it answers to. An address belongs to one
// interface but is accepted on any (the weak end-system model of RFC 1122 §3.3.4.2). Loopback
// addresses are none of them: they must not appear outside a host, and everything here came from or
// goes to a link (RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3).
//
// Law: a link-local IPv6 address stands here in the zone of its interface, and is accepted on that
// one only (RFC 4007 §9): the same fe80::1 may be an address of two interfaces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/stack.h"

#include "base/ensure.h"
#include "base/hasher.h"
#include "base/slab.h"

namespace estab::ip {

class InterfaceTable {
 public:
  /// Every link carries datagrams of 68 octets (RFC 791 §3.2); smaller MTUs are raised to it.
  static constexpr std::uint16_t kMinimumMtu = 68;
  /// RFC 8200 §5: a link that carries less carries no IPv6.
  static constexpr std::uint16_t kMinimumMtuV6 = 1280;
  /// Each has a zone, which is 16 bits, and 0 is none.
  static constexpr std::uint32_t kMost = 0xfffe;

  /// An id that names nothing if there are `most` interfaces already.
  InterfaceId add(const InterfaceConfig& config, std::uint32_t most = kMost);
  /// With its addresses. Error::no_such_id.
  Result<void> remove(InterfaceId id);
  std::size_t size() const { return interfaces_.size(); }
  bool contains(InterfaceId id) const { return find(id) != nullptr; }
  /// Null for an id that is stale or was never given out.
  const InterfaceConfig* find(InterfaceId id) const {
    const Interface* interface = interfaces_.find(id.index, id.generation);
    return interface ? &interface->config : nullptr;
  }
  std::optional<InterfaceId> find(std::string_view name) const;
  /// The interface whose link-local addresses are in this zone now.
  std::optional<InterfaceId> in_zone(std::uint16_t zone) const;
  /// `id` must name an interface.
  const InterfaceConfig& config(InterfaceId id) const {
    const InterfaceConfig* config = find(id);
    base::ensure(config != nullptr);
    return *config;
  }
  /// Whether it takes no frames for now. Error::no_such_id.
  Result<void> set_paused(InterfaceId id, bool on);
  bool any_paused() const { return paused_ > 0; }
  bool is_paused(InterfaceId id) const {
    if (paused_ == 0) return false;
    const Interface* interface = interfaces_.find(id.index, id.generation);
    return interface && interface->paused;
  }
  /// Error::no_such_id.
  Result<void> set_forwarding(InterfaceId id, const Forwarding& forwarding);
  /// Error::no_such_id; Error::mtu_too_small for IPv6 addresses it has.
  Result<void> set_mtu(InterfaceId id, std::uint16_t mtu);

  /// Error::no_such_id; Error::invalid_argument for a prefix longer than an address, or the zone of
  /// another interface; Error::mtu_too_small for IPv6 on a link that does not carry it;
  /// Error::address_not_available if it names no single host (multicast, unspecified, loopback, a
  /// broadcast); Error::address_in_use if some interface has it.
  Result<void> add_address(InterfaceId id, const Cidr& address);
  /// The address with its prefix as it stood here. Error::no_such_id;
  /// Error::address_not_available if that interface does not have it.
  Result<Cidr> remove_address(InterfaceId id, const IpAddress& address);
  std::span<const Cidr> addresses(InterfaceId id) const;

  /// One of this host's own addresses, whichever interface it belongs to. A zone must be right.
  bool is_local(const IpAddress& address) const {
    if (local_.size() > kFew) return std::ranges::binary_search(local_, address);
    for (const IpAddress& own : local_)
      if (own == address) return true;
    return false;
  }
  /// The own address that is meant: for a link-local one without a zone, the only one of the kind.
  /// Error::address_not_available if there is none, Error::invalid_argument if there are several.
  Result<IpAddress> own(const IpAddress& address) const;
  bool has_address(InterfaceId id, const IpAddress& address) const;
  /// 255.255.255.255, or the directed broadcast of a prefix on that interface.
  bool is_broadcast(InterfaceId id, const IpAddress& address) const;
  /// The same of any interface.
  bool is_any_broadcast(const IpAddress& address) const;
  /// Could a datagram that came over the link be from there? Not from a broadcast, multicast,
  /// loopback or zero address (RFC 1122 §3.2.1.3, MUST-63), nor from this host itself.
  bool is_valid_source(const IpAddress& address) const;

  /// Whether an address may be that of a host this one stands in for (estab/forward.h): a single
  /// one, elsewhere, and not bound to the link, over which nobody forwards (RFC 4291 §2.5.6).
  bool can_stand_in_for(const IpAddress& address) const;

  /// The address to send from when the datagram leaves by `id` (RFC 6724 §5, of which the rules
  /// that apply to fixed addresses; RFC 1122 §3.3.4.3). Nothing if there is none of that family.
  std::optional<IpAddress> select_source(InterfaceId id, const IpAddress& destination) const;

  bool operator==(const InterfaceTable&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  /// Up to so many addresses a walk is faster than a binary search.
  static constexpr std::size_t kFew = 4;

  struct Interface {
    InterfaceConfig config;
    std::vector<Cidr> addresses;  // in the order they were added
    bool paused = false;
    friend bool operator==(const Interface&, const Interface&) = default;
  };

  Interface* get(InterfaceId id) { return interfaces_.find(id.index, id.generation); }
  InterfaceId id_of(std::uint32_t index) const { return {index, interfaces_.generation(index)}; }
  void forget_local(const IpAddress& address);

  base::Slab<Interface> interfaces_;
  std::size_t paused_ = 0;        // interfaces that are
  std::vector<IpAddress> local_;  // every address of every interface, sorted
};

}  // namespace estab::ip
