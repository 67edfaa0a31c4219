// Flow: one stream of the application, from connect or accept until it is let go: a Handshake that
// becomes a Connection, and the places it holds in the stack's queues.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/public_fields.h"
#include "stack/core.h"
#include "tcp/connection/connection.h"
#include "tcp/open/handshake.h"

namespace estab::stack {

struct Flow {
  /// Where it stands in the flow table, and the way to the peer.
  struct Place {
    std::uint32_t hash;
    const Path& path;
    Instant found_at;
    std::uint32_t version;
  };
  /// Makes the Handshake or Connection where it is to stay: it is too large to be moved.
  template <class Block, class... Args>
  Flow(std::in_place_type_t<Block> type, const Place& place, Args&&... args)
      : tcb(type, std::forward<Args>(args)...),
        path_found_at(place.found_at),
        path(place.path),
        hash(place.hash),
        path_version(place.version) {}

  std::variant<tcp::Handshake, tcp::Connection> tcb;
  Instant path_found_at;
  // [RFC 1122 3.3.1.3-1]
  Path path;
  bool indexed = false;    // in the flow table: segments find it
  bool in_output = false;  // in the queue of flows with something to send
  std::uint32_t hash;      // its place in the flow table
  std::uint32_t path_version;
  std::uint32_t timer = 0xffffffff;     // in the wheel
  std::uint32_t listener = 0xffffffff;  // whose queue it waits in, until accepted
  bool in_events = false;               // in the queue of flows with something to tell
  bool connected_due = false;           // the application is to be told that it opened
  bool learns_route = false;            // the peer's segments say which way back to take (MUST-53)
  bool forwarded = false;               // it was opened to another host (estab/forward.h)

  tcp::Connection* connection() { return std::get_if<tcp::Connection>(&tcb); }
  const tcp::Connection* connection() const { return std::get_if<tcp::Connection>(&tcb); }
  tcp::Handshake* handshake() { return std::get_if<tcp::Handshake>(&tcb); }
  const tcp::Handshake* handshake() const { return std::get_if<tcp::Handshake>(&tcb); }
  const FourTuple& tuple() const {
    return connection() ? connection()->tuple() : handshake()->tuple();
  }
  const TcpConfig& config() const {
    return connection() ? connection()->config() : handshake()->config();
  }
  bool wants_to_send() const {
    return connection() ? connection()->wants_to_send() : handshake()->wants_to_send();
  }
  /// The application has let go of it.
  bool released() const {
    return connection() ? connection()->released() : handshake()->released();
  }
  /// Why it ended before its time, if it did.
  std::optional<Error> failure() const {
    if (!connection()) return handshake()->failure();
    const auto& ending = connection()->ending();
    return ending ? ending->failure : std::nullopt;
  }
  State state() const { return connection() ? connection()->state() : handshake()->state(); }

 private:
  // Its places in tables and in the wheel follow from what it is; the way to the peer from the
  // routes.
  auto fields() const {
    const auto& [block, found_at, way, is_indexed, sends, place, version, handle, accepts, tells,
                 opened, learns, for_another] = *this;
    return base::fields(block, base::derived(found_at), base::derived(way), is_indexed, sends,
                        base::derived(place), base::derived(version), base::derived(handle),
                        accepts, tells, opened, learns, for_another);
  }

 public:
  friend bool operator==(const Flow& a, const Flow& b) { return a.fields() == b.fields(); }
  void hash_into(base::Hasher& hasher) const { hasher.add(fields()); }
};

}  // namespace estab::stack
