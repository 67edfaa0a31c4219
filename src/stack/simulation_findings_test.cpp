// What the property test (tests/properties) found, each as the shortest script that shows it.

#include <algorithm>
#include <memory>

#include "estab/simulation.h"

#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class SimulationFinding : public EachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, SimulationFinding, both_families(), family_name);

TEST_P(SimulationFinding, WhatWasSentOnceDoesNotWaitForMoreWhenItIsLost) {
  peer.establish({.window = 100});
  peer.send(150, SendMode::more);  // more than the window takes, and more is to come
  peer.out(". 1:101(100) ack 1");
  peer.in(". 1:1(0) ack 101 win 1000");
  peer.after(250ms);  // the override timer sends the rest after all
  peer.out("P. 101:151(50) ack 1");
  peer.after(1500ms);
  EXPECT_EQ(peer.out("P. 101:151(50) ack 1").reason, SendReason::retransmit_timeout);
}

// RFC 9293 §3.10.7.4 takes a window only from a segment not older than the last one by its number;
// a retransmission is, but its acknowledgement is new.
TEST_P(SimulationFinding, ARetransmissionsNewAcknowledgementBringsItsWindow) {
  peer.establish({.window = 1000});
  peer.in("P. 101:201(100) ack 1 win 1000");  // behind a gap
  peer.send(1000);
  peer.forget_output();
  peer.in(". 1:101(100) ack 1001 win 0");  // fills the gap; the window has shut
  EXPECT_EQ(peer.info().snd_wnd, 0u);
  peer.forget_output();
  peer.send(500);
  peer.quiet();
}

// A receiver that sets urgent octets aside would take a false mark's octet out of the stream.
TEST_P(SimulationFinding, NoUrgentMarkIsSetAmongOctetsSentWithoutOne) {
  Peer other(TcpConfig{.initial_window_segments = 100}, GetParam());
  other.establish({.options = "mss 1000,wscale 7"});
  other.send(90'000);
  other.send(10, SendMode::urgent);
  EXPECT_EQ(other.waiting(), 91u);
  other.forget_output();
  other.after(1100ms);
  other.out(". 1:1001(1000) ack 1");
  other.forget_output();
  other.in(". 1:1(0) ack 30001 win 65535");
  other.out("U. 30001:31001(1000) ack 1 urg 60010");
}

TEST_P(SimulationFinding, AnEventForAStreamLetGoIsNotTold) {
  peer.listen();
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.in("F. 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  ASSERT_TRUE(peer.close());
  EXPECT_EQ(peer.told(), StreamEvent{.stream = peer.stream()});
  while (const auto event = peer.stack().poll_event())
    EXPECT_FALSE(std::holds_alternative<StreamEvent>(*event));
}

// [RFC 7323 2.3-2]
TEST_P(SimulationFinding, TheWindowScaleIsNoCoarserThanTheBufferAllows) {
  Peer other(TcpConfig{.receive_buffer = 1000, .window_scale = 14}, GetParam());
  ASSERT_TRUE(other.connect());
  other.out("S 0:0(0) win 1000 <wscale 6,...>");
  other.in("S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 8>");
  other.out(". 1:1(0) ack 1 win 16 <*>");
  for (std::uint32_t at = 1; at < 10000; at += 500) {  // each time the window opens again
    other.in("P. " + std::to_string(at) + ":" + std::to_string(at + 500) + "(500) ack 1 win 256");
    EXPECT_EQ(other.recv(), 500u);
    EXPECT_GE(other.info().rcv_wnd, 500u);
  }
}

TEST(SimulationFindingOfBoth, ACookiesConnectionIsSeenToPassThroughSynReceived) {
  struct Changes : Observer {
    void on_trace(Instant, const TraceEvent& event) override {
      if (const auto* change = std::get_if<StateChanged>(&event))
        seen.push_back({change->from, change->to});
    }
    std::vector<std::pair<State, State>> seen;
  } changes;
  SimulationConfig config;
  config.b.stack.limits.syn_cache = 0;
  Simulation world(config);
  world.b().set_observer(&changes);
  ASSERT_TRUE(world.b().listen({.local = {IpAddress(), 80}}));
  const IpAddress to = Simulation::address_v4(Side::b);
  ASSERT_TRUE(world.a().connect(world.now(), {.remote = {to, 80}}));
  world.settle();
  const std::vector<std::pair<State, State>> expected = {{State::listen, State::syn_received},
                                                         {State::syn_received, State::established}};
  EXPECT_EQ(changes.seen, expected);
}

/// Everything a stack sends now, frame by frame.
std::vector<OctetVector> frames_of(Stack& stack, Instant now) {
  std::vector<OctetVector> frames;
  TransmitFrame frame;
  while (stack.poll_transmit(now, frame)) {
    frames.emplace_back(frame.size());
    frame.copy_to(frames.back().data());
  }
  return frames;
}

// A super-segment can point at so many pieces and no more: a copy must be cut like its original.
TEST_P(SimulationFinding, ACopySendsItsLentOctetsInTheSameFrames) {
  PeerOptions options{.family = GetParam(), .stack = {.seed = {1, 2}}};
  options.interface.segmentation_v4 = options.interface.segmentation_v6 = true;
  Peer other(options);
  other.establish();
  const auto lent = std::make_shared<const OctetVector>(200);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(other.stack().send_owned(other.now(), other.stream(), *lent, lent));
  Stack copy = other.stack();
  EXPECT_EQ(frames_of(copy, other.now()), frames_of(other.stack(), other.now()));
}

TEST_P(SimulationFinding, ACopyShowsWhatWasReceivedInTheSameViews) {
  peer.establish();
  peer.in("P. 1:101(100) ack 1 win 65535");
  Stack copy = peer.stack();
  const OctetVector next = peer.make("P. 101:201(100) ack 1 win 65535");
  for (Stack* each : {&copy, &peer.stack()})
    each->handle_frame(peer.now(), peer.interface(), {.octets = next});
  std::array<Octets, 8> views;
  const std::size_t count = peer.stack().peek(peer.stream(), views);
  EXPECT_EQ(copy.peek(peer.stream(), views), count);
}

// TIME-WAIT keeps its deadline in 32 bits of milliseconds, near the time the stack was last told.
TEST(SimulationFindingOfBoth, ACopyKnowsWhenItsTimeWaitEndsHoweverLateItIs) {
  SimulationConfig config;
  config.start = Instant(std::chrono::hours(24 * 40));
  Simulation world(config);
  const auto listener = world.b().listen({.local = {IpAddress(), 80}});
  const auto opened =
      world.a().connect(world.now(), {.remote = {Simulation::address_v4(Side::b), 80}});
  world.settle();
  const auto accepted = world.b().accept(world.now(), *listener);
  for (const auto& [side, stream] : {std::pair(Side::a, *opened), std::pair(Side::b, *accepted)}) {
    ASSERT_TRUE(world.stack(side).close(world.now(), stream));
    world.settle();
  }
  ASSERT_EQ(world.a().census().time_wait, 1u);
  EXPECT_EQ(Stack(world.a()).next_deadline(), world.a().next_deadline());
}

}  // namespace
}  // namespace estab::script
