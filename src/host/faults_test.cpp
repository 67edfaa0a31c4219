// What throws while a Host runs, and that it takes nothing else with it.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "estab/blocking.h"

#include "host/connected_pair.h"
#include "host/test_wire.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using namespace host::test;
using host::OwnedDescriptor;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

/// Calls until nothing more comes out; says what did.
template <class Call>
std::vector<std::string> what_comes_out(Call call) {
  std::vector<std::string> all;
  while (true) try {
      call();
      return all;
    } catch (const std::exception& error) {
      all.push_back(error.what());
    }
}

TEST(HostFaults, APostedCallThatThrowsTakesNoOtherWithIt) {
  Host host;
  std::vector<int> log;
  host.post([&] { log.push_back(1); });
  host.post([] { fail("first"); });
  host.post([&] { log.push_back(2); });
  host.post([] { fail("second"); });
  host.post([&] { log.push_back(3); });
  const auto out = what_comes_out([&] { host.run_once(0ms); });
  EXPECT_EQ(out, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
}

TEST(HostFaults, APostedCallThatThrowsTakesNoWakeUpWithIt) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const OwnedDescriptor out(ends[0]), in(ends[1]);
  Host host;
  std::vector<std::string> log;
  auto waits = [&]() -> Task<> {
    const auto ready = co_await host.readable(out.number()).within(5s);
    log.push_back(ready ? "ready" : std::string(name(ready.error())));
  };
  host.spawn(waits());
  host.run_once(0ms);
  ASSERT_EQ(write(in.number(), "x", 1), 1);
  host.post([] { fail("posted"); });
  EXPECT_EQ(what_comes_out([&] { host.run(); }), std::vector<std::string>{"posted"});
  EXPECT_EQ(log, std::vector<std::string>{"ready"});
}

// ---- tasks

Task<> fails_now(std::string what) {
  fail(what);
  co_return;
}

TEST(HostFaults, ATaskThatThrowsTakesNoOtherTaskWithIt) {
  Host host;
  int over = 0;
  auto works = [&]() -> Task<> {
    for (int i = 0; i < 3; ++i) co_await host.sleep(0ms);
    ++over;
  };
  for (int i = 0; i < 20; ++i) {
    host.spawn(fails_now(std::to_string(i)));
    host.spawn(works());
  }
  EXPECT_EQ(what_comes_out([&] { host.run(); }).size(), 20u);
  EXPECT_EQ(over, 20);
}

TEST(HostFaults, WhatABlockingCallHasDoneIsToldBeforeAnothersException) {
  Connected pair;
  ASSERT_TRUE(block_on(pair.ends.client.write(as_octets("abc"))));
  pair.client.run_once(0ms);
  pair.server.spawn(fails_now("another"));
  std::array<std::uint8_t, 10> buffer;
  EXPECT_EQ(block_on(pair.ends.server.read(buffer)), 3u);
  EXPECT_EQ(what_comes_out([&] { pair.server.run_once(0ms); }),
            std::vector<std::string>{"another"});
}

// ---- the loop within itself

TEST(HostFaults, RunningTheLoopFromWithinACoroutineIsRefused) {
  Host host;
  std::vector<std::string> log;
  auto runs = [](Host& on) -> Task<> {
    on.run_once(0ms);
    co_return;
  };
  auto finishes = [](Host& on) -> Task<> {
    co_await on.sleep(0ms);
    on.run();
  };
  auto blocks = [&](Host& on) -> Task<> {
    co_await on.sleep(0ms);
    log.push_back(std::string(name(block_on(on.readable(0)).error())));
    log.push_back(std::string(name(on.block_on(fails_now("never begun")).error())));
  };
  host.spawn(runs(host));
  host.spawn(finishes(host));
  host.spawn(blocks(host));
  host.post([&] { host.run_once(0ms); });
  EXPECT_EQ(what_comes_out([&] { host.run(); }).size(), 3u);
  EXPECT_EQ(log, (std::vector<std::string>{"invalid_argument", "invalid_argument"}));
  EXPECT_EQ(host.tasks(), 0u);
}

// ---- devices and clocks

struct Moods {
  bool receives = true, transmits = true;
  int received = 0, transmitted = 0;
};

