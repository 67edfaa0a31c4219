#include "estab/task.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace estab {
namespace {

/// Something a test resumes by hand.
struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const {}
  void open() { host::resume(host::Waiter(std::exchange(waiter, {}))); }
};

/// Notes its own destruction.
struct Witness {
  std::vector<std::string>& log;
  std::string name;
  ~Witness() { log.push_back(name); }
};

template <class T>
void run(Task<T>& task) {
  host::resume(host::Waiter(task.frame().handle()));
}

Task<int> seven() {
  co_return 7;
}
Task<std::unique_ptr<int>> owned(int value) {
  co_return std::make_unique<int>(value);
}
Task<int> sum() {
  co_return co_await seven() + *co_await owned(35);
}

Task<int> failing() {
  throw std::runtime_error("from within");
  co_return 0;
}

Task<std::string> catching() {
  try {
    co_await failing();
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing";
}

Task<int> waiting(Gate& gate) {
  co_await gate;
  co_return 1;
}

TEST(Task, DoesNothingUntilItIsRun) {
  bool ran = false;
  auto body = [](bool& flag) -> Task<> {
    flag = true;
    co_return;
  };
  Task<> task = body(ran);
  EXPECT_FALSE(ran);
  run(task);
  EXPECT_TRUE(ran);
  EXPECT_TRUE(task.done());
}

TEST(Task, GivesItsResultToTheOneWhoAwaitsIt) {
  Task<int> task = sum();
  run(task);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(std::move(task).take(), 42);
}

TEST(Task, GivesItsExceptionToTheOneWhoAwaitsIt) {
  Task<std::string> task = catching();
  run(task);
  EXPECT_EQ(std::move(task).take(), "from within");
}

TEST(Task, ThrowsWhereItsResultIsTakenIfNobodyCaught) {
  Task<int> task = failing();
  run(task);
  ASSERT_TRUE(task.done());
  EXPECT_THROW(std::move(task).take(), std::runtime_error);
}

TEST(Task, GoesOnWhereItWaited) {
  Gate gate;
  auto twice = [](Gate& at) -> Task<int> {
    const int first = co_await waiting(at);
    const int second = co_await waiting(at);
    co_return first + second;
  };
  Task<int> task = twice(gate);
  run(task);
  EXPECT_FALSE(task.done());
  gate.open();
  EXPECT_FALSE(task.done());
  gate.open();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(std::move(task).take(), 2);
}

TEST(Task, MovesWithoutLosingItsPlace) {
  Gate gate;
  Task<int> first = waiting(gate);
  run(first);
  Task<int> second = std::move(first);
  EXPECT_FALSE(first);
  gate.open();
  EXPECT_TRUE(second.done());
}

TEST(Task, AssigningDestroysTheTaskThatWasThere) {
  std::vector<std::string> log;
  Gate gate;
  auto holds = [](Gate& at, std::vector<std::string>& to, std::string name) -> Task<> {
    const Witness witness{to, std::move(name)};
    co_await at;
  };
  Task<> task = holds(gate, log, "old");
  run(task);
  task = Task<>();
  EXPECT_EQ(log, std::vector<std::string>{"old"});
}

Task<> nested(Gate& gate, std::vector<std::string>& log, int depth) {
  const Witness witness{log, std::to_string(depth)};
  if (depth == 3) {
    co_await gate;
  } else {
    co_await nested(gate, log, depth + 1);
  }
}

TEST(Task, DestroysASuspendedChainInnermostFirst) {
  std::vector<std::string> log;
  Gate gate;
  {
    Task<> task = nested(gate, log, 1);
    run(task);
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ(log, (std::vector<std::string>{"3", "2", "1"}));
}

TEST(Task, NeverRunIsDestroyedWithItsParameters) {
  std::vector<std::string> log;
  auto takes = [](std::unique_ptr<Witness> witness) -> Task<> {
    static_cast<void>(witness);
    co_return;
  };
  {
    const Task<> task = takes(std::unique_ptr<Witness>(new Witness{log, "parameter"}));
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ(log, std::vector<std::string>{"parameter"});
}

// ---- depth: nothing here may use the machine's stack in proportion

constexpr int kDeep = 1'000'000;

Task<int> finished_at_once() {
  co_return 1;
}

Task<int> one_after_the_other() {
  int count = 0;
  for (int i = 0; i < kDeep; ++i) count += co_await finished_at_once();
  co_return count;
}

TEST(Task, AwaitsAMillionFinishedTasksOneAfterTheOther) {
  Task<int> task = one_after_the_other();
  run(task);
  EXPECT_EQ(std::move(task).take(), kDeep);
}

Task<int> each_in_the_next(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await each_in_the_next(depth - 1);
}

TEST(Task, AwaitsAMillionTasksEachWithinTheOther) {
  Task<int> task = each_in_the_next(kDeep);
  run(task);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(std::move(task).take(), kDeep);
}

Task<> waits_below(Gate& gate, int depth) {
  if (depth == 0) {
    co_await gate;
  } else {
    co_await waits_below(gate, depth - 1);
  }
}

TEST(Task, DestroysAChainOfAMillionSuspendedTasks) {
  Gate gate;
  Task<> task = waits_below(gate, kDeep);
  run(task);
  EXPECT_FALSE(task.done());
  EXPECT_TRUE(gate.waiter);
}

TEST(Task, FinishesAChainOfAMillionTasksFromItsInnerEnd) {
  Gate gate;
  Task<> task = waits_below(gate, kDeep);
  run(task);
  gate.open();
  EXPECT_TRUE(task.done());
}

Task<> throws_below(int depth) {
  if (depth == 0) throw std::runtime_error("deep");
  co_await throws_below(depth - 1);
}

TEST(Task, CarriesAnExceptionThroughAThousandTasks) {
  Task<> task = throws_below(1000);
  run(task);
  EXPECT_THROW(std::move(task).take(), std::runtime_error);
}

// ---- coroutines of another kind

/// A coroutine that starts at once and that nobody awaits, as another library may have it.
struct Foreign {
  struct promise_type {
    Foreign get_return_object() const { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const {}
    void unhandled_exception() const { std::terminate(); }
  };
};

Foreign awaits(Task<int> task, int& result) {
  result = co_await std::move(task);
}

TEST(Task, CanBeAwaitedByACoroutineOfAnotherKind) {
  int result = 0;
  awaits(sum(), result);
  EXPECT_EQ(result, 42);
}

TEST(Task, ResumedFromWithinAnotherTaskRunsTheForeignWaiter) {
  Gate gate;
  int result = 0;
  awaits(waiting(gate), result);
  auto opens = [](Gate& at) -> Task<> {
    at.open();
    co_return;
  };
  Task<> task = opens(gate);
  run(task);
  EXPECT_EQ(result, 1);
}

TEST(Task, LosesNoneOfTheForeignCoroutinesItStarts) {
  std::array<int, 3> results{};
  auto starts = [](std::array<int, 3>& into) -> Task<> {
    for (int& result : into) awaits(sum(), result);
    EXPECT_EQ(co_await seven(), 7);
  };
  Task<> task = starts(results);
  run(task);
  EXPECT_TRUE(task.done());
  EXPECT_EQ(results, (std::array{42, 42, 42}));
}

}  // namespace
}  // namespace estab
