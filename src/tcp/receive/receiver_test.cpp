// Receiver alone: the table of the first check, timestamps, the window field. How it behaves as a
// whole is in the tests of src/stack.

#include "tcp/receive/receiver.h"

#include "base/hasher.h"
#include "tcp/open/opening.h"
#include "tcp/testing/half.h"

namespace estab::tcp {
namespace {

struct ReceiverTest : Surroundings {
  void accept(std::int64_t from, std::int64_t to) {
    receiver.accept_text(context(), config, at(from), {stream(from, to)}, timers);
  }
  OctetVector read(std::size_t most = 100000) {
    OctetVector octets(most);
    octets.resize(receiver.read(context(), config, octets));
    return octets;
  }
  /// An ACK goes out now.
  std::uint16_t acknowledge() {
    const std::uint16_t window = receiver.announce(config);
    receiver.on_ack_sent(timers);
    return window;
  }
  static std::uint64_t hash(const Receiver& value) {
    base::Hasher hasher;
    value.hash_into(hasher, Negotiated{});
    return hasher.finish();
  }

  Receiver receiver{opening(), 1000, config, now};
};

// ---- RFC 9293 §3.10.7.4, the four cases of the table

TEST_F(ReceiverTest, AcceptsAnEmptySegmentInsideAnOpenWindow) {
  accept(1, 1001);  // RCV.NXT = 1001, the edge 10001
  EXPECT_FALSE(receiver.check_acceptable(at(1000), 0));
  EXPECT_TRUE(receiver.check_acceptable(at(1001), 0));
  EXPECT_TRUE(receiver.check_acceptable(at(10000), 0));
  EXPECT_FALSE(receiver.check_acceptable(at(10001), 0));
}

TEST_F(ReceiverTest, AcceptsASegmentOfWhichAnythingLiesInsideAnOpenWindow) {
  accept(1, 1001);
  EXPECT_FALSE(receiver.check_acceptable(at(1), 1000)) << "ends just before";
  EXPECT_TRUE(receiver.check_acceptable(at(1), 1001));
  EXPECT_TRUE(receiver.check_acceptable(at(10000), 5000));
  EXPECT_FALSE(receiver.check_acceptable(at(10001), 1));
}

TEST_F(ReceiverTest, AcceptsOnlyTheNextNumberAndNoTextInAShutWindow) {
  accept(1, 10001);
  (void)acknowledge();
  ASSERT_EQ(receiver.window(), 0u);
  EXPECT_TRUE(receiver.check_acceptable(at(10001), 0));
  EXPECT_FALSE(receiver.check_acceptable(at(10000), 0));
  EXPECT_FALSE(receiver.check_acceptable(at(10002), 0));
  EXPECT_FALSE(receiver.check_acceptable(at(10001), 1));
}

TEST_F(ReceiverTest, ReadsNumbersAcrossTheWrap) {
  accept(1, 1001);
  EXPECT_EQ(receiver.ack_number(), SeqNum(1));
  EXPECT_EQ(receiver.offset_of(SeqNum(0xffffffff)), at(999));
  EXPECT_EQ(receiver.offset_of(SeqNum(0)), at(1000));
}

// ---- timestamps

// [RFC 7323 5.2-1]
TEST_F(ReceiverTest, RemembersTheTimestampOfWhatSpansTheLastAck) {  // RFC 7323 R3
  receiver.accept_timestamp({100, 0}, at(1), now);
  EXPECT_EQ(receiver.ts_recent(), 100u);
  receiver.accept_timestamp({200, 0}, at(2), now);
  EXPECT_EQ(receiver.ts_recent(), 100u) << "it begins behind the last ACK";
  accept(1, 1001);
  receiver.accept_timestamp({200, 0}, at(1001), now);
  EXPECT_EQ(receiver.ts_recent(), 100u) << "not acknowledged yet";
  (void)acknowledge();
  receiver.accept_timestamp({200, 0}, at(1001), now);
  EXPECT_EQ(receiver.ts_recent(), 200u);
  receiver.accept_timestamp({150, 0}, at(1001), now);
  EXPECT_EQ(receiver.ts_recent(), 200u) << "never back";
}

// [RFC 7323 5.2-1]
TEST_F(ReceiverTest, ComparesTimestampsModuloTwoToTheThirtyTwo) {
  receiver.accept_timestamp({0x7fffffff, 0}, at(1), now);
  receiver.accept_timestamp({0xfffffff0, 0}, at(1), now);
  EXPECT_TRUE(receiver.check_paws({5, 0}, now));
  EXPECT_TRUE(receiver.check_paws({0xfffffff0, 0}, now));
  EXPECT_FALSE(receiver.check_paws({0xffffffef, 0}, now));
  EXPECT_TRUE(receiver.check_paws({0xffffffef, 0}, now + 24h * 24 + 1ns));
}

// ---- the window field

TEST_F(ReceiverTest, AnnouncesWhatIsFree) {
  EXPECT_EQ(acknowledge(), 10000);
  accept(1, 4001);
  EXPECT_EQ(acknowledge(), 6000);
  EXPECT_EQ(receiver.edge(), at(10001));
}

TEST_F(ReceiverTest, MovesItsEdgeByASegmentOrNotAtAll) {
  accept(1, 4001);
  (void)read(999);
  EXPECT_EQ(acknowledge(), 6000);
  (void)read(1);
  EXPECT_EQ(acknowledge(), 7000);
}

TEST_F(ReceiverTest, CountsWhatIsHeldBeyondAGapOnlyOnce) {
  accept(2001, 4001);
  EXPECT_EQ(acknowledge(), 10000) << "nothing is in order yet";
  accept(1, 2001);
  EXPECT_EQ(acknowledge(), 6000);
  EXPECT_EQ(read(), stream(1, 4001));
}

// ---- what is owed

TEST_F(ReceiverTest, OwesNothingAfterAnAck) {
  accept(1, 1001);
  EXPECT_TRUE(receiver.due());
  (void)acknowledge();
  EXPECT_FALSE(receiver.due());
  EXPECT_FALSE(timers.runs(Timer::delayed_ack));
}

TEST_F(ReceiverTest, OwesOneDuplicateForEachSegmentBeyondAGap) {
  accept(2001, 3001);
  accept(4001, 5001);
  ASSERT_TRUE(receiver.owes_duplicate());
  receiver.on_duplicate_sent();
  ASSERT_TRUE(receiver.owes_duplicate());
  receiver.on_duplicate_sent();
  EXPECT_FALSE(receiver.owes_duplicate());
}

TEST_F(ReceiverTest, OwesNoMoreDuplicatesThanAPeerCouldWishFor) {  // memory and output are bounded
  for (int i = 0; i < 1000; ++i) accept(2001, 2002);
  int owed = 0;
  for (; receiver.owes_duplicate(); ++owed) receiver.on_duplicate_sent();
  EXPECT_LE(owed, 255);
}

// ---- the end of the stream

TEST_F(ReceiverTest, TakesAFinOnlyInOrder) {
  EXPECT_FALSE(receiver.accept_fin(at(101)));
  EXPECT_FALSE(receiver.accept_noted_fin());
  accept(1, 101);
  EXPECT_TRUE(receiver.accept_noted_fin());
  EXPECT_EQ(receiver.nxt(), at(102));
  EXPECT_FALSE(receiver.at_end()) << "100 octets are unread";
  (void)read();
  EXPECT_TRUE(receiver.at_end());
}

TEST_F(ReceiverTest, TakesNoTextBehindAFin) {
  EXPECT_FALSE(receiver.accept_fin(at(101)));
  accept(1, 201);
  EXPECT_TRUE(receiver.accept_noted_fin());
  EXPECT_EQ(read(), stream(1, 101));
}

TEST_F(ReceiverTest, DoesNotBelieveAFinBeforeWhatItHas) {
  accept(1, 201);
  EXPECT_FALSE(receiver.accept_fin(at(101)));
  EXPECT_FALSE(receiver.fin_received());
}

TEST_F(ReceiverTest, TakesNoFinBeyondItsWindow) {
  EXPECT_FALSE(receiver.accept_fin(at(10001)));
  accept(1, 10001);
  EXPECT_FALSE(receiver.accept_noted_fin());
}

// ---- a value

TEST_F(ReceiverTest, IsAValue) {
  accept(1, 1001);
  accept(3001, 4001);
  Receiver copy = receiver;
  EXPECT_EQ(copy, receiver);
  EXPECT_EQ(hash(copy), hash(receiver));
  accept(1001, 3001);
  EXPECT_NE(copy, receiver);
  EXPECT_NE(hash(copy), hash(receiver));
  EXPECT_EQ(copy.nxt(), at(1001));
  receiver = copy;
  EXPECT_EQ(read(), stream(1, 1001));
  EXPECT_EQ(copy.readable(), 1000u);
}

TEST_F(ReceiverTest, GivesEveryBlockBackWhenAllIsReleased) {
  accept(1, 5001);
  accept(7001, 8001);
  receiver.release_all(pool, budget);
  receiver.trim(config, budget);
  EXPECT_EQ(receiver.memory(), 0u);
}

}  // namespace
}  // namespace estab::tcp
