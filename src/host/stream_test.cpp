// The coroutine face over real connections: two hosts in this process, joined by a socket pair.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estab/tcp_stream.h"

#include "host/test_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using host::test::kClientAddress;
using host::test::kServer;
using host::test::kServerAddress;
using host::test::Pair;
using host::test::test_options;

std::vector<std::uint8_t> pattern(std::size_t size, std::uint32_t seed = 1) {
  std::vector<std::uint8_t> octets(size);
  std::mt19937_64 chance(seed);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const std::uint64_t value = chance();
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&value), 8, octets.data() + i);
  }
  for (; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i);
  return octets;
}

/// Reads to the end of the stream.
Task<std::string> read_all(TcpStream& stream) {
  std::string all;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const auto got = co_await stream.read(buffer);
    if (!got) co_return all + "!" + std::string(name(got.error()));
    if (*got == 0) co_return all;
    all += as_text(Octets(buffer).first(*got));
  }
}

Task<> echo(TcpStream stream) {
  std::array<std::uint8_t, 16384> buffer;
  while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
    if (!co_await stream.write_all({buffer.data(), n})) co_return;
}

Task<> serve_echo(Host& host, int connections) {
  auto listener = host.listen(kServer.port).value();
  for (int i = 0; i < connections; ++i) host.spawn(echo((co_await listener.accept()).value()));
}

/// The two ends of one connection.
struct Ends {
  TcpStream client;
  TcpStream server;
};

Task<> open_client(Host& host, Ends& ends) {
  ends.client = (co_await host.connect(kServer)).value();
}
Task<> open_server(Host& host, Ends& ends) {
  auto listener = host.listen(kServer.port).value();
  ends.server = (co_await listener.accept()).value();
}

/// A pair of hosts with a connection between them.
struct Connected : Pair {
  explicit Connected(HostOptions options = test_options(), std::uint16_t mtu = 1500)
      : Pair(std::move(options), mtu) {
    server.spawn(open_server(server, ends));
    client.spawn(open_client(client, ends));
    run();
  }
  Ends ends;  // after the hosts, as streams must be
};

// ---- opening
// ----------------------------------------------------------------------------------------

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
    host::resume(task.frame().handle());
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

// ---- data
// -------------------------------------------------------------------------------------------

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
  EXPECT_EQ(log, (std::vector<std::string>{"would_block", "3"}));
}

// ---- many
// -------------------------------------------------------------------------------------------

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

// ---- ending
// -----------------------------------------------------------------------------------------

Task<> half_close(TcpStream& stream, std::string& answer) {
  EXPECT_TRUE(co_await stream.write_all(as_octets("last words")));
  EXPECT_TRUE(stream.shutdown());
  EXPECT_EQ((co_await stream.write(as_octets("more"))).error(), Error::already_shut_down);
  answer = co_await read_all(stream);
  EXPECT_TRUE(co_await stream.closed());
}

Task<> answer_after_end(TcpStream& stream, std::string& heard) {
  heard = co_await read_all(stream);
  for (const char* word : {"and ", "still ", "it ", "sends"}) {
    EXPECT_TRUE(co_await stream.write_all(as_octets(word), SendMode::push));
  }
  EXPECT_TRUE(stream.shutdown());
  EXPECT_TRUE(co_await stream.closed());
}

TEST(TcpStream, TheClientEndsItsDirectionAndTheServerGoesOn) {
  Connected pair;
  std::string heard, answer;
  pair.client.spawn(half_close(pair.ends.client, answer));
  pair.server.spawn(answer_after_end(pair.ends.server, heard));
  pair.run();
  EXPECT_EQ(heard, "last words");
  EXPECT_EQ(answer, "and still it sends");
  EXPECT_EQ(pair.ends.client.state(), State::time_wait);
}

