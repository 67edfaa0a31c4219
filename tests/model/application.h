// Application: what the program on one side has done and seen. It knows every octet it may be
// given: each says whose it is, of which of the sender's streams, and where in it; so that one that
// comes twice, too early or from nowhere gives itself away.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "estab/stack.h"

#include "model/bounds.h"

namespace estab::base {
class Hasher;
}

namespace estab::model {

/// Streams one side can have in an exploration, one after the other.
inline constexpr std::size_t kMostStreams = 4;
inline constexpr std::uint8_t kMostOctets = 15;

/// The octet that stands at `index` (from 0) of the side's stream number `ordinal` (from 1).
constexpr std::uint8_t octet_at(Side side, std::size_t ordinal, std::size_t index) {
  return static_cast<std::uint8_t>(index_of(side) << 7 | ordinal << 4 | index);
}

struct StreamRecord {
  StreamId id{};
  SeqNum iss{}, irs{};  ///< irs: once it is open
  std::uint8_t sent = 0, read = 0;
  std::uint8_t peer_ordinal = 0;  ///< which of the peer's streams the octets read were of; 0: none
  bool passive = false;           ///< it came to a listener
  bool open = false;              ///< the handshake was completed
  bool shut = false;              ///< this direction was ended, by shutdown or close
  bool let_go = false;            ///< the handle was given back
  bool left = false;              ///< by the application's own will, before the peer's end was read
  bool aborted = false;           ///< and with RST: by abort, or by closing with octets unread
  bool ended = false;             ///< the peer's direction was read to its end
  bool closed = false;            ///< the stack told that nothing more will come
  std::optional<Error> failure{};
  void hash_into(base::Hasher& hasher) const;
};

struct Application {
  std::optional<ListenerId> listener{};
  bool has_listened = false;
  std::uint8_t opened = 0;  ///< how often it has connected
  std::uint8_t count = 0;   ///< streams so far
  std::array<StreamRecord, kMostStreams> streams{};

  StreamRecord* last() { return count == 0 ? nullptr : &streams[count - 1]; }
  const StreamRecord* last() const { return count == 0 ? nullptr : &streams[count - 1]; }
  /// The application still holds a handle.
  bool holds() const { return last() && !last()->let_go; }
  void hash_into(base::Hasher& hasher) const;
  /// With every initial sequence number counted from another place.
  Application moved(std::uint32_t by) const;
};

}  // namespace estab::model
