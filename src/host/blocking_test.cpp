// The blocking face: a server of coroutines on a thread of its own, and blocking calls here.
#include "estab/blocking.h"

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using host::test::kClientAddress;
using host::test::kServer;
using host::test::kServerAddress;
using host::test::test_options;

Task<> echo(TcpStream stream) {
  std::array<std::uint8_t, 16384> buffer;
  while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
    if (!co_await stream.write_all({buffer.data(), n})) co_return;
}

Task<> serve(Host& host, TcpListener listener) {
  while (auto stream = co_await listener.accept()) host.spawn(echo(std::move(*stream)));
}

Task<> answer_datagrams(DatagramSocket socket) {
  std::array<std::uint8_t, 2048> buffer;
  while (const auto got = co_await socket.recv_from(buffer))
    EXPECT_TRUE(socket.send_to(Octets(buffer).first(got->length), got->from));
}

/// A host that echoes TCP and UDP on port 7, on its own thread, at the other end of a link.
class EchoThread {
 public:
  explicit EchoThread(std::unique_ptr<Device> device) : host_(test_options()) {
    host::test::Pair::join(host_, std::move(device), kServerAddress);
    host_.spawn(serve(host_, host_.listen(7).value()));
    host_.spawn(answer_datagrams(host_.bind_datagram(kServer).value()));
    thread_ = std::thread([this] { host_.run(); });
  }
  ~EchoThread() {
    host_.stop();
    thread_.join();
  }
  Host& host() { return host_; }

 private:
  Host host_;
  std::thread thread_;
};

struct Blocking : testing::Test {
  Blocking() : link(host::test::make_link(1500)), server(std::move(link[1])), client(options()) {
    const InterfaceId interface = client.add_device(std::move(link[0]));
    EXPECT_TRUE(client.add_address(interface, {kClientAddress, 24}));
  }
  static HostOptions options() {
    HostOptions options = test_options();
    options.linger = 200ms;
    return options;
  }

  host::test::SocketLinks link;
  EchoThread server;
  blocking::Host client;
};

std::string read_all(blocking::TcpStream& stream) {
  std::string all;
  std::array<std::uint8_t, 100> buffer;
  while (const std::size_t n = stream.read(buffer).value_or(0))
    all += as_text(Octets(buffer).first(n));
  return all;
}

TEST_F(Blocking, ConnectsWritesReadsAndCloses) {
  auto stream = client.connect(kServer);
  ASSERT_TRUE(stream) << name(stream.error());
  EXPECT_EQ(stream->remote_endpoint(), kServer);
  EXPECT_EQ(stream->state(), State::established);
  EXPECT_TRUE(stream->write_all(as_octets("over there")));
  EXPECT_TRUE(stream->shutdown());
  EXPECT_EQ(read_all(*stream), "over there");
  EXPECT_TRUE(stream->closed());
  stream->close();
  EXPECT_FALSE(*stream);
}

TEST_F(Blocking, ConnectsByOptionsAndByText) {
  EXPECT_TRUE(client.connect(ConnectOptions{.remote = kServer}));
  EXPECT_TRUE(client.connect("10.0.0.2:7"));
  EXPECT_EQ(client.connect("nowhere").error(), Error::invalid_argument);
}

TEST_F(Blocking, IsRefusedWhereNobodyListens) {
  EXPECT_EQ(client.connect(Endpoint{kServerAddress, 8}).error(), Error::connection_refused);
}

TEST_F(Blocking, PeeksInPlaceAndConsumes) {
  auto stream = client.connect(kServer).value();
  EXPECT_EQ(stream.write(as_octets("abc")), 3u);
  auto views = stream.peek();
  ASSERT_TRUE(views);
  ASSERT_FALSE(views->empty());
  EXPECT_EQ(as_text(views->front()), "abc");
  EXPECT_EQ(stream.readable(), 3u);
  EXPECT_TRUE(stream.consume(3));
  EXPECT_TRUE(stream.shutdown());
  EXPECT_EQ(stream.peek().error(), Error::end_of_stream);
}

