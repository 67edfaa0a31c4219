// A guest, a gateway and servers of the kernel's on loopback: what happens on one side of a relay
// happens on the other, and nothing is left.

#include "gateway/gateway.h"

#include <cerrno>
#include <cstring>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "gateway/test_socket.h"
#include "host/test_pair.h"

namespace estab::gateway {
namespace {

using namespace std::chrono_literals;
using host::OwnedDescriptor;

using test::kFar, test::kLoopback, test::Socket;

/// Leads every host to this machine's loopback, port by port, as the test has it.
class LoopbackUpstream final : public Upstream {
 public:
  explicit LoopbackUpstream(Host& host) : host_(host) {}
  Task<std::expected<OwnedDescriptor, Refusal>> dial(Endpoint destination) override {
    while (hold_back) co_await host_.sleep(1ms);
    if (refusal) co_return std::unexpected(*refusal);
    const Endpoint target{
        kLoopback, ports.contains(destination.port) ? ports[destination.port] : destination.port};
    auto socket = co_await connect_socket(host_, target);
    if (!socket) co_return std::unexpected(refusal_of(socket.error()));
    if (small_buffers) {
      const int least = 1;
      setsockopt(socket->number(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    }
    co_return std::move(*socket);
  }
  std::expected<Endpoint, Refusal> route_datagram(const Endpoint& destination) override {
    if (refusal) return std::unexpected(*refusal);
    return Endpoint{kLoopback,
                    ports.contains(destination.port) ? ports[destination.port] : destination.port};
  }

  std::map<std::uint16_t, std::uint16_t> ports;
  std::optional<Refusal> refusal;
  bool hold_back = false;
  bool small_buffers = false;

 private:
  Host& host_;
};

class Gatewayed : public testing::Test {
 protected:
  static constexpr std::uint16_t kPort = 80;

  Gatewayed()
      : guest(host::test::test_options()),
        host(options()),
        shared_upstream(std::make_shared<LoopbackUpstream>(host)),
        upstream(*shared_upstream) {
    auto link = host::test::make_link(1500);
    const InterfaceId there = guest.add_device(std::move(link[0]));
    EXPECT_TRUE(guest.add_address(there, {IpAddress::v4(10, 0, 2, 100), 24}));
    EXPECT_TRUE(guest.add_default_route(there, Family::ipv4));
    interface = host.add_device(std::move(link[1]));
    EXPECT_TRUE(host.add_address(interface, {IpAddress::v4(10, 0, 2, 1), 24}));
    gateway.emplace(host, shared_upstream, *host.forward(interface, {.tcp = true, .udp = true}));
    upstream.ports[kPort] = server.port();
    upstream.ports[53] = datagram_server.port();
  }
  ~Gatewayed() override { client.close(); }
  static HostOptions options() {
    HostOptions options = host::test::test_options();
    options.stack.datagram_flow_timeout = 200ms;
    return options;
  }

  void round() {
    guest.run_once(Duration::zero());
    host.run_once(Duration::zero());
  }
  /// Rounds until `done()`; a test that hangs says so.
  template <class Done>
  [[nodiscard]] bool until(Done done) {
    const Instant end = guest.now() + 20s;
    bool is_done = done();
    for (; !is_done && guest.now() < end; is_done = done()) round();
    return is_done;
  }
  /// Runs a task of the guest's to its end.
  template <class T>
  T ask(Task<T> task) {
    std::optional<T> result;
    guest.spawn(keep(std::move(task), result));
    EXPECT_TRUE(until([&] { return result.has_value(); }));
    return std::move(*result);
  }
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }

  static Task<Result<TcpStream>> dial(Host& guest, Endpoint to, Duration limit = 5s) {
    co_return co_await guest.connect(to, limit);
  }
  static Task<Result<std::string>> read_all(TcpStream& stream) {
    std::string all;
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      const auto n = co_await stream.read(buffer);
      if (!n && n.error() == Error::end_of_stream) co_return all;
      if (!n) co_return std::unexpected(n.error());
      all.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
  }
  static Octets octets(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  /// A connection of the guest's to the server, which has accepted it.
  void open() {
    auto stream = ask(dial(guest, {kFar, kPort}));
    ASSERT_TRUE(stream) << message(stream.error());
    client = std::move(*stream);
    accept_at_server();
  }
  void accept_at_server() {
    ASSERT_TRUE(until([&] {
      accepted =
          OwnedDescriptor(accept4(server.descriptor.number(), nullptr, nullptr, SOCK_NONBLOCK));
      return accepted.number() >= 0;
    }));
  }
  void guest_sends(const std::string& text) {
    EXPECT_EQ(guest.stack().send(guest.now(), client.id(), octets(text)).value_or(0), text.size());
  }
  void server_sends(const std::string& text) {
    EXPECT_EQ(send(accepted.number(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// What comes to the server until it has so many octets or the end (`eof`) or an error.
  struct Received {
    std::string text;
    bool eof = false;
    int error = 0;
  };
  Received server_receives(std::size_t most = 1 << 20) {
    Received all;
    EXPECT_TRUE(until([&] {
      std::array<char, 4096> buffer;
      const ssize_t n = recv(accepted.number(), buffer.data(), buffer.size(), 0);
      if (n > 0) all.text.append(buffer.data(), static_cast<std::size_t>(n));
      all.eof = n == 0;
      if (n < 0 && errno != EAGAIN) all.error = errno;
      return all.eof || all.error != 0 || all.text.size() >= most;
    }));
    return all;
  }
  void reset_by_server() {
    const linger at_once{1, 0};
    setsockopt(accepted.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    accepted = {};
  }
  /// Nothing of any connection or flow is left in the gateway.
  void expect_nothing_left() {
    client.close();
    EXPECT_TRUE(until([&] {
      const auto census = host.stack().census();
      return census.streams == 0 && census.forwarded == 0 && census.time_wait == 0 &&
             gateway->counters().connections_now == 0;
    }));
    EXPECT_EQ(host.stack().census().held_syns, 0u);
    EXPECT_EQ(host.tasks(), 2u);  // that wait for the next
  }

  Socket server{SOCK_STREAM}, datagram_server{SOCK_DGRAM};
  Host guest;
  Host host;
  std::shared_ptr<LoopbackUpstream> shared_upstream;
  LoopbackUpstream& upstream;
  InterfaceId interface;
  std::optional<Gateway> gateway;
  TcpStream client;
  OwnedDescriptor accepted;
};

TEST_F(Gatewayed, OctetsGoBothWays) {
  open();
  guest_sends("question");
  EXPECT_EQ(server_receives(8).text, "question");
  server_sends("answer");
  accepted = {};
  const auto text = ask(read_all(client));
  EXPECT_EQ(text.value_or("failed"), "answer");
  EXPECT_EQ(client.remote_endpoint().value_or(Endpoint{}), (Endpoint{kFar, kPort}));
  expect_nothing_left();
  EXPECT_EQ(gateway->counters().octets_up, 8u);
  EXPECT_EQ(gateway->counters().octets_down, 6u);
}

TEST_F(Gatewayed, AServerThatSpeaksFirstIsHeard) {
  open();
  server_sends("220 ready");
  std::string text(9, ' ');
  ASSERT_TRUE(until([&] { return client.readable() == 9; }));
  expect_nothing_left();
}

TEST_F(Gatewayed, TheGuestsFinEndsItsDirectionAlone) {
  open();
  guest_sends("all");
  EXPECT_TRUE(client.shutdown());
  const Received got = server_receives();
  EXPECT_EQ(got.text, "all");
  EXPECT_TRUE(got.eof);
  server_sends("still here");
  ASSERT_TRUE(until([&] { return client.readable() == 10; }));
  EXPECT_EQ(client.state(), State::fin_wait_2);
  accepted = {};
  EXPECT_EQ(ask(read_all(client)).value_or("failed"), "still here");
  expect_nothing_left();
}

TEST_F(Gatewayed, TheServersFinEndsItsDirectionAlone) {
  open();
  server_sends("all");
  shutdown(accepted.number(), SHUT_WR);
  EXPECT_EQ(ask(read_all(client)).value_or("failed"), "all");
  EXPECT_EQ(client.state(), State::close_wait);
  guest_sends("still here");
  EXPECT_EQ(server_receives(10).text, "still here");
  EXPECT_TRUE(client.shutdown());
  EXPECT_TRUE(server_receives().eof);
  expect_nothing_left();
}

TEST_F(Gatewayed, TheGuestsResetIsTheServers) {
  open();
  client.abort();
  EXPECT_EQ(server_receives().error, ECONNRESET);
  expect_nothing_left();
  EXPECT_EQ(gateway->counters().guest_failed, 1u);
}

TEST_F(Gatewayed, AGuestThatIsGoneBeforeItsAnswerIsAResetToTheServer) {
  upstream.hold_back = true;
  const auto stream = ask(dial(guest, {kFar, kPort}, 20ms));
  EXPECT_EQ(stream.error(), Error::connect_timed_out);
  upstream.hold_back = false;
  accept_at_server();
  EXPECT_EQ(server_receives().error, ECONNRESET);
  expect_nothing_left();
  EXPECT_EQ(gateway->counters().given_up, 1u);
}

TEST_F(Gatewayed, TheServersResetIsTheGuests) {
  open();
  reset_by_server();
  const auto text = ask(read_all(client));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), Error::connection_reset);
  expect_nothing_left();
  EXPECT_EQ(gateway->counters().upstream_failed, 1u);
}

// A server that answers before it has read everything, and closes, resets behind its answer.
TEST_F(Gatewayed, WhatCameBeforeAResetIsDelivered) {
  open();
  guest_sends(std::string(5000, 'x'));
  server_sends(std::string(3000, 'y'));
  round();
  accepted = {};  // with octets unread: the kernel resets
  std::string got;
  std::optional<Error> end;
  ASSERT_TRUE(until([&] {
    std::array<std::uint8_t, 4096> buffer;
    const auto n = guest.stack().recv(guest.now(), client.id(), buffer);
    if (n) got.append(reinterpret_cast<const char*>(buffer.data()), *n);
    if (!n && n.error() != Error::would_block) end = n.error();
    return end.has_value();
  }));
  EXPECT_EQ(got, std::string(3000, 'y'));
  EXPECT_EQ(end, Error::connection_reset);
  expect_nothing_left();
}

TEST_F(Gatewayed, AResetIsPassedOnAfterAHalfClose) {
  open();
  EXPECT_TRUE(client.shutdown());
  EXPECT_TRUE(server_receives().eof);
  reset_by_server();
  EXPECT_EQ(ask(read_all(client)).error(), Error::connection_reset);
  expect_nothing_left();

  open();
  shutdown(accepted.number(), SHUT_WR);
  EXPECT_TRUE(ask(read_all(client)));
  client.abort();
  EXPECT_EQ(server_receives().error, ECONNRESET);
  expect_nothing_left();
}

TEST_F(Gatewayed, ARefusedConnectionIsRefused) {
  const auto stream = ask(dial(guest, {kFar, 1}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error(), Error::connection_refused);
  EXPECT_EQ(gateway->counters().refused, 1u);
  expect_nothing_left();
}

TEST_F(Gatewayed, WhatUpstreamDoesNotReachTheGuestDoesNot) {
  const std::pair<Refusal, Error> cases[] = {
      {Refusal::network_unreachable, Error::network_unreachable},
      {Refusal::host_unreachable, Error::host_unreachable},
      {Refusal::prohibited, Error::host_unreachable}};
  for (const auto& [refusal, error] : cases) {
    upstream.refusal = refusal;
    TcpConfig tcp;
    tcp.soft_errors_end_opening = true;
    const ConnectOptions to{.remote = {kFar, kPort}, .tcp = tcp};
    const auto dial_with = [](Host& from, ConnectOptions options) -> Task<Result<TcpStream>> {
      co_return co_await from.connect(options);
    };
    const auto stream = ask(dial_with(guest, to));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error(), error);
  }
  expect_nothing_left();
}

// The SYN is not answered before upstream has: the guest learns what became of its connection.
TEST_F(Gatewayed, TheGuestWaitsUntilUpstreamHasAnswered) {
  upstream.hold_back = true;
  std::optional<Result<TcpStream>> stream;
  guest.spawn(keep(dial(guest, {kFar, kPort}), stream));
  ASSERT_TRUE(until([&] { return host.stack().census().held_syns == 1; }));
  for (int i = 0; i < 20; ++i) round();
  EXPECT_FALSE(stream);
  upstream.hold_back = false;
  ASSERT_TRUE(until([&] { return stream.has_value(); }));
  EXPECT_TRUE(stream->has_value());
  accept_at_server();
  stream.reset();
  accepted = {};
  expect_nothing_left();
}

// Nobody reads: the server's octets fill the guest's window and then the server's own buffer, and
// nothing is kept between.
TEST_F(Gatewayed, ASlowReaderStopsTheWriter) {
  open();
  const std::string piece(1 << 16, 'z');
  std::uint64_t sent = 0;
  int idle = 0;
  while (idle < 200) {
    const ssize_t n = send(accepted.number(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::uint64_t>(n);
    idle = n > 0 ? 0 : idle + 1;
    round();
  }
  EXPECT_LE(host.stack().memory(), 6u << 20);
  shutdown(accepted.number(), SHUT_WR);
  const auto text = ask(read_all(client));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), sent);
  expect_nothing_left();
}

TEST_F(Gatewayed, ASlowServerStopsTheGuest) {
  upstream.small_buffers = true;
  open();
  const std::string piece(1 << 16, 'z');
  std::uint64_t sent = 0;
  int idle = 0;
  while (idle < 200) {
    const auto n = guest.stack().send(guest.now(), client.id(), octets(piece));
    if (n) sent += *n;
    idle = n ? 0 : idle + 1;
    round();
  }
  EXPECT_LE(host.stack().memory(), 6u << 20);
  EXPECT_TRUE(client.shutdown());
  const Received got = server_receives(std::size_t{1} << 30);
  EXPECT_TRUE(got.eof);
  EXPECT_EQ(got.text.size(), sent);
  accepted = {};
  expect_nothing_left();
}

TEST_F(Gatewayed, ManyConnectionsThatEndInEveryWayLeaveNothing) {
  for (int i = 0; i < 120; ++i) {
    open();
    if (testing::Test::HasFatalFailure()) return;
    if (i % 2 == 0) guest_sends("some");
    if (i % 3 == 0) server_sends("thing");
    switch (i % 6) {
      case 0:
        client.abort();
        break;
      case 1:
        reset_by_server();
        break;
      case 2:
        client.close();
        break;
      case 3:
        accepted = {};
        break;
      case 4:
        EXPECT_TRUE(client.shutdown());
        shutdown(accepted.number(), SHUT_WR);
        break;
      case 5:
        EXPECT_TRUE(client.shutdown());
        round();
        reset_by_server();
        break;
    }
    for (int r = 0; r < i % 4; ++r) round();
    client.close();
    accepted = {};
  }
  expect_nothing_left();
  EXPECT_EQ(gateway->counters().connections, 120u);
}

// ---- datagrams

TEST_F(Gatewayed, DatagramsGoBothWaysAndAFlowEndsWhenItIsSilent) {
  auto port = *guest.bind_datagram({IpAddress::v4(0, 0, 0, 0), 0});
  EXPECT_TRUE(port.send_to(octets("question"), {kFar, 53}));
  std::array<char, 100> buffer;
  SocketAddress from;
  ASSERT_TRUE(until([&] {
    return recvfrom(datagram_server.descriptor.number(), buffer.data(), buffer.size(), 0,
                    from.get(), &from.length) == 8;
  }));
  EXPECT_EQ(sendto(datagram_server.descriptor.number(), "answer", 6, 0, from.get(), from.length),
            6);
  std::array<std::uint8_t, 100> into;
  Result<ReceivedDatagram> got = std::unexpected(Error::would_block);
  ASSERT_TRUE(until([&] {
    got = guest.stack().recv_datagram(port.id(), into);
    return got.has_value();
  }));
  EXPECT_EQ(got->length, 6u);
  EXPECT_EQ(got->from, (Endpoint{kFar, 53}));
  EXPECT_EQ(gateway->counters().flows_now, 1u);
  ASSERT_TRUE(until([&] { return gateway->counters().flows_now == 0; }));
  EXPECT_EQ(host.stack().census().datagram_flows, 0u);
}

TEST_F(Gatewayed, AStrangersDatagramIsNotHandedOn) {
  auto port = *guest.bind_datagram({IpAddress::v4(0, 0, 0, 0), 0});
  EXPECT_TRUE(port.send_to(octets("question"), {kFar, 53}));
  std::array<char, 100> buffer;
  SocketAddress from;
  ASSERT_TRUE(until([&] {
    return recvfrom(datagram_server.descriptor.number(), buffer.data(), buffer.size(), 0,
                    from.get(), &from.length) == 8;
  }));
  const Socket stranger(SOCK_DGRAM);
  EXPECT_EQ(sendto(stranger.descriptor.number(), "hello", 5, 0, from.get(), from.length), 5);
  ASSERT_TRUE(until([&] { return gateway->counters().datagrams.unasked == 1; }));
  EXPECT_EQ(gateway->counters().datagrams.down, 0u);
}

TEST_F(Gatewayed, APortNobodyHasIsToldToTheGuest) {
  auto port = *guest.bind_datagram({IpAddress::v4(0, 0, 0, 0), 0});
  std::uint16_t nobody = 0;
  {
    const Socket gone(SOCK_DGRAM);
    nobody = gone.port();
  }
  upstream.ports[54] = nobody;
  EXPECT_TRUE(port.send_to(octets("anybody?"), {kFar, 54}));
  std::array<std::uint8_t, 100> into;
  std::optional<Error> told;
  ASSERT_TRUE(until([&] {
    const auto got = guest.stack().recv_datagram(port.id(), into);
    if (!got && got.error() != Error::would_block) told = got.error();
    return told.has_value();
  }));
  EXPECT_EQ(told, Error::port_unreachable);
}

// ---- where a guest may go

class Direct : public testing::Test {
 protected:
  Host host;
  static Endpoint at(const char* address) { return {*IpAddress::parse(address), 80}; }
};

TEST_F(Direct, LoopbackAndTheKernelsOwnAddressesAreProhibitedUnlessToldSo) {
  DirectUpstream closed(host, {});
  DirectUpstream open(host, {.host_loopback = true});
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_EQ(closed.route_datagram(at(address)), std::unexpected(Refusal::prohibited)) << address;
    EXPECT_EQ(open.route_datagram(at(address)), at(address)) << address;
  }
}

TEST_F(Direct, TheGuestsNetworkLeadsNowhereButToItsAliases) {
  const Alias name_server{{*IpAddress::parse("10.0.2.3"), 53}, {kLoopback, 5353}};
  DirectUpstream upstream(
      host, {.guest_networks = {*Cidr::parse("10.0.2.0/24")}, .aliases = {name_server}});
  EXPECT_EQ(upstream.route_datagram({*IpAddress::parse("10.0.2.3"), 53}),
            (Endpoint{kLoopback, 5353}));
  for (const char* address : {"10.0.2.2", "10.0.2.3", "10.0.2.77"})
    EXPECT_EQ(upstream.route_datagram(at(address)), std::unexpected(Refusal::host_unreachable));
}

TEST_F(Direct, BroadcastsAndGroupsLeadNowhere) {
  DirectUpstream upstream(host, {.host_loopback = true});
  for (const char* address : {"255.255.255.255", "127.255.255.255", "224.0.0.1"})
    EXPECT_FALSE(upstream.route_datagram(at(address))) << address;
}

TEST(Refusals, AreWhatTheKernelSays) {
  EXPECT_EQ(refusal_of(ECONNREFUSED), Refusal::reset);
  EXPECT_EQ(refusal_of(EHOSTUNREACH), Refusal::host_unreachable);
  EXPECT_EQ(refusal_of(ENETUNREACH), Refusal::network_unreachable);
  EXPECT_EQ(refusal_of(EACCES), Refusal::prohibited);
  EXPECT_EQ(refusal_of(ETIMEDOUT), Refusal::silence);
}

}  // namespace
}  // namespace estab::gateway
