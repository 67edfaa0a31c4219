// Every request of memory that a stack makes fails once, each in a run of its own.
#include <cstdio>

#include <gtest/gtest.h>

#include "failing_new.h"
#include "world.h"

namespace estab::test {
namespace {

struct Outcome {
  std::uint64_t requests = 0, failed = 0, refused = 0;
  std::string complaint;
  std::size_t left_over = 0;
};

Outcome run(std::uint64_t first, std::uint64_t count) {
  Outcome result;
  const std::size_t before = live_allocations();
  {
    fail_requests(first, count);
    World world;
    world.run();
    result = {requests(), failed_requests(), world.refused_calls(), {}, 0};
    fail_requests(0, 0);
    result.complaint = world.complaint();
  }
  const std::size_t told = result.complaint.capacity() > std::string().capacity() ? 1 : 0;
  result.left_over = live_allocations() - before - told;
  return result;
}

std::uint64_t fail_each(std::uint64_t count) {
  const std::uint64_t all = run(0, 0).requests;
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1; n <= all; ++n) {
    const Outcome result = run(n, count);
    failures += result.failed;
    EXPECT_EQ(result.complaint, "") << "request " << n << " of " << all << " failed";
    EXPECT_EQ(result.left_over, 0u) << "request " << n << " of " << all << " failed";
    EXPECT_GT(result.failed, 0u) << n;
    EXPECT_GT(result.refused, 0u) << "request " << n << " failed and nobody was told";
    if (testing::Test::HasFailure()) break;
  }
  std::printf("%llu requests a run, %llu failed in all\n", static_cast<unsigned long long>(all),
              static_cast<unsigned long long>(failures));
  return all;
}

TEST(StackWithoutMemory, NeedsNoneThatFailsToBeginWith) {
  const Outcome result = run(0, 0);
  EXPECT_EQ(result.complaint, "");
  EXPECT_EQ(result.left_over, 0u);
  EXPECT_GT(result.requests, 100u);
}

TEST(StackWithoutMemory, ReportsAnyOneFailedRequestAndGoesOnWhereItWas) {
  EXPECT_GT(fail_each(1), 100u);
}

TEST(StackWithoutMemory, SurvivesAWhileWithoutAnyMemory) {
  EXPECT_GT(fail_each(40), 100u);
}

}  // namespace
}  // namespace estab::test
