#include "tcp/loss/rack.h"

#include <gtest/gtest.h>

namespace estab::tcp::loss {
namespace {

using namespace std::chrono_literals;

struct RackTest : testing::Test {
  static Transmission sent(std::int64_t begin, Duration when, std::uint8_t repeats = 0) {
    Transmission record;
    record.begin = StreamOffset(begin);
    record.length = 1000;
    record.segment_size = 1000;
    record.sent_at = kStart + when;
    record.repeats = repeats;
    return record;
  }
  /// One ACK that delivers one record.
  void deliver(const Transmission& record, Duration when, const Echo& echo = {}) {
    rack.on_delivered({record, record.end(), record.length}, kStart + when, echo, kMinRtt);
    rack.on_delivered_all();
  }
  Duration window(std::uint32_t segments_sacked = 1, Repair repair = Repair::none) const {
    return rack.reordering_window(
        {.srtt = 120ms, .min_rtt = kMinRtt, .segments_sacked = segments_sacked, .repair = repair});
  }

  static constexpr Instant kStart{1000s};
  static constexpr Duration kMinRtt = 60ms;
  Rack rack;
};

// ---- step 2

TEST_F(RackTest, ComparesWithTheSegmentSentLastOfThoseDelivered) {
  deliver(sent(5001, 20ms), 80ms);
  EXPECT_TRUE(rack.is_after(sent(1, 0ms)));
  EXPECT_FALSE(rack.is_after(sent(6001, 21ms)));
  deliver(sent(2001, 5ms), 85ms);
  EXPECT_TRUE(rack.is_after(sent(3001, 19ms))) << "an older one does not take its place";
  EXPECT_EQ(rack.rtt(), 80ms) << "but its round trip is the latest";
}

TEST_F(RackTest, BreaksTiesByTheOrderOfOctets) {
  deliver(sent(5001, 20ms), 80ms);
  EXPECT_TRUE(rack.is_after(sent(4001, 20ms)));
  EXPECT_FALSE(rack.is_after(sent(5001, 20ms)));
  EXPECT_FALSE(rack.is_after(sent(6001, 20ms)));
}

TEST_F(RackTest, IgnoresARetransmissionIfTheAnswerIsToAnEarlierSending) {
  const Transmission again = sent(1, 100ms, 1);
  deliver(again, 165ms, {timestamp_clock(kStart + 99ms, 7), 7});
  EXPECT_FALSE(rack.is_after(sent(2001, 50ms)));
  deliver(again, 130ms);  // sooner than any round trip
  EXPECT_FALSE(rack.is_after(sent(2001, 50ms)));
  deliver(again, 165ms, {timestamp_clock(kStart + 100ms, 7), 7});
  EXPECT_TRUE(rack.is_after(sent(2001, 50ms)));
}

// ---- step 3

TEST_F(RackTest, SeesReorderingInASegmentBelowTheHighestThatWasSentOnce) {
  deliver(sent(5001, 20ms), 80ms);
  deliver(sent(2001, 5ms, 1), 81ms);
  EXPECT_FALSE(rack.reordering_seen()) << "it was sent twice";
  deliver(sent(3001, 5ms), 82ms);
  EXPECT_TRUE(rack.reordering_seen());
}

TEST_F(RackTest, SeesNoReorderingInTheOrderOfOneAcksBlocks) {
  for (const std::int64_t begin : {5001, 2001}) {
    const Transmission record = sent(begin, 5ms);
    rack.on_delivered({record, record.end(), record.length}, kStart + 80ms, {}, kMinRtt);
  }
  rack.on_delivered_all();
  EXPECT_FALSE(rack.reordering_seen());
}

// ---- step 4

// [RFC 8985 3.3.2-1, 3.3.2-2]
TEST_F(RackTest, WaitsForNothingAfterThreeSacksOrInRecoveryIfReorderingWasNeverSeen) {
  EXPECT_EQ(window(1), 15ms);
  EXPECT_EQ(window(2), 15ms);
  EXPECT_EQ(window(3), 0ms);
  EXPECT_EQ(window(1, Repair::under_way), 0ms);
  deliver(sent(5001, 20ms), 80ms);
  deliver(sent(3001, 5ms), 82ms);
  EXPECT_EQ(window(3), 15ms);
  EXPECT_EQ(window(1, Repair::under_way), 15ms);
  EXPECT_EQ(rack.reordering_window({.srtt = {}, .min_rtt = {}, .segments_sacked = 1, .repair = {}}),
            0ms)
      << "no round trip was measured";
}

// [RFC 8985 3.3.2-3, 3.3.2-4, 4-3]
TEST_F(RackTest, WaitsLongerForEachRoundTripWithADuplicate) {
  const auto at = [](std::int64_t offset) { return StreamOffset(offset); };
  rack.on_duplicate_reported(at(1), at(10001));
  EXPECT_EQ(window(3), 30ms) << "and it counts as reordering";
  rack.on_duplicate_reported(at(9001), at(20001));
  EXPECT_EQ(window(3), 30ms) << "the same round trip";
  rack.on_duplicate_reported(at(10001), at(20001));
  EXPECT_EQ(window(3), 45ms);
  for (std::int64_t round = 2; round < 20; ++round)
    rack.on_duplicate_reported(at(round * 10000 + 1), at(round * 10000 + 10001));
  EXPECT_EQ(window(3), 120ms) << "SRTT at most";
}

TEST_F(RackTest, ForgetsLongWaitsAfterSixteenRecoveries) {
  rack.on_duplicate_reported(StreamOffset(1), StreamOffset(10001));
  for (int i = 0; i < 15; ++i) rack.on_recovered();
  EXPECT_EQ(window(3), 30ms);
  rack.on_recovered();
  EXPECT_EQ(window(3), 15ms);
}

// ---- step 5

TEST_F(RackTest, TellsWhenASegmentCountsAsLost) {
  deliver(sent(5001, 20ms), 85ms);
  EXPECT_EQ(rack.lost_at(sent(1, 0ms), 15ms), kStart + 65ms + 15ms);
}

}  // namespace
}  // namespace estab::tcp::loss
