// Fast Open cookies: what they depend on, and how they expire.
#include "tcp/open/fast_open_cookie.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

constexpr FastOpenKey kKey = {0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2,
                              0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4};

FastOpenCookie cookie(std::initializer_list<std::uint8_t> octets) {
  return *FastOpenCookie::from(std::vector<std::uint8_t>(octets));
}

struct FastOpenCookies : testing::Test {
  CookieIssuer issuer(Duration at = 0s) const {
    return {secrets, settings, 1h, Instant(1000h) + at};
  }
  FourTuple from(std::uint8_t client, std::uint16_t port = 40000) const {
    FourTuple tuple = pair;
    tuple.remote_address = IpAddress::v4(192, 0, 2, client);
    tuple.remote_port = port;
    return tuple;
  }

  Secrets secrets{{1, 2}};
  FastOpen settings{.pending = 10};
  FourTuple pair{IpAddress::v4(192, 168, 0, 1), IpAddress::v4(192, 0, 2, 1), 8080, 40000};
};

// The values that Linux gives for this key and for a key of zeros (RFC 7413 §6.3.4: who stand
// behind one address must make the same).
TEST_F(FastOpenCookies, AreThoseThatLinuxMakesWithTheSameKey) {
  settings.keys = {kKey};
  EXPECT_EQ(issuer().issue(pair), cookie({0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb}));
  settings.keys = {FastOpenKey{}};
  EXPECT_EQ(issuer().issue(pair), cookie({0xb7, 0xc1, 0x23, 0x50, 0xa9, 0x0d, 0xc8, 0xf5}));
}

// [RFC 7413 4.1.2-1]
TEST_F(FastOpenCookies, AuthenticateTheAddressesAndNotThePorts) {
  const FastOpenCookie made = issuer().issue(from(1));
  EXPECT_EQ(issuer().check(from(1, 50000), made), CookieCheck::current);
  EXPECT_EQ(issuer().check(from(2), made), CookieCheck::invalid);
  EXPECT_EQ(issuer().check(from(1), FastOpenCookie()), CookieCheck::invalid);
  FourTuple six{*IpAddress::parse("2001:db8::1"), *IpAddress::parse("2001:db8::2"), 80, 4000};
  const FastOpenCookie of_six = issuer().issue(six);
  EXPECT_EQ(issuer().check(six, of_six), CookieCheck::current);
  six.remote_address = *IpAddress::parse("2001:db8::3");
  EXPECT_EQ(issuer().check(six, of_six), CookieCheck::invalid);
}

TEST_F(FastOpenCookies, OfOneStackAreNoOthers) {
  const FastOpenCookie made = issuer().issue(pair);
  secrets = Secrets({1, 3});
  EXPECT_EQ(issuer().check(pair, made), CookieCheck::invalid);
}

TEST_F(FastOpenCookies, OfTheStacksOwnKeysExpireAfterOneLifetimeOrTwo) {
  const FastOpenCookie made = issuer().issue(pair);
  EXPECT_EQ(issuer(59min).check(pair, made), CookieCheck::current);
  EXPECT_EQ(issuer(60min).check(pair, made), CookieCheck::outdated);
  EXPECT_NE(issuer(60min).issue(pair), made);
  EXPECT_EQ(issuer(119min).check(pair, made), CookieCheck::outdated);
  EXPECT_EQ(issuer(120min).check(pair, made), CookieCheck::invalid);
}

TEST_F(FastOpenCookies, OfAKeyThatIsOnItsWayOutAreTakenStill) {
  settings.keys = {kKey};
  const FastOpenCookie made = issuer().issue(pair);
  settings.keys = {FastOpenKey{7}, kKey};
  EXPECT_EQ(issuer().check(pair, made), CookieCheck::outdated);
  EXPECT_EQ(issuer().check(pair, issuer().issue(pair)), CookieCheck::current);
  settings.keys = {FastOpenKey{7}};
  EXPECT_EQ(issuer().check(pair, made), CookieCheck::invalid);
}

}  // namespace
}  // namespace estab::tcp
