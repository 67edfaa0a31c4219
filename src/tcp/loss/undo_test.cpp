#include "tcp/loss/undo.h"

#include <gtest/gtest.h>

namespace estab::tcp::loss {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000s};
OctetRange range(std::int64_t begin, std::int64_t end) {
  return {StreamOffset(begin), StreamOffset(end)};
}
Echo echo_of(Instant sent_at) {
  return {timestamp_clock(sent_at, 5), 5};
}

// [RFC 9438 4.9.2-1]
TEST(Undo, IsProvedByAnAnswerToTheOriginal) {  // RFC 3522 §3.2
  Undo undo;
  undo.arm(StreamOffset(1));
  EXPECT_FALSE(undo.is_proved_by(echo_of(kStart), StreamOffset(2))) << "nothing was sent again";
  undo.on_sent_again(range(1, 1001), kStart + 100ms);
  undo.on_sent_again(range(1001, 2001), kStart + 150ms);
  EXPECT_TRUE(undo.is_proved_by(echo_of(kStart + 99ms), StreamOffset(1001)));
  EXPECT_FALSE(undo.is_proved_by(echo_of(kStart + 100ms), StreamOffset(1001)))
      << "the first retransmission";
  EXPECT_FALSE(undo.is_proved_by({}, StreamOffset(1001))) << "without timestamps nothing is known";
}

// What stands before the first retransmission may have been sent again in an earlier episode, and
// before this one's.
TEST(Undo, IsNotProvedByAnAckThatEndsBeforeTheFirstRetransmission) {
  Undo undo;
  undo.arm(StreamOffset(1));
  undo.on_sent_again(range(3001, 4001), kStart + 100ms);
  EXPECT_FALSE(undo.is_proved_by(echo_of(kStart + 50ms), StreamOffset(3001)));
  EXPECT_TRUE(undo.is_proved_by(echo_of(kStart + 50ms), StreamOffset(4001)));
}

// [RFC 9438 4.9.2-1]
TEST(Undo, IsProvedWhenEveryRetransmissionCameTwice) {  // RFC 3708
  Undo undo;
  undo.arm(StreamOffset(1001));
  undo.on_sent_again(range(1001, 3001), kStart);
  EXPECT_FALSE(undo.on_duplicate_reported(range(1, 1001))) << "from before";
  EXPECT_TRUE(undo.on_duplicate_reported(range(1001, 2001)));
  EXPECT_FALSE(undo.is_proved_by_duplicates());
  EXPECT_TRUE(undo.awaits_word());
  EXPECT_TRUE(undo.on_duplicate_reported(range(2001, 3001)));
  EXPECT_TRUE(undo.is_proved_by_duplicates());
}

TEST(Undo, IsNotProvedByDuplicatesOfWhatWasNeverSentAgain) {
  Undo undo;
  EXPECT_FALSE(undo.on_duplicate_reported(range(1, 1001)));
  undo.arm(StreamOffset(1));
  EXPECT_FALSE(undo.on_duplicate_reported(range(1, 1001)));
  EXPECT_FALSE(undo.is_proved_by_duplicates());
}

TEST(Undo, ForgetsEverythingWhenItIsDisarmed) {
  Undo undo;
  undo.arm(StreamOffset(1));
  undo.on_sent_again(range(1, 1001), kStart);
  undo.disarm();
  EXPECT_EQ(undo, Undo());
}

}  // namespace
}  // namespace estab::tcp::loss
