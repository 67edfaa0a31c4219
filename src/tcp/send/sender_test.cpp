// Sender alone: what a number means, which window counts, what would go next. How it behaves as a
// whole is in the tests of src/stack.

#include "tcp/send/sender.h"

#include "base/hasher.h"
#include "tcp/testing/half.h"

namespace estab::tcp {
namespace {

struct SenderTest : Surroundings {
  /// Sends whatever may go; returns how many plans there were.
  int send_all(std::uint32_t most = 1000) {
    int plans = 0;
    while (const auto plan = sender.plan(turn(), most)) {
      sender.on_sent(turn(), *plan);
      ++plans;
    }
    return plans;
  }
  void append(std::int64_t from, std::int64_t to, SendMode mode = SendMode::normal) {
    sender.restart_after_idle(context(), config);
    sender.outgoing().append(stream(from, to), mode, pool);
  }
  void ack(std::int64_t number) {
    sender.accept_ack(turn(),
                      {.number = at(number), .seq = at(1), .window = sender.space().window()});
  }
  /// A segment with this number brings a window.
  void accept_window(std::int64_t seq, std::int64_t number, std::uint32_t window) {
    sender.accept_ack(turn(), {.number = at(number), .seq = at(seq), .window = window});
  }
  bool fin_acked() const { return sender.space().una() > sender.outgoing().end(); }
  static std::uint64_t hash(const Sender& value) {
    base::Hasher hasher;
    value.hash_into(hasher, {});
    return hasher.finish();
  }

