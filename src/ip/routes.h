// RouteTable: which interface, and which neighbour on it, leads to a destination. The law: the
// longest prefix that holds the destination wins; among equals, the one added first
// (RFC 1122 §3.3.1.2, RFC 1812 §5.2.4.3); but a gateway that seems dead gives way to any other that
// leads there, for a while (RFC 1122 §3.3.1.5). A host has few routes, so they stand in one array a
// family, longest prefix first, and the first that matches is the answer.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "estab/address.h"
#include "estab/error.h"
#include "estab/id.h"
#include "estab/stack.h"
#include "estab/time.h"

#include "base/byte_order.h"
#include "base/hasher.h"

namespace estab::ip {

/// Where a datagram goes next. On the link itself `next_hop` is the destination.
struct Hop {
  IpAddress next_hop;
  InterfaceId interface;
  friend bool operator==(const Hop&, const Hop&) = default;
};

class RouteTable {
 public:
  /// Host bits in the destination are ignored. The same route again changes nothing.
  /// Error::invalid_argument if the prefix is longer than an address, or the gateway is of the
  /// other family or no single host; Error::no_such_id if it names no interface.
  Result<void> add(const Route& route);
  /// False if there is no such route.
  bool remove(const Route& route);
  void remove_all(InterfaceId interface);
  /// Some route leads to `address` by that interface without a gateway: it is a neighbour there.
  bool is_on_link(InterfaceId interface, const IpAddress& address) const;
  /// The next add of a route that makes sense cannot fail for want of memory.
  void make_room() {
    for (auto& table : tables_) table.reserve(table.size() + 1);
  }
  /// By `only`, if that is given.
  // [RFC 1122 3.3.1.1-1, 3.3.1.1-2, 3.3.1.2-3, 3.3.1.2-4]
  std::optional<Hop> lookup(const IpAddress& destination, Instant now = Instant(),
                            std::optional<InterfaceId> only = std::nullopt) const {
    const Bits bits = bits_of(destination);
    const Entry* best = nullptr;
    for (const Entry& entry : tables_[index_of(destination.family())]) {
      if (masked(bits, entry.mask) != entry.prefix) continue;
      if (only && entry.interface != *only) continue;
      const bool suspect = entry.suspect_until > now;
      if (!best || !suspect) best = &entry;
      if (!suspect) break;
    }
    if (!best) return std::nullopt;
    return Hop{best->gateway ? *best->gateway : destination, best->interface};
  }
  /// Negative advice (RFC 9293 §3.8.3 (b), RFC 1122 §3.3.1.4): nothing seems to get through by this
  /// hop. Until then a route over another gateway is preferred, if one leads to the destination.
  /// False if the hop is no gateway's: a neighbour cannot be avoided.
  bool advise_against(const Hop& hop, Instant until);
  std::size_t size() const { return tables_[0].size() + tables_[1].size(); }

  bool operator==(const RouteTable&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  /// 128 bits as two numbers, so that a match is two ANDs and two comparisons.
  struct Bits {
    std::uint64_t high = 0, low = 0;
    friend bool operator==(const Bits&, const Bits&) = default;
  };
  struct Entry {
    Bits prefix, mask;
    std::uint8_t length = 0;  // within its family
    InterfaceId interface;
    std::optional<IpAddress> gateway;
    Instant suspect_until{};  // as advised
    bool is_same_route(const Entry& other) const {
      return prefix == other.prefix && length == other.length && interface == other.interface &&
             gateway == other.gateway;
    }
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  static Entry entry_of(const Route& route);
  static Bits bits_of(const IpAddress& address) {
    const std::uint8_t* octets = address.octets().data();
    return {base::load_be64(octets), base::load_be64(octets + 8)};
  }
  static Bits mask_of(Family family, std::uint8_t length);
  static Bits masked(const Bits& bits, const Bits& mask) {
    return {bits.high & mask.high, bits.low & mask.low};
  }
  static std::size_t index_of(Family family) { return static_cast<std::size_t>(family); }

  std::array<std::vector<Entry>, 2> tables_;  // by family, longest prefix first
};

}  // namespace estab::ip
