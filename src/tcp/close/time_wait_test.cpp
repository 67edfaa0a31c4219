// The TIME-WAIT record alone: each decision of check_time_wait.
#include "tcp/close/time_wait.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;
using Step = TimeWaitStep;

class TimeWaits : public testing::Test {
 protected:
  TimeWaits() {
    record.snd_nxt = SeqNum(100);
    record.rcv_nxt = SeqNum(0);  // the FIN stood at 2^32 - 1
  }
  Step check(TcpFlags flags, std::uint32_t seq, std::optional<std::uint32_t> stamp = {},
             std::size_t octets = 0) const {
    static const std::array<std::uint8_t, 100> kText{};
    Segment segment;
    segment.flags = flags;
    segment.seq = SeqNum(seq);
    segment.payload = Octets(kText).first(octets);
    if (stamp) segment.options.timestamps = TcpTimestamps{*stamp, 0};
    return check_time_wait(record, segment, listening, stack);
  }

  TimeWait record;
  StackConfig stack;
  TcpConfig config;
  const TcpConfig* listening = &config;
  static constexpr std::uint32_t kLast = 0xffffffff;
};

TEST_F(TimeWaits, KnowTheFinAcrossTheWrap) {
  EXPECT_EQ(check(kFin | kAck, kLast), Step::acknowledge_restart);
  EXPECT_EQ(check(kFin | kAck, kLast - 10, {}, 10), Step::acknowledge_restart);
  EXPECT_EQ(check(kFin | kAck, 0), Step::acknowledge);
  EXPECT_EQ(check(kFin | kAck, kLast - 1), Step::acknowledge);
}

// [RFC 9293 3.10.7.4-1]
TEST_F(TimeWaits, EndWithAResetOfExactlyTheExpectedNumber) {
  EXPECT_EQ(check(kRst, 0), Step::end);
  EXPECT_EQ(check(kRst | kAck, 0), Step::end);
  for (const std::uint32_t other : {kLast, 1u, 50u, 0x80000000u})
    EXPECT_EQ(check(kRst, other), Step::ignore);
}

// [RFC 1337 3-1]
TEST_F(TimeWaits, IgnoreEveryResetIfTheyAreToldTo) {
  stack.time_wait_ignores_resets = true;
  EXPECT_EQ(check(kRst, 0), Step::ignore);
  EXPECT_EQ(check(kRst | kAck, 0), Step::ignore);
}

TEST_F(TimeWaits, IgnoreWhatHasNoAck) {
  EXPECT_EQ(check(kRst | kSyn, 50), Step::ignore);
  EXPECT_EQ(check(kFin, kLast), Step::ignore);
  EXPECT_EQ(check(kPsh, 0, {}, 10), Step::ignore);
  EXPECT_EQ(check(TcpFlags(), 0), Step::ignore);
}

TEST_F(TimeWaits, AcknowledgeTextAndKeepAlives) {
  EXPECT_EQ(check(kAck, 0, {}, 1), Step::acknowledge);
  EXPECT_EQ(check(kAck, 5000, {}, 100), Step::acknowledge);
  EXPECT_EQ(check(kAck, kLast), Step::acknowledge);
  EXPECT_EQ(check(kSyn | kAck, 50), Step::acknowledge);
}

// RFC 9293 §3.10.7.4, first check; two ends with the same numbers fall silent at once.
TEST_F(TimeWaits, AnswerEmptySegmentsOutsideTheWindowAFewTimes) {
  record.snd_nxt = SeqNum(0);  // check() acknowledges 0
  EXPECT_EQ(check(kAck, 0), Step::ignore);
  EXPECT_EQ(check(kAck, 5000), Step::acknowledge_few);
}

TEST_F(TimeWaits, ReopenForASynBeyondTheFinAcrossTheWrap) {
  EXPECT_EQ(check(kSyn, 0), Step::reopen);
  EXPECT_EQ(check(kSyn, 0x7fffffff), Step::reopen);
  EXPECT_EQ(check(kSyn, kLast), Step::acknowledge);
  EXPECT_EQ(check(kSyn, 0x80000001), Step::acknowledge);
}

TEST_F(TimeWaits, ReopenForNobodyWhoDoesNotListen) {
  listening = nullptr;
  EXPECT_EQ(check(kSyn, 50), Step::acknowledge);
}

// [RFC 6191 2-1]
TEST_F(TimeWaits, CompareTimestampsAcrossTheirWrap) {
  record.kept.timestamps = true;
  record.ts_recent = 0xfffffff0;
  EXPECT_EQ(check(kSyn, kLast, 5), Step::reopen);
  EXPECT_EQ(check(kSyn, 50, 0xffffffef), Step::acknowledge);
  EXPECT_EQ(check(kSyn, 50, 0xfffffff0), Step::reopen);
  EXPECT_EQ(check(kSyn, kLast, 0xfffffff0), Step::acknowledge);
  config.use_timestamps = false;  // only the numbers count
  EXPECT_EQ(check(kSyn, kLast, 5), Step::acknowledge);
  EXPECT_EQ(check(kSyn, 50, 0xffffffef), Step::reopen);
}

TEST_F(TimeWaits, DoNotStartAnewForAFinWithAnOldTimestamp) {
  record.kept.timestamps = true;
  record.ts_recent = 1000;
  EXPECT_EQ(check(kFin | kAck, kLast, 1000), Step::acknowledge_restart);
  EXPECT_EQ(check(kFin | kAck, kLast, 999), Step::acknowledge);
}

TEST_F(TimeWaits, SayAgainWhatIsExpected) {
  record.tuple = {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 80, 4000};
  record.window = 123;
  record.kept.timestamps = true;
  record.ts_recent = 9;
  const Segment ack =
      make_time_wait_ack(record, 1000, Instant(2s), SendReason::time_wait_ack).segment;
  EXPECT_EQ(ack.seq, SeqNum(100));
  EXPECT_EQ(ack.ack, SeqNum(0));
  EXPECT_EQ(ack.flags, kAck);
  EXPECT_EQ(ack.window, 123);
  EXPECT_EQ(ack.source_port, 80);
  EXPECT_EQ(ack.destination_port, 4000);
  EXPECT_EQ(ack.options.timestamps, (TcpTimestamps{3000, 9}));
}

}  // namespace
}  // namespace estab::tcp
