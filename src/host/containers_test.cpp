#include <memory>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "host/slot_table.h"
#include "host/timer_heap.h"
#include "host/wait_list.h"

namespace estab::host {
namespace {

/// An operation that belongs to no loop: the containers do not care.
class Idle final : public Wait {
 public:
  explicit Idle(int number = 0) : Wait(nullptr), name(number) {}
  const int name;

 private:
  bool attempt(Instant) override { return false; }
  void fail(Error) override {}
};

std::vector<int> drain(WaitList& list) {
  std::vector<int> names;
  while (!list.empty()) {
    Wait& first = list.front();
    names.push_back(static_cast<Idle&>(first).name);
    list.remove(first);
  }
  return names;
}

TEST(WaitList, GivesOperationsInTheOrderTheyCame) {
  Idle a(1), b(2), c(3);
  WaitList list;
  for (Idle* wait : {&a, &b, &c}) list.push(*wait);
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(drain(list), (std::vector{1, 2, 3}));
}

TEST(WaitList, LosesOneFromAnyPlace) {
  for (int taken = 0; taken < 3; ++taken) {
    Idle waits[] = {Idle(0), Idle(1), Idle(2)};
    WaitList list;
    for (Idle& wait : waits) list.push(wait);
    list.remove(waits[taken]);
    std::vector<int> rest{0, 1, 2};
    rest.erase(rest.begin() + taken);
    EXPECT_EQ(list.size(), 2u);
    EXPECT_EQ(drain(list), rest);
  }
}

Instant at(int ms) {
  return Instant(std::chrono::milliseconds(ms));
}

TEST(TimerHeap, SaysNeverWhenNobodyWaits) {
  EXPECT_EQ(TimerHeap().next_deadline(), kNever);
}

TEST(TimerHeap, GivesTheEarliestFirstAndOnlyWhatIsDue) {
  Idle a(1), b(2), c(3);
  TimerHeap heap;
  heap.add(a, at(30));
  heap.add(b, at(10));
  heap.add(c, at(20));
  EXPECT_EQ(heap.next_deadline(), at(10));
  EXPECT_EQ(heap.pop_due(at(9)), nullptr);
  EXPECT_EQ(heap.pop_due(at(20)), &b);
  EXPECT_EQ(heap.pop_due(at(20)), &c);
  EXPECT_EQ(heap.pop_due(at(20)), nullptr);
  EXPECT_EQ(heap.next_deadline(), at(30));
}

TEST(TimerHeap, KeepsItsOrderWhileOthersLeave) {
  std::mt19937 chance(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::unique_ptr<Idle>> waits;
    std::multiset<Instant> deadlines;
    TimerHeap heap;
    for (int i = 0; i < 50; ++i) {
      waits.push_back(std::make_unique<Idle>(static_cast<int>(chance() % 40)));
      heap.add(*waits.back(), at(waits.back()->name));
    }
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (i % 3 == 0) {
        heap.remove(*waits[i]);
      } else {
        deadlines.insert(at(waits[i]->name));
      }
    }
    EXPECT_EQ(heap.size(), deadlines.size());
    for (const Instant expected : deadlines) {
      ASSERT_EQ(heap.next_deadline(), expected);
      ASSERT_NE(heap.pop_due(expected), nullptr);
    }
    EXPECT_TRUE(heap.empty());
  }
}

TEST(TimerHeap, RemovingTwiceIsHarmless) {
  Idle a, b;
  TimerHeap heap;
  heap.add(a, at(1));
  heap.add(b, at(2));
  heap.remove(a);
  heap.remove(a);
  EXPECT_EQ(heap.size(), 1u);
  heap.remove(b);
}

struct CountingSlot {
  int value = 0;
  int* cancelled = nullptr;
  void cancel(Error) {
    if (cancelled) ++*cancelled;
  }
};
using Table = SlotTable<CountingSlot, StreamId>;

TEST(SlotTable, FindsWhatWasEntered) {
  Table table;
  ASSERT_EQ(table.find({5, 1}), nullptr);
  table.enter({5, 1})->value = 9;
  ASSERT_NE(table.find({5, 1}), nullptr);
  EXPECT_EQ(table.find({5, 1})->value, 9);
  EXPECT_EQ(table.enter({5, 1})->value, 9);
}

TEST(SlotTable, KnowsNoHandleThatNamesNothing) {
  Table table;
  EXPECT_EQ(table.enter({}), nullptr);
  EXPECT_EQ(table.find({}), nullptr);
}

TEST(SlotTable, GivesTheSlotToANewerHandleAndNotBackToAnOlder) {
  Table table;
  int cancelled = 0;
  table.enter({0, 7})->cancelled = &cancelled;
  EXPECT_EQ(table.enter({0, 6}), nullptr);
  EXPECT_EQ(cancelled, 0);
  ASSERT_NE(table.enter({0, 8}), nullptr);
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(table.enter({0, 8})->cancelled, nullptr);
  EXPECT_EQ(table.find({0, 7}), nullptr);
}

TEST(SlotTable, TellsOlderFromNewerAcrossTheWrapOfTheGeneration) {
  Table table;
  ASSERT_NE(table.enter({0, 0xffffffff}), nullptr);
  ASSERT_NE(table.enter({0, 0}), nullptr);
  EXPECT_EQ(table.enter({0, 0xffffffff}), nullptr);
}

TEST(SlotTable, ReleaseTellsWhoWaitsAndForgets) {
  Table table;
  int cancelled = 0;
  CountingSlot& slot = *table.enter({2, 1});
  slot = {4, &cancelled};
  table.release({2, 0});
  EXPECT_EQ(cancelled, 0);
  table.release({2, 1});
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(table.enter({2, 1})->value, 0);
}

TEST(SlotTable, NeverMovesItsSlots) {
  Table table;
  CountingSlot* const first = table.enter({0, 0});
  for (std::uint32_t i = 1; i < 10000; ++i) table.enter({i, 0});
  EXPECT_EQ(table.find({0, 0}), first);
}

}  // namespace
}  // namespace estab::host
