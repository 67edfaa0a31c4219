// Handles the stack gives out. A handle is a number, not a pointer: it stays valid across copies of
// the stack (it names the same thing in each copy), and one that has been released is recognised
// as stale by its generation instead of naming something else.
#pragma once

#include <compare>
#include <cstdint>

namespace estab {

template <class Tag>
struct Id {
  std::uint32_t index = 0xffffffff;
  std::uint32_t generation = 0;

  auto operator<=>(const Id&) const = default;
  /// False for a default-constructed handle, which names nothing.
  explicit operator bool() const { return index != 0xffffffff; }
};

using StreamId = Id<struct StreamTag>;      ///< one TCP connection, from connect or accept to close
using ListenerId = Id<struct ListenerTag>;  ///< one passive OPEN
using DatagramId = Id<struct DatagramTag>;  ///< one bound UDP port
using DatagramFlowId = Id<struct DatagramFlowTag>;  ///< a guest's UDP port (estab/forward.h)
using OfferId = Id<struct OfferTag>;  ///< one SYN for another host, until it is decided

using InterfaceId = Id<struct InterfaceTag>;  ///< one network interface

/// The zone of link-local addresses on that interface (RFC 4007 §5): its index and one, as 0 stands
/// for "not said". A zone is no handle: when an interface has been removed, another may get its
/// number.
constexpr std::uint16_t zone_of(InterfaceId interface) {
  return static_cast<std::uint16_t>(interface.index + 1);
}

}  // namespace estab
