// PathMtuCache: the largest datagram each destination is known to take (RFC 1191, RFC 8201). Law:
// what the network reports can only lower an estimate, never raise it, and never below a floor;
// after a while the estimate is forgotten and the link's MTU tried again. The oldest estimate gives
// way when the cache is full. Whether a report is to be believed at all is decided by the
// transport, which knows what it sent (RFC 5927 §4.1, §7.2).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "estab/address.h"
#include "estab/time.h"

#include "base/hasher.h"
#include "base/siphash.h"
#include "ip/aged_map.h"

namespace estab::ip {

/// No estimate goes below these.
struct PathMtuFloors {
  /// RFC 1191 §3 asks for 68 only, but a forged report must not make us send 8 octets a datagram
  /// (§8; RFC 5927 §7.3). Every path of today carries this much.
  std::uint16_t v4 = 552;
  std::uint16_t v6 = 1280;  ///< RFC 8201 §4
  friend bool operator==(const PathMtuFloors&, const PathMtuFloors&) = default;
};

struct PathMtuConfig {
  base::SipKey secret{};
  std::uint32_t entries = 4096;                  ///< StackLimits::path_mtu_entries
  Duration lifetime = std::chrono::minutes(10);  ///< StackConfig::path_mtu_lifetime
  PathMtuFloors floors{};
};

/// The MTU to try when a router older than RFC 1191 said only that a datagram of `total_length`
/// octets, IP header included, was too long: the greatest plateau below it (RFC 1191 §5, table
/// 7-1). Some of those routers added the header's length once more; if `total_length` is not below
/// the `estimate` then in force, it is taken off again.
std::uint16_t next_plateau(std::uint16_t total_length, std::uint16_t header_length,
                           std::uint16_t estimate);

class PathMtuCache {
 public:
  explicit PathMtuCache(const PathMtuConfig& config);

  /// The estimate, at most the MTU of the link that leads there.
  std::uint16_t mtu(Instant now, const IpAddress& destination, std::uint16_t link_mtu) const {
    return paths_.empty() ? link_mtu : known_mtu(now, destination, link_mtu);
  }

  /// A report that no more than `mtu` gets through. True if that lowers the estimate. One below
  /// the floor is ignored in IPv6 (RFC 8201 §4) and taken as the floor in IPv4.
  bool lower(Instant now, const IpAddress& destination, std::uint32_t mtu, std::uint16_t link_mtu);

  /// The link of that zone is gone.
  void forget_zone(std::uint16_t zone) {
    paths_.erase_if([&](const Destination& to, const Path&) { return to.address.zone() == zone; });
  }

  std::size_t size() const { return paths_.size(); }
  std::size_t memory() const { return paths_.memory(); }
  bool operator==(const PathMtuCache&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  struct Destination {
    IpAddress address;
    const std::array<std::uint8_t, 16>& key_octets() const { return address.octets(); }
    friend bool operator==(const Destination&, const Destination&) = default;
  };
  struct Path {
    std::uint16_t mtu = 0;
    Instant learned{};
    friend bool operator==(const Path&, const Path&) = default;
  };

  std::uint16_t known_mtu(Instant now, const IpAddress& destination, std::uint16_t link_mtu) const;
  std::uint16_t floor_of(Family family) const;
  bool is_stale(const Path& path, Instant now) const;
  void make_room(Instant now);

  std::uint32_t limit_;
  Duration lifetime_;
  PathMtuFloors floors_;
  AgedMap<Destination, Path> paths_;  // the age is the time since the last report
};

}  // namespace estab::ip
