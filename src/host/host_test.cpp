// The loop itself: tasks, time, descriptors, signals, other threads. No connection is needed here.
#include "estab/host.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/test_pair.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using host::OwnedDescriptor;

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    out = OwnedDescriptor(ends[0]);
    in = OwnedDescriptor(ends[1]);
  }
  OwnedDescriptor out, in;
};

// ---- tasks

TEST(Host, RunReturnsAtOnceWhenThereIsNothingToWaitFor) {
  Host host;
  host.run();
  EXPECT_EQ(host.tasks(), 0u);
}

Task<> note(std::vector<int>& log, int value) {
  log.push_back(value);
  co_return;
}

TEST(Host, RunsSpawnedTasksToTheirEnd) {
  Host host;
  std::vector<int> log;
  for (int i = 0; i < 3; ++i) host.spawn(note(log, i));
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(host.tasks(), 3u);
  host.run();
  EXPECT_EQ(log, (std::vector{0, 1, 2}));
  EXPECT_EQ(host.tasks(), 0u);
}

Task<> spawn_more(Host& host, std::vector<int>& log, int left) {
  log.push_back(left);
  if (left > 0) host.spawn(spawn_more(host, log, left - 1));
  co_return;
}

TEST(Host, RunsTasksThatTasksSpawn) {
  Host host;
  std::vector<int> log;
  host.spawn(spawn_more(host, log, 1000));
  host.run();
  EXPECT_EQ(log.size(), 1001u);
}

TEST(Host, IgnoresAnEmptyTask) {
  Host host;
  host.spawn(Task<>());
  EXPECT_EQ(host.tasks(), 0u);
}

Task<> fails_after(Host& host, Duration delay, std::string what) {
  co_await host.sleep(delay);
  throw std::runtime_error(what);
}

TEST(Host, LetsTheExceptionOfASpawnedTaskOutOfRunAndIsStillWhole) {
  Host host;
  std::vector<int> log;
  host.spawn(fails_after(host, 0ms, "first"));
  host.spawn(fails_after(host, 0ms, "second"));
  for (const std::string expected : {"first", "second"}) {
    try {
      host.run();
      FAIL() << expected << " did not come out";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), expected);
    }
  }
  host.spawn(note(log, 1));
  host.run();
  EXPECT_EQ(log.size(), 1u);
}

struct SetWhenDestroyed {
  explicit SetWhenDestroyed(bool& to) : flag(to) {}
  ~SetWhenDestroyed() { flag = true; }
  bool& flag;
};

Task<> sleeps_for_ever(Host& host, bool& destroyed) {
  const SetWhenDestroyed witness(destroyed);
  co_await host.sleep(kForever);
}

Task<> awaits_one_that_sleeps(Host& host, bool& destroyed) {
  co_await sleeps_for_ever(host, destroyed);
}

