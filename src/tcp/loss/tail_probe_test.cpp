#include "tcp/loss/tail_probe.h"

#include <gtest/gtest.h>

namespace estab::tcp::loss {
namespace {

using namespace std::chrono_literals;
using Answer = TailProbe::Answer;

constexpr Instant kStart{1000s};
constexpr StreamOffset kEnd{5001}, kBeyond{6001}, kBelow{4001};

Echo echo_of(Instant sent_at) {
  return {timestamp_clock(sent_at, 5), 5};
}

struct TailProbeTest : testing::Test {
  Answer answer(StreamOffset ack, const Echo& echo = {}, bool reports_duplicate = false,
                bool is_duplicate = false) {
    return probe.accept_ack({.ack = ack,
                             .reports_duplicate = reports_duplicate,
                             .is_duplicate = is_duplicate,
                             .echo = echo});
  }
  TailProbe probe;
};

TEST_F(TailProbeTest, WaitsTwoRoundTripsAndForADelayedAckOfALoneSegment) {  // §7.2
  EXPECT_EQ(TailProbe::timeout(60ms, 2), 120ms);
  EXPECT_EQ(TailProbe::timeout(60ms, 1), 320ms);
  EXPECT_EQ(TailProbe::timeout(std::nullopt, 2), 1s);
}

TEST_F(TailProbeTest, GoesOnceAndAgainOnlyAfterARoundTripWasMeasured) {  // §7.3
  EXPECT_TRUE(probe.may_be_sent());
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_FALSE(probe.may_be_sent());
  EXPECT_EQ(answer(kEnd, {}, true), Answer::for_nothing);
  EXPECT_FALSE(probe.may_be_sent());
  probe.on_rtt_measured();
  EXPECT_TRUE(probe.may_be_sent());
}

TEST_F(TailProbeTest, WasForNothingIfThePeerGotItTwice) {  // §7.4.2
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_EQ(answer(kBelow), Answer::none);
  EXPECT_EQ(answer(kEnd), Answer::none) << "the second answer is still to come";
  EXPECT_EQ(answer(kEnd, {}, false, true), Answer::for_nothing);
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_EQ(answer(kEnd, {}, true), Answer::for_nothing);
}

TEST_F(TailProbeTest, RepairedALossIfWhatFollowsIsAcknowledgedWithoutThat) {
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_EQ(answer(kEnd), Answer::none);
  EXPECT_EQ(answer(kBeyond), Answer::repaired);
  EXPECT_FALSE(probe.is_out());
}

TEST_F(TailProbeTest, KnowsByTheTimestampAtOnceWhichSendingIsAnswered) {
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_EQ(answer(kEnd, echo_of(kStart - 1ms)), Answer::for_nothing);
  probe.on_sent(kEnd, TailProbe::Kind::repeat, kStart);
  EXPECT_EQ(answer(kEnd, echo_of(kStart)), Answer::repaired);
}

TEST_F(TailProbeTest, OfNewOctetsRepairsNothing) {
  probe.on_sent(kEnd, TailProbe::Kind::fresh, kStart);
  EXPECT_EQ(answer(kEnd, echo_of(kStart)), Answer::for_nothing);
}

}  // namespace
}  // namespace estab::tcp::loss
