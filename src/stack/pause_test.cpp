// Interfaces that take no frames for a while: what waits for them, what does not, and how much.

#include <set>

#include <gtest/gtest.h>

#include "estab/stack.h"

#include "stack/testing/pattern.h"

namespace estab {
namespace {

using namespace std::chrono_literals;
using script::OctetVector;

/// A stack with two links, and at the other end of each a stack that listens.
class Pause : public testing::Test {
 protected:
  struct Neighbour {
    Stack stack;
    InterfaceId interface;
    ListenerId listener;
    Endpoint name;
  };

  Pause() {
    for (const std::uint8_t i : {0, 1}) {
      links[i] = stack.add_interface({.name = i == 0 ? "first" : "second"});
      EXPECT_TRUE(stack.add_address(links[i], {IpAddress::v4(10, 0, i, 1), 24}));
      Neighbour& there = neighbours[i];
      there.name = {IpAddress::v4(10, 0, i, 2), 80};
      there.interface = there.stack.add_interface({.name = "back"});
      EXPECT_TRUE(there.stack.add_address(there.interface, {there.name.address, 24}));
      there.listener = there.stack.listen({.local = there.name}).value();
    }
  }

  StreamId connect(std::size_t link) {
    return stack.connect(now, {.remote = neighbours[link].name}).value();
  }
  void send(StreamId stream, std::size_t octets) {
    EXPECT_EQ(stack.send(now, stream, OctetVector(octets, 'x')), octets);
  }
  /// Carries frames both ways until there are none. Returns the interfaces by which frames left.
  std::set<InterfaceId> carry() {
    std::set<InterfaceId> used;
    for (bool moved = true; moved;) {
      moved = false;
      while (stack.poll_transmit(now, frame)) {
        moved = true;
        used.insert(frame.interface);
        Neighbour& there = neighbours[frame.interface == links[0] ? 0 : 1];
        hand(there.stack, there.interface);
      }
      for (std::size_t i : {0u, 1u})
        while (neighbours[i].stack.poll_transmit(now, frame)) {
          moved = true;
          hand(stack, links[i]);
        }
    }
    return used;
  }
  void hand(Stack& to, InterfaceId interface) {
    OctetVector octets(frame.size());
    frame.copy_to(octets.data());
    to.handle_frame(now, interface, {.octets = octets});
  }
  std::size_t received(std::size_t link) {
    Neighbour& there = neighbours[link];
    while (const auto stream = there.stack.accept(now, there.listener))
      accepted[link].push_back(*stream);
    std::size_t octets = 0;
    for (const StreamId stream : accepted[link]) octets += there.stack.readable(stream);
    return octets;
  }
  bool datagram(std::size_t link, std::uint8_t number) {
    return stack.send_datagram(now, port, neighbours[link].name, OctetVector{number}).has_value();
  }

