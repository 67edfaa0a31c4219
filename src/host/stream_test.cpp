// Streams that open and carry data: two hosts in this process, joined by a socket pair.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/tcp_stream.h"

#include "host/connected_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

// ---- opening

TEST(TcpStream, OpensAConnectionOfWhichBothEndsKnowTheSame) {
  Connected pair;
  EXPECT_EQ(pair.ends.server.local_endpoint(), kServer);
  EXPECT_EQ(pair.ends.client.remote_endpoint(), kServer);
  EXPECT_EQ(pair.ends.client.local_endpoint(), pair.ends.server.remote_endpoint());
  EXPECT_EQ(pair.ends.client.local_endpoint()->address, kClientAddress);
  EXPECT_EQ(pair.ends.client.state(), State::established);
  EXPECT_EQ(pair.ends.client.info()->state, State::established);
}

TEST(TcpStream, ConnectsToAnAddressGivenAsText) {
  Pair pair;
  std::string got;
  auto run = [](Host& host, std::string& to) -> Task<> {
    auto stream = (co_await host.connect("10.0.0.2:7")).value();
    EXPECT_TRUE(co_await stream.write_all(as_octets("hello")));
    EXPECT_TRUE(stream.shutdown());
    to = co_await read_all(stream);
  };
  pair.server.spawn(serve_echo(pair.server, 1));
  pair.client.spawn(run(pair.client, got));
  pair.run();
  EXPECT_EQ(got, "hello");
}

TEST(TcpStream, ConnectsToNoName) {
  Pair pair;
  EXPECT_EQ(block_on(pair.client.connect("localhost:80")).error(), Error::invalid_argument);
  EXPECT_EQ(block_on(pair.client.connect("10.0.0.2")).error(), Error::invalid_argument);
}

Task<> connect_and_note(Host& host, std::optional<Error>& to, Duration limit) {
  const auto stream = co_await host.connect(kServer, limit);
  to = stream ? std::optional<Error>() : stream.error();
}

TEST(TcpStream, IsRefusedWhereNobodyListens) {
  Pair pair;
  std::optional<Error> error;
  pair.client.spawn(connect_and_note(pair.client, error, kForever));
  pair.run();
  EXPECT_EQ(error, Error::connection_refused);
  EXPECT_EQ(pair.client.stack().census().streams, 0u);
}

TEST(TcpStream, GivesAnOpeningUpWhenItsLimitHasPassed) {
  Host client(test_options());
  auto link = host::test::make_link(1500);
  Pair::join(client, std::move(link[0]), kClientAddress);
  std::optional<Error> error;
  client.spawn(connect_and_note(client, error, 5ms));
  client.run();
  EXPECT_EQ(error, Error::connect_timed_out);
  EXPECT_EQ(client.stack().census().streams, 0u);
}

TEST(TcpStream, DestroyingATaskThatConnectsAbortsTheOpening) {
  Host client(test_options());
  auto link = host::test::make_link(1500);
  Pair::join(client, std::move(link[0]), kClientAddress);
  std::optional<Error> error;
  {
    Task<> task = connect_and_note(client, error, kForever);
    host::resume(host::Waiter(task.frame().handle()));
    client.run_once(0ms);
    EXPECT_EQ(client.stack().census().streams, 1u);
  }
  EXPECT_EQ(client.stack().census().streams, 0u);
}

TEST(TcpListener, RefusesAPortThatIsTaken) {
  Pair pair;
  const auto first = pair.server.listen(7);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->local_endpoint()->port, 7);
  EXPECT_EQ(pair.server.listen(7).error(), Error::address_in_use);
}

TEST(TcpListener, ClosingItEndsAccept) {
  Pair pair;
  TcpListener listener = pair.server.listen(7).value();
  std::optional<Error> error, second;
  auto accepts = [&](std::optional<Error>& to) -> Task<> {
    to = (co_await listener.accept()).error();
  };
  pair.server.spawn(accepts(error));
  pair.server.spawn(accepts(second));
  pair.round();
  EXPECT_EQ(second, Error::invalid_argument);
  EXPECT_FALSE(error);
  listener.close();
  pair.run();
  EXPECT_EQ(error, Error::connection_aborted);
  EXPECT_EQ(block_on(listener.accept()).error(), Error::no_such_id);
}

