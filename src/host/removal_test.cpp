// What becomes of a host's connections when an address, a route or a device goes away, by our own
// doing or because the device is gone.
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/blocking.h"

#include "host/connected_pair.h"
#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

/// Everything a coroutine can wait for while the link goes away.
struct Waiting {
  Result<std::size_t> read = std::unexpected(Error::would_block);
  Result<TcpStream> opened = std::unexpected(Error::would_block);
  Result<TcpStream> accepted = std::unexpected(Error::would_block);
  Result<ReceivedDatagram> datagram = std::unexpected(Error::would_block);

  Task<> reads(Host& host) {
    TcpStream stream = (co_await host.connect(kServer)).value();
    std::array<std::uint8_t, 10> buffer;
    read = co_await stream.read(buffer);
  }
  Task<> opens(Host& host) { opened = co_await host.connect(Endpoint{silent, 7}); }
  Task<> accepts(Host& host) {
    TcpListener listener = host.listen({.local = {kClientAddress, 0}}).value();
    accepted = co_await listener.accept();
  }
  Task<> receives(Host& host) {
    DatagramSocket socket = host.bind_datagram({kClientAddress, 0}).value();
    std::array<std::uint8_t, 10> buffer;
    datagram = co_await socket.recv_from(buffer);
  }

  IpAddress silent = IpAddress::v4(10, 0, 0, 77);

  void begin(VirtualPair& pair) {
    pair.server.spawn(hold(pair.server));
    pair.client.spawn(reads(pair.client));
    pair.client.spawn(opens(pair.client));
    pair.client.spawn(accepts(pair.client));
    pair.client.spawn(receives(pair.client));
    for (int i = 0; i < 10; ++i) pair.round();
    EXPECT_EQ(pair.client.tasks(), 4u);
  }
  static Task<> hold(Host& host) {
    TcpListener listener = host.listen(kServer.port).value();
    const auto stream = co_await listener.accept();
    co_await host.sleep(24h);
  }
  void expect_all(VirtualPair& pair, Error error) {
    pair.client.run_once(0ms);
    EXPECT_EQ(pair.client.tasks(), 0u);
    EXPECT_EQ(read.error(), error);
    EXPECT_EQ(opened.error(), error);
    EXPECT_EQ(accepted.error(), error);
    EXPECT_EQ(datagram.error(), error);
    EXPECT_EQ(pair.client.stack().census().streams, 0u);
  }
};

TEST(HostRemoval, OfAnAddressEndsWhatUsesIt) {
  VirtualPair pair;
  Waiting waiting;
  waiting.begin(pair);
  EXPECT_TRUE(pair.client.remove_address(pair.client_link, kClientAddress));
  waiting.expect_all(pair, Error::address_removed);
  EXPECT_TRUE(pair.client.is_up(pair.client_link));
  EXPECT_EQ(pair.client.remove_address(pair.client_link, kClientAddress).error(),
            Error::address_not_available);
}

TEST(HostRemoval, OfADeviceEndsWhatUsesItAndGivesItBack) {
  VirtualPair pair;
  Waiting waiting;
  waiting.begin(pair);
  auto device = pair.client.remove_device(pair.client_link);
  ASSERT_TRUE(device);
  waiting.expect_all(pair, Error::address_removed);
  EXPECT_FALSE(pair.client.is_up(pair.client_link));
  EXPECT_EQ(pair.client.remove_device(pair.client_link).error(), Error::no_such_id);
  EXPECT_THROW(pair.client.device(pair.client_link), std::out_of_range);

  // It works for another host.
  pair.client_link = pair.client.add_device(*std::move(device));
  EXPECT_TRUE(pair.client.add_address(pair.client_link, {kClientAddress, 24}));
  bool opened = false;
  auto opens = [&](Host& host) -> Task<> { opened = (co_await host.connect(kServer)).has_value(); };
  pair.client.spawn(opens(pair.client));
  pair.run_until([&] { return pair.client.tasks() == 0; });
  EXPECT_TRUE(opened);
}

TEST(HostRemoval, OfARouteIsALinkThatLosesEverythingUntilThereIsAnother) {
  VirtualPair pair;
  const Route route{{kServerAddress, 32}, pair.client_link};
  EXPECT_EQ(pair.client.remove_route(route).error(), Error::no_route);
  const Route prefix{{kClientAddress, 24}, pair.client_link};
  EXPECT_TRUE(pair.client.remove_route(prefix));
  EXPECT_EQ(block_on(pair.client.connect(kServer)).error(), Error::no_route);
  EXPECT_TRUE(pair.client.add_route(route));
  std::vector<std::uint8_t> got;
  auto sends = [](Host& host) -> Task<> {
    TcpStream stream = (co_await host.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(pattern(100)));
  };
  auto receives = [](Host& host, std::vector<std::uint8_t>& into) -> Task<> {
    TcpListener listener = host.listen(kServer.port).value();
    TcpStream stream = (co_await listener.accept()).value();
    into.resize(1000);
    into.resize((co_await stream.read(into)).value_or(0));
  };
  pair.server.spawn(receives(pair.server, got));
  pair.client.spawn(sends(pair.client));
  pair.run();
  EXPECT_EQ(got, pattern(100));
}

// ---- devices that are gone

