// InterfaceTable: the stack's interfaces and the addresses it answers to. An address belongs to one
// interface but is accepted on any (the weak end-system model of RFC 1122 §3.3.4.2). Loopback
// addresses are none of them: they must not appear outside a host, and everything here came from or
// goes to a link (RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/stack.h"

#include "base/ensure.h"
#include "base/hasher.h"

namespace estab::ip {

class InterfaceTable {
 public:
  /// Every link carries datagrams of 68 octets (RFC 791 §3.2); smaller MTUs are raised to it.
  static constexpr std::uint16_t kMinimumMtu = 68;

  InterfaceId add(const InterfaceConfig& config);
  std::size_t size() const { return interfaces_.size(); }
  bool contains(InterfaceId id) const { return id.index < interfaces_.size(); }
  /// `id` must have come from add.
  const InterfaceConfig& config(InterfaceId id) const {
    base::ensure(contains(id));
    return interfaces_[id.index].config;
  }
  void set_mtu(InterfaceId id, std::uint16_t mtu);

  /// Error::no_such_id; Error::invalid_argument for a prefix longer than an address;
  /// Error::address_not_available if it names no single host (multicast, unspecified, loopback, a
  /// broadcast); Error::address_in_use if some interface has it.
  Result<void> add_address(InterfaceId id, const Cidr& address);
  std::span<const Cidr> addresses(InterfaceId id) const;

  /// One of this host's own addresses, whichever interface it belongs to.
  bool is_local(const IpAddress& address) const {
    if (local_.size() > kFew) return std::ranges::binary_search(local_, address);
    for (const IpAddress& own : local_)
      if (own == address) return true;
    return false;
  }
  bool has_address(InterfaceId id, const IpAddress& address) const;
  /// 255.255.255.255, or the directed broadcast of a prefix on that interface.
  bool is_broadcast(InterfaceId id, const IpAddress& address) const;
  /// Could a datagram that came over the link be from there? Not from a broadcast, multicast,
  /// loopback or zero address (RFC 1122 §3.2.1.3, MUST-63), nor from this host itself.
  bool is_valid_source(const IpAddress& address) const;

  /// The address to send from when the datagram leaves by `id` (RFC 6724 §5, of which the rules
  /// that apply to fixed addresses; RFC 1122 §3.3.4.3). Nothing if there is none of that family.
  std::optional<IpAddress> select_source(InterfaceId id, const IpAddress& destination) const;

  bool operator==(const InterfaceTable&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  /// Up to so many addresses a walk is faster than a search by halves.
  static constexpr std::size_t kFew = 4;

  struct Interface {
    InterfaceConfig config;
    std::vector<Cidr> addresses;  // in the order they were added
    friend bool operator==(const Interface&, const Interface&) = default;
  };

  bool is_any_broadcast(const IpAddress& address) const;

  std::vector<Interface> interfaces_;
  std::vector<IpAddress> local_;  // every address of every interface, sorted
};

}  // namespace estab::ip