TEST(TcpStream, TheServerEndsItsDirectionAndTheClientGoesOn) {
  Connected pair;
  std::string heard, answer;
  pair.server.spawn(half_close(pair.ends.server, answer));
  pair.client.spawn(answer_after_end(pair.ends.client, heard));
  pair.run();
  EXPECT_EQ(heard, "last words");
  EXPECT_EQ(answer, "and still it sends");
}

TEST(TcpStream, AbortingItEndsTheReadThatWaitsOnIt) {
  Connected pair;
  std::vector<std::string> log;
  std::array<std::uint8_t, 10> buffer;
  auto reads = [&](TcpStream& stream, std::string who) -> Task<> {
    log.push_back(who + " " + std::string(name((co_await stream.read(buffer)).error())));
  };
  auto aborts = [&]() -> Task<> {
    pair.ends.client.abort();
    log.push_back("aborted");
    co_return;
  };
  pair.client.spawn(reads(pair.ends.client, "client"));
  pair.server.spawn(reads(pair.ends.server, "server"));
  pair.round();
  pair.client.spawn(aborts());
  pair.run();
  EXPECT_EQ(log, (std::vector<std::string>{"aborted", "client connection_aborted",
                                           "server connection_reset"}));
  EXPECT_FALSE(pair.ends.client);
  EXPECT_EQ(block_on(pair.ends.client.read(buffer)).error(), Error::no_such_id);
}

TEST(TcpStream, ClosingItEndsAllThatWaitOnIt) {
  HostOptions options = test_options();
  options.stack.tcp.send_buffer = 10'000;
  Connected pair(options);
  const auto much = pattern(10'000'000);
  std::vector<std::string> log;
  auto note = [&](std::string who, Error error) { log.push_back(who + std::string(name(error))); };
  auto reads = [&]() -> Task<> { note("peek ", (co_await pair.ends.client.peek()).error()); };
  auto writes = [&]() -> Task<> {
    note("write ", (co_await pair.ends.client.write_all(much)).error());
  };
  auto closes = [&]() -> Task<> { note("closed ", (co_await pair.ends.client.closed()).error()); };
  auto urgent = [&]() -> Task<> {
    note("urgent ", (co_await pair.ends.client.urgent_arrived()).error());
  };
  pair.client.spawn(reads());
  pair.client.spawn(writes());
  pair.client.spawn(closes());
  pair.client.spawn(urgent());
  pair.round();
  ASSERT_TRUE(log.empty());
  pair.ends.client.close();
  pair.run();
  std::ranges::sort(log);
  EXPECT_EQ(log,
            (std::vector<std::string>{"closed connection_aborted", "peek connection_aborted",
                                      "urgent connection_aborted", "write connection_aborted"}));
}

TEST(TcpStream, AResetIsToldToTheWriterToo) {
  HostOptions options = test_options();
  options.stack.tcp.send_buffer = 10'000;
  Connected pair(options);
  const auto much = pattern(10'000'000);
  std::optional<Error> write_error, closed_error;
  auto writes = [&]() -> Task<> {
    write_error = (co_await pair.ends.client.write_all(much)).error();
    closed_error = (co_await pair.ends.client.closed()).error();
  };
  pair.client.spawn(writes());
  for (int i = 0; i < 10; ++i) pair.round();
  pair.ends.server.abort();
  pair.run();
  EXPECT_EQ(write_error, Error::connection_reset);
  EXPECT_EQ(closed_error, Error::connection_reset);
}

TEST(TcpStream, ClosingWithOctetsUnreadResetsThePeer) {
  Connected pair;
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("unread"))));
  pair.run_until([&] { return pair.ends.server.readable() > 0; });
  pair.ends.server.close();
  std::string got;
  auto reads = [&]() -> Task<> { got = co_await read_all(pair.ends.client); };
  pair.client.spawn(reads());
  pair.run();
  EXPECT_EQ(got, "!connection_reset");
}

