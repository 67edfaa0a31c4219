// Socks5Upstream: reaches other hosts by a SOCKS5 proxy (RFC 1928), with name and password if it
// wants them (RFC 1929). Streams only.
//
// Law: each message goes whole and alone, after the answer to the last one, and the guest's octets
// go only when the whole reply has come: some proxies lose what follows sooner, and say success all
// the same. Nothing behind the reply is read here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/upstream.h"

namespace estab::gateway {

class Socks5Upstream final : public Upstream {
 public:
  struct Credentials {
    std::string name, password;  ///< 1 to 255 octets each
  };
  struct Options {
    Endpoint proxy;
    std::optional<Credentials> credentials{};
    /// The network the guests are in: nothing is sent there.
    std::vector<Cidr> guest_networks{};
    /// Shorter than a guest waits for the answer to its SYN: else it never hears why.
    Duration limit = std::chrono::seconds(120);
  };
  Socks5Upstream(Host& host, Options options) : host_(host), options_(std::move(options)) {}

  Task<std::expected<host::OwnedDescriptor, Refusal>> dial(Endpoint destination) override;
  std::expected<Endpoint, Refusal> route_datagram(const Endpoint& destination) override;

 private:
  Task<std::expected<host::OwnedDescriptor, Refusal>> negotiate(Endpoint destination);
  /// Whether the proxy takes us.
  Task<bool> introduce(int socket);
  /// A message, and an answer of so many octets.
  Task<bool> ask(int socket, Octets question, MutableOctets answer);

  Host& host_;
  Options options_;
};

/// What a guest is told of a reply that is no success (RFC 1928 §6).
Refusal refusal_of_reply(std::uint8_t reply);

}  // namespace estab::gateway
