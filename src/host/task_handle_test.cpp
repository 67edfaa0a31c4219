#include "estab/task_handle.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

struct TaskHandles : testing::Test, OwnClock {
  Task<int> later(Duration delay, int value) {
    co_await host.sleep(delay);
    co_return value;
  }
  Task<> fails_later(Duration delay) {
    co_await host.sleep(delay);
    throw std::runtime_error("failed");
  }
  bool destroyed = false;  // before the host, whose last tasks end with it
  Host host{virtual_options(clock)};
};

/// Notes its own destruction.
struct Witness {
  explicit Witness(bool& to) : flag(to) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { flag = true; }
  bool& flag;
};

Task<> waits(Host& host, bool& destroyed) {
  const Witness witness(destroyed);
  co_await host.sleep(kForever);
}

TEST_F(TaskHandles, JoinGivesTheResult) {
  Result<int> got = 0;
  auto joins = [&]() -> Task<> {
    TaskHandle<int> handle = host.spawn(later(1s, 7));
    EXPECT_FALSE(handle.done());
    EXPECT_EQ(handle.result().error(), Error::would_block);
    got = co_await handle.join();
    EXPECT_TRUE(handle.done());
    EXPECT_EQ((co_await handle.join()).error(), Error::no_such_id);
  };
  host.spawn(joins());
  host.run();
  EXPECT_EQ(got, 7);
}

TEST_F(TaskHandles, TheResultWaitsForWhoAsksLate) {
  auto handle = host.spawn([](std::string text) -> Task<std::unique_ptr<std::string>> {
    co_return std::make_unique<std::string>(text);
  }("kept"));
  host.run();
  ASSERT_TRUE(handle.done());
  EXPECT_EQ(**handle.result(), "kept");
  EXPECT_EQ(handle.result().error(), Error::no_such_id);
}

TEST_F(TaskHandles, JoinGivenUpLeavesTheTaskAlone) {
  auto handle = host.spawn(later(5s, 3));
  EXPECT_EQ(block_on(handle.join().within(1s)).error(), Error::timed_out);
  EXPECT_EQ(block_on(handle.join()), 3);
}

TEST_F(TaskHandles, OneAtATimeMayJoin) {
  auto handle = host.spawn(later(5s, 3));
  Result<int> first = 0;
  auto joins = [&]() -> Task<> { first = co_await handle.join(); };
  host.spawn(joins());
  host.run_once(0s);
  EXPECT_EQ(block_on(handle.join()).error(), Error::invalid_argument);
  host.run();
  EXPECT_EQ(first, 3);
}

TEST_F(TaskHandles, DroppingOneDetachesTheTask) {
  bool done = false;
  auto works = [&]() -> Task<int> {
    co_await host.sleep(1s);
    done = true;
    co_return 1;
  };
  {
    const auto handle = host.spawn(works());
  }
  host.run();
  EXPECT_TRUE(done);
}

// ---- exceptions

