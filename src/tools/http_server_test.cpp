// The server over a real connection: two hosts in one process.
#include "tools/http_server.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "host/test_pair.h"

namespace estab::tools {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Endpoint kWeb{host::test::kServerAddress, 80};
constexpr std::size_t kLarge = 3'000'000;

std::string large_text() {
  std::string text(kLarge, '\0');
  for (std::size_t i = 0; i < kLarge; ++i) text[i] = static_cast<char>(i * 31 + i / 1009);
  return text;
}

std::string body_of(std::string_view response) {
  std::size_t head = response.find("\r\n\r\n");
  return head == std::string_view::npos ? "no head" : std::string(response.substr(head + 4));
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    std::string pattern = (fs::temp_directory_path() / "estab_http_XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    write("small.txt", "hello");
    write("large", large_text());
  }
  ~HttpServerTest() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  HttpServer& serve(HttpServerOptions options = {}) {
    options.on_answer = [this](const AccessRecord& record) { log_.push_back(record); };
    server_.emplace(pair_.server, *ServedFiles::open(root_.string()), std::move(options));
    server_->serve(*pair_.server.listen(80));
    return *server_;
  }

  enum class After { half_close, wait };
  struct Answer {
    std::string text;
    std::optional<Error> error;
  };
  // What comes back on a connection that sends `requests`, until the server's FIN.
  Task<> talk(std::string requests, After after, Answer& answer) {
    auto stream = co_await pair_.client.connect(kWeb);
    if (!stream) {
      answer.error = stream.error();
      co_return;
    }
    static_cast<void>(co_await stream->write_all(as_octets(requests)));
    if (after == After::half_close) static_cast<void>(stream->shutdown());
    std::array<std::uint8_t, 8192> buffer;
    while (true) {
      auto n = co_await stream->read(buffer);
      if (!n && n.error() != Error::end_of_stream) answer.error = n.error();
      if (!n) co_return;
      answer.text += as_text(Octets(buffer).first(*n));
    }
  }
  Answer ask(std::string requests, After after = After::wait) {
    Answer answer;
    pair_.client.spawn(talk(std::move(requests), after, answer));
    pair_.run_until([&] { return pair_.client.tasks() == 0; });
    return answer;
  }

  fs::path root_;
  host::test::Pair pair_;
  std::vector<AccessRecord> log_;
  std::optional<HttpServer> server_;
};

constexpr const char* kClose = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
constexpr const char* kKeep = " HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpServerTest, SendsAFileAndClosesWhenAsked) {
  serve();
  Answer answer = ask(std::string("GET /small.txt") + kClose);
  EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 200 OK\r\n")) << answer.text;
  EXPECT_EQ(body_of(answer.text), "hello");
  EXPECT_FALSE(answer.error);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0].request, "GET /small.txt HTTP/1.1");
  EXPECT_EQ(log_[0].body_octets, 5u);
  EXPECT_EQ(log_[0].client.address, host::test::kClientAddress);
}

TEST_F(HttpServerTest, SendsALargeFileWhole) {
  serve();
  EXPECT_EQ(body_of(ask(std::string("GET /large") + kClose).text), large_text());
}

TEST_F(HttpServerTest, SendsTheWholeAnswerToAClientThatHasEndedItsDirection) {
  serve();
  Answer answer = ask(std::string("GET /large") + kKeep, After::half_close);
  EXPECT_EQ(body_of(answer.text), large_text());
  EXPECT_FALSE(answer.error);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  serve();
  Answer answer = ask(std::string("GET /small.txt") + kKeep + "HEAD /large" + kKeep + "GET /none" +
                      kKeep + "GET /small.txt" + kClose);
  EXPECT_EQ(count(answer.text, "HTTP/1.1 200 OK"), 3u);
  EXPECT_LT(answer.text.find("hello"), answer.text.find("Content-Length: 3000000"));
  EXPECT_LT(answer.text.find("Content-Length: 3000000"), answer.text.find("404 Not Found"));
  EXPECT_TRUE(answer.text.ends_with("hello"));
  EXPECT_EQ(server_->totals().connections, 1u);
  EXPECT_EQ(server_->totals().requests, 4u);
}

