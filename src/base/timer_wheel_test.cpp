#include "base/timer_wheel.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::base {
namespace {

using namespace std::chrono_literals;

constexpr Instant at(Duration since_start) {
  return Instant(since_start);
}

std::vector<std::uint64_t> fired(TimerWheel& wheel, Instant now) {
  std::vector<std::uint64_t> keys;
  wheel.advance(now, [&](std::uint64_t key) { keys.push_back(key); });
  return keys;
}

using Keys = std::vector<std::uint64_t>;

TEST(TimerWheel, HasNothingToDoWhenEmpty) {
  TimerWheel wheel;
  EXPECT_EQ(wheel.next(), kNever);
  EXPECT_EQ(wheel.memory(), 0U);
  EXPECT_EQ(fired(wheel, at(1h)), Keys());
  EXPECT_EQ(wheel.next(), kNever);
}

TEST(TimerWheel, FiresAtTheExactDeadlineAndNotBefore) {
  for (Duration wait : {Duration(1), Duration(16383), Duration(16384), Duration(999999), 1ms + 7ns,
                        200ms + 1ns, Duration(60s), Duration(2h), Duration(24h * 3650)}) {
    TimerWheel wheel;
    fired(wheel, at(1s));
    const std::uint32_t handle = wheel.arm(TimerWheel::kNone, 7, at(1s + wait));
    EXPECT_NE(handle, TimerWheel::kNone);
    EXPECT_EQ(wheel.next(), at(1s + wait));
    EXPECT_EQ(fired(wheel, at(1s + wait - 1ns)), Keys()) << wait.count();
    EXPECT_EQ(wheel.next(), at(1s + wait));
    EXPECT_EQ(fired(wheel, at(1s + wait)), Keys{7}) << wait.count();
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(wheel.next(), kNever);
  }
}

TEST(TimerWheel, FiresOnceWhenTimeJumpsFarAhead) {
  TimerWheel wheel;
  static_cast<void>(wheel.arm(TimerWheel::kNone, 1, at(5ms)));
  static_cast<void>(wheel.arm(TimerWheel::kNone, 2, at(5h)));
  static_cast<void>(wheel.arm(TimerWheel::kNone, 3, at(50000h)));
  EXPECT_EQ(fired(wheel, at(40000h)), (Keys{1, 2}));
  EXPECT_EQ(wheel.next(), at(50000h));
  EXPECT_EQ(fired(wheel, kNever), Keys{3});
}

TEST(TimerWheel, TakesTheFirstAndTheLastInstantThereAre) {
  TimerWheel wheel;
  static_cast<void>(wheel.arm(TimerWheel::kNone, 1, kNever - 1ns));
  static_cast<void>(wheel.arm(TimerWheel::kNone, 2, Instant::min()));
  EXPECT_EQ(wheel.next(), Instant::min());
  EXPECT_EQ(fired(wheel, Instant::min()), Keys{2});
  EXPECT_EQ(wheel.next(), kNever - 1ns);
  EXPECT_EQ(fired(wheel, kNever - 2ns), Keys());
  EXPECT_EQ(fired(wheel, kNever - 1ns), Keys{1});
}

TEST(TimerWheel, FiresAPastDeadlineAtTheNextAdvance) {
  TimerWheel wheel;
  fired(wheel, at(10s));
  static_cast<void>(wheel.arm(TimerWheel::kNone, 1, at(3s)));
  EXPECT_EQ(wheel.next(), at(3s));
  EXPECT_EQ(fired(wheel, at(10s)), Keys{1});
}

TEST(TimerWheel, KeepsAnEntryWhereItIsWhenTheDeadlineMovesLater) {
  TimerWheel wheel;
  const std::uint32_t handle = wheel.arm(TimerWheel::kNone, 1, at(10ms));
  EXPECT_EQ(wheel.arm(handle, 1, at(30ms)), handle);
  EXPECT_EQ(wheel.next(), at(10ms));
  EXPECT_EQ(fired(wheel, at(10ms)), Keys{1}) << "the early wake-up at which the owner arms again";
}

TEST(TimerWheel, MovesAnEntryWhenTheDeadlineMovesEarlier) {
  TimerWheel wheel;
  const std::uint32_t handle = wheel.arm(TimerWheel::kNone, 1, at(10s));
  EXPECT_EQ(wheel.arm(handle, 1, at(10ms)), handle);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(wheel.next(), at(10ms));
  EXPECT_EQ(fired(wheel, at(10ms)), Keys{1});
  EXPECT_EQ(fired(wheel, at(20s)), Keys());
}

TEST(TimerWheel, ForgetsWhatIsCancelled) {
  TimerWheel wheel;
  std::uint32_t first = wheel.arm(TimerWheel::kNone, 1, at(10ms));
  std::uint32_t second = wheel.arm(TimerWheel::kNone, 2, at(20ms));
  wheel.cancel(first);
  EXPECT_EQ(first, TimerWheel::kNone);
  EXPECT_EQ(wheel.next(), at(20ms));
  wheel.cancel(first);  // nothing to cancel
  EXPECT_EQ(wheel.size(), 1U);
  second = wheel.arm(second, 2, kNever);
  EXPECT_EQ(second, TimerWheel::kNone);
  EXPECT_EQ(wheel.arm(TimerWheel::kNone, 3, kNever), TimerWheel::kNone);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(fired(wheel, at(1s)), Keys());
}

TEST(TimerWheel, FiresASlotInOrderOfArming) {
  TimerWheel wheel;
  Keys armed;
  for (std::uint64_t key = 0; key < 50; ++key) {
    static_cast<void>(wheel.arm(TimerWheel::kNone, key, at(3h)));
    armed.push_back(key);
  }
  fired(wheel, at(2h));
  static_cast<void>(wheel.arm(TimerWheel::kNone, 50, at(3h)));
  armed.push_back(50);
  EXPECT_EQ(fired(wheel, at(4h)), armed);
}

TEST(TimerWheel, FiresWhatIsArmedWhileFiringAtTheNextAdvance) {
  TimerWheel wheel;
  static_cast<void>(wheel.arm(TimerWheel::kNone, 1, at(10ms)));
  int calls = 0;
  wheel.advance(at(1s), [&](std::uint64_t key) {
    ++calls;
    static_cast<void>(wheel.arm(TimerWheel::kNone, key + 1, at(5ms)));
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(wheel.next(), at(5ms));
  EXPECT_EQ(fired(wheel, at(1s)), Keys{2});
}

TEST(TimerWheel, LetsTheOwnerCancelAnotherDueEntryWhileFiring) {
  TimerWheel wheel;
  std::vector<std::uint32_t> handles;
  for (std::uint64_t key = 0; key < 4; ++key)
    handles.push_back(wheel.arm(TimerWheel::kNone, key, at(10ms)));
  Keys keys;
  wheel.advance(at(10ms), [&](std::uint64_t key) {
    keys.push_back(key);
    handles[key] = TimerWheel::kNone;
    EXPECT_EQ(wheel.next(), key == 3 ? kNever : at(10ms));
    if (key == 0) wheel.cancel(handles[1]);
    if (key == 2) handles[3] = wheel.arm(handles[3], 3, at(20ms));  // lazily: fires all the same
  });
  EXPECT_EQ(keys, (Keys{0, 2, 3}));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, FiresADueEntryOnceThoughItIsArmedAgainMeanwhile) {
  TimerWheel wheel;
  std::vector<std::uint32_t> handles;
  for (std::uint64_t key = 0; key < 3; ++key)
    handles.push_back(wheel.arm(TimerWheel::kNone, key, at(10ms)));
  Keys keys;
  wheel.advance(at(1s), [&](std::uint64_t key) {
    keys.push_back(key);
    if (key != 0) return;
    EXPECT_EQ(wheel.arm(handles[1], 1, at(20ms)), handles[1]);
    EXPECT_EQ(wheel.arm(handles[2], 2, at(5ms)), handles[2]);
  });
  EXPECT_EQ(keys, (Keys{0, 1, 2}));
  EXPECT_TRUE(wheel.empty());
}

// More entries in a far slot than next() cares to look through.
TEST(TimerWheel, NamesATimeAfterTheLastAdvanceForACrowdedSlot) {
  TimerWheel wheel;
  fired(wheel, at(1s));
  for (std::uint64_t key = 0; key < 1000; ++key)
    static_cast<void>(wheel.arm(TimerWheel::kNone, key, at(2h) + Duration(key)));
  Instant now = at(1s);
  int steps = 0;
  while (wheel.size() == 1000) {
    const Instant next = wheel.next();
    ASSERT_LE(next, at(2h));
    ASSERT_GT(next, now);
    ASSERT_LT(++steps, 12) << "one step a level at most";
    fired(wheel, now = next);
  }
  EXPECT_EQ(now, at(2h));
}

TEST(TimerWheel, ForgetsACrowdedSlotWhoseEntriesAreAllCancelled) {
  TimerWheel wheel;
  fired(wheel, at(1h));
  std::vector<std::uint32_t> handles;
  for (std::uint64_t key = 0; key < 21; ++key)
    handles.push_back(wheel.arm(TimerWheel::kNone, key, at(1h + 1s)));
  for (std::uint32_t& handle : handles) {
    EXPECT_GT(wheel.next(), at(1h));
    wheel.cancel(handle);
  }
  EXPECT_EQ(wheel.next(), kNever);
  fired(wheel, at(2h));
  EXPECT_EQ(wheel.next(), kNever);
}

TEST(TimerWheel, ReusesItsEntries) {
  TimerWheel wheel;
  std::uint32_t handle = wheel.arm(TimerWheel::kNone, 1, at(1s));
  const std::size_t before = wheel.memory();
  for (int i = 0; i < 1000; ++i) {
    wheel.cancel(handle);
    handle = wheel.arm(handle, 1, at(1s + i * 1ms));
  }
  EXPECT_EQ(wheel.memory(), before);
}

TEST(TimerWheel, LeavesACopyAloneWhenChanged) {
  TimerWheel wheel;
  for (std::uint64_t key = 0; key < 20; ++key)
    static_cast<void>(wheel.arm(TimerWheel::kNone, key, at(key * 7ms)));
  TimerWheel copy = wheel;
  EXPECT_EQ(copy, wheel);
  static_cast<void>(copy.next());
  EXPECT_EQ(copy, wheel) << "asking is no change";
  EXPECT_EQ(fired(wheel, at(50ms)).size(), 8U);
  EXPECT_NE(copy, wheel);
  EXPECT_EQ(copy.size(), 20U);
  EXPECT_EQ(copy.next(), at(0ms));
  fired(copy, at(50ms));
  EXPECT_EQ(copy, wheel);
  EXPECT_EQ(copy.arm(TimerWheel::kNone, 99, at(1s)), wheel.arm(TimerWheel::kNone, 99, at(1s)));
  EXPECT_EQ(copy, wheel);
}

TEST(TimerWheelDeathTest, RefusesAHandleThatIsDead) {
  TimerWheel wheel;
  std::uint32_t handle = wheel.arm(TimerWheel::kNone, 1, at(1s));
  std::uint32_t kept = handle;
  wheel.cancel(handle);
  EXPECT_DEATH(wheel.cancel(kept), "");
  EXPECT_DEATH(static_cast<void>(wheel.arm(kept, 1, at(1s))), "");
  EXPECT_DEATH(static_cast<void>(wheel.arm(77, 1, at(1s))), "");
}

// The wheel against a list of (key, deadline), under the law of lazy re-arming.
class WheelAndModel {
 public:
  explicit WheelAndModel(std::uint64_t seed)
      : prng_(seed), now_(at(Duration(prng_.below(1ULL << 50)))) {
    fired(wheel_, now_);
  }

  void step() {
    const std::uint64_t choice = prng_.below(10);
    if (choice < 5) arm_one();
    if (choice == 5) cancel_one();
    if (choice >= 6) advance();
    check();
  }

 private:
  struct Entry {
    std::uint32_t handle;
    Instant deadline;
  };
  static constexpr std::uint64_t kKeys = 300;

  // From nanoseconds to years, each magnitude as likely as the others; sometimes negative.
  Duration some_duration() {
    const Duration span(1ULL << prng_.below(56));
    const Duration drawn(prng_.below(static_cast<std::uint64_t>(span.count())));
    return prng_.chance(0.05) ? -drawn : drawn;
  }

  void arm_one() {
    const std::uint64_t key = prng_.below(kKeys);
    const Instant deadline = now_ + some_duration();
    const auto known = model_.find(key);
    if (known == model_.end()) {
      model_[key] = {wheel_.arm(TimerWheel::kNone, key, deadline), deadline};
      return;
    }
    EXPECT_EQ(wheel_.arm(known->second.handle, key, deadline), known->second.handle);
    known->second.deadline = std::min(known->second.deadline, deadline);
  }

  void cancel_one() {
    const auto victim = model_.lower_bound(prng_.below(kKeys));
    if (victim == model_.end()) return;
    wheel_.cancel(victim->second.handle);
    model_.erase(victim);
  }

  void advance() {
    now_ = prng_.chance(0.5) ? std::max(now_, std::min(wheel_.next(), now_ + Duration(1h)))
                             : now_ + std::max(some_duration() / 1024, Duration(0));
    wheel_.advance(now_, [&](std::uint64_t key) {
      const auto due = model_.find(key);
      ASSERT_NE(due, model_.end());
      ASSERT_LE(due->second.deadline, now_) << "too early";
      model_.erase(due);
      if (!prng_.chance(0.2)) return;
      const Instant again = now_ + some_duration();
      again_[key] = {wheel_.arm(TimerWheel::kNone, key, again), again};
    });
    for (const auto& [key, entry] : model_) ASSERT_GT(entry.deadline, now_) << "too late";
    model_.merge(again_);
    ASSERT_TRUE(again_.empty());
  }

  void check() {
    ASSERT_EQ(wheel_.size(), model_.size());
    Instant earliest = kNever;
    for (const auto& [key, entry] : model_) earliest = std::min(earliest, entry.deadline);
    ASSERT_LE(wheel_.next(), earliest);
    ASSERT_EQ(wheel_.next() == kNever, model_.empty());
    if (earliest > now_) {
      ASSERT_GT(wheel_.next(), now_) << "a host would spin";
    }
  }

  Prng prng_;
  TimerWheel wheel_;
  Instant now_;
  std::map<std::uint64_t, Entry> model_;
  std::map<std::uint64_t, Entry> again_;
};

// Crowds: many entries whose deadlines lie close together, as after a burst of connections, most of
// them cancelled again before their time.
class CrowdsAndModel {
 public:
  explicit CrowdsAndModel(std::uint64_t seed) : prng_(seed), now_(at(below(1h))) {
    fired(wheel_, now_);
  }

  void step() {
    const std::uint64_t choice = prng_.below(8);
    if (choice == 0) arm_crowd();
    if (choice >= 1 && choice <= 4) cancel_some();
    if (choice == 5) cancel_all();
    if (choice >= 6) advance();
    check();
  }

 private:
  struct Entry {
    std::uint32_t handle;
    Instant deadline;
  };

  Duration below(Duration limit) {
    return Duration(prng_.below(static_cast<std::uint64_t>(limit.count())));
  }

  // In a second's time or an hour's, within a microsecond or a minute of each other.
  void arm_crowd() {
    const Instant about = now_ + below(prng_.chance(0.5) ? Duration(1s) : Duration(1h));
    const Duration spread = prng_.chance(0.5) ? Duration(1us) : Duration(1min);
    for (std::uint64_t i = prng_.below(60); i > 0; --i) {
      const Instant deadline = about + below(spread);
      const std::uint64_t key = keys_++;
      armed_[key] = {wheel_.arm(TimerWheel::kNone, key, deadline), deadline};
    }
  }

  void cancel(std::map<std::uint64_t, Entry>::iterator victim) {
    wheel_.cancel(victim->second.handle);
    armed_.erase(victim);
    if (prng_.chance(0.3)) check();  // also asks next(), which is to forget what it has found
  }

  void cancel_some() {
    for (std::uint64_t i = prng_.below(30); i > 0 && !armed_.empty(); --i)
      cancel(std::next(armed_.begin(), static_cast<std::ptrdiff_t>(prng_.below(armed_.size()))));
  }

  void cancel_all() {
    while (!armed_.empty()) cancel(armed_.begin());
  }

  void advance() {
    now_ = prng_.chance(0.5) ? std::max(now_, std::min(wheel_.next(), now_ + Duration(1h)))
                             : now_ + below(prng_.chance(0.5) ? Duration(1ms) : Duration(1min));
    Keys due;
    for (const auto& [key, entry] : armed_)
      if (entry.deadline <= now_) due.push_back(key);
    Keys keys = fired(wheel_, now_);
    std::ranges::sort(keys);
    ASSERT_EQ(keys, due);
    for (std::uint64_t key : keys) armed_.erase(key);
  }

  void check() {
    Instant earliest = kNever;
    for (const auto& [key, entry] : armed_) earliest = std::min(earliest, entry.deadline);
    ASSERT_EQ(wheel_.size(), armed_.size());
    ASSERT_EQ(wheel_.next() == kNever, armed_.empty());
    ASSERT_LE(wheel_.next(), earliest);
    if (earliest > now_) {
      ASSERT_GT(wheel_.next(), now_) << "a host would spin";
    }
  }

  Prng prng_;
  TimerWheel wheel_;
  Instant now_;
  std::uint64_t keys_ = 0;
  std::map<std::uint64_t, Entry> armed_;
};

TEST(TimerWheel, NamesNoTimePastHoweverManyEntriesAreCancelled) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CrowdsAndModel both(seed);
    for (int i = 0; i < 300; ++i) {
      both.step();
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << " step " << i;
    }
  }
}

TEST(TimerWheel, BehavesAsAListOfDeadlinesDoes) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    WheelAndModel both(seed);
    for (int i = 0; i < 1500; ++i) {
      both.step();
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << " step " << i;
    }
  }
}

}  // namespace
}  // namespace estab::base