  Instant now{1h};
  Stack stack{StackConfig{.seed = {1, 2}, .limits = {.pending_replies = 8}}};
  std::array<InterfaceId, 2> links;
  std::array<Neighbour, 2> neighbours;
  std::array<std::vector<StreamId>, 2> accepted;
  DatagramId port = stack.bind_datagram({IpAddress(), 5000}).value();
  TransmitFrame frame;
};
using Used = std::set<InterfaceId>;

TEST_F(Pause, OnePausedKeepsOnlyWhatGoesItsWay) {
  const StreamId first = connect(0), second = connect(1);
  EXPECT_EQ(carry(), (Used{links[0], links[1]}));
  EXPECT_TRUE(stack.pause_interface(links[0]));
  send(first, 10'000);
  send(second, 10'000);
  const StreamId opening = connect(0);
  EXPECT_EQ(carry(), Used{links[1]});
  EXPECT_EQ(received(0), 0u);
  EXPECT_EQ(received(1), 10'000u);
  EXPECT_EQ(stack.state(opening), State::syn_sent);

  EXPECT_TRUE(stack.resume_interface(links[0]));
  EXPECT_EQ(carry(), Used{links[0]});
  EXPECT_EQ(received(0), 10'000u);
  EXPECT_EQ(stack.state(opening), State::established);
  EXPECT_EQ(stack.info(first)->total_retrans, 0u);
}

TEST_F(Pause, WhatWaitsIsFirstWhenItGoesOnAndEachHasItsTurn) {
  std::vector<StreamId> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(connect(0));
  carry();
  EXPECT_TRUE(stack.pause_interface(links[0]));
  for (const StreamId stream : streams) send(stream, 100);
  EXPECT_EQ(carry(), Used());
  // One frame at a time, as for a device that is full again after each.
  for (const StreamId stream : streams) {
    EXPECT_TRUE(stack.resume_interface(links[0]));
    ASSERT_TRUE(stack.poll_transmit(now, frame));
    hand(neighbours[0].stack, neighbours[0].interface);
    EXPECT_TRUE(stack.pause_interface(links[0]));
    EXPECT_FALSE(stack.poll_transmit(now, frame));
    EXPECT_EQ(stack.info(stream)->notsent_bytes, 0u);
  }
  EXPECT_EQ(received(0), 2000u);
}

TEST_F(Pause, DatagramsWaitInOrderAndAsManyAsTheLimitAllows) {
  const DatagramId there = neighbours[0].stack.bind_datagram(neighbours[0].name).value();
  EXPECT_TRUE(stack.pause_interface(links[0]));
  std::uint8_t taken = 0;
  while (taken < 100 && datagram(0, taken)) {
    ++taken;
    EXPECT_EQ(carry(), Used());
  }
  EXPECT_EQ(taken, 8);
  for (std::uint8_t i = 0; i < 100; ++i) {
    EXPECT_TRUE(datagram(1, i)) << "the other link's have room of their own";
    EXPECT_EQ(carry(), Used{links[1]});
  }
  EXPECT_TRUE(stack.resume_interface(links[0]));
  ASSERT_TRUE(stack.poll_transmit(now, frame));
  hand(neighbours[0].stack, neighbours[0].interface);
  EXPECT_TRUE(datagram(0, taken++)) << "it goes behind those that waited";
  EXPECT_EQ(carry(), Used{links[0]});
  OctetVector got(1);
  for (std::uint8_t i = 0; i < taken; ++i) {
    ASSERT_TRUE(neighbours[0].stack.recv_datagram(there, got));
    EXPECT_EQ(got[0], i);
  }
  EXPECT_EQ(stack.counters().replies_dropped, 0u);
}

TEST_F(Pause, StreamsThatComeAndGoMeanwhileLeaveNothingBehind) {
  EXPECT_TRUE(stack.pause_interface(links[0]));
  const auto come_and_go = [&](bool polled) {
    for (int i = 0; i < 5000; ++i) {
      const StreamId stream = connect(0);
      if (polled) {
        EXPECT_FALSE(stack.poll_transmit(now, frame));
      }
      EXPECT_TRUE(stack.abort(now, stream));
    }
  };
  for (const bool polled : {true, false}) {
    come_and_go(polled);
    const std::size_t before = stack.memory();
    come_and_go(polled);
    EXPECT_EQ(stack.memory(), before);
  }
}

TEST_F(Pause, WhatWaitsTakesAnotherWayIfOneOpens) {
  const StreamId stream = connect(0);
  carry();
  EXPECT_TRUE(stack.pause_interface(links[0]));
  send(stream, 100);
  EXPECT_FALSE(stack.poll_transmit(now, frame));
  EXPECT_TRUE(stack.add_route({{neighbours[0].name.address, 32}, links[1]}));
  ASSERT_TRUE(stack.poll_transmit(now, frame));
  EXPECT_EQ(frame.interface, links[1]);
}

TEST_F(Pause, WhatWaitsForOneThatIsRemovedEndsWithIt) {
  const StreamId stream = connect(0);
  carry();
  EXPECT_TRUE(stack.pause_interface(links[0]));
  send(stream, 100);
  EXPECT_TRUE(datagram(0, 1));
  EXPECT_FALSE(stack.poll_transmit(now, frame));
  EXPECT_TRUE(stack.remove_interface(now, links[0]));
  EXPECT_FALSE(stack.poll_transmit(now, frame));
  EXPECT_TRUE(stack.failure(stream));
  EXPECT_EQ(stack.pause_interface(links[0]).error(), Error::no_such_id);
  EXPECT_EQ(stack.resume_interface(links[0]).error(), Error::no_such_id);
}

TEST_F(Pause, WhatIsForTheStackItselfDoesNotWait) {
  const auto listener = stack.listen({.local = {IpAddress::v4(10, 0, 0, 1), 81}}).value();
  EXPECT_TRUE(stack.pause_interface(links[0]));
  const auto own = stack.connect(now, {.remote = {IpAddress::v4(10, 0, 0, 1), 81}}).value();
  EXPECT_EQ(carry(), Used());
  EXPECT_EQ(stack.state(own), State::established);
  EXPECT_TRUE(stack.accept(now, listener));
}

TEST_F(Pause, APauseIsPartOfTheValue) {
  const Stack before = stack;
  EXPECT_TRUE(stack.pause_interface(links[0]));
  EXPECT_FALSE(stack == before);
  EXPECT_NE(stack.hash(), before.hash());
  EXPECT_TRUE(stack.resume_interface(links[0]));
  EXPECT_TRUE(stack == before);
  EXPECT_EQ(stack.hash(), before.hash());
}

}  // namespace
}  // namespace estab
