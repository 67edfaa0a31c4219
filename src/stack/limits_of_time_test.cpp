// Settings at the ends of what a Duration can say. kForever means never, and nothing is sent for
// want of a wait: zero and less are the least wait there is.

#include "estab/simulation.h"

#include "stack/testing/datagrams.h"
#include "stack/testing/opened.h"

namespace estab::script {
namespace {

constexpr Duration kYears = 24h * 365 * 10;

using std::chrono::hours;

TcpConfig endless_retransmission() {
  return {.rto_initial = kForever, .rto_max = kForever, .r2 = kForever, .r2_syn = kForever};
}

// ---- for ever

TEST(ForEver, AnOpeningWithoutALimitGoesOn) {
  Peer peer(TcpConfig{.rto_max = 120s, .r2_syn = kForever});
  ASSERT_TRUE(peer.connect());
  peer.after(24h);
  EXPECT_FALSE(peer.told().failure);
  EXPECT_EQ(peer.state(), State::syn_sent);
  EXPECT_LT(peer.waiting(), 800u) << "the SYN, once in two minutes";
  peer.forget_output();
  peer.in("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  peer.out(". 1:1(0) ack 1 <*>");
  EXPECT_EQ(peer.state(), State::established);
}

TEST(ForEver, AnOpeningWithoutATimerSendsOneSyn) {
  Peer peer(endless_retransmission());
  ASSERT_TRUE(peer.connect());
  EXPECT_EQ(peer.stack().next_deadline(), kNever);
  peer.after(kYears);
  peer.out("S 0:0(0) <*>");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::syn_sent);
}

TEST(ForEver, AnOpeningWithAUserTimeoutOfForEverGoesOn) {
  Peer peer(TcpConfig{.user_timeout = kForever});
  ASSERT_TRUE(peer.connect());
  peer.after(24h);
  EXPECT_EQ(peer.state(), State::syn_sent);
}

TEST(ForEver, ASynIsAnsweredOnceIfTheTimerHasNoEnd) {
  Peer peer(endless_retransmission());
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1000>");
  peer.after(kYears);
  peer.out("S. 0:0(0) ack 1 <*>");
  peer.quiet();
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_TRUE(peer.accept());
}

TEST(ForEver, TimeWaitLasts) {
  Peer peer(PeerOptions{.stack = {.msl = kForever}});
  peer.reach(State::time_wait);
  EXPECT_EQ(peer.stack().next_deadline(), kNever);
  peer.after(kYears);
  EXPECT_EQ(peer.state(), State::time_wait);
  EXPECT_EQ(peer.in("F. 1:1(0) ack 2 win 65535"), Verdict::time_wait_acked);
  peer.out(". 2:2(0) ack 2");
  peer.after(kYears);
  EXPECT_EQ(peer.stack().census().time_wait, 1u);
}

TEST(ForEver, KeepAliveAsksNobody) {
  for (const KeepAlive& keep : {KeepAlive{.enabled = true, .idle = kForever},
                                KeepAlive{.enabled = true, .idle = hours::max(), .interval = 0s}}) {
    Opened peer({.tcp = {.keep_alive = keep}});
    peer.after(kYears);
    peer.quiet();
    EXPECT_EQ(peer.state(), State::established);
  }
}

TEST(ForEver, KeepAliveAsksOnceIfTheIntervalHasNoEnd) {
  Opened peer({.tcp = {.keep_alive = {.enabled = true, .idle = 2h, .interval = kForever}}});
  peer.after(kYears);
  peer.out_at(2h, ". 0:0(0) ack 1");
  peer.quiet();
  EXPECT_EQ(peer.state(), State::established);
}

// MUST-40: less than half a second, whatever the setting.
TEST(ForEver, ADelayedAckIsNot) {
  Opened peer({.tcp = {.delayed_ack = kForever, .quick_acks = 0}});
  peer.in("P. 1:11(10) ack 1 win 65535");
  peer.quiet();
  peer.after(499ms);
  peer.out(". 1:1(0) ack 11");
}

TEST(ForEver, OctetsAreSentAgainAsLongAsNobodyAnswers) {
  for (const TcpConfig& tcp : {TcpConfig{.r2 = kForever}, TcpConfig{.user_timeout = kForever}}) {
    Opened peer({.tcp = tcp});
    peer.send(10);
    peer.after(24h);
    EXPECT_LT(peer.waiting(), 800u);
    peer.forget_output();
    EXPECT_FALSE(peer.told().failure);
    peer.ack(11);
    EXPECT_EQ(peer.info().unacked_bytes, 0u);
  }
}

TEST(ForEver, TheBackOffDoublesWithoutEnd) {
  Opened peer({.tcp = {.rto_max = kForever, .r2 = kForever}});
  peer.send(10);
  peer.after(24h * 365 * 250);
  EXPECT_LT(peer.waiting(), 40u) << "300 ms, doubled each time";
  EXPECT_EQ(peer.state(), State::established);
}

TEST(ForEver, AShutWindowIsProbedLessAndLess) {
  Opened peer({.tcp = {.rto_max = kForever, .r2 = kForever}});
  peer.in(". 1:1(0) ack 1 win 0");
  peer.send(10);
  peer.after(24h * 365 * 250);
  EXPECT_LT(peer.waiting(), 40u);
  EXPECT_EQ(peer.state(), State::established);
}

TEST(ForEver, FinWait2Lasts) {
  Opened peer({.tcp = {.fin_wait_2_timeout = kForever}});
  ASSERT_TRUE(peer.close());
  peer.out("F. 1:1(0) ack 1");
  peer.ack(2);
  peer.after(kYears);
  EXPECT_EQ(peer.state(), State::fin_wait_2);
}

// ---- time jumps: the machine slept, or nobody called

TEST(TimeJumps, EndTimeWaitHoweverFarTheyGo) {
  for (const int days : {1, 24, 25, 30, 49, 50, 36500}) {
    Peer peer;
    peer.reach(State::time_wait);
    peer.stack().handle_deadline(peer.now() + days * 24h);
    EXPECT_EQ(peer.stack().census().time_wait, 0u) << days << " days";
    EXPECT_EQ(peer.stack().next_deadline(), kNever);
  }
}

TEST(TimeJumps, LeaveALongTimeWaitAlone) {
  Peer peer(PeerOptions{.stack = {.msl = 24h * 100}});
  peer.reach(State::time_wait);
  peer.stack().handle_deadline(peer.now() + 24h * 199);
  EXPECT_EQ(peer.stack().census().time_wait, 1u);
  peer.stack().handle_deadline(peer.now() + 24h * 200);
  EXPECT_EQ(peer.stack().census().time_wait, 0u);
}

// ---- any setting of time, at any value

struct Setting {
  const char* name;
  Duration& (*of)(StackConfig&);
};

const Setting kSettings[] = {
    {"delayed_ack", [](StackConfig& c) -> Duration& { return c.tcp.delayed_ack; }},
    {"rto_initial", [](StackConfig& c) -> Duration& { return c.tcp.rto_initial; }},
    {"rto_min", [](StackConfig& c) -> Duration& { return c.tcp.rto_min; }},
    {"rto_max", [](StackConfig& c) -> Duration& { return c.tcp.rto_max; }},
    {"r2", [](StackConfig& c) -> Duration& { return c.tcp.r2; }},
    {"r2_syn", [](StackConfig& c) -> Duration& { return c.tcp.r2_syn; }},
    {"user_timeout", [](StackConfig& c) -> Duration& { return c.tcp.user_timeout.emplace(); }},
    {"fin_wait_2_timeout", [](StackConfig& c) -> Duration& { return c.tcp.fin_wait_2_timeout; }},
    {"keep_alive.idle", [](StackConfig& c) -> Duration& { return c.tcp.keep_alive.idle; }},
    {"keep_alive.interval", [](StackConfig& c) -> Duration& { return c.tcp.keep_alive.interval; }},
    {"msl", [](StackConfig& c) -> Duration& { return c.msl; }},
    {"fragment_timeout", [](StackConfig& c) -> Duration& { return c.fragment_timeout; }},
    {"path_mtu_lifetime", [](StackConfig& c) -> Duration& { return c.path_mtu_lifetime; }},
};

const Duration kValues[] = {Duration::min(), -1h, -1ns, 0ns, 1ns, 1us, hours::max(), kForever};

/// What the two do in a few seconds that the network is deaf in half of.
class Life {
 public:
  explicit Life(const StackConfig& config) : world_(both(config)) {}

