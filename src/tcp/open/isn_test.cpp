// Initial sequence numbers: ISN = M + F(pair, secret) (RFC 6528 §3, MUST-8, MUST-9, SHLD-1).
#include <bit>
#include <set>

#include <gtest/gtest.h>

#include "tcp/open/secrets.h"

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

const Secrets kSecrets({1, 2});

FourTuple pair(std::uint16_t port) {
  return {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 80, port};
}

std::uint32_t isn(std::uint16_t port, Duration at) {
  return kSecrets.initial_sequence(pair(port), Instant(at)).value();
}

// [RFC 9293 MUST-8]
TEST(Isn, CountsOneEveryFourMicroseconds) {
  const std::uint32_t first = isn(1, 0s);
  EXPECT_EQ(isn(1, 3999ns), first);
  EXPECT_EQ(isn(1, 4us), first + 1);
  EXPECT_EQ(isn(1, 1s), first + 250000);
  EXPECT_EQ(isn(1, 24h), first + static_cast<std::uint32_t>(86400ull * 250000));
}

// RFC 9293 §3.4.1: about 4.77 hours a round.
TEST(Isn, WrapsWithoutAJump) {
  const Duration round = 4us * (1ll << 32);
  EXPECT_EQ(isn(1, round), isn(1, 0s));
  EXPECT_EQ(isn(1, round - 4us) + 1, isn(1, 0s));
}

// MUST-9: what one pair shows (or many) says nothing of another.
TEST(Isn, OfNeighbouringPortsShowsNoPattern) {
  std::set<std::uint32_t> steps;
  for (std::uint16_t port = 1; port < 1000; ++port) steps.insert(isn(port + 1, 0s) - isn(port, 0s));
  EXPECT_EQ(steps.size(), 999u);
  std::uint32_t ones = 0;
  for (const std::uint32_t step : steps) ones += static_cast<std::uint32_t>(std::popcount(step));
  EXPECT_NEAR(ones, 999 * 16, 999);  // half of all bits, within 5 standard deviations and more
}

}  // namespace
}  // namespace estab::tcp
