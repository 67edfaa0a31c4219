#include "ip/path_mtu.h"

#include <gtest/gtest.h>

#include "ip/hash_of.h"

namespace estab::ip {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart{seconds(1000)};
constexpr std::uint16_t kLink = 1500;
const IpAddress kV4 = IpAddress::v4(198, 51, 100, 1);
const IpAddress kV6 = *IpAddress::parse("2001:db8::1");

TEST(PathMtuCache, StartsWithTheMtuOfTheLink) {
  const PathMtuCache cache{PathMtuConfig{}};
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), kLink);
  EXPECT_EQ(cache.mtu(kStart, kV6, 9000), 9000);
}

// [RFC 1191 6.2-1, 6.2-2]
TEST(PathMtuCache, LowersTheEstimateOfOneDestination) {
  PathMtuCache cache{PathMtuConfig{}};
  EXPECT_TRUE(cache.lower(kStart, kV4, 1400, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 1400);
  EXPECT_EQ(cache.mtu(kStart, IpAddress::v4(198, 51, 100, 2), kLink), kLink);
  EXPECT_TRUE(cache.lower(kStart, kV4, 1300, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 1300);
}

// RFC 1191 §3, RFC 8201 §4: "must not increase its estimate in response to" a report.
// [RFC 1191 3-10]
TEST(PathMtuCache, NeverRaisesTheEstimate) {
  PathMtuCache cache{PathMtuConfig{}};
  EXPECT_FALSE(cache.lower(kStart, kV4, 9000, kLink));
  EXPECT_FALSE(cache.lower(kStart, kV4, kLink, kLink));
  EXPECT_EQ(cache.size(), 0u);
  cache.lower(kStart, kV4, 1400, kLink);
  EXPECT_FALSE(cache.lower(kStart, kV4, 1400, kLink));
  EXPECT_FALSE(cache.lower(kStart, kV4, 1401, kLink));
  EXPECT_FALSE(cache.lower(kStart, kV4, 0xffffffff, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 1400);
}

TEST(PathMtuCache, NeverExceedsTheLink) {
  PathMtuCache cache{PathMtuConfig{}};
  cache.lower(kStart, kV4, 1400, kLink);
  EXPECT_EQ(cache.mtu(kStart, kV4, 1000), 1000);
}

// RFC 5927 §7.3: a forged report must not bring the path down to useless sizes.
// [RFC 1191 3-9]
TEST(PathMtuCache, StopsAtTheFloorOfIpv4) {
  PathMtuCache cache{PathMtuConfig{}};
  EXPECT_TRUE(cache.lower(kStart, kV4, 68, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 552);
  EXPECT_FALSE(cache.lower(kStart, kV4, 551, kLink));
  EXPECT_FALSE(cache.lower(kStart, kV4, 0, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 552);
}

TEST(PathMtuCache, TakesItsFloorsFromTheConfiguration) {
  PathMtuCache cache{PathMtuConfig{.floors = {.v4 = 68}}};
  EXPECT_TRUE(cache.lower(kStart, kV4, 100, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 100);
}

// RFC 8201 §4: a report below the IPv6 minimum link MTU must be discarded.
// [RFC 8201 4-3, 4-4]
TEST(PathMtuCache, DiscardsReportsBelowTheFloorOfIpv6) {
  PathMtuCache cache{PathMtuConfig{}};
  EXPECT_FALSE(cache.lower(kStart, kV6, 1279, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV6, kLink), kLink);
  EXPECT_TRUE(cache.lower(kStart, kV6, 1280, kLink));
  EXPECT_EQ(cache.mtu(kStart, kV6, kLink), 1280);
}

TEST(PathMtuCache, KeepsToASmallLinkEvenBelowTheFloor) {
  PathMtuCache cache{PathMtuConfig{}};
  EXPECT_FALSE(cache.lower(kStart, kV4, 200, 296));
  EXPECT_EQ(cache.mtu(kStart, kV4, 296), 296);
}

// RFC 1191 §6.3, RFC 8201 §5.2.
// [RFC 1191 2-1, 3-5, 3-6, 6.3-1, 6.3-2, 6.3-3]
TEST(PathMtuCache, TriesTheLinkAgainAfterTheLifetime) {
  PathMtuCache cache{PathMtuConfig{.lifetime = minutes(10)}};
  cache.lower(kStart, kV4, 1400, kLink);
  EXPECT_EQ(cache.mtu(kStart + minutes(10) - Duration(1), kV4, kLink), 1400);
  EXPECT_EQ(cache.mtu(kStart + minutes(10), kV4, kLink), kLink);
  EXPECT_TRUE(cache.lower(kStart + minutes(11), kV4, 1450, kLink));
  EXPECT_EQ(cache.mtu(kStart + minutes(11), kV4, kLink), 1450);
  EXPECT_EQ(cache.size(), 1u);
}

// [RFC 1191 2-1, 3-5, 3-6, 6.3-1, 6.3-2, 6.3-3]
TEST(PathMtuCache, CountsTheLifetimeFromTheLastReport) {
  PathMtuCache cache{PathMtuConfig{.lifetime = minutes(10)}};
  cache.lower(kStart, kV4, 1400, kLink);
  cache.lower(kStart + minutes(9), kV4, 1300, kLink);
  EXPECT_EQ(cache.mtu(kStart + minutes(18), kV4, kLink), 1300);
}

TEST(PathMtuCache, LetsGoOfTheOldestWhenFull) {
  PathMtuCache cache{PathMtuConfig{.entries = 3}};
  const auto host = [](std::uint8_t n) { return IpAddress::v4(198, 51, 100, n); };
  for (std::uint8_t n = 1; n <= 3; ++n) cache.lower(kStart + seconds(n), host(n), 1400, kLink);
  cache.lower(kStart + seconds(4), host(1), 1300, kLink);  // now the newest
  cache.lower(kStart + seconds(5), host(4), 1400, kLink);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_EQ(cache.mtu(kStart + seconds(6), host(1), kLink), 1300);
  EXPECT_EQ(cache.mtu(kStart + seconds(6), host(2), kLink), kLink);
  EXPECT_EQ(cache.mtu(kStart + seconds(6), host(3), kLink), 1400);
  EXPECT_EQ(cache.mtu(kStart + seconds(6), host(4), kLink), 1400);
}

TEST(PathMtuCache, HoldsNothingWithoutRoom) {
  PathMtuCache cache{PathMtuConfig{.entries = 0}};
  EXPECT_FALSE(cache.lower(kStart, kV4, 1400, kLink));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(PathMtuCache, StaysWithinItsLimitUnderAFlood) {
  PathMtuCache cache{PathMtuConfig{.entries = 64}};
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    cache.lower(kStart + Duration(i), IpAddress::v4(0x0a000000 + i), 600 + i % 800, kLink);
    ASSERT_LE(cache.size(), 64u);
  }
}

TEST(PathMtuCache, ForgetsStaleEstimatesAsNewOnesCome) {
  PathMtuCache cache{PathMtuConfig{.lifetime = minutes(10)}};
  for (std::uint32_t i = 0; i < 100; ++i) {
    cache.lower(kStart, IpAddress::v4(0x0a000000 + i), 1400, kLink);
  }
  for (std::uint32_t i = 0; i < 100; ++i) {
    cache.lower(kStart + minutes(10), IpAddress::v4(0x0b000000 + i), 1400, kLink);
  }
  EXPECT_EQ(cache.size(), 100u);
}

TEST(PathMtuCache, IsAValue) {
  PathMtuCache cache{PathMtuConfig{}};
  cache.lower(kStart, kV4, 1400, kLink);
  PathMtuCache copy = cache;
  EXPECT_EQ(copy, cache);
  EXPECT_EQ(hash_of(copy), hash_of(cache));
  copy.lower(kStart, kV4, 1300, kLink);
  EXPECT_NE(copy, cache);
  EXPECT_NE(hash_of(copy), hash_of(cache));
  EXPECT_EQ(cache.mtu(kStart, kV4, kLink), 1400);
}

// RFC 1191 §5 and table 7-1.
// [RFC 1191 7-2]
TEST(NextPlateau, IsTheGreatestBelowTheLength) {
  EXPECT_EQ(next_plateau(65535, 20, 65535), 32000);
  EXPECT_EQ(next_plateau(1500, 20, 4352), 1492);
  EXPECT_EQ(next_plateau(1492, 20, 1500), 1006);
  EXPECT_EQ(next_plateau(1006, 20, 1500), 508);
  EXPECT_EQ(next_plateau(509, 20, 1500), 508);
  EXPECT_EQ(next_plateau(100, 20, 1500), 68);
  EXPECT_EQ(next_plateau(68, 20, 1500), 68);
  EXPECT_EQ(next_plateau(0, 0, 1500), 68);
}

// RFC 1191 §5, the note: 4.2BSD routers added the header's length to the total.
// [RFC 1191 5-3]
TEST(NextPlateau, TakesTheHeaderOffALengthThatCannotBe) {
  EXPECT_EQ(next_plateau(1512, 20, 1500), 1006);  // truly 1492: 1492 itself did not fit
  EXPECT_EQ(next_plateau(1500, 20, 1500), 1006);  // not below the estimate: might be 1480
  EXPECT_EQ(next_plateau(1499, 20, 1500), 1492);
}

// [RFC 1191 7-2]
TEST(NextPlateau, AlwaysEndsAtTheLeast) {
  std::uint16_t length = 65535;
  int steps = 0;
  while (length > 68) {
    const std::uint16_t next = next_plateau(length, 20, 65535);
    ASSERT_LT(next, length);
    length = next;
    ++steps;
  }
  EXPECT_LE(steps, 11);
}

}  // namespace
}  // namespace estab::ip
