#include "device/lane.h"

#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "wire/checksum.h"

namespace estab::device {
namespace {

using namespace std::chrono_literals;

Instant at(Duration time) {
  return Instant(time);
}

FlyingFrame frame_of(std::uint8_t number, std::size_t size = 100) {
  FlyingFrame frame;
  frame.octets.assign(size, number);
  return frame;
}

/// Sends `count` numbered frames, one every `gap`, and gives back what arrived, in order.
std::vector<FlyingFrame> run(Lane& lane, int count, Duration gap = 1ms) {
  for (int i = 0; i < count; ++i)
    lane.enter(at(gap * i), frame_of(static_cast<std::uint8_t>(i)), lane.draw());
  std::vector<FlyingFrame> arrived;
  while (auto frame = lane.take_arrived(lane.next_arrival())) {
    arrived.push_back(std::move(*frame));
    if (lane.frames_in_flight() == 0) break;
  }
  return arrived;
}

std::vector<int> numbers(const std::vector<FlyingFrame>& frames) {
  std::vector<int> result;
  for (const FlyingFrame& frame : frames) result.push_back(frame.octets[0]);
  return result;
}

TEST(Lane, DeliversUnharmedFramesInOrderAfterTheDelay) {
  Lane lane({.delay = 30ms}, 1);
  const auto arrived = run(lane, 3);
  EXPECT_EQ(numbers(arrived), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(arrived[2].arrival, at(32ms));
  EXPECT_EQ(lane.counters.delivered, 3u);
}

TEST(Lane, GivesNothingBeforeItsArrival) {
  Lane lane({.delay = 30ms}, 1);
  lane.enter(at(0ms), frame_of(1), {});
  EXPECT_FALSE(lane.take_arrived(at(30ms - 1ns)));
  EXPECT_EQ(lane.next_arrival(), at(30ms));
  EXPECT_TRUE(lane.take_arrived(at(30ms)));
  EXPECT_EQ(lane.next_arrival(), kNever);
}

TEST(Lane, KeepsTheOrderUnderJitter) {
  Lane lane({.delay = 10ms, .jitter = 9ms}, 5);
  const auto arrived = run(lane, 200);
  ASSERT_EQ(arrived.size(), 200u);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(arrived[i].octets[0], i);
    EXPECT_GE(arrived[i].arrival, at(10ms + 1ms * i));
    EXPECT_LE(arrived[i].arrival, at(19ms + 1ms * i));
  }
  EXPECT_NE(arrived[0].arrival - at(0ms), arrived[199].arrival - at(199ms));
}

TEST(Lane, LosesAsManyAsItWasAskedTo) {
  Lane lane({.loss = 0.1}, 7);
  const auto arrived = run(lane, 10'000);
  EXPECT_EQ(arrived.size() + lane.counters.lost, 10'000u);
  EXPECT_NEAR(static_cast<double>(lane.counters.lost), 1000, 150);  // five standard deviations
}

TEST(Lane, DuplicatesAsManyAsItWasAskedTo) {
  Lane lane({.duplicate = 0.2}, 7);
  const auto arrived = run(lane, 10'000);
  EXPECT_EQ(arrived.size(), 10'000 + lane.counters.duplicated);
  EXPECT_NEAR(static_cast<double>(lane.counters.duplicated), 2000, 200);
}

TEST(Lane, LetsLaterFramesOvertakeTheReordered) {
  Lane lane({.reorder_delay = 5ms, .delay = 1ms}, 1);
  lane.enter(at(0ms), frame_of(0), {.reordered = true});
  lane.enter(at(1ms), frame_of(1), {});
  lane.enter(at(2ms), frame_of(2), {});
  std::vector<int> order;
  while (auto frame = lane.take_arrived(at(1s))) order.push_back(frame->octets[0]);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(lane.counters.reordered, 1u);
}

TEST(Lane, CorruptsOneBitOrOneOctetAndTheInternetChecksumSeesIt) {
  Lane lane({.corrupt = 1}, 3);
  int single_bits = 0, more = 0;
  for (const FlyingFrame& frame : run(lane, 200)) {
    ASSERT_EQ(frame.octets.size(), 100u);
    // Frame i is filled with octets i: the one that stands alone was changed.
    const std::uint8_t original =
        frame.octets[0] == frame.octets[1] ? frame.octets[0] : frame.octets[2];
    int changed = 0;
    for (const std::uint8_t octet : frame.octets) {
      if (octet == original) continue;
      ++changed;
      (std::popcount(static_cast<unsigned>(octet ^ original)) == 1 ? single_bits : more) += 1;
    }
    EXPECT_EQ(changed, 1);
    EXPECT_NE(wire::checksum(frame.octets),
              wire::checksum(std::vector<std::uint8_t>(100, original)));
  }
  EXPECT_EQ(lane.counters.corrupted, 200u);
  EXPECT_GT(single_bits, 50);
  EXPECT_GT(more, 50);
}

TEST(Lane, FinishesAnUnfinishedChecksumBeforeItCorrupts) {
  Lane lane({}, 3);
  FlyingFrame frame = frame_of(0);
  frame.octets[20] = 0x11;
  frame.partial_checksum = {.start = 20, .offset = 16};
  lane.enter(at(0ms), frame, {.corrupted = true});
  const auto arrived = lane.take_arrived(at(0ms));
  ASSERT_TRUE(arrived);
  EXPECT_FALSE(arrived->partial_checksum) << "nobody vouches for it any more";
  EXPECT_TRUE(arrived->octets[36] != 0 || arrived->octets[37] != 0) << "the field was filled in";
  EXPECT_NE(wire::checksum(Octets(arrived->octets).subspan(20)), 0) << "and does not fit";
}

TEST(Lane, SendsNoFasterThanItsRate) {
  Lane lane({.delay = 1ms, .rate_bits_per_second = 8'000'000}, 1);  // an octet a microsecond
  const auto arrived = run(lane, 3, 0ms);
  EXPECT_EQ(arrived[0].arrival, at(1ms + 100us));
  EXPECT_EQ(arrived[1].arrival, at(1ms + 200us));
  EXPECT_EQ(arrived[2].arrival, at(1ms + 300us));
}

TEST(Lane, LosesWhatFindsItsQueueFull) {
  Lane lane({.rate_bits_per_second = 8'000'000, .queue_octets = 250}, 1);
  EXPECT_EQ(numbers(run(lane, 6, 0ms)), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(lane.counters.overflowed, 3u);
  lane.enter(at(300us), frame_of(9), {});
  EXPECT_EQ(lane.frames_in_flight(), 1u) << "room again once the queue has drained";
}

constexpr Impairments kRough{.loss = 0.05,
                             .duplicate = 0.05,
                             .reorder = 0.05,
                             .corrupt = 0.05,
                             .delay = 3ms,
                             .jitter = 2ms,
                             .rate_bits_per_second = 10'000'000};

TEST(Lane, DoesTheSameTwiceWithTheSameSeedAndAnotherThingWithAnother) {
  Lane one(kRough, 42), two(kRough, 42), three(kRough, 43);
  const auto first = run(one, 1000);
  EXPECT_EQ(first, run(two, 1000));
  EXPECT_EQ(one, two);
  EXPECT_EQ(one.counters, two.counters);
  EXPECT_NE(first, run(three, 1000));
}

TEST(Lane, HasACopyWithTheSameFramesInFlightAndTheSameLuckAhead) {
  Lane lane(kRough, 42);
  for (int i = 0; i < 100; ++i) lane.enter(at(0ms), frame_of(1), lane.draw());
  Lane copy = lane;
  EXPECT_EQ(copy, lane);
  EXPECT_EQ(run(copy, 100), run(lane, 100));
  copy.enter(at(1s), frame_of(1), {});
  EXPECT_NE(copy, lane);
}

}  // namespace
}  // namespace estab::device
