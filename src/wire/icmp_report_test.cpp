#include "estab/icmp_report.h"

#include <gtest/gtest.h>

namespace estab {
namespace {

TEST(IcmpReport, SaysWhoSaidWhat) {
  const IcmpReport v4{IpAddress::v4(192, 0, 2, 1), 3, 1};
  EXPECT_EQ(to_string(v4), "192.0.2.1 says: host unreachable");
  const IcmpReport v6{*IpAddress::parse("2001:db8::1"), 1, 0};
  EXPECT_EQ(to_string(v6), "2001:db8::1 says: no route to destination");
}

// The numbers of the two families mean different things.
TEST(IcmpReport, ReadsTypeAndCodeByTheFamilyOfTheSender) {
  EXPECT_EQ(meaning({IpAddress::v4(192, 0, 2, 1), 3, 13}),
            "communication administratively prohibited");
  EXPECT_EQ(meaning({*IpAddress::parse("2001:db8::1"), 1, 1}),
            "communication administratively prohibited");
  EXPECT_EQ(meaning({*IpAddress::parse("2001:db8::1"), 3, 0}), "hop limit exceeded in transit");
}

TEST(IcmpReport, HasAWordForWhatItDoesNotKnow) {
  EXPECT_EQ(meaning({IpAddress::v4(192, 0, 2, 1), 3, 200}), "an unknown error");
  EXPECT_EQ(meaning({*IpAddress::parse("2001:db8::1"), 100, 0}), "an unknown error");
}

}  // namespace
}  // namespace estab
