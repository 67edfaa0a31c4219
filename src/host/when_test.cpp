#include "estab/when.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/connected_pair.h"
#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;

struct When : testing::Test, OwnClock {
  Task<int> later(Duration delay, int value) {
    co_await host.sleep(delay);
    co_return value;
  }
  Task<std::string> at_once(std::string value) { co_return value; }
  Task<> fails(Duration delay, std::string what) {
    co_await host.sleep(delay);
    throw std::runtime_error(what);
  }
  Task<int> watched(Duration delay, bool& destroyed) {
    struct Witness {
      bool& flag;
      ~Witness() { flag = true; }
    } const witness{destroyed};
    co_await host.sleep(delay);
    co_return 0;
  }
  /// Runs it and says how long it took.
  Duration run(Task<> task) {
    const Instant before = clock.now();
    EXPECT_TRUE(host.block_on(std::move(task)));
    return clock.now() - before;
  }
  Host host{virtual_options(clock)};
};

// ---- all

TEST_F(When, AllRunSideBySideAndTheirResultsStandInOrder) {
  const Duration took = run([](When& t) -> Task<> {
    auto [one, text, two] = co_await when_all(t.later(3s, 1), t.at_once("at once"), t.later(2s, 2));
    EXPECT_EQ(one, 1);
    EXPECT_EQ(text, "at once");
    EXPECT_EQ(two, 2);
  }(*this));
  EXPECT_EQ(took, 3s);
}

TEST_F(When, AllAtOnceDoesNotWait) {
  const Duration took = run([](When& t) -> Task<> {
    auto [a, b] = co_await when_all(t.at_once("a"), t.at_once("b"));
    EXPECT_EQ(a + b, "ab");
  }(*this));
  EXPECT_EQ(took, 0s);
}

TEST_F(When, OperationsAndTasksStandSideBySide) {
  const Duration took = run([](When& t) -> Task<> {
    auto [nothing, ready, value] =
        co_await when_all(t.host.sleep(5s), t.host.readable(-1), t.later(1s, 4));
    EXPECT_EQ(nothing, std::monostate());
    EXPECT_EQ(ready.error(), Error::invalid_argument);
    EXPECT_EQ(value, 4);
  }(*this));
  EXPECT_EQ(took, 5s);
}

TEST_F(When, AnExceptionEndsAllAtOnce) {
  bool destroyed = false;
  const Duration took = run([](When& t, bool& gone) -> Task<> {
    EXPECT_THROW(static_cast<void>(
                     co_await when_all(t.watched(9s, gone), t.fails(1s, "x"), t.host.sleep(8s))),
                 std::runtime_error);
    EXPECT_TRUE(gone);
  }(*this, destroyed));
  EXPECT_EQ(took, 1s);
}

TEST_F(When, GroupsStandInGroups) {
  auto both = [](When& t) -> Task<int> {
    auto [a, b] = co_await when_all(t.later(1s, 1), t.later(2s, 2));
    co_return a + b;
  };
  const Duration took = run([](When& t, auto pair) -> Task<> {
    auto [x, y] = co_await when_all(pair(t), pair(t));
    EXPECT_EQ(x + y, 6);
  }(*this, both));
  EXPECT_EQ(took, 2s);
}

// ---- any

TEST_F(When, AnyIsTheFirstAndTheOthersAreDestroyed) {
  bool destroyed = false;
  const Duration took = run([](When& t, bool& gone) -> Task<> {
    auto first = co_await when_any(t.watched(9s, gone), t.later(2s, 5), t.host.sleep(3s));
    EXPECT_EQ(first.index(), 1u);
    EXPECT_EQ(std::get<1>(first), 5);
    EXPECT_TRUE(gone);
  }(*this, destroyed));
  EXPECT_EQ(took, 2s);
}

TEST_F(When, AnyStartsNoneAfterOneThatIsOverAtOnce) {
  bool begun = false;
  auto begins = [](bool& flag) -> Task<> {
    flag = true;
    co_return;
  };
  run([](When& t, Task<> second) -> Task<> {
    auto first = co_await when_any(t.at_once("first"), std::move(second));
    EXPECT_EQ(first.index(), 0u);
  }(*this, begins(begun)));
  EXPECT_FALSE(begun);
}

