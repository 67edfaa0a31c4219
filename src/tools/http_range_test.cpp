#include "tools/http_range.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

using Ranges = std::vector<OctetRange>;

TEST(HttpRange, SelectsByFirstAndLastPosition) {
  EXPECT_EQ(select_ranges("bytes=0-0", 100), (Ranges{{0, 1}}));
  EXPECT_EQ(select_ranges("bytes=10-19", 100), (Ranges{{10, 10}}));
  EXPECT_EQ(select_ranges("bytes=90-", 100), (Ranges{{90, 10}}));
  EXPECT_EQ(select_ranges("bytes=90-1000", 100), (Ranges{{90, 10}}));
  EXPECT_EQ(select_ranges("BYTES = 99-99", 100), (Ranges{{99, 1}}));
}

TEST(HttpRange, SelectsASuffix) {
  EXPECT_EQ(select_ranges("bytes=-1", 100), (Ranges{{99, 1}}));
  EXPECT_EQ(select_ranges("bytes=-1000", 100), (Ranges{{0, 100}}));
}

TEST(HttpRange, TakesPositionsOfAnyLength) {
  EXPECT_EQ(select_ranges("bytes=5-99999999999999999999999999", 100), (Ranges{{5, 95}}));
  EXPECT_EQ(select_ranges("bytes=99999999999999999999999999-", 100), Ranges{});
  EXPECT_EQ(select_ranges("bytes=0-18446744073709551615", 100), (Ranges{{0, 100}}));
}

TEST(HttpRange, KeepsSeveralInTheOrderAsked) {
  EXPECT_EQ(select_ranges("bytes=50-59, 0-9,-5", 100), (Ranges{{50, 10}, {0, 10}, {95, 5}}));
}

TEST(HttpRange, LeavesOutWhatCannotBeSatisfied) {
  EXPECT_EQ(select_ranges("bytes=100-, 0-9", 100), (Ranges{{0, 10}}));
  EXPECT_EQ(select_ranges("bytes=100-", 100), Ranges{});
  EXPECT_EQ(select_ranges("bytes=-0", 100), Ranges{});
}

TEST(HttpRange, IgnoresWhatIsMalformed) {
  for (const char* field :
       {"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=5-4", "bytes=5", "bytes=-",
        "bytes=--5", "bytes=1-2-3", "items=0-1", "bytes=0-1,x", "bytes=+1-2", "bytes=1 - 2"})
    EXPECT_EQ(select_ranges(field, 100), std::nullopt) << field;
}

TEST(HttpRange, GivesTheWholeWhenThePartsWouldBeMore) {
  EXPECT_EQ(select_ranges("bytes=0-,0-", 100), std::nullopt);
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < kMaxRanges; ++i) many += ",0-0";
  EXPECT_EQ(select_ranges(many, 100)->size(), kMaxRanges);
  EXPECT_EQ(select_ranges(many + ",0-0", 100), std::nullopt);
}

TEST(HttpRange, IsIgnoredForAnEmptyFile) {
  EXPECT_EQ(select_ranges("bytes=0-", 0), std::nullopt);
  EXPECT_EQ(select_ranges("bytes=-5", 0), std::nullopt);
}

TEST(HttpRange, IsNamedByFirstLastAndSize) {
  EXPECT_EQ(content_range({10, 10}, 100), "bytes 10-19/100");
}

}  // namespace
}  // namespace estab::tools
