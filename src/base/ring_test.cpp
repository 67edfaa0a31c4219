#include "base/ring.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::base {
namespace {

static_assert(sizeof(Ring<std::string>) == 24);
static_assert(std::forward_iterator<Ring<int>::iterator>);
static_assert(std::forward_iterator<Ring<int>::const_iterator>);
static_assert(!std::copy_constructible<Ring<std::unique_ptr<int>>>);

Ring<int> ring_of(std::initializer_list<int> values) {
  Ring<int> ring;
  for (int value : values) ring.push_back(value);
  return ring;
}

TEST(Ring, OwnsNoStorageBeforeTheFirstElement) {
  Ring<int> ring;
  EXPECT_EQ(ring.memory(), 0U);
  ring.push_back(1);
  EXPECT_GT(ring.memory(), 0U);
}

TEST(Ring, GivesBackWhatWasPushedInOrder) {
  Ring<int> ring;
  for (int i = 0; i < 100; ++i) ring.push_back(i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pop_front(), i);
  EXPECT_TRUE(ring.empty());
}

TEST(Ring, GivesItsStorageBackOnlyWhenEmpty) {
  Ring<int> ring = ring_of({1});
  ring.shrink();
  EXPECT_EQ(ring.front(), 1);
  ring.pop_front();
  EXPECT_GT(ring.memory(), 0U);
  ring.shrink();
  EXPECT_EQ(ring.memory(), 0U);
  ring.push_front(2);
  EXPECT_EQ(ring.back(), 2);
}

TEST(Ring, BehavesAsADequeDoes) {
  Prng prng(1);
  Ring<std::string> ring;
  std::deque<std::string> model;
  for (int step = 0; step < 20000; ++step) {
    const std::uint64_t choice = prng.below(step / 500 % 2 == 0 ? 6 : 4);
    const std::string value = "a string too long to be kept in place " + std::to_string(step);
    if (choice >= 4 || (choice == 0 && model.empty())) {
      ring.push_back(value);
      model.push_back(value);
    } else if (choice == 1 || model.empty()) {
      ring.push_front(value);
      model.push_front(value);
    } else if (choice == 2) {
      ASSERT_EQ(ring.pop_back(), model.back());
      model.pop_back();
    } else {
      ASSERT_EQ(ring.pop_front(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (step % 50 == 0) {
      ASSERT_TRUE(std::ranges::equal(std::as_const(ring), model)) << step;
    }
  }
}

TEST(Ring, HoldsWhatCanOnlyBeMoved) {
  Ring<std::unique_ptr<int>> ring;
  for (int i = 0; i < 10; ++i) ring.push_back(std::make_unique<int>(i));
  ring.push_front(std::make_unique<int>(-1));
  EXPECT_EQ(*ring.pop_front(), -1);
  EXPECT_EQ(*ring.pop_back(), 9);
  Ring<std::unique_ptr<int>> taken = std::move(ring);
  EXPECT_EQ(*taken[8], 8);
}

TEST(Ring, TakesACopyOfItsOwnElementWhileGrowing) {
  Ring<std::string> ring;
  ring.emplace_back("the element that is copied while the storage moves");
  for (int i = 0; i < 40; ++i) ring.emplace_back(ring.front());
  EXPECT_EQ(ring.back(), ring.front());
  EXPECT_EQ(ring.back().size(), 50U);
}

TEST(Ring, LeavesACopyAloneWhenChanged) {
  Ring<int> ring = ring_of({1, 2, 3});
  Ring<int> copy = ring;
  EXPECT_EQ(copy, ring);
  ring[0] = 9;
  ring.push_back(4);
  EXPECT_EQ(copy, ring_of({1, 2, 3}));
  copy = ring;
  EXPECT_EQ(copy, ring_of({9, 2, 3, 4}));
}

TEST(Ring, IsEmptyWhenMovedFrom) {
  Ring<int> ring = ring_of({1, 2});
  Ring<int> taken = std::move(ring);
  EXPECT_TRUE(ring.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(taken, ring_of({1, 2}));
  ring.push_back(5);
  EXPECT_EQ(ring, ring_of({5}));
}

TEST(Ring, ComparesContentsWhereverTheyLie) {
  Ring<int> wrapped = ring_of({0, 0, 0, 1});
  for (int i = 0; i < 3; ++i) wrapped.pop_front();
  wrapped.push_back(2);
  wrapped.push_back(3);
  EXPECT_EQ(wrapped, ring_of({1, 2, 3}));
  EXPECT_NE(wrapped, ring_of({1, 2}));
  EXPECT_NE(wrapped, ring_of({1, 2, 4}));
}

// Counts the objects alive, moved-from ones too.
struct Counted {
  explicit Counted(int& count) : alive(&count) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --*alive; }
  int* alive;
};

TEST(Ring, LeavesNothingBehindWhenItGrows) {
  int alive = 0;
  {
    Ring<Counted> ring;
    for (int i = 0; i < 4; ++i) ring.emplace_back(alive);
    for (int i = 0; i < 2; ++i) ring.pop_front();
    for (int i = 0; i < 3; ++i) ring.emplace_back(alive);  // grows while wrapped around the end
    EXPECT_EQ(alive, 5);
    ring.pop_back();
    EXPECT_EQ(alive, 4);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Ring, DestroysEachElementOnce) {
  auto counted = std::make_shared<int>(0);
  {
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 20; ++i) ring.push_back(counted);
    for (int i = 0; i < 7; ++i) ring.pop_front();
    for (int i = 0; i < 5; ++i) ring.push_back(counted);
    EXPECT_EQ(counted.use_count(), 1 + 18);
    ring.clear();
    EXPECT_EQ(counted.use_count(), 1);
    ring.push_back(counted);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(Ring, IteratesInOrderAndLetsElementsBeChanged) {
  Ring<int> ring = ring_of({1, 2, 3});
  for (int& value : ring) value *= 10;
  EXPECT_EQ(ring, ring_of({10, 20, 30}));
  EXPECT_EQ(*std::ranges::find(ring, 20), 20);
}

TEST(RingDeathTest, RefusesAnIndexBeyondTheEnd) {
  Ring<int> ring = ring_of({1});
  EXPECT_DEATH(static_cast<void>(ring[1]), "");
  ring.pop_front();
  EXPECT_DEATH(static_cast<void>(ring.front()), "");
  EXPECT_DEATH(static_cast<void>(ring.back()), "");
  EXPECT_DEATH(ring.pop_front(), "");
}

}  // namespace
}  // namespace estab::base
