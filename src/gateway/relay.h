// Relay: carries the octets of one connection between a guest's stream and a socket of the
// kernel's.
//
// Law: what happens on one side happens on the other, and nothing else does. Octets go on in their
// order, and only as fast as they are taken: nothing is kept here, so a reader that is slow shuts
// the writer's window. A FIN becomes a FIN of that direction alone; a reset becomes a reset, behind
// all octets that came before it.
#pragma once

#include <cstdint>

#include "estab/host.h"
#include "estab/octets.h"
#include "estab/task.h"
#include "estab/tcp_stream.h"

#include "host/descriptor.h"

namespace estab::gateway {

/// How a connection, or one direction of it, came to its end.
enum class Ended : std::uint8_t {
  in_order,         ///< with FIN
  guest_failed,     ///< reset or timed out on the guest's side
  upstream_failed,  ///< on the other
};

/// Closes a socket so that its peer hears of a reset, not of an end.
void reset_socket(host::OwnedDescriptor& socket);

class Relay {
 public:
  /// `scratch` is used within a round of the loop only: all relays of a host may share it.
  Relay(Host& host, TcpStream guest, host::OwnedDescriptor upstream, MutableOctets scratch)
      : host_(host), guest_(std::move(guest)), upstream_(std::move(upstream)), scratch_(scratch) {}
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// Resets both sides of a connection that is not over.
  ~Relay();

  /// Until both directions are over; then nothing of the connection is left here.
  Task<Ended> run();
  std::uint64_t octets_up() const { return octets_up_; }
  std::uint64_t octets_down() const { return octets_down_; }

 private:
  Task<Ended> carry_up();
  Task<Ended> carry_down();
  /// Until a direction ends, in order, or all does.
  Task<Ended> until_one_ends();
  Task<> deliver_then_reset();
  Ended end_up(Ended how);
  Ended end_down(Ended how);

  Host& host_;
  TcpStream guest_;
  host::OwnedDescriptor upstream_;
  MutableOctets scratch_;
  bool up_ = true, down_ = true;  // directions that go on
  std::uint64_t octets_up_ = 0, octets_down_ = 0;
};

}  // namespace estab::gateway
