#include "ip/routes.h"

#include <gtest/gtest.h>

#include "ip/hash_of.h"

namespace estab::ip {
namespace {

using namespace std::chrono_literals;

constexpr InterfaceId kFirst{0}, kSecond{1};

Cidr cidr(const char* text) {
  return *Cidr::parse(text);
}
IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}
Hop hop(InterfaceId interface, const char* next) {
  return {address(next), interface};
}

TEST(RouteTable, KnowsNoWayWhenEmpty) {
  EXPECT_EQ(RouteTable().lookup(address("192.0.2.1")), std::nullopt);
  EXPECT_EQ(RouteTable().lookup(address("2001:db8::1")), std::nullopt);
}

// [RFC 1122 3.3.1.1-1, 3.3.1.1-2]
TEST(RouteTable, SendsStraightToWhatIsOnTheLink) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/24"), kFirst}));
  EXPECT_EQ(routes.lookup(address("10.0.0.7")), hop(kFirst, "10.0.0.7"));
  EXPECT_EQ(routes.lookup(address("10.0.1.7")), std::nullopt);
}

// [RFC 1122 3.3.1.1-1]
TEST(RouteTable, SendsOverTheGatewayOtherwise) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kFirst, address("10.0.0.1")}));
  EXPECT_EQ(routes.lookup(address("198.51.100.1")), hop(kFirst, "10.0.0.1"));
}

// RFC 1812 §5.2.4.3 (2), longest match.
// [RFC 1122 3.3.1.2-5]
TEST(RouteTable, PrefersTheLongestPrefixInWhateverOrderTheyWereAdded) {
  const Route wide{cidr("10.0.0.0/8"), kFirst};
  const Route narrow{cidr("10.1.0.0/16"), kSecond};
  const Route host{cidr("10.1.2.3/32"), kFirst, address("10.9.9.9")};
  const Route everything{cidr("0.0.0.0/0"), kSecond, address("10.8.8.8")};
  std::vector<Route> all = {everything, wide, narrow, host};
  for (std::size_t turn = 0; turn < all.size(); ++turn) {
    RouteTable routes;
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_TRUE(routes.add(all[(i + turn) % all.size()]));
    }
    EXPECT_EQ(routes.lookup(address("10.2.0.1")), hop(kFirst, "10.2.0.1"));
    EXPECT_EQ(routes.lookup(address("10.1.0.1")), hop(kSecond, "10.1.0.1"));
    EXPECT_EQ(routes.lookup(address("10.1.2.3")), hop(kFirst, "10.9.9.9"));
    EXPECT_EQ(routes.lookup(address("11.0.0.1")), hop(kSecond, "10.8.8.8"));
  }
}

TEST(RouteTable, PrefersTheFirstAddedAmongEquals) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/8"), kSecond}));
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/8"), kFirst}));
  EXPECT_EQ(routes.lookup(address("10.0.0.1")), hop(kSecond, "10.0.0.1"));
}

TEST(RouteTable, KeepsTheFamiliesApart) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("::/0"), kFirst}));
  EXPECT_EQ(routes.lookup(address("192.0.2.1")), std::nullopt);
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kSecond}));
  EXPECT_EQ(routes.lookup(address("192.0.2.1")), hop(kSecond, "192.0.2.1"));
  EXPECT_EQ(routes.lookup(address("2001:db8::1")), hop(kFirst, "2001:db8::1"));
}

TEST(RouteTable, MatchesPrefixesOfEveryLength) {
  const IpAddress v4 = address("170.85.170.85");
  const IpAddress v6 = address("aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555");
  for (const IpAddress& target : {v4, v6}) {
    const unsigned bits = target.is_v4() ? 32 : 128;
    for (unsigned length = 1; length <= bits; ++length) {
      auto octets = target.octets();
      const unsigned last = length - 1 + (128 - bits);
      octets[last / 8] ^= static_cast<std::uint8_t>(0x80 >> last % 8);
      const IpAddress outside = IpAddress::v6(octets);
      RouteTable routes;
      ASSERT_TRUE(routes.add({{target, static_cast<std::uint8_t>(length)}, kFirst}));
      EXPECT_TRUE(routes.lookup(target)) << length;
      EXPECT_FALSE(routes.lookup(outside)) << length << ' ' << to_string(outside);
    }
  }
}

TEST(RouteTable, IgnoresHostBits) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.1/24"), kFirst}));
  EXPECT_EQ(routes.lookup(address("10.0.0.200")), hop(kFirst, "10.0.0.200"));
}

TEST(RouteTable, TakesTheSameRouteOnce) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.1/24"), kFirst}));
  ASSERT_TRUE(routes.add({cidr("10.0.0.2/24"), kFirst}));
  EXPECT_EQ(routes.size(), 1u);
}