TEST(Host, DestroysTasksThatStillWait) {
  bool destroyed = false;
  {
    Host host;
    host.spawn(awaits_one_that_sleeps(host, destroyed));
    EXPECT_TRUE(host.run_once(0ms));
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(Host, DestroysTasksThatNeverStarted) {
  bool destroyed = false;
  auto takes = [](std::unique_ptr<SetWhenDestroyed> witness) -> Task<> {
    static_cast<void>(witness);
    co_return;
  };
  {
    Host host;
    host.spawn(takes(std::make_unique<SetWhenDestroyed>(destroyed)));
  }
  EXPECT_TRUE(destroyed);
}

TEST(Host, DoesNotGoOnForTheSakeOfABackgroundTask) {
  bool destroyed = false;
  Host host;
  host.spawn(sleeps_for_ever(host, destroyed), TaskKind::background);
  host.run();
  EXPECT_EQ(host.tasks(), 1u);
}

TEST(Host, MovesWithEverythingInIt) {
  std::vector<int> log;
  Host first;
  first.spawn(note(log, 1));
  Host second = std::move(first);
  EXPECT_FALSE(first);
  second.run();
  EXPECT_EQ(log.size(), 1u);
}

TEST(Host, BlocksOnATaskAndGivesItsResult) {
  Host host;
  auto later = [](Host& on) -> Task<int> {
    co_await on.sleep(1ms);
    co_return 5;
  };
  EXPECT_EQ(host.block_on(later(host)), 5);
  EXPECT_TRUE(host.block_on([](Host& on) -> Task<> { co_await on.sleep(0ms); }(host)));
  EXPECT_THROW(static_cast<void>(host.block_on(fails_after(host, 0ms, "out"))), std::runtime_error);
}

TEST(Host, DrawsASeedUnlessOneIsGiven) {
  const std::array<std::uint64_t, 2> none{0, 0};
  EXPECT_NE(Host().stack().config().seed, none);
  EXPECT_NE(Host().stack().config().seed, Host().stack().config().seed);
  HostOptions options;
  options.seed = {0, 0};
  EXPECT_EQ(Host(options).stack().config().seed, none);
  options.seed.reset();
  options.stack.seed = {3, 4};
  EXPECT_EQ(Host(options).stack().config().seed, options.stack.seed);
}

// ---- time

Task<> sleep_and_note(Host& host, Duration duration, std::vector<int>& log, int value) {
  co_await host.sleep(duration);
  log.push_back(value);
}

TEST(Host, WakesSleepersInTheOrderOfTheirDeadlines) {
  Host host;
  std::vector<int> log;
  host.spawn(sleep_and_note(host, 6ms, log, 3));
  host.spawn(sleep_and_note(host, 2ms, log, 1));
  host.spawn(sleep_and_note(host, 4ms, log, 2));
  host.run();
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
}

TEST(Host, SleepsNoShorterThanAsked) {
  Host host;
  Instant before, after;
  auto measure = [&]() -> Task<> {
    before = host.now();
    co_await host.sleep(3ms);
    after = host.now();
  };
  EXPECT_TRUE(host.block_on(measure()));
  EXPECT_GE(after - before, 3ms);
}

TEST(Host, SleepingForNothingGivesTheOthersTheirTurn) {
  Host host;
  std::vector<int> log;
  auto busy = [](Host& on, std::vector<int>& to) -> Task<> {
    while (to.empty()) co_await on.sleep(0ms);
  };
  host.spawn(busy(host, log));
  host.spawn(sleep_and_note(host, 1ms, log, 1));
  host.run();
  EXPECT_EQ(log.size(), 1u);
}

TEST(Host, WaitsWithoutTurningRound) {
  Host host;
  int rounds = 0;
  std::vector<int> log;
  host.spawn(sleep_and_note(host, 20ms, log, 1));
  while (host.tasks() > 0) {
    host.run_once();
    ++rounds;
  }
  EXPECT_LE(rounds, 4);
}

// ---- descriptors

Task<> read_pipe(Host& host, int descriptor, std::string& into) {
  for (;;) {
    if (!co_await host.readable(descriptor)) co_return;
    char octets[16];
    const ssize_t length = read(descriptor, octets, sizeof octets);
    if (length <= 0) co_return;
    into.append(octets, static_cast<std::size_t>(length));
  }
}

Task<> write_pipe(Host& host, OwnedDescriptor descriptor, int times) {
  for (int i = 0; i < times; ++i) {
    co_await host.sleep(0ms);
    EXPECT_EQ(write(descriptor.number(), "abc", 3), 3);
  }
}

TEST(Host, WaitsForAPipeToBeReadable) {
  Host host;
  Pipe pipe;
  std::string got;
  host.spawn(read_pipe(host, pipe.out.number(), got));
  host.spawn(write_pipe(host, std::move(pipe.in), 3));
  host.run();
  EXPECT_EQ(got, "abcabcabc");
}

TEST(Host, WaitsForAPipeToBeWritable) {
  Host host;
  Pipe pipe;
  const std::vector<char> much(1 << 16, 'x');
  std::size_t written = 0, drained = 0;
  auto fill = [&]() -> Task<> {
    while (written < 300'000) {
      EXPECT_TRUE(co_await host.writable(pipe.in.number()));
      const ssize_t length = write(pipe.in.number(), much.data(), much.size());
      if (length > 0) written += static_cast<std::size_t>(length);
    }
    pipe.in = OwnedDescriptor();
  };
  auto drain = [&]() -> Task<> {
    std::vector<char> octets(5000);
    for (;;) {
      EXPECT_TRUE(co_await host.readable(pipe.out.number()));
      const ssize_t length = read(pipe.out.number(), octets.data(), octets.size());
      if (length == 0) co_return;
      if (length > 0) drained += static_cast<std::size_t>(length);
    }
  };
  host.spawn(fill());
  host.spawn(drain());
  host.run();
  EXPECT_GE(written, 300'000u);
  EXPECT_EQ(drained, written);
}

TEST(Host, WaitsForBothDirectionsOfOneDescriptor) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const OwnedDescriptor here(ends[0]), there(ends[1]);
  Host host;
  std::vector<int> log;
  auto read_one = [&]() -> Task<> {
    EXPECT_TRUE(co_await host.readable(here.number()));
    log.push_back(2);
  };
  auto write_one = [&]() -> Task<> {
    EXPECT_TRUE(co_await host.writable(here.number()));
    log.push_back(1);
    EXPECT_EQ(write(there.number(), "x", 1), 1);
  };
  host.spawn(read_one());
  host.spawn(write_one());
  host.run();
  EXPECT_EQ(log, (std::vector{1, 2}));
}

TEST(Host, FindsAPlainFileAlwaysReadable) {
  char name[] = "/tmp/estab-host-test-XXXXXX";
  const OwnedDescriptor file(mkstemp(name));
  ASSERT_TRUE(file);
  unlink(name);
  Host host;
  auto wait = [&]() -> Task<bool> {
    co_return (co_await host.readable(file.number())) && (co_await host.writable(file.number()));
  };
  EXPECT_EQ(host.block_on(wait()), true);
}

TEST(Host, RefusesADescriptorThatIsNone) {
  Host host;
  EXPECT_EQ(block_on(host.readable(-1)).error(), Error::invalid_argument);
  EXPECT_EQ(block_on(host.readable(100'000)).error(), Error::invalid_argument);
}

TEST(Host, RefusesASecondReaderOfADescriptor) {
  Host host;
  Pipe pipe;
  std::string got;
  host.spawn(read_pipe(host, pipe.out.number(), got));
  host.run_once(0ms);
  EXPECT_EQ(block_on(host.readable(pipe.out.number())).error(), Error::invalid_argument);
}

TEST(Host, WaitsForADescriptorWhoseNumberBelongedToAnother) {
  Host host;
  int number = -1;
  for (int i = 0; i < 2; ++i) {
    Pipe pipe;
    if (number >= 0) {
      EXPECT_EQ(pipe.out.number(), number);
    }
    number = pipe.out.number();
    std::string got;
    host.spawn(read_pipe(host, pipe.out.number(), got));
    host.spawn(write_pipe(host, std::move(pipe.in), 1));
    host.run();
    EXPECT_EQ(got, "abc");
  }
}

TEST(Host, AnEndlessFileLeavesTheOthersTheirTurn) {
  const OwnedDescriptor zero(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(zero);
  Host host;
  std::vector<int> log;
  auto reads = [&]() -> Task<> {
    while (log.empty()) EXPECT_TRUE(co_await host.readable(zero.number()));
  };
  host.spawn(reads());
  host.spawn(sleep_and_note(host, 1ms, log, 1));
  host.run();
  EXPECT_EQ(log.size(), 1u);
}

TEST(Host, GivesAWaitUpWhenItsLimitHasPassed) {
  Host host;
  Pipe pipe;
  auto waits = [&]() -> Task<Error> {
    co_return (co_await host.readable(pipe.out.number()).within(2ms)).error();
  };
  EXPECT_EQ(host.block_on(waits()), Error::timed_out);
  // and the seat is free again
  ASSERT_EQ(write(pipe.in.number(), "x", 1), 1);
  EXPECT_TRUE(block_on(host.readable(pipe.out.number())));
}

TEST(Host, PrefersTheEventToTheLimitWhenBothHaveCome) {
  Host host;
  Pipe pipe;
  ASSERT_EQ(write(pipe.in.number(), "x", 1), 1);
  EXPECT_TRUE(block_on(host.readable(pipe.out.number()).within(0ms)));
}

// ---- signals

TEST(Host, WaitsForASignal) {
  Host host;
  std::vector<int> log;
  auto waits = [&]() -> Task<> {
    EXPECT_TRUE(co_await host.signal(SIGUSR1));
    log.push_back(1);
    EXPECT_TRUE(co_await host.signal(SIGUSR2));
    log.push_back(2);
  };
  auto sends = [&]() -> Task<> {
    co_await host.sleep(0ms);
    raise(SIGUSR1);
    while (log.empty()) co_await host.sleep(0ms);
    raise(SIGUSR2);
  };
  host.spawn(waits());
  host.spawn(sends());
  host.run();
  EXPECT_EQ(log, (std::vector{1, 2}));
}

TEST(Host, KeepsASignalThatCameWhileNobodyWaited) {
  Host host;
  EXPECT_EQ(block_on(host.signal(SIGUSR1).within(0ms)).error(), Error::timed_out);
  raise(SIGUSR1);
  host.run_once(0ms);
  EXPECT_TRUE(block_on(host.signal(SIGUSR1).within(0ms)));
  EXPECT_EQ(block_on(host.signal(SIGUSR1).within(0ms)).error(), Error::timed_out);
}

TEST(Host, UnblocksTheSignalsItBlockedWhenItGoes) {
  const auto blocked = [] {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return sigismember(&now, SIGUSR1) == 1;
  };
  ASSERT_FALSE(blocked());
  {
    Host host;
    EXPECT_FALSE(block_on(host.signal(SIGUSR1).within(0ms)));
    EXPECT_TRUE(blocked());
  }
  EXPECT_FALSE(blocked());
}

TEST(Host, RefusesANumberThatIsNoSignal) {
  Host host;
  for (const int number : {-1, 0, 65, 10'000})
    EXPECT_EQ(block_on(host.signal(number)).error(), Error::invalid_argument);
}

// ---- other threads

TEST(Host, StopsWhenAnotherThreadSaysSo) {
  bool destroyed = false;
  Host host;
  host.spawn(sleeps_for_ever(host, destroyed));
  std::thread other([&host] { host.stop(); });
  host.run();
  other.join();
  EXPECT_EQ(host.tasks(), 1u);
}

TEST(Host, RemembersAStopThatCameBeforeRun) {
  bool destroyed = false;
  Host host;
  host.spawn(sleeps_for_ever(host, destroyed));
  host.stop();
  host.run();
  EXPECT_TRUE(host.run_once(0ms));
}

TEST(Host, StopEndsWhateverBlocks) {
  Host host;
  Pipe pipe;
  bool destroyed = false;
  for (int i = 0; i < 2; ++i) {
    std::thread other([&host] { host.stop(); });
    if (i == 0) {
      EXPECT_EQ(block_on(host.readable(pipe.out.number())).error(), Error::cancelled);
    } else {
      EXPECT_EQ(host.block_on(sleeps_for_ever(host, destroyed)).error(), Error::cancelled);
    }
    other.join();
  }
  EXPECT_TRUE(destroyed);
}

TEST(Host, RunsCallsPostedByAnotherThreadInTheirOrder) {
  Host host;
  std::vector<int> log;
  std::thread::id ran_by;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) host.post([&log, i] { log.push_back(i); });
    host.post([&] {
      ran_by = std::this_thread::get_id();
      host.stop();
    });
  });
  while (host.run_once()) continue;
  other.join();
  ASSERT_EQ(log.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(log[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(ran_by, std::this_thread::get_id());
}

TEST(Host, PostedCallsMaySpawn) {
  Host host;
  std::vector<int> log;
  host.post([&] { host.spawn(note(log, 4)); });
  host.run_once();
  EXPECT_EQ(log, std::vector{4});
}

// ---- links

TEST(Host, NoticesThatALinkIsGoneAndDoesNotSpin) {
  auto link = host::test::make_link(1500);
  Host host;
  const InterfaceId interface = host.add_device(std::move(link[0]));
  EXPECT_TRUE(host.is_up(interface));
  link[1].reset();
  int rounds = 0;
  while (host.is_up(interface) && ++rounds < 10) host.run_once();
  EXPECT_FALSE(host.is_up(interface));
  std::vector<int> log;
  host.spawn(sleep_and_note(host, 5ms, log, 1));
  for (rounds = 0; host.tasks() > 0; ++rounds) host.run_once();
  EXPECT_LE(rounds, 4);
}

}  // namespace
}  // namespace estab
