// Upstream: how a gateway reaches the hosts that its guests mean. Law: what it gives is a
// connected, non-blocking stream socket of the kernel's, or the reason why there is none, as a
// guest is to be told.
#pragma once

#include <cstdint>
#include <expected>
#include <utility>
#include <vector>

#include "estab/address.h"
#include "estab/forward.h"
#include "estab/host.h"
#include "estab/task.h"

#include "host/descriptor.h"

namespace estab::gateway {

class Upstream {
 public:
  virtual ~Upstream() = default;
  /// A connection to `destination`.
  virtual Task<std::expected<host::OwnedDescriptor, Refusal>> dial(Endpoint destination) = 0;
  /// Where a socket of the kernel's is to send a datagram for `destination`.
  virtual std::expected<Endpoint, Refusal> route_datagram(const Endpoint& destination) = 0;
};

/// What a guest calls something that it could not name otherwise.
struct Alias {
  Endpoint meant;   ///< port 0: any
  Endpoint target;  ///< port 0: the same
};

/// To the hosts themselves, by the kernel's routes.
class DirectUpstream final : public Upstream {
 public:
  struct Options {
    /// The network the guests are in: nothing is sent there.
    std::vector<Cidr> guest_networks{};
    /// Looked at before anything else: what they lead to is allowed.
    std::vector<Alias> aliases{};
    /// Also loopback, link-local and the kernel's own addresses.
    bool host_loopback = false;
    /// An interface of the kernel's that leads back to the guests; 0: none.
    std::uint32_t own_interface = 0;
  };
  DirectUpstream(Host& host, Options options) : host_(host), options_(std::move(options)) {}

  Task<std::expected<host::OwnedDescriptor, Refusal>> dial(Endpoint destination) override;
  std::expected<Endpoint, Refusal> route_datagram(const Endpoint& destination) override;

 private:
  /// Where it leads, or why not there.
  std::expected<Endpoint, Refusal> resolve(const Endpoint& destination) const;

  Host& host_;
  Options options_;
};

/// What a guest is told when a connection attempt ended with this errno. A time-out stays one: the
/// guest waits as long as it wants to.
Refusal refusal_of(int number);

/// Connects a socket of the kernel's; gives errno if that fails.
Task<std::expected<host::OwnedDescriptor, int>> connect_socket(Host& host, Endpoint to);

}  // namespace estab::gateway