/// A device that throws now and then.
class Moody final : public Device {
 public:
  explicit Moody(std::shared_ptr<Moods> moods) : moods_(std::move(moods)) {}
  InterfaceConfig interface_config() const override { return {.name = "moody"}; }
  int descriptor() const override { return -1; }
  std::size_t receive(Instant, Stack&, InterfaceId, std::size_t) override {
    if (!moods_->receives) fail("receive");
    ++moods_->received;
    return 0;
  }
  bool ready() const override { return true; }
  bool flush() override { return true; }
  void transmit(Instant, const TransmitFrame&) override {
    if (!moods_->transmits) fail("transmit");
    ++moods_->transmitted;
  }

 private:
  std::shared_ptr<Moods> moods_;
};

struct OnMoodyLink : OwnClock {
  OnMoodyLink() : host(virtual_options(clock)), moods(std::make_shared<Moods>()) {
    Hosts::join(host, std::make_unique<Moody>(moods), kClientAddress);
    socket = host.bind_datagram({kClientAddress, 0}).value();
  }
  Host host;
  std::shared_ptr<Moods> moods;
  DatagramSocket socket;
};

TEST(HostFaults, ADeviceThatThrowsOnReceivingLeavesTheRestOfTheRound) {
  OnMoodyLink link;
  bool slept = false;
  auto sleeps = [&]() -> Task<> {
    co_await link.host.sleep(1s);
    slept = true;
  };
  link.host.spawn(sleeps());
  link.moods->receives = false;
  for (int round = 0; round < 3 && !slept; ++round) {
    EXPECT_THROW(link.host.run_once(), std::runtime_error);
    link.clock.advance(1s);
  }
  EXPECT_TRUE(slept);
  link.moods->receives = true;
  what_comes_out([&] { link.host.run_once(0ms); });
  EXPECT_NO_THROW(link.host.run());
}

TEST(HostFaults, ADeviceThatThrowsOnSendingLosesThatFrameAlone) {
  OnMoodyLink link;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(link.socket.send_to(as_octets("x"), kServer));
  link.moods->transmits = false;
  EXPECT_THROW(link.host.run_once(0ms), std::runtime_error);
  link.moods->transmits = true;
  // The frames that are left need no event to go out.
  EXPECT_LE(link.host.next_deadline(), link.clock.now());
  EXPECT_TRUE(what_comes_out([&] { link.host.run_once(0ms); }).size() <= 1);
  EXPECT_GE(link.moods->transmitted, 1);
}

TEST(HostFaults, AHostWhoseDeviceThrowsCanBeDestroyed) {
  OnMoodyLink link;
  link.moods->transmits = false;
  EXPECT_TRUE(link.socket.send_to(as_octets("x"), kServer));
  link.socket.close();
  Host gone = std::move(link.host);
}

TEST(HostFaults, ABlockingHostIsDestroyedWhateverItsTasksThrow) {
  auto link = make_link(1500);
  auto there = std::make_unique<blocking::Host>(test_options());
  const InterfaceId interface = there->add_device(std::move(link[0]));
  ASSERT_TRUE(there->add_address(interface, {kClientAddress, 24}));
  HostOptions impatient = test_options();
  // A connection that is still opening keeps the destructor busy while tasks fail.
  auto connects = [](Host& host) -> Task<> {
    static_cast<void>(co_await host.connect(kServer).within(5ms));
  };
  auto fails_later = [](Host& host) -> Task<> {
    co_await host.sleep(1ms);
    fail("later");
  };
  there->host().spawn(connects(there->host()));
  for (int i = 0; i < 3; ++i) there->host().spawn(fails_later(there->host()));
  there->host().spawn(fails_now("now"));
  EXPECT_THROW(there->run_once(0ms), std::runtime_error);
  there.reset();
}

class BrokenClock final : public Clock {
 public:
  Instant now() const override { return Instant(1s); }
  void wait(Instant) override { fail("the clock stands"); }
};

TEST(HostFaults, WhatAClockThrowsComesOutOfRun) {
  BrokenClock clock;
  Host host(virtual_options(clock));
  bool started = false;
  auto sleeps = [&]() -> Task<> {
    started = true;
    co_await host.sleep(1s);
  };
  host.spawn(sleeps());
  EXPECT_THROW(host.run(), std::runtime_error);
  EXPECT_TRUE(started);
  EXPECT_EQ(host.tasks(), 1u);
}

// ---- descriptors

TEST(HostFaults, ADescriptorThatIsNoneTakesNoMemory) {
  Host host;
  EXPECT_EQ(block_on(host.readable(50'000'000)).error(), Error::invalid_argument);
  EXPECT_EQ(block_on(host.writable(2'000'000'000)).error(), Error::invalid_argument);
}

}  // namespace
}  // namespace estab