TEST_F(TaskHandles, AnExceptionGoesToWhoJoinsAndNotToRun) {
  std::string what;
  auto joins = [&]() -> Task<> {
    auto handle = host.spawn(fails_later(1s));
    try {
      static_cast<void>(co_await handle.join());
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
  };
  host.spawn(joins());
  EXPECT_NO_THROW(host.run());
  EXPECT_EQ(what, "failed");
}

TEST_F(TaskHandles, AnExceptionNobodyJoinsForLeavesRunWhenTheHandleIsDropped) {
  auto handle = host.spawn(fails_later(1s));
  EXPECT_NO_THROW(host.run());
  EXPECT_TRUE(handle.done());
  handle.detach();
  EXPECT_THROW(host.run(), std::runtime_error);
  EXPECT_NO_THROW(host.run());
}

// ---- cancelling

TEST_F(TaskHandles, CancelDestroysTheTaskAtOnce) {
  auto handle = host.spawn(waits(host, destroyed));
  host.run_once(0s);
  EXPECT_FALSE(destroyed);
  handle.cancel();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(host.tasks(), 0u);
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(handle.result().error(), Error::cancelled);
}

TEST_F(TaskHandles, CancelBeforeTheFirstRoundKeepsATaskFromBeginning) {
  bool begun = false;
  auto begins = [&]() -> Task<> {
    begun = true;
    co_return;
  };
  auto handle = host.spawn(begins());
  handle.cancel();
  int other = 0;
  auto next = [&]() -> Task<> {  // takes the place of the first
    ++other;
    co_return;
  };
  handle = host.spawn(next());
  host.run();
  EXPECT_FALSE(begun);
  EXPECT_EQ(other, 1);
}

TEST_F(TaskHandles, WhoJoinsLearnsOfTheCancelling) {
  auto handle = host.spawn(waits(host, destroyed));
  Result<void> end{};
  auto joins = [&]() -> Task<> { end = co_await handle.join(); };
  auto cancels = [&]() -> Task<> {
    co_await host.sleep(1s);
    handle.cancel();
  };
  host.spawn(joins());
  host.spawn(cancels());
  host.run();
  EXPECT_EQ(end.error(), Error::cancelled);
}

TEST_F(TaskHandles, ATaskThatCancelsItselfIsDestroyedWhenItNextWaits) {
  std::vector<int> log;
  TaskHandle<> handle;
  auto inner = [&]() -> Task<> {
    const Witness witness(destroyed);
    handle.cancel();
    log.push_back(1);
    co_await host.sleep(1s);
    log.push_back(2);
  };
  auto outer = [&]() -> Task<> { co_await inner(); };
  handle = host.spawn(outer());
  host.run();
  EXPECT_EQ(log, std::vector{1});
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(handle.result().error(), Error::cancelled);
}

TEST_F(TaskHandles, ATaskThatCancelsItselfAndReturnsHasReturned) {
  TaskHandle<int> handle;
  auto works = [&]() -> Task<int> {
    handle.cancel();
    co_return 9;
  };
  handle = host.spawn(works());
  host.run();
  EXPECT_EQ(handle.result(), 9);
}

TEST_F(TaskHandles, ATaskMayHoldTheHandleOfAnotherOrItsOwn) {
  struct Holder {
    TaskHandle<> own, other;
  };
  auto holds = [](Host& on, std::shared_ptr<Holder> holder) -> Task<> {
    co_await on.sleep(kForever);
    static_cast<void>(holder);
  };
  auto holder = std::make_shared<Holder>();
  holder->other = host.spawn(waits(host, destroyed));
  holder->own = host.spawn(holds(host, holder));
  const std::weak_ptr<Holder> watch = holder;
  host.run_once(0s);
  TaskHandle<> own = std::move(holder->own);
  holder.reset();
  own.cancel();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(destroyed);  // it was let go, not cancelled
  EXPECT_EQ(host.tasks(), 1u);
}

TEST_F(TaskHandles, CancellingWhatIsOverChangesNothing) {
  auto handle = host.spawn(later(0s, 4));
  host.run();
  handle.cancel();
  EXPECT_EQ(handle.result(), 4);
  handle.cancel();
}

TEST_F(TaskHandles, OneThatNamesNothingSaysSo) {
  TaskHandle<int> handle;
  EXPECT_FALSE(handle);
  EXPECT_TRUE(handle.done());
  handle.cancel();
  EXPECT_EQ(handle.result().error(), Error::no_such_id);
  EXPECT_EQ(block_on(handle.join()).error(), Error::no_such_id);
  EXPECT_FALSE(host.spawn(Task<>()));
}

TEST_F(TaskHandles, PlacesAreUsedAgainAndOldHandlesNameNothing) {
  for (int i = 0; i < 100; ++i) {
    auto handle = host.spawn(later(0s, i));
    host.run();
    EXPECT_EQ(handle.result(), i);
    auto next = host.spawn(later(1s, 100 + i));
    EXPECT_EQ(handle.result().error(), Error::no_such_id);
    handle.cancel();
    EXPECT_EQ(block_on(next.join()), 100 + i);
  }
}

}  // namespace
}  // namespace estab
