// Connections that come and go by the thousand: nothing of them stays, and a stack that has nothing
// left to do names no deadline.
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "estab/memory_link.h"
#include "estab/stack.h"

namespace estab {
namespace {

using namespace std::chrono_literals;

constexpr IpAddress kClient = IpAddress::v4(10, 0, 0, 1), kServer = IpAddress::v4(10, 0, 0, 2);

InterfaceId join(Stack& stack, const IpAddress& address) {
  const InterfaceId interface = stack.add_interface({.name = "link"});
  EXPECT_TRUE(stack.add_address(interface, {address, 24}));
  return interface;
}

/// A client and a server on a link without delay.
struct Churn {
  Stack client, server;
  InterfaceId client_link = join(client, kClient), server_link = join(server, kServer);
  MemoryLink link;
  Instant now{1h};
  ListenerId listener;
  std::vector<StreamId> opened, accepted;

  explicit Churn(std::uint32_t backlog)
      : listener(server.listen({.local = {kServer, 80}, .backlog = backlog}).value()) {}

  void exchange() {
    while (link.pump(now, {client, client_link}, {server, server_link})) {
    }
    while (client.poll_event()) {
    }
    while (server.poll_event()) {
    }
  }

  void open(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      opened.push_back(client.connect(now, {.remote = {kServer, 80}}).value());
    exchange();
    while (const auto stream = server.accept(now, listener)) accepted.push_back(*stream);
    ASSERT_EQ(accepted.size(), count);
  }

  void say_hello() {
    const std::vector<std::uint8_t> hello(100);
    for (const StreamId stream : opened) ASSERT_EQ(client.send(now, stream, hello), 100u);
    exchange();
    for (const StreamId stream : accepted) ASSERT_EQ(server.readable(stream), 100u);
  }

  void reset_all() {
    for (const StreamId stream : opened) ASSERT_TRUE(client.abort(now, stream));
    exchange();
    // The server's end has what came before the reset to read still: it lets go of it.
    for (const StreamId stream : accepted) ASSERT_TRUE(server.close(now, stream));
    exchange();
    opened.clear();
    accepted.clear();
  }
};

constexpr Stack::Census kNothing{};

TEST(Churn, LeavesNoTimerNoStreamAndNoOctetOfAHundredThousandFlows) {
  constexpr std::size_t kAtOnce = 2000;
  Churn churn(kAtOnce);
  std::optional<std::size_t> client_memory, server_memory;
  for (std::size_t flows = 0; flows < 100'000; flows += kAtOnce) {
    churn.open(kAtOnce);
    churn.say_hello();
    ASSERT_EQ(churn.client.census().streams, kAtOnce);
    ASSERT_GE(churn.client.census().timers, kAtOnce);
    churn.reset_all();
    ASSERT_EQ(churn.client.census(), kNothing);
    ASSERT_EQ(churn.server.census(), (Stack::Census{.listeners = 1}));
    ASSERT_EQ(churn.client.next_deadline(), kNever);
    ASSERT_EQ(churn.server.next_deadline(), kNever);
    // What the first flows needed serves all that come after them.
    ASSERT_EQ(churn.client.memory(), client_memory.value_or(churn.client.memory()));
    ASSERT_EQ(churn.server.memory(), server_memory.value_or(churn.server.memory()));
    client_memory = churn.client.memory();
    server_memory = churn.server.memory();
    churn.now += 10ms;
  }
}

TEST(Churn, OpeningsThatAreAbortedNameNoDeadline) {
  Stack stack;
  join(stack, kClient);
  Instant now(1h);
  stack.handle_deadline(now);
  std::vector<StreamId> openings;
  for (int i = 0; i < 21; ++i)
    openings.push_back(stack.connect(now, {.remote = {kServer, 80}}).value());
  for (TransmitFrame syn; stack.poll_transmit(now, syn);) {
  }
  for (const StreamId opening : openings) {
    EXPECT_GT(stack.next_deadline(), now);
    ASSERT_TRUE(stack.abort(now, opening));
  }
  EXPECT_EQ(stack.next_deadline(), kNever);
  now += 24h;
  stack.handle_deadline(now);
  EXPECT_EQ(stack.next_deadline(), kNever);
}

}  // namespace
}  // namespace estab