// [RFC 1122 3.3.1.2-3, 3.3.1.2-4, 3.3.1.4-1, 3.3.1.4-5, 3.3.1.5-1, 3.3.1.6-1, 3.3.1.6-2]
TEST(RouteTable, PrefersAnotherGatewayWhileOneSeemsDead) {
  RouteTable routes;
  const Instant now{1000s};
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kFirst, address("10.0.0.1")}));
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kSecond, address("10.0.1.1")}));
  ASSERT_TRUE(routes.add({cidr("198.51.100.0/24"), kFirst, address("10.0.0.2")}));
  const auto to = [&](const char* text, Instant at) { return routes.lookup(address(text), at); };
  ASSERT_EQ(to("203.0.113.5", now), hop(kFirst, "10.0.0.1"));
  EXPECT_TRUE(routes.advise_against(hop(kFirst, "10.0.0.1"), now + 60s));
  EXPECT_EQ(to("203.0.113.5", now), hop(kSecond, "10.0.1.1"));
  EXPECT_EQ(to("203.0.113.5", now + 60s - 1ns), hop(kSecond, "10.0.1.1"));
  EXPECT_EQ(to("203.0.113.5", now + 60s), hop(kFirst, "10.0.0.1")) << "it is tried again";
  EXPECT_EQ(to("198.51.100.5", now), hop(kFirst, "10.0.0.2")) << "another gateway";
  EXPECT_TRUE(routes.advise_against(hop(kFirst, "10.0.0.2"), now + 60s));
  EXPECT_EQ(to("198.51.100.5", now), hop(kSecond, "10.0.1.1")) << "a default gateway";
  EXPECT_TRUE(routes.advise_against(hop(kSecond, "10.0.1.1"), now + 60s));
  EXPECT_EQ(to("198.51.100.5", now), hop(kFirst, "10.0.0.2")) << "none is better";
}

TEST(RouteTable, CannotAvoidANeighbour) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/24"), kFirst}));
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kSecond, address("10.0.1.1")}));
  EXPECT_FALSE(routes.advise_against(hop(kFirst, "10.0.0.7"), Instant::max()));
  EXPECT_EQ(routes.lookup(address("10.0.0.7")), hop(kFirst, "10.0.0.7"));
  EXPECT_FALSE(routes.advise_against(hop(kFirst, "10.0.1.1"), Instant::max())) << "other link";
}

TEST(RouteTable, TakesARouteOnceEvenIfItsGatewaySeemsDead) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kFirst, address("10.0.0.1")}));
  routes.advise_against(hop(kFirst, "10.0.0.1"), Instant{1s});
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kFirst, address("10.0.0.1")}));
  EXPECT_EQ(routes.size(), 1u);
}

TEST(RouteTable, RefusesNonsense) {
  RouteTable routes;
  const auto error_of = [&](const Route& route) { return routes.add(route).error(); };
  EXPECT_EQ(error_of({{address("10.0.0.0"), 33}, kFirst}), Error::invalid_argument);
  EXPECT_EQ(error_of({{address("fd00::"), 129}, kFirst}), Error::invalid_argument);
  EXPECT_EQ(error_of({cidr("10.0.0.0/8"), InterfaceId{}}), Error::no_such_id);
  for (const char* gateway : {"fd00::1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "127.0.0.1"}) {
    EXPECT_EQ(error_of({cidr("10.0.0.0/8"), kFirst, address(gateway)}), Error::invalid_argument)
        << gateway;
  }
  EXPECT_EQ(routes.size(), 0u);
}

TEST(RouteTable, ForgetsWhatIsRemoved) {
  RouteTable routes;
  const Route narrow{cidr("10.1.0.0/16"), kFirst}, wide{cidr("10.0.0.0/8"), kSecond};
  ASSERT_TRUE(routes.add(narrow) && routes.add(wide));
  EXPECT_TRUE(routes.remove({cidr("10.1.9.9/16"), kFirst})) << "host bits do not count";
  EXPECT_FALSE(routes.remove(narrow));
  EXPECT_FALSE(routes.remove({wide.destination, kFirst})) << "of another interface";
  EXPECT_EQ(routes.lookup(address("10.1.0.1")), hop(kSecond, "10.1.0.1"));
  ASSERT_TRUE(routes.add({cidr("fd00::/8"), kSecond}));
  routes.remove_all(kSecond);
  EXPECT_EQ(routes.size(), 0u);
}

TEST(RouteTable, KnowsTheNeighboursOfALink) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/24"), kFirst}));
  ASSERT_TRUE(routes.add({cidr("0.0.0.0/0"), kFirst, address("10.0.0.1")}));
  EXPECT_TRUE(routes.is_on_link(kFirst, address("10.0.0.9")));
  EXPECT_FALSE(routes.is_on_link(kFirst, address("10.0.1.9")));
  EXPECT_FALSE(routes.is_on_link(kSecond, address("10.0.0.9")));
}

TEST(RouteTable, KeepsToAnInterfaceIfAsked) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/24"), kFirst}));
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/8"), kSecond}));
  EXPECT_EQ(routes.lookup(address("10.0.0.9"), Instant(), kSecond), hop(kSecond, "10.0.0.9"));
  EXPECT_EQ(routes.lookup(address("10.1.0.9"), Instant(), kFirst), std::nullopt);
}

TEST(RouteTable, IsAValue) {
  RouteTable routes;
  ASSERT_TRUE(routes.add({cidr("10.0.0.0/8"), kFirst}));
  RouteTable copy = routes;
  EXPECT_EQ(copy, routes);
  EXPECT_EQ(hash_of(copy), hash_of(routes));
  ASSERT_TRUE(copy.add({cidr("fd00::/8"), kFirst}));
  EXPECT_NE(copy, routes);
  EXPECT_NE(hash_of(copy), hash_of(routes));
  EXPECT_EQ(routes.lookup(address("fd00::1")), std::nullopt);
}

}  // namespace
}  // namespace estab::ip
