// What the Data Sender of AccECN makes of what it is told (RFC 9768 §3.2.2, §3.2.3, appendix A).

#include "tcp/ecn/feedback.h"

#include <gtest/gtest.h>

#include "tcp/ecn/negotiation.h"

namespace estab::tcp {
namespace {

using Order = AccurateEcnOption::Order;

constexpr std::uint32_t kMss = 1460;

/// A data sender, and the ACKs it gets.
class Sending {
 public:
  explicit Sending(const AccurateOpening& opening = {}) : feedback(opening) {}

  /// So many full segments are newly delivered, and the count is this.
  Feedback::Marked ack(std::uint8_t ace, std::uint32_t segments,
                       std::optional<AccurateEcnOption> option = std::nullopt) {
    return feedback.on_ack({.ace = ace, .option = &option}, {segments * kMss, segments, kMss});
  }
  Feedback::Marked ack_with_echo(std::uint8_t ace, std::uint32_t echo) {
    return feedback.on_ack({.ace = ace, .echo = echo}, {0, 0, kMss});
  }
  TcpInfo info() const {
    TcpInfo info;
    feedback.fill(info);
    return info;
  }
  Feedback feedback;
};

AccurateEcnOption ceb(std::uint32_t octets) {
  return {.order = Order::e0b_first, .fields = 2, .e0b = 1, .ceb = octets};
}

/// A sender that has heard options: of so many marked octets before.
Sending with_options() {
  AccurateOpening opening;
  opening.option = AccurateEcnOption{.fields = 3, .e0b = 1, .e1b = 1};
  return Sending(opening);
}

// [RFC 9768 3.2.2-1]
TEST(Feedback, CountsByTheDifferenceOfThreeBits) {
  Sending sending;
  EXPECT_EQ(sending.ack(5, 2).segments, 0u);
  EXPECT_EQ(sending.ack(6, 2).segments, 1u);
  EXPECT_EQ(sending.ack(0, 3).segments, 2u);
  EXPECT_EQ(sending.ack(7, 7).segments, 7u);
  EXPECT_EQ(sending.info().delivered_ce, 10u);
}

// [RFC 9768 3.2.2.5.2-4]
TEST(Feedback, BelievesInMoreMarksThanSegments) {
  Sending sending;
  EXPECT_EQ(sending.ack(0, 1).segments, 0u) << "a zero that cannot be";
  Sending other;
  other.ack(5, 2);
  EXPECT_EQ(other.ack(0, 1).segments, 3u);
}

TEST(Feedback, IsNotTakenFromAnAckThatMayHaveBeenOvertaken) {
  Sending sending;
  sending.ack(6, 2);
  EXPECT_EQ(sending.ack(5, 0).segments, 0u);
  EXPECT_EQ(sending.info().delivered_ce, 1u);
}

TEST(Feedback, IsTakenFromAnAckThatDeliversNothingIfItsTimestampIsNew) {
  Sending sending;
  sending.ack(5, 2);
  EXPECT_EQ(sending.ack_with_echo(6, 100).segments, 1u);
  EXPECT_EQ(sending.ack_with_echo(7, 100).segments, 0u);
  EXPECT_EQ(sending.ack_with_echo(7, 99).segments, 0u);
  EXPECT_EQ(sending.ack_with_echo(7, 101).segments, 1u);
}

// ---- appendix A.2.1: without options

// [RFC 9768 3.2.2.5.2-1, 3.2.3.2.3-1]
TEST(Feedback, TakesTheSafestOfWhatTheFieldMayMean) {
  Sending nine;
  EXPECT_EQ(nine.ack(7, 9).segments, 2u);
  Sending ten;
  EXPECT_EQ(ten.ack(7, 10).segments, 10u);
  Sending eight;
  EXPECT_EQ(eight.ack(5, 8).segments, 8u);
  Sending seven;
  EXPECT_EQ(seven.ack(5, 7).segments, 0u);
}

TEST(Feedback, DoesNotSuspectAPeerWhoseAcksAlwaysCoverMuch) {
  Sending sending;
  for (int i = 0; i < 20; ++i)
    sending.ack(static_cast<std::uint8_t>(sending.info().delivered_ce + 5) & 7, 16);
  EXPECT_EQ(
      sending.ack(static_cast<std::uint8_t>(sending.info().delivered_ce + 5) & 7, 16).segments, 0u);
}

// ---- appendix A.2.2: with options

// The three examples of the appendix.
TEST(Feedback, WeighsTheFieldByTheOctetsOfTheOption) {
  Sending first = with_options();
  first.ack(5, 1, ceb(0));
  EXPECT_EQ(first.ack(5, 8, ceb(1460)).segments, 8u);
  Sending second = with_options();
  second.ack(5, 1, ceb(0));
  EXPECT_EQ(second.ack(7, 10, ceb(1460)).segments, 2u);
  Sending third = with_options();
  third.ack(5, 1, ceb(0));
  EXPECT_EQ(third.ack(4, 15, ceb(10200)).segments, 7u);
}

TEST(Feedback, KnowsByTheOptionThatNothingWasMarked) {
  Sending sending = with_options();
  sending.ack(5, 2, ceb(0));
  EXPECT_EQ(sending.ack(5, 16, ceb(0)).segments, 0u);
}

TEST(Feedback, DoesNotWeighByAnOptionWhosePredecessorIsMissing) {
  Sending sending = with_options();
  sending.ack(5, 2, ceb(0));
  sending.ack(5, 2);
  EXPECT_EQ(sending.ack(5, 16, ceb(0)).segments, 16u);
}

// ---- marked octets (appendices A.1, A.3)

// A.1's example: s.ceb of 33,554,433 and a field of 1461.
TEST(Feedback, CountsOctetsByTheDifferenceOfTwentyFourBits) {
  Sending sending = with_options();
  std::uint32_t told = 0;
  for (int i = 0; i < 8; ++i) sending.ack(6, 2, ceb((told += 4'000'000) & 0xffffff));
  sending.ack(6, 2, ceb((told += 1'554'433) & 0xffffff));
  ASSERT_EQ(sending.info().delivered_ce_bytes, 33'554'433u);
  EXPECT_EQ(sending.ack(7, 2, ceb(1461)).octets, 1460u);
  EXPECT_EQ(sending.info().delivered_ce_bytes, 33'555'893u);
}

// [RFC 9768 3.2.3.2.5-1]
TEST(Feedback, GuessesOctetsWithoutOptionsAndDoesNotCountThemTwice) {
  Sending sending = with_options();
  sending.ack(5, 2, ceb(0));
  EXPECT_EQ(sending.ack(7, 4).octets, 2 * kMss);
  EXPECT_EQ(sending.ack(0, 2, ceb(3 * kMss)).octets, kMss);
}

// [RFC 9768 3.2.3-3]
TEST(Feedback, ReadsEitherOrder) {
  Sending sending = with_options();
  sending.ack(5, 3, AccurateEcnOption{Order::e1b_first, 3, 1001, 0, 201});
  EXPECT_EQ(sending.info().delivered_e0_bytes, 1000u);
  EXPECT_EQ(sending.info().delivered_e1_bytes, 200u);
}

TEST(Feedback, PassesOverAFieldThatGoesBack) {
  Sending sending = with_options();
  sending.ack(6, 3, ceb(3000));
  EXPECT_EQ(sending.ack(6, 3, ceb(2000)).octets, 0u);
  EXPECT_EQ(sending.info().delivered_ce_bytes, 3000u);
}

// ---- what is mangled

Segment segment(TcpFlags flags) {
  Segment s;
  s.flags = flags;
  return s;
}

// §3.2.2.3. [RFC 9768 3.2.2.2-3, 3.1.3-3]
TEST(AccurateOpening, OfAClientKnowsAManglerByTheMarkOfItsSyn) {
  const auto with = [](std::uint8_t ace) {
    return accurate_opening(segment(kSyn | kAck | ace_flags(ace)), IpMark::ect1);
  };
  EXPECT_TRUE(with(0b010).may_mark);
  EXPECT_TRUE(with(0b101).may_mark) << "as if it had arrived unchanged";
  EXPECT_FALSE(with(0b011).may_mark);
  EXPECT_FALSE(with(0b100).may_mark);
  EXPECT_FALSE(with(0b100).met_congestion);
  EXPECT_FALSE(with(0b110).may_mark);
  EXPECT_TRUE(with(0b110).met_congestion);
  EXPECT_TRUE(with(0b110).is_heard);
  EXPECT_EQ(with(0b010).syn_ack, IpMark::ect1);
}

// Table 4. [RFC 9768 3.2.2.1-4, 3.2.2.1-5, 3.2.2.2-5]
TEST(AccurateOpening, OfAServerFollowsTheTable) {
  const auto with = [](std::uint8_t ace) {
    return accurate_opening(segment(kAck | ace_flags(ace)), EcnPromise::kept);
  };
  EXPECT_TRUE(with(0b010).may_mark);
  for (const std::uint8_t unused : {0b001, 0b101, 0b111}) EXPECT_TRUE(with(unused).may_mark);
  EXPECT_FALSE(with(0b011).may_mark);
  EXPECT_FALSE(with(0b100).may_mark);
  EXPECT_FALSE(with(0b110).may_mark);
  EXPECT_TRUE(with(0b110).met_congestion);
  EXPECT_FALSE(with(0b000).may_mark);
  EXPECT_FALSE(with(0b000).is_heard);
  Feedback counted(with(0b110));
  const std::optional<AccurateEcnOption> none;
  counted.on_ack({.ace = 6, .option = &none}, {kMss, 1, kMss});  // the handshake's own
  EXPECT_EQ(counted.on_ack({.ace = 6, .option = &none}, {kMss, 1, kMss}).segments, 0u);
}

// [RFC 9768 3.1.5-15]
TEST(AccurateOpening, OfAServerThatPromisedNothingMarksNothing) {
  EXPECT_FALSE(accurate_opening(segment(kAck | ace_flags(0b010)), EcnPromise::taken_back).may_mark);
}

TEST(AccurateOpening, TakesTheFieldForACountWhereThereIsText) {
  Segment first = segment(kAck | ace_flags(0b110));
  const std::uint8_t text[] = {1};
  first.payload = text;
  EXPECT_FALSE(accurate_opening(first, EcnPromise::kept).ack_reflects);
  EXPECT_TRUE(accurate_opening(first, EcnPromise::kept).may_mark);
}

// §3.2.2.4. [RFC 9768 3.2.2.4-1, 3.2.2.4-4]
TEST(Feedback, IsNotHeardAfterAZeroThatCannotBe) {
  Sending sending;
  sending.ack(0, 1);
  EXPECT_FALSE(sending.feedback.may_mark());
  EXPECT_EQ(sending.ack(3, 3).segments, 0u);
  Sending honest;
  EXPECT_EQ(honest.ack(0, 3).segments, 3u);
  EXPECT_TRUE(honest.feedback.may_mark());
  Sending other;
  other.ack(2, 1);
  EXPECT_TRUE(other.feedback.may_mark()) << "whatever else it begins with";
}

// [RFC 9768 3.2.3.2.4-1, 3.2.3.2.4-2, 3.2.3.2.4-3, 3.2.3.2.4-4]
TEST(Feedback, IgnoresOptionsWhoseFieldsSomebodyClears) {
  AccurateOpening opening;
  opening.option = AccurateEcnOption{.fields = 3, .e0b = 0, .e1b = 0};
  Sending sending(opening);
  sending.ack(5, 2, ceb(1000));
  EXPECT_EQ(sending.info().delivered_ce_bytes, 0u);
  EXPECT_EQ(sending.ack(5, 8, ceb(0)).segments, 8u) << "the field alone counts";
  opening.option = AccurateEcnOption{.fields = 3, .e0b = 77, .e1b = 99};
  Sending other(opening);
  other.ack(6, 2, ceb(1000));
  EXPECT_EQ(other.info().delivered_ce_bytes, 1000u);
}

// [RFC 9768 3.2.3.2.3-3]
TEST(Feedback, TakesOptionsUpWhenTheyComeAfterAll) {
  Sending sending;
  sending.ack(6, 2, ceb(1000));
  EXPECT_EQ(sending.info().delivered_ce_bytes, 1000u);
}

// [RFC 9768 3.2.3.2.5-2]
TEST(Feedback, EndsTheMarkingWhereOctetsWereMarkedAndNoPacket) {
  Sending sending = with_options();
  sending.ack(5, 2, ceb(1000));
  EXPECT_FALSE(sending.feedback.may_mark());
  Sending earlier = with_options();
  earlier.ack(6, 2);
  earlier.ack(6, 2, ceb(1000));
  EXPECT_TRUE(earlier.feedback.may_mark()) << "the packet was counted before";
}

}  // namespace
}  // namespace estab::tcp
