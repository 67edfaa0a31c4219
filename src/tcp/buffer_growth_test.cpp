#include "tcp/buffer_growth.h"

#include <gtest/gtest.h>

#include "tcp/testing/half.h"

namespace estab::tcp {
namespace {

struct Growing : Surroundings {
  Growing() { stack_config.limits.buffer_growth = 10'000; }
  BufferSize buffer = BufferSize::growing(1000, 8000);
  BufferGrowth growth;
};

TEST_F(Growing, StaysWithinTheBuffersOwnLimit) {
  EXPECT_EQ(growth.size(buffer), 1000u);
  growth.grow_to(context(), buffer, 5000);
  EXPECT_EQ(growth.size(buffer), 5000u);
  growth.grow_to(context(), buffer, 3000);  // never smaller
  EXPECT_EQ(growth.size(buffer), 5000u);
  growth.grow_to(context(), buffer, std::uint64_t{1} << 40);
  EXPECT_EQ(growth.size(buffer), 8000u);
  EXPECT_EQ(budget.granted(), 7000u);
  EXPECT_EQ(counters.buffer_growth_refused, 0u);
}

TEST_F(Growing, TakesWhatIsLeftOfTheBudgetAndCountsTheRefusal) {
  BufferGrowth other;
  growth.grow_to(context(), buffer, 8000);
  other.grow_to(context(), buffer, 8000);
  EXPECT_EQ(other.size(buffer), 4000u);
  EXPECT_EQ(budget.granted(), 10'000u);
  EXPECT_EQ(counters.buffer_growth_refused, 1u);
  growth.give_back(budget);
  other.grow_to(context(), buffer, 8000);
  EXPECT_EQ(other.size(buffer), 8000u);
  EXPECT_EQ(counters.buffer_growth_refused, 1u);
}

TEST_F(Growing, GivesBackWhatIsBeyondASize) {
  growth.grow_to(context(), buffer, 8000);
  growth.shrink_to(budget, buffer, 3000);
  EXPECT_EQ(growth.size(buffer), 3000u);
  EXPECT_EQ(budget.granted(), 2000u);
  growth.shrink_to(budget, buffer, 0);
  EXPECT_EQ(growth.size(buffer), 1000u);
  EXPECT_EQ(budget.granted(), 0u);
}

TEST(BufferSize, IsFixedWhereANumberIsWritten) {
  const TcpConfig config{.receive_buffer = 5000};
  EXPECT_FALSE(config.receive_buffer.grows());
  EXPECT_EQ(config.receive_buffer.most, 5000u);
  EXPECT_TRUE(TcpConfig{}.receive_buffer.grows());
  EXPECT_TRUE(TcpConfig{}.send_buffer.grows());
  EXPECT_FALSE(BufferSize::growing(5000, 100).grows());
}

}  // namespace
}  // namespace estab::tcp
