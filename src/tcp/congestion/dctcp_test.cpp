// DCTCP: RFC 8257 §3.3 to §3.5.

#include "tcp/congestion/dctcp.h"

#include <gtest/gtest.h>

#include "tcp/congestion/testing/acks.h"

namespace estab::tcp::congestion {
namespace {

struct Sender {
  Dctcp dctcp{{.mss = 1000}};
  testing::Acks acks;

  /// A round trip, of which this many hundredths were marked.
  void round(std::uint32_t percent) {
    AckEvent event = acks.next(10'000, 10'000);
    event.marked = percent * 100;
    dctcp.on_ack(event);
  }
  void mark() {
    dctcp.on_congestion(Cause::ecn, {.now = acks.now(), .in_flight = dctcp.congestion_window()});
  }
};

TEST(Dctcp, TakesTheWholeWindowForMarkedUntilItKnows) {
  Sender sender;
  EXPECT_EQ(sender.dctcp.alpha(), 1024u);
  sender.mark();
  EXPECT_EQ(sender.dctcp.congestion_window(), 5000u);
}

// [RFC 8257 3.3-1, 3.3-2, 4.2-1]
TEST(Dctcp, MovesAlphaByASixteenthOfTheMarkedShareARoundTrip) {
  Sender sender;
  sender.round(0);
  EXPECT_EQ(sender.dctcp.alpha(), 960u);
  sender.round(100);
  EXPECT_EQ(sender.dctcp.alpha(), 960u - 60 + 64);
  for (int i = 0; i < 200; ++i) sender.round(50);
  EXPECT_NEAR(sender.dctcp.alpha(), 512, 20);
}

// [RFC 8257 4.2-2, 4.2-3]
TEST(Dctcp, ForgetsMarksWhenThereAreNoMore) {
  Sender sender;
  for (int i = 0; i < 200; ++i) sender.round(0);
  EXPECT_EQ(sender.dctcp.alpha(), 0u);
}

// [RFC 8257 3.3-3]
TEST(Dctcp, ReducesByHalfOfAlpha) {
  Sender sender;
  for (int i = 0; i < 200; ++i) sender.round(25);
  const double alpha = sender.dctcp.alpha() / 1024.0;
  const std::uint32_t before = sender.dctcp.congestion_window();
  sender.mark();
  EXPECT_NEAR(sender.dctcp.congestion_window(), before * (1 - alpha / 2), 2);
  EXPECT_EQ(sender.dctcp.ssthresh(), sender.dctcp.congestion_window());
}

TEST(Dctcp, KeepsOneSegment) {
  Sender sender;
  for (int i = 0; i < 20; ++i) sender.mark();
  EXPECT_EQ(sender.dctcp.congestion_window(), 1000u);
  EXPECT_EQ(sender.dctcp.ssthresh(), 2000u);
}

// [RFC 8257 3.5-1, 3.5-2, 3.5-3]
TEST(Dctcp, AnswersALossAsRenoDoes) {
  Sender sender;
  for (int i = 0; i < 200; ++i) sender.round(0);
  const std::uint32_t before = sender.dctcp.congestion_window();
  sender.dctcp.on_congestion(Cause::recovery, {.in_flight = before});
  EXPECT_EQ(sender.dctcp.congestion_window(), std::max(before / 2, 5000u));
  sender.dctcp.on_spurious();
  EXPECT_EQ(sender.dctcp.congestion_window(), before);
}

}  // namespace
}  // namespace estab::tcp::congestion
