#include "base/slab.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::base {
namespace {

static_assert(!std::copy_constructible<Slab<std::unique_ptr<int>>>);

TEST(Slab, GetsNothingUnderANumberThatIsNotInUse) {
  Slab<int> slab;
  EXPECT_EQ(slab.get(0), nullptr);
  const std::uint32_t index = slab.emplace(7);
  EXPECT_EQ(*slab.get(index), 7);
  slab.erase(index);
  EXPECT_EQ(slab.get(index), nullptr);
}

TEST(Slab, OwnsNoStorageBeforeTheFirstObject) {
  Slab<int> slab;
  EXPECT_EQ(slab.memory(), 0U);
  EXPECT_EQ(slab.capacity(), 0U);
  slab.emplace(1);
  EXPECT_GE(slab.memory(), 64 * sizeof(int));
  EXPECT_EQ(slab.capacity(), 64U);
}

TEST(Slab, NeverMovesAnObject) {
  Slab<std::string> slab;
  const std::uint32_t first = slab.emplace("first");
  const std::string* address = &slab[first];
  for (int i = 0; i < 1000; ++i) slab.emplace(std::to_string(i));
  EXPECT_EQ(&slab[first], address);
  EXPECT_EQ(*address, "first");
  Slab<std::string> taken = std::move(slab);
  EXPECT_EQ(&taken[first], address);
}

TEST(Slab, GivesTheLastErasedNumberOutFirst) {
  Slab<int> slab;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(slab.emplace(i), static_cast<std::uint32_t>(i));
  slab.erase(1);
  slab.erase(3);
  EXPECT_EQ(slab.emplace(30), 3U);
  EXPECT_EQ(slab.emplace(10), 1U);
  EXPECT_EQ(slab.emplace(50), 5U);
}

TEST(Slab, FindsNothingUnderAStaleHandle) {
  Slab<int> slab;
  const std::uint32_t index = slab.emplace(1);
  const std::uint32_t generation = slab.generation(index);
  EXPECT_EQ(*slab.find(index, generation), 1);
  slab.erase(index);
  EXPECT_FALSE(slab.holds(index));
  EXPECT_EQ(slab.find(index, generation), nullptr);
  EXPECT_EQ(slab.find(index, generation + 1), nullptr) << "erased, though the generation is right";
  ASSERT_EQ(slab.emplace(2), index);
  EXPECT_EQ(slab.find(index, generation), nullptr);
  EXPECT_EQ(*slab.find(index, generation + 1), 2);
  EXPECT_EQ(slab.generation(index), generation + 1);
  EXPECT_EQ(slab.find(1000000, 0), nullptr);
  EXPECT_FALSE(slab.holds(0xffffffff));
}

TEST(Slab, VisitsWhatItHoldsInOrderOfNumbers) {
  Slab<int> slab;
  for (int i = 0; i < 200; ++i) slab.emplace(i);
  for (std::uint32_t i = 0; i < 200; i += 2) slab.erase(i);
  std::vector<std::uint32_t> seen;
  std::as_const(slab).for_each([&](std::uint32_t index, const int& value) {
    EXPECT_EQ(static_cast<int>(index), value);
    seen.push_back(index);
  });
  ASSERT_EQ(seen.size(), 100U);
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(seen[i], 2 * i + 1);
}

TEST(Slab, LetsTheVisitorEraseAndEmplace) {
  Slab<int> slab;
  for (int i = 0; i < 64; ++i) slab.emplace(i);
  std::vector<int> seen;
  slab.for_each([&](std::uint32_t index, int& value) {
    seen.push_back(value);
    if (value % 2 != 0) return;
    slab.erase(index + 1);
    slab.erase(index);
    if (value == 62)
      for (int i = 0; i < 1000; ++i) slab.emplace(1000 + i);
  });
  seen.resize(32);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], 2 * i);
}

