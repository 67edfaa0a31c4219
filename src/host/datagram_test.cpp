// UDP ports between two hosts in this process.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/datagram_socket.h"

#include "host/connected_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

TEST(DatagramSocket, SendsAndReceives) {
  Pair pair;
  DatagramSocket server = pair.server.bind_datagram({kServerAddress, 53}).value();
  DatagramSocket client = pair.client.bind_datagram({kClientAddress, 0}).value();
  std::string answer;
  auto answers = [&]() -> Task<> {
    std::array<std::uint8_t, 100> buffer;
    const auto got = (co_await server.recv_from(buffer)).value();
    EXPECT_EQ(as_text(Octets(buffer).first(got.length)), "question");
    EXPECT_TRUE(server.send_to(as_octets("answer"), got.from));
  };
  auto asks = [&]() -> Task<> {
    std::array<std::uint8_t, 100> buffer;
    EXPECT_TRUE(client.send_to(as_octets("question"), {kServerAddress, 53}));
    const auto got = (co_await client.recv_from(buffer)).value();
    EXPECT_EQ(got.from, (Endpoint{kServerAddress, 53}));
    answer = as_text(Octets(buffer).first(got.length));
  };
  pair.server.spawn(answers());
  pair.client.spawn(asks());
  pair.run();
  EXPECT_EQ(answer, "answer");
}

TEST(DatagramSocket, IsToldThatNobodyListens) {
  Pair pair;
  DatagramSocket client = pair.client.bind_datagram({kClientAddress, 0}).value();
  std::optional<Error> error;
  auto asks = [&]() -> Task<> {
    std::array<std::uint8_t, 100> buffer;
    EXPECT_TRUE(client.send_to(as_octets("anyone?"), {kServerAddress, 9}));
    error = (co_await client.recv_from(buffer)).error();
  };
  pair.client.spawn(asks());
  pair.run();
  EXPECT_EQ(error, Error::port_unreachable);
}

TEST(DatagramSocket, ClosingItEndsTheOneWhoWaits) {
  Pair pair;
  DatagramSocket socket = pair.client.bind_datagram({kClientAddress, 0}).value();
  std::optional<Error> error;
  auto waits = [&]() -> Task<> {
    std::array<std::uint8_t, 100> buffer;
    error = (co_await socket.recv_from(buffer)).error();
  };
  pair.client.spawn(waits());
  pair.round();
  socket.close();
  pair.run();
  EXPECT_EQ(error, Error::connection_aborted);
}

}  // namespace
}  // namespace estab