  Sender sender{opening(), 1000, config};
};

TEST_F(SenderTest, BeginsWithNothingSentAndNothingToSend) {
  EXPECT_EQ(sender.space().una(), at(1));
  EXPECT_EQ(sender.space().max(), at(1));
  EXPECT_FALSE(sender.space().in_flight());
  EXPECT_FALSE(sender.plan(turn(), 1000));
  EXPECT_FALSE(timers.runs(Timer::retransmit));
}

TEST_F(SenderTest, KnowsWhatAnAcknowledgementNumberIsToIt) {
  append(1, 5001);
  send_all();
  ack(2001);
  EXPECT_EQ(sender.space().check_ack(at(2000)), AckKind::old);
  EXPECT_EQ(sender.space().check_ack(at(2001)), AckKind::duplicate);
  EXPECT_EQ(sender.space().check_ack(at(2002)), AckKind::advance);
  EXPECT_EQ(sender.space().check_ack(at(5001)), AckKind::advance);
  EXPECT_EQ(sender.space().check_ack(at(5002)), AckKind::beyond);
}

TEST_F(SenderTest, ReadsNumbersAcrossTheWrap) {
  append(1, 5001);
  send_all();
  EXPECT_EQ(sender.space().wire(at(1000)), SeqNum(0));
  EXPECT_EQ(sender.space().offset_of(SeqNum(0)), at(1000));
  ack(3000);
  EXPECT_EQ(sender.space().offset_of(SeqNum(0xffffffff)), at(999));
  EXPECT_EQ(sender.space().check_ack(sender.space().offset_of(SeqNum(0xffffffff))), AckKind::old);
}

TEST_F(SenderTest, TakesTheWindowOfTheNewestSegmentOnly) {  // SND.WL1, SND.WL2
  append(1, 5001);
  send_all();
  accept_window(500, 1, 7000);
  EXPECT_FALSE(sender.space().check_window_update(at(499), at(1))) << "an older segment";
  EXPECT_TRUE(sender.space().check_window_update(at(500), at(1)));
  EXPECT_TRUE(sender.space().check_window_update(at(501), at(1)));
  EXPECT_TRUE(sender.space().check_window_update(at(499), at(2))) << "a retransmission with news";
  accept_window(500, 1001, 6000);
  EXPECT_FALSE(sender.space().check_window_update(at(501), at(1000))) << "an older acknowledgement";
  EXPECT_EQ(sender.space().window(), 6000u);
  EXPECT_EQ(sender.space().max_window(), 10000u);
  accept_window(501, 1001, 20000);
  EXPECT_EQ(sender.space().max_window(), 20000u);
}

TEST_F(SenderTest, PlansWithoutChangingAnything) {
  append(1, 5001);
  const Sender before = sender;
  const auto plan = sender.plan(turn(), 1000);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->from, at(1));
  EXPECT_EQ(plan->length, 1000u);
  EXPECT_EQ(sender, before);
}

// [RFC 9293 SHLD-28]
TEST_F(SenderTest, PlansMultiplesOfASegment) {
  append(1, 8501);
  auto plan = sender.plan(turn(), 3999);
  EXPECT_EQ(plan->length, 3999u / 1000 * 1000);
  sender.on_sent(turn(), *plan);
  plan = sender.plan(turn(), 100000);
  EXPECT_EQ(plan->length, 5000u) << "the tail waits for an ACK";
}

TEST_F(SenderTest, NeverPlansBeyondTheWindowOfThePeer) {
  accept_window(1, 1, 2500);
  append(1, 9001);
  EXPECT_EQ(send_all(), 2);
  EXPECT_EQ(sender.space().max(), at(2001));
}

TEST_F(SenderTest, CountsTheFinBehindTheLastOctet) {
  append(1, 101);
  sender.outgoing().queue_fin();
  const auto plan = sender.plan(turn(), 1000);
  EXPECT_TRUE(plan->fin);
  EXPECT_TRUE(plan->push);
  sender.on_sent(turn(), *plan);
  EXPECT_EQ(sender.space().max(), at(102));
  ack(101);
  EXPECT_FALSE(fin_acked());
  ack(102);
  EXPECT_TRUE(fin_acked());
  EXPECT_FALSE(timers.runs(Timer::retransmit));
}

TEST_F(SenderTest, RunsTheRetransmissionTimerWhileAnythingIsInFlight) {
  append(1, 2001);
  send_all();
  EXPECT_EQ(timers.deadline(Timer::retransmit), now + 300ms);
  ack(1001);
  EXPECT_TRUE(timers.runs(Timer::retransmit));
  ack(2001);
  EXPECT_FALSE(timers.runs(Timer::retransmit));
}

TEST_F(SenderTest, WaitsForAShutWindowWithTheTimerOfItsOwn) {
  accept_window(1, 1, 0);
  append(1, 1001);
  EXPECT_EQ(send_all(), 0);
  EXPECT_EQ(timers.deadline(Timer::persist), now + 300ms);
  EXPECT_FALSE(timers.runs(Timer::retransmit));
}

TEST_F(SenderTest, NumbersABareSegmentSoThatAPeerWithAShutWindowTakesIt) {
  append(1, 1001);
  send_all();
  EXPECT_EQ(sender.space().acceptable_seq(), at(1001));
  ack(1001);
  accept_window(1, 1001, 0);
  append(1001, 1101);
  EXPECT_EQ(send_all(), 0);
  ASSERT_TRUE(sender.on_timer(turn(300ms), Timer::persist, Served::in_time));
  EXPECT_EQ(send_all(), 1);
  EXPECT_EQ(sender.space().max(), at(1002));
  EXPECT_EQ(sender.space().acceptable_seq(), at(1001));
}

TEST_F(SenderTest, GivesEveryBlockBackWhenAllIsReleased) {
  append(1, 90001);
  EXPECT_GT(sender.memory(), 90000u);
  sender.outgoing().release_all(pool);
  sender.trim(config, budget);
  EXPECT_EQ(sender.memory(), 0u);
}

TEST_F(SenderTest, IsAValue) {
  append(1, 5001);
  Sender copy = sender;
  EXPECT_EQ(copy, sender);
  EXPECT_EQ(hash(copy), hash(sender));
  send_all();
  EXPECT_NE(copy, sender);
  EXPECT_NE(hash(copy), hash(sender));
  EXPECT_EQ(copy.space().max(), at(1));
  EXPECT_EQ(copy.outgoing().size(), 5000u);
}

}  // namespace
}  // namespace estab::tcp
