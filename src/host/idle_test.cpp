// A host that has nothing to do sleeps. What is counted is rounds of its loop, not time: one that
// finds nothing to do comes round again at once, and so without end.
#include <vector>

#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

constexpr int kClients = 64, kConnectionsEach = 40;

Task<> connect_and_close(Host& host) {
  std::array<std::uint8_t, 10> buffer;
  for (int i = 0; i < kConnectionsEach; ++i) {
    auto stream = co_await host.connect(kServer);
    if (!stream) {
      ADD_FAILURE() << name(stream.error());
      co_return;
    }
    EXPECT_TRUE(stream->shutdown());
    static_cast<void>(co_await stream->read(buffer));  // to the end of the stream
  }
}

Task<> accept_and_close(Host& host) {
  auto listener = host.listen(kServer.port).value();
  for (int i = 0; i < kClients * kConnectionsEach; ++i) {
    auto stream = co_await listener.accept();
    EXPECT_TRUE(stream);
  }
}

/// Rounds until the stack has no deadline left.
int rounds_until_idle(Host& host) {
  int rounds = 0;
  while (host.stack().next_deadline() != kNever && rounds < 10'000) {
    host.run_once();
    ++rounds;
  }
  return rounds;
}

// Each round but the last few is one that something was due in: a connection's last timer, the end
// of a TIME-WAIT. There are fewer of those than connections.
TEST(Host, SleepsAfterThousandsOfConnectionsHaveComeAndGone) {
  Pair pair;
  pair.server.spawn(accept_and_close(pair.server));
  pair.round();
  for (int i = 0; i < kClients; ++i) pair.client.spawn(connect_and_close(pair.client));
  pair.run();
  while (pair.client.stack().census().streams + pair.server.stack().census().streams > 0)
    pair.round();
  EXPECT_LT(rounds_until_idle(pair.client), kClients * kConnectionsEach);
  EXPECT_LT(rounds_until_idle(pair.server), kClients * kConnectionsEach);
  EXPECT_EQ(pair.client.stack().census().timers, 0u);
  EXPECT_EQ(pair.server.stack().census().timers, 0u);
}

}  // namespace
}  // namespace estab
