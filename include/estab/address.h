// IP addresses, endpoints and prefixes, as plain values. IPv4 addresses are held as IPv4-mapped
// IPv6 addresses (RFC 4291 §2.5.5.2), so that one 16-octet type serves both families; such an
// address never appears on the wire in its mapped form.
//
// An IPv6 address that means something on one link only carries the zone it is meant in
// (RFC 4007): the same fe80::1 in two zones is two addresses. The zone never appears on the wire.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "estab/octets.h"

namespace estab {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// Finds the number of a zone that is given by its name, the tun0 of `fe80::1%tun0`; nothing if no
/// zone has it. Made of any callable, which it refers to; by default it knows no names.
class ZoneLookup {
 public:
  constexpr ZoneLookup() = default;
  template <class F>
  constexpr ZoneLookup(const F& lookup)  // NOLINT(google-explicit-constructor)
      : lookup_(&lookup), call_([](const void* f, std::string_view name) {
          return std::optional<std::uint16_t>((*static_cast<const F*>(f))(name));
        }) {}
  std::optional<std::uint16_t> operator()(std::string_view name) const {
    return call_ ? call_(lookup_, name) : std::nullopt;
  }

 private:
  const void* lookup_ = nullptr;
  std::optional<std::uint16_t> (*call_)(const void*, std::string_view) = nullptr;
};

class IpAddress {
 public:
  /// The unspecified IPv6 address, `::`.
  constexpr IpAddress() = default;

  static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return IpAddress({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d});
  }
  static constexpr IpAddress v4(std::uint32_t host_order) {
    return v4(static_cast<std::uint8_t>(host_order >> 24),
              static_cast<std::uint8_t>(host_order >> 16),
              static_cast<std::uint8_t>(host_order >> 8), static_cast<std::uint8_t>(host_order));
  }
  static constexpr IpAddress v6(const std::array<std::uint8_t, 16>& octets) {
    return IpAddress(octets);
  }
  /// The unspecified address of a family: `0.0.0.0` or `::`.
  static constexpr IpAddress any(Family family) {
    return family == Family::ipv4 ? v4(0, 0, 0, 0) : IpAddress();
  }
  /// Reads `192.0.2.1`, `2001:db8::1` (RFC 4291 §2.2) or `fe80::1%2` (RFC 4007 §11): the zone is a
  /// number from 1 to 65535, or a name that `zones` knows. Nothing if the text is not an address,
  /// or has a zone and needs none.
  static std::optional<IpAddress> parse(std::string_view text, ZoneLookup zones = {});

  constexpr Family family() const { return is_v4() ? Family::ipv4 : Family::ipv6; }
  constexpr bool is_v4() const {
    constexpr auto kMapped =
        std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{0, 0, 255, 255});
    const auto words = std::bit_cast<std::array<std::uint32_t, 4>>(octets_);
    return (words[0] | words[1]) == 0 && words[2] == kMapped;
  }
  constexpr bool is_unspecified() const {
    return *this == any(Family::ipv4) || *this == any(Family::ipv6);
  }
  bool is_loopback() const;    ///< 127.0.0.0/8 or ::1
  bool is_multicast() const;   ///< 224.0.0.0/4 or ff00::/8
  bool is_link_local() const;  ///< 169.254.0.0/16 or fe80::/10
  /// An IPv6 address that is valid on one link only: link-local unicast, or multicast that stays
  /// on the interface or link (RFC 4007 §4). IPv4 has no zones.
  constexpr bool is_zoned() const {
    if (octets_[0] == 0xfe) return (octets_[1] & 0xc0) == 0x80;
    const int scope = octets_[1] & 0xf;  // of multicast (RFC 4291 §2.7)
    return octets_[0] == 0xff && (scope == 1 || scope == 2);
  }
  /// The number of the zone it is meant in (see zone_of in estab/id.h); 0: not said, or none
  /// needed.
  constexpr std::uint16_t zone() const { return zone_; }
  /// The same in another zone; unchanged if it is not zoned.
  constexpr IpAddress in_zone(std::uint16_t zone) const {
    IpAddress address = *this;
    if (is_zoned()) address.zone_ = zone;
    return address;
  }
  /// 255.255.255.255. Directed broadcasts need a prefix: see Cidr::is_broadcast.
  constexpr bool is_limited_broadcast() const { return *this == v4(255, 255, 255, 255); }

  /// All 16 octets, IPv4 in its mapped form; without the zone.
  constexpr const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  /// The octets as they stand on the wire: 4 or 16.
  Octets wire_octets() const { return is_v4() ? Octets(octets_).subspan(12) : Octets(octets_); }
  /// The IPv4 address as a number in host order. Only for IPv4.
  constexpr std::uint32_t v4_number() const {
    return std::uint32_t{octets_[12]} << 24 | std::uint32_t{octets_[13]} << 16 |
           std::uint32_t{octets_[14]} << 8 | octets_[15];
  }

  auto operator<=>(const IpAddress&) const = default;
  // As two words: this is asked several times for each frame.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    const auto x = std::bit_cast<std::array<std::uint64_t, 2>>(a.octets_);
    const auto y = std::bit_cast<std::array<std::uint64_t, 2>>(b.octets_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0 && a.zone_ == b.zone_;
  }

 private:
  explicit constexpr IpAddress(const std::array<std::uint8_t, 16>& octets) : octets_(octets) {}
  std::array<std::uint8_t, 16> octets_{};
  std::uint16_t zone_ = 0;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// Reads `192.0.2.1:80`, `[2001:db8::1]:80` or `[fe80::1%2]:80` (see IpAddress::parse).
  static std::optional<Endpoint> parse(std::string_view text, ZoneLookup zones = {});
  auto operator<=>(const Endpoint&) const = default;
};

/// An address with the length of its network prefix, as in `10.0.0.1/24`.
struct Cidr {
  IpAddress address;
  std::uint8_t prefix_length = 0;  ///< 0..32 or 0..128, by the family of `address`

  /// Reads `10.0.0.1/24`, `fd00::1/64` or `fe80::1%2/64` (see IpAddress::parse); without a length,
  /// 32 or 128.
  static std::optional<Cidr> parse(std::string_view text, ZoneLookup zones = {});
  /// Whatever the zones of the two.
  bool contains(const IpAddress& other) const;
  /// The network's directed broadcast (IPv4 prefixes up to /30 only).
  bool is_broadcast(const IpAddress& other) const;
  auto operator<=>(const Cidr&) const = default;
};

/// RFC 5952 form for IPv6; a zone is told by its number, as in `fe80::1%2`.
std::string to_string(const IpAddress& address);
std::string to_string(const Endpoint& endpoint);
std::string to_string(const Cidr& cidr);

}  // namespace estab
