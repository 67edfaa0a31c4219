// The way out for a datagram that does not fit its path: where it is cut, and the number its
// fragments have in common (RFC 791 §3.2, RFC 8200 §4.5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "estab/address.h"

#include "base/hasher.h"
#include "base/siphash.h"

namespace estab::ip {

/// A run of a datagram's payload that goes in one fragment.
struct Cut {
  std::size_t length = 0;
  bool more = false;  ///< another fragment follows
  friend bool operator==(const Cut&, const Cut&) = default;
};

/// The next fragment of a payload of which `left` octets have not gone yet. `room` is what the path
/// leaves to a fragment beside its headers; at least 8. All but the last are multiples of 8 octets.
constexpr Cut next_cut(std::size_t left, std::size_t room) {
  if (left <= room) return {left, false};
  return {room / 8 * 8, true};
}

/// FragmentIds: no number that an outsider could guess, or from which he could count what goes to
/// others; none comes again soon for the same pair of addresses (RFC 7739 §5.3, RFC 6864 §4.3).
class FragmentIds {
 public:
  explicit FragmentIds(const base::SipKey& secret) : secret_(secret) {}

  std::uint32_t next(const IpAddress& source, const IpAddress& destination);

  bool operator==(const FragmentIds&) const = default;
  void hash_into(base::Hasher& hasher) const {
    const auto& [secret, counters] = *this;
    hasher.add_all(secret, counters);
  }

 private:
  base::SipKey secret_;
  std::array<std::uint32_t, 32> counters_{};
};

}  // namespace estab::ip