TEST(LinkDown, EndsWhatUsesItAndTellsWhy) {
  VirtualPair pair;
  Waiting waiting;
  waiting.begin(pair);
  std::string why;
  auto watches = [&](Host& host) -> Task<> {
    const auto down = co_await host.link_down(pair.client_link);
    why = down ? down->what : "not told";
  };
  pair.client.spawn(watches(pair.client));
  pair.client.run_once(0ms);
  EXPECT_TRUE(pair.client.is_up(pair.client_link));
  pair.wire->cut = true;
  pair.client.run_once(0ms);
  waiting.expect_all(pair, Error::address_removed);
  EXPECT_EQ(why, "the wire was cut");
  EXPECT_FALSE(pair.client.is_up(pair.client_link));
  // Who asks later is told at once, and the device is still there to be asked, or taken.
  EXPECT_EQ(block_on(pair.client.link_down(pair.client_link))->what, "the wire was cut");
  EXPECT_TRUE(pair.client.device(pair.client_link).failure());
  EXPECT_TRUE(pair.client.remove_device(pair.client_link));
  EXPECT_EQ(block_on(pair.client.link_down(pair.client_link)).error(), Error::no_such_id);
}

TEST(LinkDown, IsNotAwaitedOfALinkThatIsNotThere) {
  VirtualPair pair;
  EXPECT_EQ(block_on(pair.client.link_down(InterfaceId{})).error(), Error::no_such_id);
  EXPECT_EQ(block_on(pair.client.link_down(InterfaceId{5})).error(), Error::no_such_id);
  Result<DeviceError> first = std::unexpected(Error::would_block);
  auto watches = [&](Host& host) -> Task<> { first = co_await host.link_down(pair.client_link); };
  pair.client.spawn(watches(pair.client));
  pair.client.run_once(0ms);
  EXPECT_EQ(block_on(pair.client.link_down(pair.client_link)).error(), Error::invalid_argument);
  EXPECT_TRUE(pair.client.remove_device(pair.client_link));
  pair.client.run_once(0ms);
  EXPECT_EQ(pair.client.tasks(), 0u);
  EXPECT_EQ(first.error(), Error::no_such_id);
}

TEST(LinkDown, IsSeenByADeviceThatAnotherOneFollows) {
  VirtualPair pair;
  const InterfaceId before = pair.client_link;
  pair.wire->cut = true;
  pair.client.run_once(0ms);
  const InterfaceId after =
      pair.client.add_device(std::make_unique<WireEnd>(std::make_shared<Wire>(), 0));
  EXPECT_EQ(after.index, before.index);
  EXPECT_FALSE(pair.client.is_up(before));
  EXPECT_TRUE(pair.client.is_up(after));
  EXPECT_EQ(block_on(pair.client.link_down(before)).error(), Error::no_such_id);
}

TEST(LinkDown, IsFoundOutInWriting) {
  VirtualPair pair(0);  // full with the first frame
  auto connects = [](Host& host, Error& error) -> Task<> {
    error = (co_await host.connect(kServer)).error();
  };
  Error error{};
  pair.client.spawn(connects(pair.client, error));
  pair.client.run_once(0ms);
  EXPECT_TRUE(pair.client.is_up(pair.client_link));
  pair.wire->cut = true;
  pair.client.run_once(0ms);
  pair.client.run_once(0ms);
  EXPECT_FALSE(pair.client.is_up(pair.client_link));
  EXPECT_EQ(error, Error::address_removed);
}

TEST(LinkDown, LeavesTheBlockingFaceAnAnswer) {
  auto link = make_link(1500);
  blocking::Host host(test_options());
  const InterfaceId interface = host.add_device(std::move(link[0]));
  EXPECT_TRUE(host.add_address(interface, {kClientAddress, 24}));
  EXPECT_EQ(host.link_down(interface, 1ms).error(), Error::timed_out);
  link[1].reset();
  const auto why = host.link_down(interface);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->kind, DeviceError::Kind::link_gone);
  EXPECT_NE(why->what.find("test"), std::string::npos) << why->what;
}

// ---- full devices

TEST(Links, AFullDeviceKeepsOnlyItsOwnFramesWaiting) {
  Hosts pair;
  auto full = std::make_shared<Wire>(0);
  auto link = make_link(1500);
  const InterfaceId stuck = pair.client.add_device(std::make_unique<WireEnd>(full, 0));
  EXPECT_TRUE(pair.client.add_address(stuck, {IpAddress::v4(10, 0, 1, 1), 24}));
  pair.join(pair.client, std::move(link[0]), kClientAddress);
  pair.join(pair.server, std::move(link[1]), kServerAddress);
  bool opened = false;
  auto connects = [&](Host& host) -> Task<> {
    opened = (co_await host.connect(Endpoint{IpAddress::v4(10, 0, 1, 2), 7})).has_value();
  };
  pair.client.spawn(connects(pair.client), TaskKind::background);
  pair.client.run_once(0ms);
  EXPECT_EQ(full->times_full, 1);

  std::string got;
  auto asks = [&](Host& host) -> Task<> {
    TcpStream stream = (co_await host.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(as_octets("over the other link")));
  };
  auto answers = [&](Host& host) -> Task<> {
    TcpListener listener = host.listen(kServer.port).value();
    TcpStream stream = (co_await listener.accept()).value();
    std::array<std::uint8_t, 100> buffer;
    while (const auto n = (co_await stream.read(buffer)).value_or(0))
      got += as_text(Octets(buffer).first(n));
  };
  pair.server.spawn(answers(pair.server));
  pair.client.spawn(asks(pair.client));
  pair.run_until([&] { return pair.server.tasks() == 0; });
  EXPECT_EQ(got, "over the other link");
  EXPECT_FALSE(opened);

  // Room again: what waited goes out.
  full->room = 10;
  pair.run_until([&] { return !full->queues[0].empty(); });
}

}  // namespace
}  // namespace estab
