#include "estab/block.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

int allocations = 0;

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* storage = std::aligned_alloc(alignment, rounded)) return storage;
  throw std::bad_alloc();
}

}  // namespace

// Every allocation of this test program is counted. Not inlined: g++ would see new paired with
// free.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* storage) noexcept {
  std::free(storage);
}
[[gnu::noinline]] void operator delete(void* storage, std::size_t) noexcept {
  std::free(storage);
}
[[gnu::noinline]] void operator delete(void* storage, std::align_val_t) noexcept {
  std::free(storage);
}
[[gnu::noinline]] void operator delete(void* storage, std::size_t, std::align_val_t) noexcept {
  std::free(storage);
}

namespace estab {
namespace {

TEST(Block, OwnsNothingWhenEmpty) {
  Block block;
  EXPECT_FALSE(block);
  EXPECT_EQ(block.capacity(), 0U);
  EXPECT_EQ(block.data(), nullptr);
  EXPECT_TRUE(block.octets().empty());
}

TEST(Block, HoldsItsCapacityAligned) {
  for (std::size_t capacity : {0, 1, 1500, 100000}) {
    Block block(capacity);
    EXPECT_TRUE(block);
    EXPECT_EQ(block.octets().size(), capacity);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 16, 0U);
    std::memset(block.data(), 0xa5, block.capacity());
  }
}

TEST(Block, RefusesMoreThanThereIs) {
  EXPECT_THROW(Block(~std::size_t{0} - 3), std::bad_alloc);
}

TEST(Block, PassesItsOctetsOnWhenMoved) {
  Block block(10);
  std::uint8_t* data = block.data();
  Block taken = std::move(block);
  EXPECT_FALSE(block);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(taken.data(), data);
  Block other(20);
  other = std::move(taken);
  EXPECT_EQ(other.data(), data);
  EXPECT_EQ(other.capacity(), 10U);
  other.reset();
  EXPECT_FALSE(other);
}

TEST(BlockPool, GivesTheSmallestSizeThatHoldsTheOctets) {
  BlockPool pool;
  EXPECT_EQ(pool.take(0).capacity(), BlockPool::kSizes[0]);
  EXPECT_EQ(pool.take(BlockPool::kSizes[0]).capacity(), BlockPool::kSizes[0]);
  EXPECT_EQ(pool.take(BlockPool::kSizes[0] + 1).capacity(), BlockPool::kSizes[1]);
  EXPECT_EQ(pool.take(BlockPool::kSizes[2]).capacity(), BlockPool::kSizes[2]);
  EXPECT_EQ(pool.take(BlockPool::kSizes[2] + 1).capacity(), BlockPool::kSizes[2] + 1);
}

TEST(BlockPool, HandsTheSameBlockOutAgain) {
  BlockPool pool;
  Block block = pool.take(100);
  std::uint8_t* data = block.data();
  pool.give(std::move(block));
  EXPECT_FALSE(block);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(pool.free_octets(), BlockPool::kSizes[0]);
  EXPECT_NE(pool.take(BlockPool::kSizes[1]).data(), data);
  EXPECT_EQ(pool.take(200).data(), data);
  EXPECT_EQ(pool.free_octets(), 0U);
}

TEST(BlockPool, AllocatesNothingOnceItHasWhatIsNeeded) {
  BlockPool pool;
  std::vector<Block> in_use(64);
  const auto round = [&] {
    for (std::size_t i = 0; i < in_use.size(); ++i)
      in_use[i] = pool.take(BlockPool::kSizes[i % BlockPool::kSizes.size()]);
    for (Block& block : in_use) pool.give(std::move(block));
  };
  const int before = allocations;
  round();
  EXPECT_EQ(allocations - before, 64);
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(allocations - before, 64);
}

TEST(BlockPool, DoesNotKeepBlocksOfOtherSizesOrNone) {
  BlockPool pool;
  pool.give(Block(100));
  pool.give(Block(BlockPool::kSizes[2] + 1));
  pool.give(Block());
  EXPECT_EQ(pool.free_octets(), 0U);
}

TEST(BlockPool, KeepsNoMoreThanItsLimit) {
  BlockPool pool;
  pool.max_free_octets = 3 * BlockPool::kSizes[0] - 1;
  for (int i = 0; i < 5; ++i) pool.give(Block(BlockPool::kSizes[0]));
  EXPECT_EQ(pool.free_octets(), 2 * BlockPool::kSizes[0]);
  pool.max_free_octets = 0;
  pool.give(Block(BlockPool::kSizes[0]));
  EXPECT_EQ(pool.free_octets(), 2 * BlockPool::kSizes[0]);
}

TEST(BlockPool, FreesWhatItHoldsWhenCleared) {
  BlockPool pool;
  for (std::size_t size : BlockPool::kSizes) pool.give(Block(size));
  pool.clear();
  EXPECT_EQ(pool.free_octets(), 0U);
  const int before = allocations;
  Block block = pool.take(1);
  EXPECT_EQ(allocations - before, 1);
}

TEST(BlockPool, IsEmptyWhenCopiedAndWhenMovedFrom) {
  BlockPool pool;
  pool.give(Block(BlockPool::kSizes[0]));
  BlockPool copy(pool);
  EXPECT_EQ(copy.free_octets(), 0U);
  copy = pool;
  EXPECT_EQ(copy.free_octets(), 0U);
  EXPECT_EQ(pool.free_octets(), BlockPool::kSizes[0]);
  BlockPool taken = std::move(pool);
  EXPECT_EQ(pool.free_octets(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(taken.free_octets(), BlockPool::kSizes[0]);
  copy = std::move(taken);
  EXPECT_EQ(copy.free_octets(), BlockPool::kSizes[0]);
}

}  // namespace
}  // namespace estab
