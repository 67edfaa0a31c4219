// Slow clients of `estab serve`: requests that never end, and answers that are never read.
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "host/test_pair.h"
#include "tools/http_server.h"

namespace estab::tools {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Endpoint kWeb{host::test::kServerAddress, 80};

class SlowClients : public testing::Test {
 protected:
  SlowClients() {
    std::string pattern = (fs::temp_directory_path() / "estab_slow_XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    std::ofstream(root_ / "file", std::ios::binary) << std::string(50'000, 'f');
    std::ofstream(root_ / "large", std::ios::binary) << std::string(8'000'000, 'l');
  }
  ~SlowClients() override { fs::remove_all(root_); }
  void serve(HttpServerOptions options) {
    server_.emplace(pair_.server, *ServedFiles::open(root_.string()), std::move(options));
    server_->serve(*pair_.server.listen(80));
  }
  /// Sends what it has, and then nothing, until the server ends it.
  Task<> hold(std::string text, int& over) {
    auto stream = co_await pair_.client.connect(kWeb);
    if (!stream) co_return;
    static_cast<void>(co_await stream->write_all(as_octets(text)));
    static_cast<void>(co_await stream->closed());
    ++over;
  }
  Task<> fetch(std::string& answer) {
    auto stream = co_await pair_.client.connect(kWeb);
    if (!stream) co_return;
    const std::string request = "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static_cast<void>(co_await stream->write_all(as_octets(request)));
    std::array<std::uint8_t, 8192> buffer;
    while (const std::size_t n = (co_await stream->read(buffer)).value_or(0))
      answer += as_text(Octets(buffer).first(n));
  }
  std::string get() {
    std::string answer;
    bool done = false;
    const auto whole = [&]() -> Task<> {
      co_await fetch(answer);
      done = true;
    };
    pair_.client.spawn(whole());
    pair_.run_until([&] { return done; });
    return answer;
  }
  fs::path root_;
  host::test::Pair pair_;
  std::optional<HttpServer> server_;
};

TEST_F(SlowClients, ThatNeverEndARequestAreEndedAndAGoodOneIsServed) {
  HttpServerOptions options;
  options.head_limit = 50ms;
  options.close_limit = 20ms;
  serve(options);
  int over = 0;
  for (int i = 0; i < 200; ++i)
    pair_.client.spawn(hold("GET /file HTTP/1.1\r\nHost: a\r\nX-Slow: ", over));
  pair_.run_until([&] { return server_->connections() == 200; });
  EXPECT_EQ(get().size() > 50'000, true);
  pair_.run_until([&] { return server_->connections() == 0; });
  EXPECT_EQ(get().size() > 50'000, true);
}

TEST_F(SlowClients, ThatSendNothingAreEndedToo) {
  HttpServerOptions options;
  options.idle_limit = 50ms;
  options.close_limit = 20ms;
  serve(options);
  int over = 0;
  for (int i = 0; i < 200; ++i) pair_.client.spawn(hold("", over));
  pair_.run_until([&] { return server_->connections() == 200; });
  EXPECT_EQ(get().size() > 50'000, true);
  pair_.run_until([&] { return server_->connections() == 0; });
}

TEST_F(SlowClients, ThatReadNothingAreEndedToo) {
  HttpServerOptions options;
  options.stall_limit = 100ms;
  options.close_limit = 20ms;
  serve(options);
  int over = 0;
  for (int i = 0; i < 20; ++i)
    pair_.client.spawn(hold("GET /large HTTP/1.1\r\nHost: a\r\n\r\n", over));
  pair_.run_until([&] { return server_->connections() == 20; });
  EXPECT_EQ(get().size() > 50'000, true);
  pair_.run_until([&] { return server_->connections() == 0; });
}

TEST_F(SlowClients, BeyondTheLimitAreToldToComeBackLater) {
  HttpServerOptions options;
  options.max_connections = 50;
  options.idle_limit = 50ms;
  options.close_limit = 20ms;
  serve(options);
  int over = 0;
  for (int i = 0; i < 60; ++i) pair_.client.spawn(hold("", over));
  pair_.run_until([&] { return server_->connections() == 50; });
  EXPECT_TRUE(get().starts_with("HTTP/1.1 503 "));
  pair_.run_until([&] { return server_->connections() == 0; });
  EXPECT_TRUE(get().starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace estab::tools