TEST(TcpStream, WhatWasWrittenIsDeliveredAfterTheTaskIsOver) {
  Pair pair;
  const auto sent = pattern(1 << 20);
  std::vector<std::uint8_t> got;
  auto sends = [&]() -> Task<> {
    TcpStream stream = (co_await pair.client.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(sent));
  };
  auto receives = [&]() -> Task<> {
    auto listener = pair.server.listen(7).value();
    TcpStream stream = (co_await listener.accept()).value();
    std::vector<std::uint8_t> buffer(8192);
    while (const std::size_t n = (co_await stream.read(buffer)).value_or(0))
      got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
  };
  pair.server.spawn(receives());
  pair.client.spawn(sends());
  pair.run();
  EXPECT_TRUE(got == sent);
}

TEST(TcpStream, MovingItTakesTheConnectionAlong) {
  Connected pair;
  TcpStream moved = std::move(pair.ends.client);
  EXPECT_FALSE(pair.ends.client);
  EXPECT_TRUE(moved);
  EXPECT_EQ(moved.state(), State::established);
  moved = TcpStream();
  EXPECT_FALSE(moved);
}

TEST(TcpStream, WithoutAConnectionEveryCallSaysSo) {
  TcpStream none;
  std::array<std::uint8_t, 4> buffer;
  EXPECT_EQ(block_on(none.read(buffer)).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.peek()).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.write(buffer)).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.write_all(buffer)).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.write_owned(buffer, nullptr)).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.closed()).error(), Error::no_such_id);
  EXPECT_EQ(block_on(none.urgent_arrived()).error(), Error::no_such_id);
  EXPECT_EQ(none.consume(0).error(), Error::no_such_id);
  EXPECT_EQ(none.shutdown().error(), Error::no_such_id);
  EXPECT_EQ(none.info().error(), Error::no_such_id);
  EXPECT_EQ(none.local_endpoint().error(), Error::no_such_id);
  EXPECT_EQ(none.remote_endpoint().error(), Error::no_such_id);
  EXPECT_EQ(none.state(), State::closed);
  none.close();
  none.abort();
}

// ---- UDP
// --------------------------------------------------------------------------------------------

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

// ---- the host's end
// ---------------------------------------------------------------------------------

TEST(Host, RunWaitsForTheLastOctetsToBeDelivered) {
  Pair pair;
  const auto sent = pattern(200'000);
  std::size_t got = 0;
  auto receives = [&]() -> Task<> {
    auto listener = pair.server.listen(7).value();
    TcpStream stream = (co_await listener.accept()).value();
    std::vector<std::uint8_t> buffer(8192);
    while (const std::size_t n = (co_await stream.read(buffer)).value_or(0)) got += n;
  };
  auto sends = [&]() -> Task<> {
    TcpStream stream = (co_await pair.client.connect(kServer)).value();
    EXPECT_TRUE(co_await stream.write_all(sent));
  };
  // The server's rounds are made from within the client's loop, so that run() may simply be called.
  auto drives = [&]() -> Task<> {
    for (;;) {
      pair.server.run_once(0ms);
      co_await pair.client.sleep(0ms);
    }
  };
  pair.server.spawn(receives());
  pair.client.spawn(drives(), TaskKind::background);
  pair.client.spawn(sends());
  pair.client.run();
  EXPECT_EQ(got, sent.size());
  EXPECT_EQ(pair.client.stack().census().streams, 0u);
}

TEST(Host, DestroyedWithTasksInTheMiddleOfConnectionsLeaksNothing) {
  Pair pair;
  pair.server.spawn(serve_echo(pair.server, 100));
  auto waits = [](Host& host) -> Task<> {
    TcpStream stream = (co_await host.connect(kServer)).value();
    std::array<std::uint8_t, 10> buffer;
    static_cast<void>(co_await stream.read(buffer));
  };
  for (int i = 0; i < 50; ++i) pair.client.spawn(waits(pair.client));
  pair.run_until([&] { return pair.server.tasks() == 51; });
  EXPECT_EQ(pair.client.tasks(), 50u);
}

}  // namespace
}  // namespace estab