TEST(Slab, BehavesAsAMapDoes) {
  Prng prng(2);
  Slab<std::string> slab;
  std::map<std::uint32_t, std::string> model;
  std::map<std::uint32_t, std::uint32_t> erased;  // how often each number was
  for (int step = 0; step < 20000; ++step) {
    if (model.empty() || prng.below(step / 1000 % 2 == 0 ? 3 : 2) != 0) {
      const std::string value = "a string too long to be kept in place " + std::to_string(step);
      const std::uint32_t index = slab.emplace(value);
      ASSERT_TRUE(model.emplace(index, value).second) << "number given out twice";
      ASSERT_EQ(slab.generation(index), erased[index]);
    } else {
      auto victim = model.lower_bound(static_cast<std::uint32_t>(prng.below(slab.capacity())));
      if (victim == model.end()) victim = model.begin();
      slab.erase(victim->first);
      ++erased[victim->first];
      model.erase(victim);
    }
    ASSERT_EQ(slab.size(), model.size());
  }
  std::map<std::uint32_t, std::string> held;
  slab.for_each([&](std::uint32_t index, std::string& value) { held[index] = value; });
  EXPECT_EQ(held, model);
}

Slab<std::string> slab_with_history() {
  Slab<std::string> slab;
  for (int i = 0; i < 130; ++i) slab.emplace(std::to_string(i));
  for (std::uint32_t index : {7U, 129U, 64U, 3U}) slab.erase(index);
  return slab;
}

TEST(Slab, LeavesACopyAloneWhenChanged) {
  Slab<std::string> slab = slab_with_history();
  const Slab<std::string> copy = slab;
  EXPECT_EQ(copy, slab);
  EXPECT_NE(&copy[0], &slab[0]);
  slab[0] = "changed";
  EXPECT_EQ(copy[0], "0");
  EXPECT_NE(copy, slab);
  slab[0] = "0";
  EXPECT_EQ(copy, slab);
}

TEST(Slab, GivesTheSameNumbersOutInACopy) {
  Slab<std::string> slab = slab_with_history();
  Slab<std::string> copy = slab;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(slab.emplace("x"), copy.emplace("x"));
  EXPECT_EQ(copy, slab);
  EXPECT_EQ(copy.generation(129), 1U);
}

TEST(Slab, IsDifferentWhenItWouldGiveOtherNumbersOut) {
  Slab<int> a;
  for (int i = 0; i < 4; ++i) a.emplace(i);
  Slab<int> b = a;
  a.erase(1);
  a.erase(2);
  b.erase(2);
  b.erase(1);
  EXPECT_NE(a, b);
}

TEST(Slab, IsDifferentWhenAGenerationIs) {
  Slab<int> a;
  a.emplace(1);
  Slab<int> b = a;
  b.erase(0);
  b.emplace(1);
  EXPECT_NE(a, b);
}

struct ThrowsOnDemand {
  int written;
  explicit ThrowsOnDemand(int value) : written(value) {
    if (value < 0) throw std::runtime_error("as asked");
  }
};

TEST(Slab, StaysWholeWhenAConstructorThrows) {
  Slab<ThrowsOnDemand> slab;
  for (int i = 0; i < 3; ++i) slab.emplace(i);
  EXPECT_THROW(slab.emplace(-1), std::runtime_error);
  EXPECT_EQ(slab.size(), 3U);
  slab.erase(0);
  slab.erase(1);
  EXPECT_THROW(slab.emplace(-1), std::runtime_error);
  EXPECT_EQ(slab.emplace(1), 1U);
  EXPECT_EQ(slab.emplace(1), 0U);
  EXPECT_EQ(slab.emplace(1), 3U);
}

TEST(Slab, DestroysEachObjectOnce) {
  auto counted = std::make_shared<int>(0);
  {
    Slab<std::shared_ptr<int>> slab;
    for (int i = 0; i < 100; ++i) slab.emplace(counted);
    for (std::uint32_t i = 0; i < 50; ++i) slab.erase(i);
    EXPECT_EQ(counted.use_count(), 1 + 50);
    const Slab<std::shared_ptr<int>> copy = slab;
    EXPECT_EQ(counted.use_count(), 1 + 100);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

struct alignas(64) Wide {
  int value;
};

TEST(Slab, KeepsTheAlignmentOfItsObjects) {
  Slab<Wide> slab;
  for (int i = 0; i < 5; ++i) {
    const std::uint32_t index = slab.emplace(Wide{i});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&slab[index]) % 64, 0U);
  }
}

TEST(SlabDeathTest, RefusesNumbersItDoesNotHold) {
  Slab<int> slab;
  EXPECT_DEATH(static_cast<void>(slab[0]), "");
  slab.emplace(1);
  slab.erase(0);
  EXPECT_DEATH(static_cast<void>(slab[0]), "");
  EXPECT_DEATH(slab.erase(0), "");
}

}  // namespace
}  // namespace estab::base
