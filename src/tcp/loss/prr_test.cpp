#include "tcp/loss/prr.h"

#include <string>

#include <gtest/gtest.h>

namespace estab::tcp::loss {
namespace {

/// A recovery in segments of 1000 octets, to the letter of the RFC: what is lost is known at once.
struct PrrTest : testing::Test {
  /// What an ACK lets out, in segments; it is sent.
  std::uint32_t ack(std::uint32_t delivered, SafeAck safe = SafeAck::no) {
    prr.on_ack({.delivered = delivered * 1000,
                .in_flight = in_flight * 1000,
                .ssthresh = ssthresh * 1000,
                .mss = 1000,
                .restart_window = 10000,
                .safe = safe});
    const std::uint32_t segments = prr.send_count() / 1000;
    prr.on_sent(segments * 1000);
    in_flight += segments;
    return segments;
  }
  Prr prr;
  std::uint32_t in_flight = 0, ssthresh = 0;
};

// RFC 6937 §3, first figure: one of 20 segments is lost, ssthresh is half. From the third SACK on
// every other one lets a segment out.
TEST_F(PrrTest, SendsAsInTheFigureOfTheRfcAfterOneLoss) {
  prr.begin(20 * 1000);
  ssthresh = 10;
  in_flight = 19;
  std::string sent;
  for (int i = 3; i <= 19; ++i) {
    --in_flight;
    sent += ack(1) == 1 ? 'N' : '-';
  }
  EXPECT_EQ(sent.substr(0, 13), "N-N-N-N-N-N-N");
  EXPECT_EQ(in_flight, 10u) << "down to ssthresh";
}

// RFC 6937 §3, second figure, PRR-CRB: 15 of 20 are lost.
TEST_F(PrrTest, SendsAsInTheFigureOfTheRfcAfterManyLosses) {
  prr.begin(20 * 1000);
  ssthresh = 10;
  in_flight = 3;
  for (int i = 17; i <= 19; ++i) {
    EXPECT_EQ(ack(1), 1u);
    EXPECT_EQ(in_flight, 4u);
    --in_flight;
  }
}

// [RFC 9937 6.1-1]
TEST_F(PrrTest, BeginsAnewWithEachRecovery) {
  prr.begin(20 * 1000);
  ssthresh = 10;
  in_flight = 3;
  EXPECT_EQ(ack(7), 7u);
  prr.begin(100 * 1000);
  EXPECT_EQ(prr.send_count(), 0u);
  in_flight = 100;
  EXPECT_EQ(ack(20), 2u) << "a tenth of what was delivered in this one";
}

TEST_F(PrrTest, KeepsToSevenTenthsForCubic) {
  prr.begin(100 * 1000);
  ssthresh = 70;
  in_flight = 99;
  std::uint32_t sent = 0;
  for (int i = 0; i < 90; ++i) {
    --in_flight;
    sent += ack(1);
  }
  EXPECT_NEAR(sent, 63, 1);
}

// PRR-SSRB: a segment more for each ACK that advances, until ssthresh is reached.
TEST_F(PrrTest, SendsASegmentMoreWhileTheRepairGoesWell) {
  prr.begin(20 * 1000);
  ssthresh = 10;
  in_flight = 4;
  EXPECT_EQ(ack(1), 1u);
  --in_flight;
  EXPECT_EQ(ack(1, SafeAck::yes), 2u);
  --in_flight;
  EXPECT_EQ(ack(1, SafeAck::yes), 2u);
  in_flight = 9;
  EXPECT_EQ(ack(1, SafeAck::yes), 1u) << "not above ssthresh";
  in_flight = 9;
  EXPECT_EQ(ack(4, SafeAck::yes), 1u);
}

TEST_F(PrrTest, AlwaysSendsTheFirstRetransmission) {
  prr.begin(100 * 1000);
  ssthresh = 50;
  in_flight = 97;
  EXPECT_EQ(ack(0), 1u);
  EXPECT_EQ(ack(0), 0u);
}

// Linux sends 1, then 2: three round trips for the last four of a burst.
TEST_F(PrrTest, MendsATailAtOnceWhenNothingIsInFlight) {
  prr.begin(4 * 1000);
  ssthresh = 53;
  in_flight = 0;
  EXPECT_EQ(ack(1), 10u);
  Prr again;
  again.begin(4 * 1000);
  prr = again;
  ssthresh = 2;
  in_flight = 0;
  EXPECT_EQ(ack(1), 2u) << "never above ssthresh";
}

}  // namespace
}  // namespace estab::tcp::loss
