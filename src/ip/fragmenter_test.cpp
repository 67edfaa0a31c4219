#include "ip/fragmenter.h"

#include <set>

#include <gtest/gtest.h>

namespace estab::ip {
namespace {

TEST(NextCut, TakesWhatFitsWhole) {
  EXPECT_EQ(next_cut(100, 100), (Cut{100, false}));
  EXPECT_EQ(next_cut(1, 8), (Cut{1, false}));
}

TEST(NextCut, CutsAtMultiplesOfEight) {
  EXPECT_EQ(next_cut(101, 100), (Cut{96, true}));
  EXPECT_EQ(next_cut(9, 8), (Cut{8, true}));
}

TEST(NextCut, TilesEveryPayload) {
  for (std::size_t room = 8; room < 40; ++room) {
    for (std::size_t payload = 0; payload < 200; ++payload) {
      std::size_t left = payload;
      for (Cut cut{0, true}; cut.more;) {
        cut = next_cut(left, room);
        ASSERT_LE(cut.length, room);
        ASSERT_TRUE(!cut.more || (cut.length % 8 == 0 && cut.length > 0));
        left -= cut.length;
      }
      ASSERT_EQ(left, 0u);
    }
  }
}

const IpAddress kHere = IpAddress::v4(192, 0, 2, 1), kThere = IpAddress::v4(192, 0, 2, 2);

// RFC 6864 §4.3: not twice while a fragment of the first may be under way.
TEST(FragmentIds, ComeNotAgainSoonForAPair) {
  FragmentIds ids({1, 2});
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 65536; ++i) {
    const auto id = static_cast<std::uint16_t>(ids.next(kHere, kThere));
    ASSERT_TRUE(seen.insert(id).second) << i;
  }
}

// RFC 7739 §5.3: what one destination sees says nothing of the next number for another.
TEST(FragmentIds, BeginElsewhereForEachPairAndSecret) {
  std::set<std::uint32_t> first;
  for (std::uint8_t host = 0; host < 100; ++host)
    first.insert(FragmentIds({1, 2}).next(kHere, IpAddress::v4(192, 0, 2, host)));
  for (std::uint64_t secret = 0; secret < 100; ++secret)
    first.insert(FragmentIds({secret, 7}).next(kHere, kThere));
  EXPECT_EQ(first.size(), 200u);
}

}  // namespace
}  // namespace estab::ip