TEST_F(HttpServerTest, SendsARangeOfALargeFile) {
  serve();
  Answer answer =
      ask("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: "
          "bytes=1000000-1999999\r\n\r\n");
  EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 206"));
  EXPECT_EQ(body_of(answer.text), large_text().substr(1'000'000, 1'000'000));
}

TEST_F(HttpServerTest, SendsSeveralRangesAsParts) {
  serve();
  Answer answer =
      ask("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
          "Range: bytes=0-9,500000-999999,-10\r\n\r\n");
  std::string whole = large_text(), body = body_of(answer.text);
  std::size_t length_at = answer.text.find("Content-Length: ") + 16;
  EXPECT_EQ(std::stoul(answer.text.substr(length_at)), body.size());
  EXPECT_NE(body.find("\r\n\r\n" + whole.substr(0, 10) + "\r\n--"), std::string::npos);
  EXPECT_NE(body.find("\r\n\r\n" + whole.substr(500'000, 500'000) + "\r\n--"), std::string::npos);
  EXPECT_NE(body.find("\r\n\r\n" + whole.substr(kLarge - 10) + "\r\n--"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersGarbageOnceAndCloses) {
  serve();
  Answer answer = ask(std::string("GARBAGE\r\n\r\nGET /small.txt") + kKeep);
  EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 400"));
  EXPECT_EQ(count(answer.text, "HTTP/1.1"), 1u);
  EXPECT_FALSE(answer.error);
}

TEST_F(HttpServerTest, TellsAClientOfAnotherProtocolAtOnce) {
  HttpServerOptions options;
  options.head_limit = options.idle_limit = 1h;
  serve(options);
  EXPECT_TRUE(ask("\x16\x03\x01").text.starts_with("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, RefusesAHeadThatNeverEnds) {
  serve();
  Answer answer = ask("GET / HTTP/1.1\r\nX: " + std::string(200'000, 'x'));
  EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, TellsAClientThatIsTooSlowAndClosesAnIdleOneInSilence) {
  HttpServerOptions options;
  options.head_limit = options.idle_limit = 5ms;
  serve(options);
  EXPECT_TRUE(ask("GET / HTT").text.starts_with("HTTP/1.1 408"));
  EXPECT_EQ(ask("").text, "");
  Answer after_one = ask(std::string("GET /small.txt") + kKeep);
  EXPECT_EQ(count(after_one.text, "HTTP/1.1"), 1u);
}

TEST_F(HttpServerTest, ClosesAfterARequestWithContent) {
  serve();
  Answer answer = ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /small.txt" +
                      std::string(kKeep));
  EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 405"));
  EXPECT_EQ(count(answer.text, "HTTP/1.1"), 1u);
}

TEST_F(HttpServerTest, LeadsToADirectorysSlashAndListsIt) {
  fs::create_directory(root_ / "a dir");
  write("a dir/x", "x");
  serve();
  Answer answer = ask(std::string("GET /a%20dir") + kKeep + "GET /a%20dir/" + kClose);
  EXPECT_NE(answer.text.find("Location: /a%20dir/\r\n"), std::string::npos);
  EXPECT_NE(answer.text.find("<a href=\"./x\">x</a>"), std::string::npos);
}

TEST_F(HttpServerTest, ResetsWhenTheFileShrinksUnderIt) {
  HttpServerOptions options;
  options.piece = 100'000;
  serve(options);
  Answer answer;
  pair_.client.spawn(talk(std::string("GET /large") + kClose, After::wait, answer));
  pair_.run_until([&] { return answer.text.size() > 200'000; });
  fs::resize_file(root_ / "large", 4096);
  pair_.run_until([&] { return pair_.client.tasks() == 0; });
  EXPECT_EQ(answer.error, Error::connection_reset);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_FALSE(log_[0].whole);
}

// What the client has not taken yet is in blocks of our own: it is the file's, and goes out.
TEST_F(HttpServerTest, SendsWhatItHasReadOfAFileThatVanishes) {
  HttpServerOptions options;
  options.piece = 100'000;
  serve(options);
  Answer answer;
  pair_.client.spawn(talk(std::string("GET /large") + kClose, After::wait, answer));
  pair_.run_until([&] { return answer.text.size() > 200'000; });
  fs::resize_file(root_ / "large", 0);
  pair_.run_until([&] { return pair_.client.tasks() == 0; });
  EXPECT_EQ(answer.error, Error::connection_reset);
  const std::string got = body_of(answer.text);
  EXPECT_TRUE(large_text().starts_with(got)) << "not an octet that was not in the file";
  EXPECT_EQ(log_.at(0).whole, false);
}

TEST_F(HttpServerTest, HoldsNoMoreThanItsMemoryForAClientThatReadsNothing) {
  HttpServerOptions options;
  options.piece = 20'000;
  options.memory = 100'000;
  options.least_share = 10'000;
  serve(options);
  constexpr int kClients = 4;
  std::vector<TcpStream> streams;
  const auto hang = [&]() -> Task<> {
    auto stream = co_await pair_.client.connect(kWeb);
    if (!stream) co_return;
    const std::string request = std::string("GET /large") + kKeep;
    static_cast<void>(co_await stream->write_all(as_octets(request)));
    streams.push_back(*std::move(stream));
  };
  for (int i = 0; i < kClients; ++i) pair_.client.spawn(hang());
  pair_.run_until([&] { return server_->connections() == kClients && streams.size() == kClients; });
  for (int round = 0; round < 2000; ++round) pair_.round();
  // What the clients' windows take is acknowledged, and theirs; what is held here is ours.
  std::uint64_t held = 0;
  for (const SocketRow& row : pair_.server.stack().table())
    if (row.remote) held += row.send_queue;
  EXPECT_GT(held, 0u);
  EXPECT_LE(held, options.memory + kClients * (options.least_share + options.piece));
}

TEST_F(HttpServerTest, EndsInGoodOrder) {
  HttpServer& server = serve();
  Answer idle, busy;
  pair_.client.spawn(talk(std::string("GET /small.txt") + kKeep, After::wait, idle));
  pair_.run_until([&] { return idle.text.ends_with("hello"); });
  pair_.client.spawn(talk(std::string("GET /large") + kKeep, After::wait, busy));
  pair_.run_until([&] { return !busy.text.empty(); });
  server.stop(1h);
  pair_.run_until([&] { return pair_.client.tasks() == 0 && server.connections() == 0; });
  EXPECT_FALSE(idle.error);
  EXPECT_FALSE(busy.error);
  EXPECT_EQ(body_of(busy.text), large_text());
  EXPECT_EQ(server.totals().cut_off, 0u);
  EXPECT_EQ(ask("").error, Error::connection_refused);
}

TEST_F(HttpServerTest, CutsOffWhatIsNotOverWhenItsGraceIs) {
  HttpServer& server = serve();
  Answer answer;
  pair_.client.spawn(talk("GET / HT", After::wait, answer));
  pair_.run_until([&] { return server.connections() == 1; });
  for (int round = 0; round < 10; ++round) pair_.round();
  server.stop(1ms);
  pair_.run_until([&] { return pair_.client.tasks() == 0; });
  EXPECT_EQ(answer.error, Error::connection_reset);
  EXPECT_EQ(server.totals().cut_off, 1u);
}

TEST_F(HttpServerTest, TurnsAwayWhoIsTooMany) {
  HttpServerOptions options;
  options.max_connections = 1;
  serve(options);
  Answer first;
  pair_.client.spawn(talk(std::string("GET /small.txt") + kKeep, After::wait, first));
  pair_.run_until([&] { return first.text.ends_with("hello"); });
  Answer second;
  pair_.client.spawn(talk("", After::wait, second));
  pair_.run_until([&] { return pair_.client.tasks() == 1; });
  EXPECT_TRUE(second.text.starts_with("HTTP/1.1 503"));
}

TEST_F(HttpServerTest, HoldsNothingOfAConnectionThatIsOver) {
  HttpServer& server = serve();
  for (int i = 0; i < 20; ++i) ask(std::string("GET /small.txt") + kClose);
  pair_.run_until([&] { return server.connections() == 0; });
  EXPECT_EQ(server.totals().connections, 20u);
}

}  // namespace
}  // namespace estab::tools