  /// Steps of the simulation: without end, if a timer is due again as soon as it was set.
  int run() {
    const ListenerId listener =
        world_.b().listen({.local = {Simulation::address_v4(Side::b), 80}}).value();
    const OctetVector octets(10'000);
    (void)world_.b().connect(world_.now(), {.remote = {Simulation::address_v4(Side::a), 81}});
    for (int round = 0; round < 4 && steps_ < kTooMany; ++round) {
      const auto stream =
          world_.a().connect(world_.now(), {.remote = {Simulation::address_v4(Side::b), 80}});
      pass(300ms);
      const auto accepted = world_.b().accept(world_.now(), listener);
      world_.link().set_filter([round](Instant, Side from, const TransmitFrame&) {
        return round == 3 || (round > 0 && from == Side::a) ? FrameFate::lose
                                                            : FrameFate::by_chance;
      });
      if (stream) (void)world_.a().send(world_.now(), *stream, octets);
      if (accepted) (void)world_.b().send(world_.now(), *accepted, octets);
      pass(1s);
      if (stream) (void)world_.a().close(world_.now(), *stream);
      pass(1s);
      world_.link().set_filter({});
      if (accepted) (void)world_.b().close(world_.now(), *accepted);
      pass(1s);
    }
    return steps_;
  }

  static constexpr int kTooMany = 100'000;

 private:
  static SimulationConfig both(const StackConfig& config) {
    SimulationConfig world;
    world.a.stack = world.b.stack = config;
    world.start = Instant(1h);
    return world;
  }

  void pass(Duration time) {
    const Instant end = world_.now() + time;
    while (world_.next_deadline() <= end && steps_ < kTooMany) {
      ++steps_;
      world_.step();
      for (const Side side : {Side::a, Side::b})
        while (world_.stack(side).poll_event()) {
        }
    }
    if (steps_ < kTooMany) world_.run_for(end - world_.now());
  }

  Simulation world_;
  int steps_ = 0;
};

TEST(SettingsOfTime, NeverKeepAStackBusyAtOneInstant) {
  for (const Setting& setting : kSettings) {
    for (const Duration value : kValues) {
      StackConfig config{.seed = {1, 2}, .tcp = {.tail_loss_probe = true}};
      config.tcp.keep_alive.enabled = true;
      setting.of(config) = value;
      EXPECT_LT(Life(config).run(), Life::kTooMany) << setting.name << " = " << value.count();
    }
  }
}

TEST(SettingsOfTime, NeverKeepAStackBusyWhenAllAreExtreme) {
  for (const Duration value : kValues) {
    StackConfig config{.seed = {1, 2}, .tcp = {.tail_loss_probe = true}};
    config.tcp.keep_alive.enabled = true;
    for (const Setting& setting : kSettings) setting.of(config) = value;
    EXPECT_LT(Life(config).run(), Life::kTooMany) << "all = " << value.count();
  }
}

}  // namespace
}  // namespace estab::script
