// For tests: sockets of the kernel's on loopback.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "gateway/socket_address.h"
#include "host/descriptor.h"

namespace estab::gateway::test {

/// A host that no test reaches.
inline constexpr IpAddress kFar = IpAddress::v4(198, 51, 100, 7);
inline constexpr IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);

/// One that is bound, and listens if it is of streams.
struct Socket {
  explicit Socket(int type) : descriptor(::socket(AF_INET, type | SOCK_NONBLOCK, 0)) {
    const SocketAddress any(Endpoint{kLoopback, 0});
    EXPECT_EQ(bind(descriptor.number(), any.get(), any.length), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(descriptor.number(), 16), 0);
    }
  }
  std::uint16_t port() const {
    SocketAddress own;
    getsockname(descriptor.number(), own.get(), &own.length);
    return own.endpoint().port;
  }
  host::OwnedDescriptor descriptor;
};

}  // namespace estab::gateway::test
