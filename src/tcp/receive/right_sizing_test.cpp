#include "tcp/receive/right_sizing.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSegment = 1000;

/// A receiver whose clock of timestamps began at zero, with a round trip of 100 ms.
struct Sized {
  Instant now{1000s};
  StreamOffset read = kFirstOctet;
  RightSizing sizing{now, read};

  loss::Echo echo(Duration age) const {
    return {.value = timestamp_clock(now - age, 0), .clock_offset = 0};
  }
  void hear(Duration age = 100ms) { sizing.on_text(now, read, read + 65535, echo(age)); }
  /// So many octets are read in the next round trip.
  std::optional<std::uint64_t> read_in_round_trip(std::int64_t octets) {
    now += 100ms;
    read += octets;
    return sizing.on_read(now, read, kSegment);
  }
};

TEST(RightSizing, SaysNothingBeforeTheRoundTripIsKnown) {
  Sized peer;
  EXPECT_EQ(peer.read_in_round_trip(1'000'000), std::nullopt);
  peer.hear();
  EXPECT_TRUE(peer.read_in_round_trip(1'000'000));
}

TEST(RightSizing, CountsWholeRoundTripsOnly) {
  Sized peer;
  peer.hear();
  peer.now += 99ms;
  EXPECT_EQ(peer.sizing.on_read(peer.now, peer.read + 50'000, kSegment), std::nullopt);
  peer.now += 1ms;
  EXPECT_TRUE(peer.sizing.on_read(peer.now, peer.read + 50'000, kSegment));
}

TEST(RightSizing, WantsTwiceWhatIsReadInARoundTripAndMoreWhileThatGrows) {
  Sized peer;
  peer.hear();
  EXPECT_EQ(peer.read_in_round_trip(10'000), 2 * 10'000 + 16 * kSegment);
  // The peer doubles each round trip: it is about to send 40,000 octets, and 80,000 while it hears
  // of this window.
  const auto doubled = peer.read_in_round_trip(20'000);
  ASSERT_TRUE(doubled);
  EXPECT_EQ(*doubled, 2 * (2 * 20'000 + 16 * kSegment));
  // A little more than ever before: little beyond twice.
  const auto steady = peer.read_in_round_trip(20'200);
  ASSERT_TRUE(steady);
  EXPECT_GE(*steady, 2u * 20'200 + 16 * kSegment);
  EXPECT_LT(*steady, 2u * 20'200 + 17'500);
}

TEST(RightSizing, OfASlowReaderWantsNothing) {
  Sized peer;
  peer.hear();
  EXPECT_EQ(peer.read_in_round_trip(1000), 2 * 1000 + 16 * kSegment);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(peer.read_in_round_trip(1000), std::nullopt);
}

TEST(RightSizing, MeasuresByWhatThePeerReturns) {
  Sized peer;
  peer.hear(80ms);
  EXPECT_EQ(peer.sizing.rtt(), 80ms);
  peer.hear(80ms);  // of the same ACK
  peer.now += 5ms;
  peer.hear(160ms);
  EXPECT_EQ(peer.sizing.rtt(), 90ms);  // an eighth of the way
}

TEST(RightSizing, MeasuresByAWholeWindowWithoutTimestamps) {
  Sized peer;
  const StreamOffset begin = peer.read;
  peer.sizing.on_text(peer.now, begin, begin + 10'000, {});
  peer.now += 60ms;
  peer.sizing.on_text(peer.now, begin + 9'999, begin + 20'000, {});
  EXPECT_EQ(peer.sizing.rtt(), Duration{0});
  peer.sizing.on_text(peer.now, begin + 10'000, begin + 20'000, {});
  EXPECT_EQ(peer.sizing.rtt(), 60ms);
  // A peer that takes longer for the next has had less to send.
  peer.now += 200ms;
  peer.sizing.on_text(peer.now, begin + 20'000, begin + 30'000, {});
  EXPECT_EQ(peer.sizing.rtt(), 60ms);
  peer.now += 40ms;
  peer.sizing.on_text(peer.now, begin + 30'000, begin + 40'000, {});
  EXPECT_EQ(peer.sizing.rtt(), 40ms);
}

}  // namespace
}  // namespace estab::tcp
