// What is said to a SOCKS5 proxy and when, with a proxy that the test plays.

#include "gateway/socks5.h"

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "gateway/test_socket.h"

namespace estab::gateway {
namespace {

using namespace std::chrono_literals;
using host::OwnedDescriptor;
using test::kFar, test::kLoopback, test::Socket;

class Proxied : public testing::Test {
 protected:
  static Task<> keep(Task<std::expected<OwnedDescriptor, Refusal>> task,
                     std::optional<std::expected<OwnedDescriptor, Refusal>>& result) {
    result.emplace(co_await std::move(task));
  }
  template <class Done>
  [[nodiscard]] bool until(Done done) {
    const Instant end = host.now() + 20s;
    bool is_done = done();
    for (; !is_done && host.now() < end; is_done = done()) host.run_once(1ms);
    return is_done;
  }
  void dial(const std::optional<Socks5Upstream::Credentials>& credentials = std::nullopt,
            Endpoint destination = {kFar, 80}) {
    upstream.emplace(host, Socks5Upstream::Options{.proxy = {kLoopback, proxy.port()},
                                                   .credentials = credentials,
                                                   .guest_networks = {*Cidr::parse("10.0.2.0/24")},
                                                   .limit = limit});
    host.spawn(keep(upstream->dial(destination), result));
  }
  /// What the proxy receives next: so many octets, and no more have come.
  std::string proxy_hears(std::size_t count) {
    if (accepted.number() < 0) {
      EXPECT_TRUE(until([&] {
        accepted =
            OwnedDescriptor(accept4(proxy.descriptor.number(), nullptr, nullptr, SOCK_NONBLOCK));
        return accepted.number() >= 0;
      }));
    }
    std::string text;
    std::array<char, 512> buffer;
    EXPECT_TRUE(until([&] {
      const ssize_t n = recv(accepted.number(), buffer.data(), buffer.size(), 0);
      if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
      return text.size() >= count;
    }));
    return text;
  }
  void proxy_says(const std::string& octets) {
    // Octet by octet, as a network may.
    for (const char octet : octets) {
      EXPECT_EQ(send(accepted.number(), &octet, 1, MSG_NOSIGNAL), 1);
      host.run_once(Duration::zero());
    }
  }
  static std::string octets(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text.push_back(static_cast<char>(value));
    return text;
  }

  Socket proxy{SOCK_STREAM};
  Host host;
  Duration limit = 20s;
  std::optional<Socks5Upstream> upstream;
  std::optional<std::expected<OwnedDescriptor, Refusal>> result;
  OwnedDescriptor accepted;
};

const std::string kToFar = {5, 1, 0, 1, static_cast<char>(198), 51, 100, 7, 0, 80};

TEST_F(Proxied, EachMessageGoesAfterTheAnswerToTheLast) {
  dial();
  EXPECT_EQ(proxy_hears(3), octets({5, 1, 0}));
  proxy_says(octets({5, 0}));
  EXPECT_EQ(proxy_hears(10), kToFar);
  proxy_says(octets({5, 0, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(result);  // one octet of the reply is still to come
  proxy_says(octets({0}));
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  ASSERT_TRUE(result->has_value());
  // What follows is the server's, and is still there.
  proxy_says("220 ready");
  std::array<char, 20> buffer;
  ASSERT_TRUE(until([&] { return recv((*result)->number(), buffer.data(), 20, MSG_PEEK) == 9; }));
}

TEST_F(Proxied, NameAndPasswordAreGivenWhenTheyAreWanted) {
  dial(Socks5Upstream::Credentials{"me", "secret"}, {*IpAddress::parse("2001:db8::7"), 443});
  EXPECT_EQ(proxy_hears(4), octets({5, 2, 0, 2}));
  proxy_says(octets({5, 2}));
  EXPECT_EQ(proxy_hears(11), octets({1, 2}) + "me" + octets({6}) + "secret");
  proxy_says(octets({1, 0}));
  const std::string request = proxy_hears(22);
  EXPECT_EQ(request.substr(0, 4), octets({5, 1, 0, 4}));
  EXPECT_EQ(request.substr(20), octets({1, 187}));
  proxy_says(octets({5, 0, 0, 4}) + std::string(18, 0));
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  EXPECT_TRUE(result->has_value());
}

TEST_F(Proxied, AWrongPasswordIsProhibited) {
  dial(Socks5Upstream::Credentials{"me", "wrong"});
  proxy_hears(4);
  proxy_says(octets({5, 2}));
  proxy_hears(10);
  proxy_says(octets({1, 1}));
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), Refusal::prohibited);
}

// Some repeat the name they were asked for, of any length, also in a reply that fails.
TEST_F(Proxied, AReplyThatFailsIsToldOfInItsKind) {
  const std::pair<int, Refusal> replies[] = {{1, Refusal::reset},
                                             {2, Refusal::prohibited},
                                             {3, Refusal::network_unreachable},
                                             {4, Refusal::host_unreachable},
                                             {5, Refusal::reset},
                                             {6, Refusal::silence},
                                             {99, Refusal::reset}};
  for (const auto& [reply, refusal] : replies) {
    result.reset();
    accepted = {};
    dial();
    proxy_hears(3);
    proxy_says(octets({5, 0}));
    proxy_hears(10);
    proxy_says(octets({5, reply, 0, 3, 5}) + "a.b.c" + octets({0, 80}));
    ASSERT_TRUE(until([&] { return result.has_value(); }));
    ASSERT_FALSE(result->has_value());
    EXPECT_EQ(result->error(), refusal) << reply;
  }
}

TEST_F(Proxied, AProxyThatClosesOrTalksNonsenseResets) {
  for (const std::string& answer : {std::string(), octets({5, 0}) + "HTTP/1.1 400"}) {
    result.reset();
    accepted = {};
    dial();
    proxy_hears(3);
    proxy_says(answer);
    if (answer.empty()) accepted = {};
    ASSERT_TRUE(until([&] { return result.has_value(); }));
    ASSERT_FALSE(result->has_value());
    EXPECT_EQ(result->error(), answer.empty() ? Refusal::prohibited : Refusal::reset);
  }
}

TEST_F(Proxied, AProxyThatIsSilentIsGivenUp) {
  limit = 50ms;
  dial();
  proxy_hears(3);
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), Refusal::silence);
}

TEST_F(Proxied, TheGuestsOwnNetworkIsNotAskedFor) {
  dial(std::nullopt, {*IpAddress::parse("10.0.2.2"), 80});
  ASSERT_TRUE(until([&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), Refusal::host_unreachable);
  EXPECT_FALSE(upstream->route_datagram({kFar, 53}));
}

}  // namespace
}  // namespace estab::gateway
