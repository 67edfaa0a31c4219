// ReturnRoute: the way back that a peer's source route left in its segments (RFC 9293 §3.9.2.1).
// Law: it is compared by its hops, and costs a pointer where there is none.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "estab/address.h"

namespace estab::tcp {

class ReturnRoute {
 public:
  ReturnRoute() = default;
  explicit ReturnRoute(std::vector<IpAddress> hops)
      : hops_(std::make_shared<const std::vector<IpAddress>>(std::move(hops))) {}

  bool empty() const { return !hops_ || hops_->empty(); }
  const std::vector<IpAddress>& hops() const {
    static const std::vector<IpAddress> none;
    return hops_ ? *hops_ : none;
  }
  friend bool operator==(const ReturnRoute& a, const ReturnRoute& b) {
    return a.hops() == b.hops();
  }
  void hash_into(auto& hasher) const { hasher.add(hops()); }

 private:
  std::shared_ptr<const std::vector<IpAddress>> hops_;  // never changed, so copies share it
};

/// Where a datagram goes first: to the first hop of a route, if one leads to the destination (only
/// IPv4 has them).
inline const IpAddress& first_hop(const std::vector<IpAddress>& route,
                                  const IpAddress& destination) {
  return route.empty() || !destination.is_v4() ? destination : route.front();
}

}  // namespace estab::tcp
