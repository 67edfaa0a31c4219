// Host::forward: what a client sends to other hosts, in the hands of coroutines.

#include <array>
#include <optional>

#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab::host::test {
namespace {

constexpr Endpoint kFar{IpAddress::v4(198, 51, 100, 7), 80};

class Forwards : public testing::Test {
 protected:
  Forwards() {
    SocketLinks link = make_link(1500);
    const InterfaceId there = hosts.client.add_device(std::move(link[0]));
    EXPECT_TRUE(hosts.client.add_address(there, {kClientAddress, 24}));
    EXPECT_TRUE(hosts.client.add_default_route(there, Family::ipv4));
    interface = hosts.server.add_device(std::move(link[1]));
    EXPECT_TRUE(hosts.server.add_address(interface, {kServerAddress, 24}));
    forwarder = *hosts.server.forward(interface, {.tcp = true, .udp = true});
  }

  void dial() { hosts.client.spawn(keep(hosts.client, outcome)); }
  static Task<> keep(Host& client, std::optional<Result<TcpStream>>& outcome) {
    outcome = co_await client.connect(kFar);
  }
  void take() { hosts.server.spawn(keep_offer(forwarder, offer)); }
  static Task<> keep_offer(Forwarder& forwarder, std::optional<Result<Offer>>& offer) {
    offer = co_await forwarder.next();
  }

  Hosts hosts;
  InterfaceId interface;
  Forwarder forwarder;
  std::optional<Result<Offer>> offer;
  std::optional<Result<TcpStream>> outcome;
};

Task<> accept(Offer offer, std::optional<Result<TcpStream>>& stream) {
  stream = co_await std::move(offer).accept();
}

TEST_F(Forwards, AnOfferSaysWhoOpensToWhomAndIsAccepted) {
  dial();
  take();
  hosts.run_until([&] { return offer.has_value(); });
  ASSERT_TRUE(*offer);
  EXPECT_EQ((*offer)->destination(), kFar);
  EXPECT_EQ((*offer)->source().address, kClientAddress);
  EXPECT_EQ((*offer)->interface(), interface);
  EXPECT_TRUE((*offer)->is_waiting());
  EXPECT_FALSE(outcome);

  std::optional<Result<TcpStream>> stream;
  hosts.server.spawn(accept(std::move(**offer), stream));
  hosts.run_until([&] { return outcome && stream; });
  ASSERT_TRUE(*outcome);
  ASSERT_TRUE(*stream);
  EXPECT_EQ((*stream)->local_endpoint(), kFar);
  EXPECT_EQ((*outcome)->remote_endpoint(), kFar);
}

TEST_F(Forwards, AnOfferThatIsDroppedIsReset) {
  dial();
  take();
  hosts.run_until([&] { return offer.has_value(); });
  offer.reset();
  hosts.run_until([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->error(), Error::connection_refused);
}

TEST_F(Forwards, ClosingItResetsWhatNobodyHasTakenAndEndsTheWait) {
  dial();
  hosts.run_until([&] { return hosts.server.stack().census().held_syns == 1; });
  hosts.round();
  forwarder.close();
  hosts.run_until([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->error(), Error::connection_refused);

  forwarder = *hosts.server.forward(interface, {.tcp = true});
  take();
  hosts.round();
  forwarder.close();
  hosts.run_until([&] { return offer.has_value(); });
  EXPECT_EQ(offer->error(), Error::connection_aborted);
}

TEST_F(Forwards, AnInterfaceHasOne) {
  EXPECT_EQ(hosts.server.forward(interface, {.tcp = true}).error(), Error::address_in_use);
  forwarder.close();
  EXPECT_TRUE(hosts.server.forward(interface, {.tcp = true}));
  EXPECT_EQ(hosts.server.forward(InterfaceId{7, 0}, {.tcp = true}).error(), Error::no_such_id);
}

Task<> echo_one(Forwarder& forwarder, std::optional<Endpoint>& meant) {
  auto flow = co_await forwarder.next_flow();
  std::array<std::uint8_t, 100> buffer;
  const auto datagram = co_await flow->recv(buffer);
  meant = datagram->to;
  EXPECT_TRUE(flow->send(Octets(buffer).first(datagram->length), datagram->to));
}

TEST_F(Forwards, DatagramsAreAnsweredInTheNameOfTheHostTheyAreFor) {
  auto port = *hosts.client.bind_datagram({IpAddress::v4(0, 0, 0, 0), 0});
  const std::array<std::uint8_t, 3> question = {1, 2, 3};
  std::optional<Endpoint> meant;
  hosts.server.spawn(echo_one(forwarder, meant));
  EXPECT_TRUE(port.send_to(question, kFar));
  std::array<std::uint8_t, 100> buffer;
  Result<ReceivedDatagram> answer = std::unexpected(Error::would_block);
  hosts.run_until([&] {
    answer = hosts.client.stack().recv_datagram(port.id(), buffer);
    return answer.has_value();
  });
  EXPECT_EQ(meant, kFar);
  EXPECT_EQ(answer->from, kFar);
  EXPECT_EQ(answer->length, question.size());
}

}  // namespace
}  // namespace estab::host::test
