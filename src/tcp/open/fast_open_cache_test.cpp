// What a client remembers of Fast Open (RFC 7413 §4.1.3).
#include "tcp/open/fast_open_cache.h"

#include <gtest/gtest.h>

#include "tcp/open/fast_open_client.h"

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

FastOpenCookie cookie(std::uint8_t first) {
  const std::array<std::uint8_t, 4> octets = {first, 2, 3, 4};
  return *FastOpenCookie::from(octets);
}

struct FastOpenMemory : testing::Test {
  static FourTuple to(std::uint8_t server, std::uint16_t port = 80) {
    return {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(198, 51, 100, server), 4000, port};
  }
  FastOpenSyn plan(const FourTuple& tuple, std::uint32_t largest = 1460) const {
    return plan_fast_open(cache, tuple, settings, largest, now);
  }

  Instant now{100s};
  FastOpenCache cache{{.secret = {1, 2}, .entries = 3, .pause = 1h}};
  FastOpen settings{.connect = true};
};

// [RFC 7413 4.2.1-1, 4.2.2-1]
TEST_F(FastOpenMemory, AsksForACookieWhileThereIsNone) {
  EXPECT_EQ(plan(to(1)), (FastOpenSyn{.option = FastOpenOption{}}));
  settings.connect = false;
  EXPECT_EQ(plan(to(1)), FastOpenSyn{});
}

// [RFC 7413 4.1.3-1]
TEST_F(FastOpenMemory, HoldsTheLastCookieOfEachPairOfAddresses) {
  cache.learn(to(1, 80), {{cookie(1)}, 1000});
  cache.learn(to(1, 443), {{cookie(2)}, 900});
  EXPECT_EQ(plan(to(1, 8080)), (FastOpenSyn{FastOpenOption{cookie(2)}, 860}));
  FourTuple from_elsewhere = to(1);
  from_elsewhere.local_address = IpAddress::v4(192, 0, 2, 9);
  EXPECT_EQ(plan(from_elsewhere), (FastOpenSyn{.option = FastOpenOption{}}));
}

TEST_F(FastOpenMemory, LeavesRoomForOptionsWithinTheServersMssAndThePaths) {
  cache.learn(to(1), {{cookie(1)}, 9000});
  EXPECT_EQ(plan(to(1), 1460).room, 1420u);
  cache.learn(to(1), {{cookie(1)}, 30});
  EXPECT_EQ(plan(to(1), 1460).room, 0u);
}

TEST_F(FastOpenMemory, TakesTheDefaultMssWithoutCookies) {
  settings.connect_cookies = false;
  EXPECT_EQ(plan(to(1)), (FastOpenSyn{std::nullopt, 536 - 40}));
  cache.learn(to(1), {{}, 1000});
  EXPECT_EQ(plan(to(1)), (FastOpenSyn{std::nullopt, 960}));
}

TEST_F(FastOpenMemory, KeepsTheCookieIfASynAckBringsNone) {
  cache.learn(to(1), {{cookie(1)}, 1000});
  cache.learn(to(1), {{}, 800});
  EXPECT_EQ(plan(to(1)), (FastOpenSyn{FastOpenOption{cookie(1)}, 760}));
}

// [RFC 7413 4.1.3.1-1, 4.1.3.1-2]
TEST_F(FastOpenMemory, DoesNotTryAgainForAWhileWhereItFailed) {
  cache.learn(to(1), {{cookie(1)}, 1000});
  cache.pause(to(1, 80), now);
  EXPECT_EQ(plan(to(1, 80)), FastOpenSyn{});
  EXPECT_EQ(plan(to(1, 443)).room, 960u);  // Fast Open is a port's, the cookie an address's
  now += 59min;
  EXPECT_EQ(plan(to(1, 80)), FastOpenSyn{});
  now += 1min;
  EXPECT_EQ(plan(to(1, 80)).room, 960u);
}

TEST_F(FastOpenMemory, LetsGoOfTheOldest) {
  for (std::uint8_t server = 1; server <= 4; ++server) {
    cache.learn(to(server), {{cookie(server)}, 1000});
    cache.pause(to(server, 443), now);
  }
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_EQ(plan(to(1)).room, 0u);
  EXPECT_EQ(plan(to(2)).room, 960u);
  EXPECT_FALSE(cache.is_paused(to(1, 443), now));
  EXPECT_TRUE(cache.is_paused(to(2, 443), now));
}

TEST_F(FastOpenMemory, OfNothingHoldsNothing) {
  cache = FastOpenCache({.secret = {1, 2}, .entries = 0, .pause = 1h});
  cache.learn(to(1), {{cookie(1)}, 1000});
  cache.pause(to(1), now);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_FALSE(cache.is_paused(to(1), now));
}

TEST_F(FastOpenMemory, ForgetsWhatAnAddressKnewThatIsGone) {
  cache.learn(to(1), {{cookie(1)}, 1000});
  cache.pause(to(2), now);
  cache.forget_if(
      [](const FourTuple& tuple) { return tuple.local_address == IpAddress::v4(192, 0, 2, 1); });
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_FALSE(cache.is_paused(to(2), now));
}

}  // namespace
}  // namespace estab::tcp
