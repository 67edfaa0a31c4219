// Source routes: the IPv4 option by which a sender names hops on the way (RFC 791 §3.1), and the
// answer's way back (RFC 1122 §3.2.1.8(c)).
#include <algorithm>

#include "base/byte_order.h"
#include "wire/ip.h"

namespace estab::wire {
namespace {

using base::load_be32;
using base::store_be32;

constexpr std::uint8_t kEnd = 0, kNop = 1, kLooseRoute = 131, kStrictRoute = 137;
constexpr std::size_t kRouteHead = 3;      // type, length, pointer
constexpr std::uint8_t kFirstPointer = 4;  // counted from 1

// The first source route option; empty if there is none before the list ends or breaks.
Octets find_source_route(Octets options) {
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kNop) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return {};
    const std::size_t length = options[1];
    if (length < 2 || length > options.size()) return {};
    if (options[0] == kLooseRoute || options[0] == kStrictRoute) return options.first(length);
    options = options.subspan(length);
  }
  return {};
}

// "This network", loopback, multicast and reserved addresses (RFC 1122 §3.2.1.3) are no hops: a
// reply must not be led there by who forged the option.
bool can_be_hop(const IpAddress& address) {
  const std::uint32_t network = address.v4_number() >> 24;
  return network != 0 && network != 127 && network < 224;
}

}  // namespace

// [RFC 1122 3.2.1.8-5, 3.2.1.8-8]
std::size_t emit_source_route(std::span<const IpAddress> route, const IpAddress& destination,
                              std::uint8_t* out, IpAddress& first_hop) {
  first_hop = destination;
  const auto is_v4 = [](const IpAddress& address) { return address.is_v4(); };
  if (route.empty() || route.size() > kMaxSourceRoute || !destination.is_v4() ||
      !std::all_of(route.begin(), route.end(), is_v4))
    return 0;
  // "(A): {>>G2, G3, ... Gn, D}": the first hop stands in the header and not in the option.
  first_hop = route.front();
  const std::size_t length = kRouteHead + route.size() * 4;
  out[0] = kLooseRoute;
  out[1] = static_cast<std::uint8_t>(length);
  out[2] = kFirstPointer;
  std::uint8_t* at = out + kRouteHead;
  for (const IpAddress& hop : route.subspan(1)) {
    store_be32(at, hop.v4_number());
    at += 4;
  }
  store_be32(at, destination.v4_number());
  out[length] = kEnd;
  return length + 1;
}

bool is_under_way(Octets v4_options) {
  const Octets option = find_source_route(v4_options);
  return option.size() >= kRouteHead && option[2] <= option.size();
}

std::optional<std::vector<IpAddress>> return_route(Octets v4_options, const IpAddress& source) {
  const Octets option = find_source_route(v4_options);
  if (option.size() < kRouteHead + 4 || (option.size() - kRouteHead) % 4 != 0) return std::nullopt;
  const bool completed = option[2] > option.size();
  if (!completed) return std::nullopt;
  std::vector<IpAddress> route;
  for (std::size_t end = option.size(); end > kRouteHead; end -= 4)
    route.push_back(IpAddress::v4(load_be32(option.data() + end - 4)));
  // [RFC 1122 3.2.1.8-7]
  // "even if the recorded route included the source host": {S, G1, ...Gn}, now in reverse.
  if (route.back() == source) route.pop_back();
  if (route.empty() || !std::all_of(route.begin(), route.end(), can_be_hop)) return std::nullopt;
  return route;
}

}  // namespace estab::wire
