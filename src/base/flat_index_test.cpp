#include "base/flat_index.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::base {
namespace {

constexpr auto kAny = [](std::uint32_t) { return true; };
constexpr auto is(std::uint32_t wanted) {
  return [wanted](std::uint32_t value) { return value == wanted; };
}

TEST(FlatIndex, OwnsNoStorageBeforeTheFirstEntry) {
  FlatIndex index;
  EXPECT_EQ(index.memory(), 0U);
  EXPECT_FALSE(index.find(1, kAny));
  EXPECT_FALSE(index.erase(1, 1));
  EXPECT_FALSE(index.replace(1, 1, 2));
  index.insert(1, 10);
  EXPECT_GT(index.memory(), 0U);
  EXPECT_EQ(index.find(1, kAny), 10U);
}

TEST(FlatIndex, AsksTheCallerWhichOfEqualHashesIsMeant) {
  FlatIndex index;
  for (std::uint32_t value = 0; value < 20; ++value) index.insert(77, value);
  EXPECT_EQ(index.find(77, is(13)), 13U);
  EXPECT_FALSE(index.find(77, is(20)));
  EXPECT_TRUE(index.erase(77, 13));
  EXPECT_FALSE(index.erase(77, 13));
  EXPECT_FALSE(index.find(77, is(13)));
  EXPECT_EQ(index.find(77, is(19)), 19U);
}

TEST(FlatIndex, ReplacesAValueInPlace) {
  FlatIndex index;
  index.insert(5, 1);
  EXPECT_TRUE(index.replace(5, 1, 2));
  EXPECT_FALSE(index.replace(5, 1, 3));
  EXPECT_EQ(index.find(5, kAny), 2U);
  EXPECT_EQ(index.size(), 1U);
}

// Hashes in which only a few bits differ: wherever they stand, they have to spread.
TEST(FlatIndex, FindsEveryEntryUnderPoorHashes) {
  for (int shift : {0, 8, 16, 32, 48}) {
    FlatIndex index;
    for (std::uint32_t i = 0; i < 10000; ++i) index.insert(std::uint64_t{i} << shift, i);
    for (std::uint32_t i = 0; i < 10000; ++i) {
      int asked = 0;
      const auto found = index.find(std::uint64_t{i} << shift, [&](std::uint32_t value) {
        ++asked;
        return value == i;
      });
      ASSERT_EQ(found, i);
      ASSERT_LT(asked, 5) << "32 bits of hash should tell nearly all apart";
    }
  }
}

void expect_same(const FlatIndex& index, const std::map<std::uint32_t, std::uint64_t>& model) {
  std::map<std::uint32_t, int> seen;
  index.for_each([&](std::uint32_t value) { ++seen[value]; });
  ASSERT_EQ(seen.size(), model.size());
  for (const auto& [value, hash] : model) {
    ASSERT_EQ(seen[value], 1);
    ASSERT_EQ(index.find(hash, is(value)), value);
  }
}

// The model: value -> hash. Few different hashes, so that runs are long and wrap around the end.
void compare_with_model(std::uint64_t seed, std::uint64_t hashes, int steps) {
  Prng prng(seed);
  FlatIndex index;
  std::map<std::uint32_t, std::uint64_t> model;
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t hash = prng.below(hashes) * 0x123456789abcdef1;
    const auto value = static_cast<std::uint32_t>(prng.below(500));
    const auto known = model.find(value);
    const std::uint64_t choice = prng.below(4);
    if (known == model.end() && choice < 3) {
      index.insert(hash, value);
      model[value] = hash;
    } else if (known != model.end() && choice < 2) {
      ASSERT_TRUE(index.erase(known->second, value));
      model.erase(known);
    } else if (known != model.end() && choice == 2) {
      ASSERT_TRUE(index.replace(known->second, value, 1000 + value));
      ASSERT_TRUE(index.replace(known->second, 1000 + value, value));
    } else {
      const bool there = known != model.end() && known->second == hash;
      ASSERT_EQ(index.find(hash, is(value)).has_value(), there);
    }
    ASSERT_EQ(index.size(), model.size());
    if (step % 97 == 0) expect_same(index, model);
  }
  expect_same(index, model);
}

TEST(FlatIndex, BehavesAsAMapDoesUnderGoodHashes) {
  compare_with_model(3, ~0ULL, 20000);
}
TEST(FlatIndex, BehavesAsAMapDoesWhenMostHashesCollide) {
  compare_with_model(4, 12, 20000);
}

TEST(FlatIndex, KeepsItsSizeUnderLongUse) {
  Prng prng(5);
  FlatIndex index;
  std::vector<std::uint64_t> hashes(100);
  for (std::uint32_t i = 0; i < 100; ++i) index.insert(hashes[i] = prng.next(), i);
  const std::size_t before = index.memory();
  for (std::uint32_t round = 0; round < 100000; ++round) {
    const std::uint32_t i = round % 100;
    ASSERT_TRUE(index.erase(hashes[i], i));
    index.insert(hashes[i] = prng.next(), i);
  }
  EXPECT_EQ(index.memory(), before);
}

TEST(FlatIndex, ComparesContentsWhateverTheHistory) {
  FlatIndex grown;
  for (std::uint32_t i = 0; i < 1000; ++i) grown.insert(i, i);
  for (std::uint32_t i = 0; i < 990; ++i) grown.erase(i, i);
  FlatIndex small;
  for (std::uint32_t i = 999; i >= 990; --i) small.insert(i, i);
  EXPECT_EQ(grown, small);
  EXPECT_EQ(small, grown);
  small.replace(999, 999, 5);
  EXPECT_NE(grown, small);
  EXPECT_NE(small, FlatIndex());
}

TEST(FlatIndex, LeavesACopyAloneWhenChanged) {
  FlatIndex index;
  for (std::uint32_t i = 0; i < 10; ++i) index.insert(i, i);
  const FlatIndex copy = index;
  index.erase(3, 3);
  index.insert(30, 30);
  EXPECT_EQ(copy.find(3, kAny), 3U);
  EXPECT_FALSE(copy.find(30, kAny));
  EXPECT_EQ(copy.size(), 10U);
}

TEST(FlatIndex, IsAsNewWhenCleared) {
  FlatIndex index;
  for (std::uint32_t i = 0; i < 100; ++i) index.insert(i, i);
  index.clear();
  EXPECT_EQ(index, FlatIndex());
  EXPECT_EQ(index.memory(), 0U);
  index.insert(1, 1);
  EXPECT_EQ(index.find(1, kAny), 1U);
}

TEST(FlatIndexDeathTest, RefusesTheSameEntryTwice) {
  FlatIndex index;
  index.insert(1, 1);
  EXPECT_DEATH(index.insert(1, 1), "");
}

}  // namespace
}  // namespace estab::base