template <class Options>
concept Connectable =
    requires(Host& host, Options options) { host.connect(std::forward<Options>(options)); };
static_assert(Connectable<const ConnectOptions&>);
static_assert(!Connectable<ConnectOptions>, "g++ 12 would destroy them twice");

TEST(TcpStream, ConnectsWithOptionsOfItsOwn) {
  Pair pair;
  bool done = false;
  const ConnectOptions options{
      .remote = kServer, .local_port = 5000, .tcp = TcpConfig{.send_buffer = 5000, .ttl = 9}};
  auto connects = [&]() -> Task<> {
    const auto stream = co_await pair.client.connect(options);
    EXPECT_EQ(stream.value().local_endpoint()->port, 5000);
    EXPECT_EQ(stream.value().writable(), 5000u);
    done = true;
  };
  pair.server.spawn(serve_echo(pair.server, 1));
  pair.client.spawn(connects());
  pair.run_until([&] { return pair.client.tasks() == 0; });
  EXPECT_TRUE(done);
}

TEST(TcpStream, AnIdleConnectionDoesNotKeepTheLoopTurning) {
  Connected pair;
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("x"))));
  pair.run_until([&] { return pair.ends.client.info()->unacked_bytes == 0; });
  int rounds = 0;
  auto sleeps = [](Host& host) -> Task<> { co_await host.sleep(100ms); };
  pair.client.spawn(sleeps(pair.client));
  for (; pair.client.tasks() > 0; ++rounds) pair.client.run_once();
  EXPECT_LE(rounds, 8);
}

// ---- data

TEST(TcpStream, CarriesSixtyFourMebibytesUnharmed) {
  Pair pair(test_options(), 9000);
  const std::vector<std::uint8_t> sent = pattern(64 << 20);
  std::vector<std::uint8_t> got;
  got.reserve(sent.size());
  auto sends = [&]() -> Task<> {
    TcpStream stream = (co_await pair.client.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(sent));
    EXPECT_TRUE(stream.shutdown());
    EXPECT_TRUE(co_await stream.closed());
  };
  auto receives = [&]() -> Task<> {
    auto listener = pair.server.listen(7).value();
    TcpStream stream = (co_await listener.accept()).value();
    for (;;) {
      const auto views = co_await stream.peek();
      if (!views || views->empty()) break;
      std::size_t length = 0;
      for (const Octets view : *views) {
        got.insert(got.end(), view.begin(), view.end());
        length += view.size();
      }
      EXPECT_TRUE(stream.consume(length));
    }
  };
  pair.server.spawn(receives());
  pair.client.spawn(sends());
  pair.run();
  EXPECT_EQ(got.size(), sent.size());
  EXPECT_TRUE(got == sent);
}

