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

/// A network interface. Interfaces are few and never reused, so an index is enough.
struct InterfaceId {
  std::uint16_t index = 0xffff;
  auto operator<=>(const InterfaceId&) const = default;
};

}  // namespace estab
