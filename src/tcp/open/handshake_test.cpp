// The active open as an object: what each step says, and the value it is. The exchange itself is
// tested with whole stacks in tcp/open/opening_test.cpp.
#include "tcp/open/handshake.h"

#include <gtest/gtest.h>

#include "base/hasher.h"

namespace estab::tcp {
namespace {

using namespace std::chrono_literals;

class Handshakes : public testing::Test {
 protected:
  Context at(Duration since_start) {
    return {start + since_start, stack, blocks, counters, budget};
  }
  Handshake made() {
    return Handshake(at(0s), secrets, tuple, std::make_shared<const TcpConfig>(stack.tcp), 1500);
  }
  Segment from_peer(TcpFlags flags, std::uint32_t ack) const {
    Segment segment;
    segment.flags = flags;
    segment.seq = SeqNum(77);
    segment.ack = SeqNum(ack);
    segment.window = 2000;
    segment.options.mss = 1000;
    return segment;
  }

  StackConfig stack{.quirks = {.fixed_isn = 500}};
  BlockPool blocks;
  StackCounters counters;
  BufferBudget budget;
  Secrets secrets{{1, 2}};
  Instant start{100s};
  FourTuple tuple{IpAddress::v4(192, 0, 2, 1), IpAddress::v4(192, 0, 2, 2), 4000, 80};
};

TEST_F(Handshakes, SendTheSynOnceUntilTheTimerFires) {
  Handshake handshake = made();
  EXPECT_EQ(handshake.next_deadline(), kNever);
  ASSERT_TRUE(handshake.poll(at(0s)));
  EXPECT_FALSE(handshake.poll(at(0s)));
  EXPECT_EQ(handshake.next_deadline(), start + 1s);
  handshake.on_timer(at(999ms));  // a wheel may be early
  EXPECT_FALSE(handshake.poll(at(999ms)));
  handshake.on_timer(at(1s));
  const auto again = handshake.poll(at(1s));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reason, SendReason::retransmit_timeout);
  EXPECT_EQ(again->segment.flags, kSyn);
  EXPECT_EQ(again->segment.seq, SeqNum(500));
  EXPECT_EQ(handshake.next_deadline(), start + 3s);
  EXPECT_EQ(counters.retransmitted_segments, 1u);
}

TEST_F(Handshakes, MeasureTheRttOnlyIfNothingWasRepeated) {
  for (const bool repeated : {false, true}) {
    Handshake handshake = made();
    (void)handshake.poll(at(0s));
    if (repeated) {
      handshake.on_timer(at(1s));
      (void)handshake.poll(at(1s));
    }
    const Duration answered = repeated ? 1100ms : 900ms;
    const auto step =
        handshake.on_segment(at(answered), from_peer(kSyn | kAck, 501), IpMark::not_ect);
    EXPECT_TRUE(step.established);
    const Opening opening = handshake.opening(start + answered);
    EXPECT_EQ(opening.rtt, repeated ? std::nullopt : std::optional(answered));
    EXPECT_EQ(opening.syn_repeated, repeated);
    EXPECT_EQ(opening.iss, SeqNum(500));
    EXPECT_EQ(opening.irs, SeqNum(77));
    EXPECT_EQ(opening.send_window, 2000u);
    EXPECT_EQ(opening.negotiated.peer_mss, 1000);
  }
}

TEST_F(Handshakes, FailOnceAndSayNothingMore) {
  Handshake handshake = made();
  (void)handshake.poll(at(0s));
  EXPECT_EQ(handshake.on_segment(at(0s), from_peer(kRst | kAck, 501), IpMark::not_ect).verdict,
            Verdict::reset_accepted);
  EXPECT_EQ(handshake.failure(), Error::connection_refused);
  handshake.fail(at(0s), Error::connect_timed_out);
  EXPECT_EQ(handshake.failure(), Error::connection_refused);
  EXPECT_EQ(handshake.next_deadline(), kNever);
  EXPECT_FALSE(handshake.poll(at(10s)));
}

TEST_F(Handshakes, AreValues) {
  Handshake one = made();
  const Handshake copy = one;
  const auto hash_of = [](const Handshake& handshake) {
    base::Hasher hasher;
    handshake.hash_into(hasher);
    return hasher.finish();
  };
  EXPECT_EQ(one, copy);
  EXPECT_EQ(hash_of(one), hash_of(copy));
  (void)one.poll(at(0s));
  EXPECT_FALSE(one == copy);
  EXPECT_NE(hash_of(one), hash_of(copy));
  Handshake again = copy;
  (void)again.poll(at(0s));
  EXPECT_EQ(one, again);
  EXPECT_EQ(hash_of(one), hash_of(again));
  again.release();
  EXPECT_FALSE(one == again);
}

}  // namespace
}  // namespace estab::tcp