TEST_F(Blocking, WritesOwnedOctets) {
  auto stream = client.connect(kServer).value();
  auto octets = std::make_shared<std::string>(50'000, 'o');
  EXPECT_TRUE(stream.write_owned(as_octets(*octets), octets));
  EXPECT_TRUE(stream.shutdown());
  EXPECT_EQ(read_all(stream), *octets);
}

TEST_F(Blocking, WritesMoreThanAnyBufferHoldsWhileACoroutineReads) {
  auto stream = client.host().block_on([](Host& host) -> Task<Result<TcpStream>> {
    co_return co_await host.connect(kServer);
  }(client.host()));
  ASSERT_TRUE(stream && *stream);
  std::size_t got = 0;
  auto reads = [](TcpStream& from, std::size_t& count) -> Task<> {
    std::vector<std::uint8_t> buffer(65536);
    while (const std::size_t n = (co_await from.read(buffer)).value_or(0)) count += n;
  };
  client.host().spawn(reads(**stream, got));
  const std::vector<std::uint8_t> much(8 << 20, 'm');
  EXPECT_TRUE(block_on((*stream)->write_all(much)));
  EXPECT_TRUE((*stream)->shutdown());
  client.host().run();
  EXPECT_EQ(got, much.size());
}

TEST_F(Blocking, GivesUpWhenTheLimitHasPassed) {
  auto stream = client.connect(kServer).value();
  std::array<std::uint8_t, 10> buffer;
  EXPECT_EQ(stream.read(buffer, 2ms).error(), Error::timed_out);
  EXPECT_EQ(stream.peek(0ms).error(), Error::timed_out);
  EXPECT_EQ(stream.closed(0ms).error(), Error::timed_out);
  EXPECT_EQ(stream.urgent_arrived(0ms).error(), Error::timed_out);
  EXPECT_TRUE(stream.write_all(as_octets("still well")));
  EXPECT_TRUE(stream.read(buffer));
}

TEST_F(Blocking, StopEndsTheCallThatWaits) {
  auto stream = client.connect(kServer).value();
  std::thread other([this] { client.stop(); });
  std::array<std::uint8_t, 10> buffer;
  EXPECT_EQ(stream.read(buffer).error(), Error::cancelled);
  other.join();
}

TEST_F(Blocking, AbortIsToldToThePeerAtOnce) {
  auto stream = client.connect(kServer).value();
  stream.abort();
  EXPECT_EQ(stream.write_all(as_octets("x")).error(), Error::no_such_id);
  EXPECT_TRUE(client.connect(kServer));
}

TEST_F(Blocking, AcceptsAConnection) {
  auto listener = client.listen(80);
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->local_endpoint()->port, 80);
  EXPECT_EQ(listener->accept(0ms).error(), Error::timed_out);
  server.host().post([&host = server.host()] {
    host.spawn([](Host& on) -> Task<> {
      TcpStream stream = (co_await on.connect(Endpoint{kClientAddress, 80})).value();
      EXPECT_TRUE(co_await stream.write_all(as_octets("hello")));
    }(host));
  });
  auto stream = listener->accept();
  ASSERT_TRUE(stream);
  EXPECT_EQ(read_all(*stream), "hello");
  listener->close();
  EXPECT_EQ(listener->accept().error(), Error::no_such_id);
}

TEST_F(Blocking, SendsAndReceivesDatagrams) {
  auto socket = client.bind_datagram({kClientAddress, 0});
  ASSERT_TRUE(socket);
  std::array<std::uint8_t, 10> buffer;
  EXPECT_EQ(socket->recv_from(buffer, 0ms).error(), Error::timed_out);
  EXPECT_TRUE(socket->send_to(as_octets("ping"), kServer));
  const auto got = socket->recv_from(buffer);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->from, kServer);
  EXPECT_EQ(as_text(Octets(buffer).first(got->length)), "ping");
}

TEST_F(Blocking, WaitsForTimeDescriptorsAndSignals) {
  const Instant before = client.host().now();
  client.sleep(2ms);
  EXPECT_GE(client.host().now() - before, 2ms);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const host::OwnedDescriptor out(ends[0]), in(ends[1]);
  EXPECT_EQ(client.readable(out.number(), 0ms).error(), Error::timed_out);
  EXPECT_TRUE(client.writable(in.number()));
  ASSERT_EQ(write(in.number(), "x", 1), 1);
  EXPECT_TRUE(client.readable(out.number()));
  EXPECT_EQ(client.signal(SIGUSR1, 0ms).error(), Error::timed_out);
  pthread_kill(pthread_self(), SIGUSR1);
  EXPECT_TRUE(client.signal(SIGUSR1));
}

TEST_F(Blocking, TheDestructorDeliversWhatIsLeft) {
  std::string got;
  std::atomic<bool> over = false;
  auto takes = [](Host& host, std::string& into, std::atomic<bool>& done) -> Task<> {
    TcpListener listener = host.listen(90).value();
    TcpStream stream = (co_await listener.accept()).value();
    std::array<std::uint8_t, 5000> buffer;
    while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
      into += as_text(Octets(buffer).first(n));
    done = true;
  };
  server.host().post([&] { server.host().spawn(takes(server.host(), got, over)); });
  const std::string sent(100'000, 'd');
  {
    blocking::Host leaving = std::move(client);
    Result<blocking::TcpStream> stream = leaving.connect(Endpoint{kServerAddress, 90});
    while (!stream) stream = leaving.connect(Endpoint{kServerAddress, 90});
    EXPECT_TRUE(stream->write_all(as_octets(sent)));
  }
  while (!over) std::this_thread::yield();
  EXPECT_EQ(got, sent);
}

}  // namespace
}  // namespace estab
