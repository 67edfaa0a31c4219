#include "tools/read_blocks.h"

#include <cstring>

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

TEST(ReadBlocks, AreUsedAgainOnceNobodyHoldsThem) {
  ReadBlocks blocks(1000);
  ReadBlocks::Block read = blocks.take(1000);
  const std::uint8_t* const memory = read.get();
  std::shared_ptr<const void> lent = std::move(read);
  EXPECT_NE(blocks.take(1000).get(), memory) << "it is lent";
  lent.reset();
  EXPECT_EQ(blocks.take(700).get(), memory) << "the latest first";
}

TEST(ReadBlocks, OfOtherSizesAreMadeAsTheyAreWanted) {
  ReadBlocks blocks(1000);
  const ReadBlocks::Block large = blocks.take(5000), small = blocks.take(10);
  std::memset(large.get(), 1, 5000);
  std::memset(small.get(), 1, 10);
  EXPECT_EQ(blocks.held(), 5010u);
}

TEST(ReadBlocks, KnowHowMuchIsHeld) {
  ReadBlocks blocks(1000, 1);
  {
    const ReadBlocks::Block first = blocks.take(1000), second = blocks.take(1000);
    EXPECT_EQ(blocks.held(), 2000u);
  }
  EXPECT_EQ(blocks.held(), 0u);
}

TEST(ReadBlocks, OutliveThePool) {
  ReadBlocks::Block block;
  {
    ReadBlocks blocks(1000);
    block = blocks.take(1000);
  }
  std::memset(block.get(), 1, 1000);
}

}  // namespace
}  // namespace estab::tools
