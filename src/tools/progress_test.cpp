#include "tools/progress.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

using namespace std::chrono_literals;

TEST(Progress, ShowsABarTheShareTheRateAndTheTimeLeft) {
  EXPECT_EQ(progress_line({.done = 32 << 20, .total = 64 << 20, .elapsed = 2s}, 100),
            "[====================>                   ]  50 %  32.0 MiB of 64.0 MiB  134 Mbit/s  "
            "2 s left");
  EXPECT_EQ(progress_line({.done = 64 << 20, .total = 64 << 20, .elapsed = 4s}, 100),
            "[========================================] 100 %  64.0 MiB of 64.0 MiB  134 Mbit/s");
}

TEST(Progress, DoesWithoutABarWhereThereIsNoRoom) {
  EXPECT_EQ(progress_line({.done = 0, .total = 100, .elapsed = 0s}, 30),
            "  0 %  0 B of 100 B  0 bit/s");
  EXPECT_EQ(progress_line({.done = 0, .total = 100, .elapsed = 0s}, 5), "  0 %");
}

TEST(Progress, DoesWithoutATotal) {
  EXPECT_EQ(progress_line({.done = 1000, .elapsed = 1s}, 80), "1000 B  8.00 kbit/s");
}

TEST(Progress, NeverIsWiderThanTheTerminal) {
  for (int columns = 0; columns < 120; ++columns)
    EXPECT_LE(progress_line({.done = 7, .total = 1 << 30, .elapsed = 3s}, columns).size(),
              static_cast<std::size_t>(columns));
}

TEST(Progress, TakesAnEmptyFileAsDone) {
  EXPECT_EQ(progress_line({.done = 0, .total = 0, .elapsed = 1s}, 20), "100 %  0 B of 0 B  0");
}

}  // namespace
}  // namespace estab::tools
