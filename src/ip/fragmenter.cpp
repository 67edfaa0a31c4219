#include "ip/fragmenter.h"

#include <algorithm>

namespace estab::ip {

// F(source, destination, secret) + counter[G(source, destination, secret)].
std::uint32_t FragmentIds::next(const IpAddress& source, const IpAddress& destination) {
  std::array<std::uint8_t, 32> pair;
  std::ranges::copy(destination.octets(), std::ranges::copy(source.octets(), pair.begin()).out);
  const std::uint64_t hash = base::siphash13(secret_, pair);
  std::uint32_t& counter = counters_[hash % counters_.size()];
  return static_cast<std::uint32_t>(hash >> 32) + counter++;
}

}  // namespace estab::ip
