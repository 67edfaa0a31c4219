#include "base/port_range.h"

#include <gtest/gtest.h>

namespace estab::base {
namespace {

TEST(PortRange, GoesRoundBetweenItsEnds) {
  const PortRange ports(100, 102);
  EXPECT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports.at(0), 100);
  EXPECT_EQ(ports.at(2), 102);
  EXPECT_EQ(ports.at(3), 100);
  EXPECT_EQ(PortRange(65535, 65535).at(7), 65535);
}

TEST(PortRange, NeverGivesPortZero) {
  EXPECT_EQ(PortRange(0, 1).size(), 1u);
  EXPECT_EQ(PortRange(0, 1).at(0), 1);
  EXPECT_EQ(PortRange(0, 0).size(), 0u);
  EXPECT_EQ(PortRange(0, 65535).size(), 65535u);
}

TEST(PortRange, IsEmptyIfItEndsBeforeItBegins) {
  EXPECT_EQ(PortRange(10, 9).size(), 0u);
}

}  // namespace
}  // namespace estab::base
