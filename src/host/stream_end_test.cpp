// How streams end: half-close, close, abort, reset, and what those who wait are told.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/connected_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

// ---- ending

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

// ---- the host's end

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

TEST(Host, RunLingersNoLongerThanItsOption) {
  HostOptions options = test_options();
  options.linger = 5ms;
  Connected pair(options);
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("to nobody"))));
  pair.ends.client.close();
  pair.client.run();  // the server makes no round, so nothing is acknowledged
  EXPECT_EQ(pair.client.stack().census().streams, 1u);
  EXPECT_FALSE(pair.client.finish(1ms));
}

TEST(Host, FinishesWhenEveryConnectionIsClosed) {
  Connected pair;
  pair.ends.client.close();
  EXPECT_FALSE(pair.client.finish(0ms));
  pair.ends.server.close();
  pair.run_until([&] { return pair.client.stack().census().streams == 0; });
  EXPECT_TRUE(pair.client.finish(0ms));
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
