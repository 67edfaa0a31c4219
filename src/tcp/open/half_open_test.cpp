// The record of a passive open: what the SYN-ACK says, when it is repeated, and what the connection
// begins with.
#include "tcp/open/half_open.h"

#include <gtest/gtest.h>

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

class HalfOpens : public testing::Test {
 protected:
  HalfOpens() {
    syn.seq = SeqNum(0xffffffff);
    syn.flags = kSyn;
    syn.window = 1000;
    syn.options.mss = 1400;
    syn.options.window_scale = 3;
    syn.options.sack_permitted = true;
    syn.options.timestamps = TcpTimestamps{4444, 0};
  }
  HalfOpen made() {
    return make_half_open({now, stack, blocks, counters, budget}, secrets, tuple, syn,
                          IpMark::not_ect, stack.tcp, 1500);
  }
  Segment ack(std::uint16_t window) const {
    Segment segment;
    segment.flags = kAck;
    segment.window = window;
    return segment;
  }

  StackConfig stack;
  BlockPool blocks;
  StackCounters counters;
  BufferBudget budget;
  Secrets secrets{{1, 2}};
  Instant now{100s};
  FourTuple tuple{IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 80, 4000};
  Segment syn;
};

TEST_F(HalfOpens, AnswerTheSyn) {
  HalfOpen h = made();
  h.timestamp_offset = 1000;
  const Emission emission = make_syn_ack(h, now);
  const Segment& s = emission.segment;
  EXPECT_EQ(emission.reason, SendReason::open_reply);
  EXPECT_EQ(s.flags, kSyn | kAck);
  EXPECT_EQ(s.source_port, 80);
  EXPECT_EQ(s.destination_port, 4000);
  EXPECT_EQ(s.seq, secrets.initial_sequence(tuple, now));
  EXPECT_EQ(s.ack, SeqNum(0));  // wrapped
  EXPECT_EQ(s.window, 65535);
  EXPECT_EQ(s.options.mss, 1460);
  EXPECT_EQ(s.options.window_scale, 12);
  EXPECT_TRUE(s.options.sack_permitted);
  EXPECT_EQ(s.options.timestamps, (TcpTimestamps{100 * 1000 + 1000, 4444}));
}

TEST_F(HalfOpens, AnnounceTheWindowOfASmallBuffer) {
  stack.tcp.receive_buffer = 3000;
  EXPECT_EQ(make_syn_ack(made(), now).segment.window, 3000);
}

TEST_F(HalfOpens, RepeatWithBackOffUntilTheLimit) {
  HalfOpen h = made();
  std::vector<Duration> waits;
  Instant at = now;
  while (!is_out_of_time(h, stack.tcp, at)) {
    if (!waits.empty()) ++h.repeats;
    arm_syn_ack(h, stack.tcp, at);
    waits.push_back(h.deadline - at);
    at = h.deadline;
    ASSERT_LT(waits.size(), 20u);
  }
  EXPECT_EQ(waits, (std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 64s, 56s}));
  EXPECT_EQ(at, now + 183s);
}

TEST_F(HalfOpens, BeginAConnectionWithScaledWindowAndRtt) {
  HalfOpen h = made();
  arm_syn_ack(h, stack.tcp, now);
  const Opening opening = make_opening(h, ack(500), now + 30ms);
  EXPECT_EQ(opening.send_window, 500u << 3);
  EXPECT_EQ(opening.receive_window, 65535u);
  EXPECT_EQ(opening.iss, h.iss);
  EXPECT_EQ(opening.irs, syn.seq);
  EXPECT_EQ(opening.ts_recent, 4444u);
  EXPECT_EQ(opening.timestamp_offset, secrets.timestamp_offset(tuple));
  EXPECT_EQ(opening.rtt, Duration(30ms));
  EXPECT_FALSE(opening.syn_repeated);
}

// Karn: it is not known which of them was answered.
TEST_F(HalfOpens, MeasureNoRttWhenTheSynAckWasRepeated) {
  HalfOpen h = made();
  h.repeats = 1;
  const Opening opening = make_opening(h, ack(500), now + 2s);
  EXPECT_FALSE(opening.rtt);
  EXPECT_TRUE(opening.syn_repeated);
  EXPECT_EQ(make_syn_ack(h, now).reason, SendReason::retransmit_timeout);
}

}  // namespace
}  // namespace estab::tcp