TEST(TcpStream, CarriesDataBothWaysAtOnce) {
  Connected pair;
  const auto to_server = pattern(3 << 20, 1), to_client = pattern(2 << 20, 2);
  auto sends = [](TcpStream& stream, Octets octets) -> Task<> {
    EXPECT_TRUE(co_await stream.write_all(octets));
    EXPECT_TRUE(stream.shutdown());
  };
  auto receives = [](TcpStream& stream, Octets expected) -> Task<> {
    std::vector<std::uint8_t> buffer(10'000);
    std::size_t offset = 0;
    while (const std::size_t n = (co_await stream.read(buffer)).value_or(0)) {
      EXPECT_TRUE(std::ranges::equal(Octets(buffer).first(n), expected.subspan(offset, n)));
      offset += n;
    }
    EXPECT_EQ(offset, expected.size());
  };
  pair.client.spawn(sends(pair.ends.client, to_server));
  pair.client.spawn(receives(pair.ends.client, to_client));
  pair.server.spawn(sends(pair.ends.server, to_client));
  pair.server.spawn(receives(pair.ends.server, to_server));
  pair.run();
}

TEST(TcpStream, SendsOwnedOctetsAndLetsGoOfThemWhenTheyAreAcknowledged) {
  Connected pair;
  auto octets = std::make_shared<std::vector<std::uint8_t>>(pattern(100'000));
  const std::weak_ptr<std::vector<std::uint8_t>> watch = octets;
  std::vector<std::uint8_t> got;
  auto sends = [](TcpStream& stream, std::shared_ptr<std::vector<std::uint8_t>> all) -> Task<> {
    const Octets view(*all);
    EXPECT_TRUE(co_await stream.write_owned(view, std::move(all)));
    EXPECT_TRUE(stream.shutdown());
    EXPECT_TRUE(co_await stream.closed());
  };
  auto receives = [&]() -> Task<> {
    got.resize(100'000);
    std::size_t length = 0;
    while (length < got.size()) {
      const auto n = co_await pair.ends.server.read(MutableOctets(got).subspan(length));
      if (!n || *n == 0) break;
      length += *n;
    }
    EXPECT_TRUE(pair.ends.server.shutdown());
  };
  pair.client.spawn(sends(pair.ends.client, std::move(octets)));
  pair.server.spawn(receives());
  pair.run();
  EXPECT_TRUE(got == pattern(100'000));
  EXPECT_TRUE(watch.expired());
}

TEST(TcpStream, WriteTakesWhatFitsAndThenWaits) {
  HostOptions options = test_options();
  options.stack.tcp.send_buffer = 10'000;
  options.stack.tcp.receive_buffer = 10'000;
  Connected pair(options);
  const auto much = pattern(100'000);
  std::size_t first = 0;
  bool second_done = false;
  auto writes = [&]() -> Task<> {
    first = (co_await pair.ends.client.write(much)).value_or(0);
    EXPECT_TRUE(co_await pair.ends.client.write_all(much));
    second_done = true;
  };
  pair.client.spawn(writes());
  for (int i = 0; i < 50; ++i) pair.round();
  EXPECT_GT(first, 0u);
  EXPECT_LE(first, 10'000u);
  EXPECT_FALSE(second_done);
  auto reads = [&]() -> Task<> {
    std::vector<std::uint8_t> buffer(4096);
    std::size_t length = 0;
    while (length < first + much.size())
      length += (co_await pair.ends.server.read(buffer)).value_or(much.size());
  };
  pair.server.spawn(reads());
  pair.run();
  EXPECT_TRUE(second_done);
}

TEST(TcpStream, NothingToReadOrWriteIsDoneAtOnce) {
  Connected pair;
  EXPECT_EQ(block_on(pair.ends.client.read({})), 0u);
  EXPECT_EQ(block_on(pair.ends.client.write({})), 0u);
  EXPECT_TRUE(block_on(pair.ends.client.write_all({})));
}

TEST(TcpStream, PeekedOctetsStayUntilTheyAreConsumed) {
  Connected pair;
  std::string first, second;
  auto peeks = [&]() -> Task<> {
    const auto views = (co_await pair.ends.server.peek()).value();
    first = as_text(views[0]);
    EXPECT_TRUE(pair.ends.server.consume(2));
    const auto rest = (co_await pair.ends.server.peek()).value();
    second = as_text(rest[0]);
  };
  pair.server.spawn(peeks());
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("abcdef"))));
  pair.run();
  EXPECT_EQ(first, "abcdef");
  EXPECT_EQ(second, "cdef");
}

TEST(TcpStream, OneReadsAndASecondIsRefused) {
  Connected pair;
  std::vector<std::string> log;
  std::array<std::uint8_t, 10> buffer;
  auto reads = [&](std::string who) -> Task<> {
    const auto got = co_await pair.ends.server.read(buffer);
    log.push_back(who + (got ? " read" : " " + std::string(name(got.error()))));
  };
  pair.server.spawn(reads("first"));
  pair.server.spawn(reads("second"));
  pair.round();
  EXPECT_EQ(log, std::vector<std::string>{"second invalid_argument"});
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("x"))));
  pair.run();
  EXPECT_EQ(log.back(), "first read");
}

TEST(TcpStream, GivesAReadUpWhenItsLimitHasPassedAndLosesNothing) {
  Connected pair;
  std::array<std::uint8_t, 10> buffer;
  std::vector<std::string> log;
  auto reads = [&]() -> Task<> {
    const auto none = co_await pair.ends.server.read(buffer).within(2ms);
    log.push_back(std::string(name(none.error())));
    const auto some = co_await pair.ends.server.read(buffer).within(kForever);
    log.push_back(std::to_string(some.value_or(0)));
  };
  pair.server.spawn(reads());
  pair.run_until([&] { return log.size() == 1; });
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("abc"))));
  pair.run();
  EXPECT_EQ(log, (std::vector<std::string>{"timed_out", "3"}));
}