TEST_F(When, AnyThrowsWhatTheFirstThrew) {
  run([](When& t) -> Task<> {
    EXPECT_THROW(static_cast<void>(co_await when_any(t.fails(1s, "x"), t.later(2s, 1))),
                 std::runtime_error);
    auto first = co_await when_any(t.fails(2s, "x"), t.later(1s, 1));
    EXPECT_EQ(first.index(), 1u);
  }(*this));
}

TEST_F(When, AnOperationThatLostIsWithdrawnAndMayBeMadeAgain) {
  Connected pair;
  std::array<std::uint8_t, 10> buffer;
  std::vector<std::string> log;
  auto reads = [&](Host& on) -> Task<> {
    auto first = co_await when_any(pair.ends.server.read(buffer), on.sleep(1ms));
    log.push_back("lost to " + std::to_string(first.index()));
    // The seat at the stream is free again, and nothing was read.
    auto second = co_await when_any(pair.ends.server.read(buffer), on.sleep(1h));
    log.push_back("won with " + std::to_string(std::get<0>(second).value_or(0)));
  };
  pair.server.spawn(reads(pair.server));
  pair.run_until([&] { return log.size() == 1; });
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("abc"))));
  pair.run();
  EXPECT_EQ(log, (std::vector<std::string>{"lost to 1", "won with 3"}));
}

TEST_F(When, ANamedOperationThatLostIsHarmlessAfterwards) {
  run([](When& t) -> Task<> {
    auto named = t.host.sleep(2s);
    auto first = co_await when_any(std::move(named), t.host.sleep(1s));
    EXPECT_EQ(first.index(), 1u);
    co_await t.host.sleep(5s);
  }(*this));
}

TEST_F(When, DestroyingTheOneWhoWaitsDestroysTheGroup) {
  bool destroyed = false;
  auto handle = host.spawn([](When& t, bool& gone) -> Task<> {
    static_cast<void>(co_await when_all(t.watched(9s, gone), t.host.sleep(kForever)));
  }(*this, destroyed));
  host.run_once(0s);
  EXPECT_FALSE(destroyed);
  handle.cancel();
  EXPECT_TRUE(destroyed);
}

TEST_F(When, AMemberMayCancelTheTaskItIsPartOf) {
  TaskHandle<> whole;
  bool went_on = false;
  auto member = [&]() -> Task<> {
    co_await host.sleep(1s);
    whole.cancel();  // destroyed as soon as this waits
    co_await host.sleep(1s);
    went_on = true;
  };
  auto group = [&]() -> Task<> { static_cast<void>(co_await when_all(member(), later(9s, 1))); };
  whole = host.spawn(group());
  host.run();
  EXPECT_EQ(whole.result().error(), Error::cancelled);
  EXPECT_FALSE(went_on);
}

TEST_F(When, JoinsStandInGroupsToo) {
  run([](When& t) -> Task<> {
    auto slow = t.host.spawn(t.later(9s, 1));
    auto quick = t.host.spawn(t.later(1s, 2));
    auto first = co_await when_any(slow.join(), quick.join());
    EXPECT_EQ(std::get<1>(first), 2);
    EXPECT_EQ(co_await slow.join(), 1);
  }(*this));
}

// ---- a limit for a task

TEST_F(When, WithinGivesTheResultOfATaskThatIsInTime) {
  run([](When& t) -> Task<> {
    EXPECT_EQ(co_await t.host.within(2s, t.later(1s, 6)), 6);
    auto flat = [](When& u) -> Task<Result<int>> {
      co_await u.host.sleep(1s);
      co_return std::unexpected(Error::no_route);
    };
    const Result<int> same = co_await t.host.within(2s, flat(t));
    EXPECT_EQ(same.error(), Error::no_route);
  }(*this));
}

TEST_F(When, WithinDestroysATaskThatIsLate) {
  bool destroyed = false;
  const Duration took = run([](When& t, bool& gone) -> Task<> {
    EXPECT_EQ((co_await t.host.within(2s, t.watched(9s, gone))).error(), Error::timed_out);
    EXPECT_TRUE(gone);
    EXPECT_THROW(static_cast<void>(co_await t.host.within(2s, t.fails(1s, "x"))),
                 std::runtime_error);
  }(*this, destroyed));
  EXPECT_EQ(took, 3s);
}

}  // namespace
}  // namespace estab
