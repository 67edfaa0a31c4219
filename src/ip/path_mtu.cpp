#include "ip/path_mtu.h"

#include <algorithm>
#include <array>

#include "base/public_fields.h"

namespace estab::ip {
namespace {

/// RFC 1191, table 7-1.
constexpr std::array<std::uint16_t, 11> kPlateaus = {65535, 32000, 17914, 8166, 4352, 2002,
                                                     1492,  1006,  508,   296,  68};

}  // namespace

std::uint16_t next_plateau(std::uint16_t total_length, std::uint16_t header_length,
                           std::uint16_t estimate) {
  // [RFC 1191 5-3]
  if (total_length >= estimate && total_length > header_length) total_length -= header_length;
  // [RFC 1191 7-2]
  const auto* plateau =
      std::ranges::find_if(kPlateaus, [&](std::uint16_t value) { return value < total_length; });
  return plateau == kPlateaus.end() ? kPlateaus.back() : *plateau;
}

PathMtuCache::PathMtuCache(const PathMtuConfig& config)
    : limit_(config.entries),
      lifetime_(config.lifetime),
      floors_(config.floors),
      paths_(config.secret) {}

std::uint16_t PathMtuCache::known_mtu(Instant now, const IpAddress& destination,
                                      std::uint16_t link_mtu) const {
  const Path* path = paths_.find({destination});
  if (path == nullptr || is_stale(*path, now)) return link_mtu;
  return std::min(path->mtu, link_mtu);
}

// [RFC 1191 3-9, 3-10, 6.2-1, 6.2-2, 6.4-4, 6.4-5] [RFC 8201 4-3, 4-4]
bool PathMtuCache::lower(Instant now, const IpAddress& destination, std::uint32_t mtu,
                         std::uint16_t link_mtu) {
  const Family family = destination.family();
  const std::uint16_t floor = floor_of(family);
  if (mtu < floor) {
    if (family == Family::ipv6) return false;
    mtu = floor;
  }
  if (limit_ == 0 || mtu >= this->mtu(now, destination, link_mtu)) return false;

  const Destination key{destination};
  const Path path{static_cast<std::uint16_t>(mtu), now};
  if (Path* known = paths_.find(key)) {
    *known = path;
    paths_.touch(key);
    return true;
  }
  make_room(now);
  paths_.insert(key, path);
  return true;
}

std::uint16_t PathMtuCache::floor_of(Family family) const {
  return family == Family::ipv4 ? floors_.v4 : floors_.v6;
}

// [RFC 1191 2-1, 3-5, 3-6, 6.3-1, 6.3-2, 6.3-3, 6.3-5, 7.1-4]
bool PathMtuCache::is_stale(const Path& path, Instant now) const {
  return now - path.learned >= lifetime_;
}

void PathMtuCache::make_room(Instant now) {
  // At most a few at a time: nobody waits for a walk, and two out for one in empties it in the end.
  for (int i = 0; i < 2 && !paths_.empty() && is_stale(paths_.oldest(), now); ++i) {
    paths_.pop_oldest();
  }
  if (paths_.size() >= limit_) paths_.pop_oldest();
}

void PathMtuCache::hash_into(base::Hasher& hasher) const {
  const auto& [limit, lifetime, floors, paths] = *this;
  hasher.add_all(limit, lifetime, floors.v4, floors.v6, paths.size());
  paths.for_each([&](const Destination& destination, const Path& path) {
    const auto& [mtu, learned] = path;
    hasher.add_all(destination.address, mtu, learned);
  });
}

}  // namespace estab::ip