TEST(TcpStream, ReadingIntoAnEmptyBufferIsNoEndOfTheStream) {
  Connected pair;
  std::array<std::uint8_t, 10> buffer;
  std::vector<Result<std::size_t>> got;
  auto reads = [&]() -> Task<> {
    got.push_back(co_await pair.ends.server.read({}));
    got.push_back(co_await pair.ends.server.read(buffer));
    got.push_back(co_await pair.ends.server.read({}));
    got.push_back(co_await pair.ends.server.read(buffer));
  };
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("abc"))));
  ASSERT_TRUE(pair.ends.client.shutdown());
  pair.server.spawn(reads());
  pair.run();
  EXPECT_EQ(got,
            (std::vector<Result<std::size_t>>{0, 3, 0, std::unexpected(Error::end_of_stream)}));
}

TEST(TcpStream, TheStackTellsTheEndOfAStreamAsTheStreamDoes) {
  Connected pair;
  ASSERT_TRUE(pair.ends.client.shutdown());
  Result<std::span<const Octets>> views{};
  auto peeks = [&]() -> Task<> { views = co_await pair.ends.server.peek(); };
  pair.server.spawn(peeks());
  pair.run();
  EXPECT_EQ(views.error(), Error::end_of_stream);
  std::array<std::uint8_t, 10> buffer;
  Stack& stack = pair.server.stack();
  const StreamId stream = pair.ends.server.id();
  EXPECT_EQ(stack.recv(pair.server.now(), stream, buffer).error(), Error::end_of_stream);
  EXPECT_EQ(stack.recv(pair.server.now(), stream, {}), 0u);
}

TEST(TcpStream, IsToldOfUrgentDataAndHowMuchIsLeft) {
  Connected pair;
  std::uint64_t left = 0;
  std::string got;
  auto listens = [&]() -> Task<> {
    const auto mark = co_await pair.ends.server.urgent_arrived();
    left = mark ? mark->octets_before_end : 0;
    got = co_await read_all(pair.ends.server);
    EXPECT_FALSE(pair.ends.server.urgent());
    EXPECT_EQ((co_await pair.ends.server.urgent_arrived()).error(), Error::end_of_stream);
  };
  auto speaks = [&]() -> Task<> {
    EXPECT_TRUE(co_await pair.ends.client.write_all(as_octets("stop!"), SendMode::urgent));
    while (left == 0) co_await pair.client.sleep(0ms);
    EXPECT_TRUE(co_await pair.ends.client.write_all(as_octets(" please")));
    EXPECT_TRUE(pair.ends.client.shutdown());
  };
  pair.server.spawn(listens());
  pair.client.spawn(speaks());
  pair.run();
  EXPECT_EQ(left, 5u);
  EXPECT_EQ(got, "stop! please");
}

TEST(TcpStream, SettingsReachTheStack) {
  Connected pair;
  TcpStream& stream = pair.ends.client;
  EXPECT_TRUE(stream.reconfigure([](TcpConfig& config) {
    config.nagle = false;
    config.send_buffer = 1000;
  }));
  EXPECT_FALSE(stream.settings()->nagle);
  EXPECT_EQ(TcpStream().reconfigure(TcpConfig{}).error(), Error::no_such_id);
  EXPECT_EQ(stream.writable(), 1000u);
  EXPECT_FALSE(stream.soft_error());
}

// A buffer that grows when it is asked has room though it is full, and asking sends nothing.
TEST(TcpStream, RoomIsFoundInABufferThatGrows) {
  Connected pair;
  TcpStream& stream = pair.ends.client;
  ASSERT_TRUE(stream.reconfigure(
      [](TcpConfig& config) { config.send_buffer = BufferSize::growing(4000, 100'000); }));
  const std::string text(4000, 'x');
  std::string got;
  auto sends = [&]() -> Task<> {
    EXPECT_EQ(co_await stream.write(as_octets(text)), 4000u);
    EXPECT_EQ(stream.writable(), 0u);
    EXPECT_TRUE(co_await stream.room());
    EXPECT_GT(stream.writable(), 0u);
    EXPECT_TRUE(stream.shutdown());
  };
  auto reads = [&]() -> Task<> { got = co_await read_all(pair.ends.server); };
  pair.client.spawn(sends());
  pair.server.spawn(reads());
  pair.run();
  EXPECT_EQ(got, text);
}

TEST(TcpStream, RoomIsToldOfWhenThePeerHasTakenSome) {
  Connected pair;
  TcpStream& stream = pair.ends.client;
  ASSERT_TRUE(stream.reconfigure([](TcpConfig& config) { config.send_buffer = 4000; }));
  const std::string text(4000, 'x');
  std::string got;
  auto sends = [&]() -> Task<> {
    EXPECT_TRUE(co_await stream.write_all(as_octets(text)));
    EXPECT_EQ(stream.writable(), 0u);
    EXPECT_TRUE(co_await stream.room());
    EXPECT_GT(stream.writable(), 0u);
    EXPECT_TRUE(stream.shutdown());
    EXPECT_EQ((co_await stream.room()).error(), Error::already_shut_down);
  };
  auto reads = [&]() -> Task<> { got = co_await read_all(pair.ends.server); };
  pair.client.spawn(sends());
  pair.server.spawn(reads());
  pair.run();
  EXPECT_EQ(got, text);
}

TEST(TcpStream, RunsOverIpv6) {
  Hosts pair;
  SocketLinks link = make_link(1500);
  const auto address = [](const char* text) { return IpAddress::parse(text).value(); };
  pair.join(pair.client, std::move(link[0]), address("fd00::1"));
  pair.join(pair.server, std::move(link[1]), address("fd00::2"));
  std::string got;
  auto asks = [&]() -> Task<> {
    auto stream = (co_await pair.client.connect("[fd00::2]:7")).value();
    EXPECT_TRUE(co_await stream.write_all(as_octets("six")));
    EXPECT_TRUE(stream.shutdown());
    got = co_await read_all(stream);
  };
  pair.server.spawn(serve_echo(pair.server, 1));
  pair.client.spawn(asks());
  pair.run();
  EXPECT_EQ(got, "six");
}

// ---- many

Task<> ask(Host& host, int number, int& answered) {
  TcpStream stream = (co_await host.connect(kServer)).value();
  const std::string question = "question " + std::to_string(number);
  EXPECT_TRUE(co_await stream.write_all(as_octets(question)));
  EXPECT_TRUE(stream.shutdown());
  EXPECT_EQ(co_await read_all(stream), question);
  ++answered;
}

TEST(TcpStream, AThousandConnectionsAtOnceOnOneThread) {
  HostOptions options = test_options();
  Pair pair(options);
  int answered = 0;
  pair.server.spawn(serve_echo(pair.server, 1000));
  pair.round();
  for (int i = 0; i < 1000; ++i) pair.client.spawn(ask(pair.client, i, answered));
  pair.run();
  EXPECT_EQ(answered, 1000);
  pair.run_until([&] {
    return pair.client.stack().census().streams == 0 && pair.server.stack().census().streams == 0;
  });
}

TEST(TcpStream, AThousandConnectionsOneAfterTheOther) {
  Pair pair;
  int answered = 0;
  auto asks = [&]() -> Task<> {
    for (int i = 0; i < 1000; ++i) co_await ask(pair.client, i, answered);
  };
  pair.server.spawn(serve_echo(pair.server, 1000));
  pair.client.spawn(asks());
  pair.run();
  EXPECT_EQ(answered, 1000);
}

}  // namespace
}  // namespace estab
