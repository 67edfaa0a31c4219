#include "tcp/loss/scoreboard.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace estab::tcp::loss {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kNoLimit = 1 << 20;

StreamOffset at(std::int64_t value) {
  return StreamOffset(value);
}

struct ScoreboardTest : testing::Test {
  static void tell(std::string& into, StreamOffset begin, StreamOffset end) {
    if (!into.empty()) into += ' ';
    into += std::to_string(begin.value()) + "-" + std::to_string(end.value());
  }
  static auto teller(std::string& told) {
    return [&told](const Delivery& d) { tell(told, d.end - d.octets, d.end); };
  }
  /// Octets [from, to) are sent, as one super-segment of segments of 1000.
  void send(std::int64_t from, std::int64_t to) {
    board.make_room(2);
    board.add(at(from), static_cast<std::uint32_t>(to - from), sending());
  }
  void send_again(std::int64_t from, std::int64_t to) {
    board.make_room(2);
    board.send_again({at(from), at(to)}, sending());
  }
  Sending sending() {
    now += 1ms;
    return {now, 1000, {}};
  }
  /// What is delivered, as `1-1001 3001-4001`.
  std::string ack(std::int64_t una) {
    std::string told;
    board.acknowledge(at(una), teller(told));
    return told;
  }
  std::string sack(std::int64_t begin, std::int64_t end, std::uint32_t limit = kNoLimit) {
    std::string told;
    board.make_room(2);
    board.sack({at(begin), at(end)}, limit, teller(told));
    return told;
  }
  /// All that was sent up to then is lost.
  std::string lose_sent_until(Instant until) {
    std::string told;
    board.detect([&](const Transmission& t) { return t.sent_at <= until; },
                 [&](const Transmission& t) { tell(told, t.begin, t.end()); });
    return told;
  }
  std::string picture() const {
    std::string picture;
    board.for_each([&](const Transmission& t) {
      const char* mark = t.state == Transmission::State::sacked ? "s"
                         : t.state == Transmission::State::lost ? "l"
                                                                : "";
      tell(picture, t.begin, t.end());
      picture += mark;
      if (t.sent_twice()) picture += "r";
    });
    return picture;
  }

  Instant now{1000s};
  Scoreboard board;
};

TEST_F(ScoreboardTest, CountsWhatIsInFlightUntilItIsAcknowledged) {
  send(1, 3001);
  send(3001, 4001);
  EXPECT_EQ(board.in_flight(), 4000u);
  EXPECT_EQ(ack(2001), "1-2001");
  EXPECT_EQ(board.in_flight(), 2000u);
  EXPECT_EQ(picture(), "2001-3001 3001-4001");
  EXPECT_EQ(ack(4001), "2001-3001 3001-4001");
  EXPECT_TRUE(board.empty());
  EXPECT_EQ(board.in_flight(), 0u);
  EXPECT_EQ(board.records(), 0u);
}

TEST_F(ScoreboardTest, SplitsASuperSegmentOnlyWhereASackDividesIt) {
  send(1, 10001);
  EXPECT_EQ(sack(4001, 6001), "4001-6001");
  EXPECT_EQ(picture(), "1-4001 4001-6001s 6001-10001");
  EXPECT_EQ(board.in_flight(), 8000u);
  EXPECT_EQ(board.sacked(), 2000u);
  EXPECT_EQ(board.sacked_segments(), 2u);
  EXPECT_EQ(sack(4001, 8001), "6001-8001");
  EXPECT_EQ(sack(4001, 8001), "") << "nothing new";
  EXPECT_EQ(ack(10001), "1-4001 8001-10001");
  EXPECT_EQ(board.sacked(), 0u);
  EXPECT_EQ(board.sacked_segments(), 0u);
}

TEST_F(ScoreboardTest, CountsOnlyWholeSegmentsAsSacked) {
  send(1, 10001);
  send(10001, 10501);
  EXPECT_EQ(sack(1500, 1900), "");
  EXPECT_EQ(sack(3500, 6500), "4001-6001");
  EXPECT_EQ(sack(10001, 10500), "");
  EXPECT_EQ(sack(9001, 10501), "9001-10001 10001-10501");
  EXPECT_EQ(board.sacked_segments(), 4u);
}

TEST_F(ScoreboardTest, SplitsNoMoreThanTheLimitAllows) {
  send(1, 10001);
  EXPECT_EQ(sack(4001, 6001, 2), "");
  EXPECT_EQ(sack(9001, 10001, 2), "9001-10001");
  EXPECT_EQ(board.records(), 2u);
}

TEST_F(ScoreboardTest, LosesWhatWasSentFirstFirst) {
  send(1, 1001);
  const Instant first = now;
  send(1001, 2001);
  const Instant second = now;
  send(2001, 3001);
  EXPECT_EQ(lose_sent_until(first), "1-1001");
  EXPECT_EQ(board.lost(), 1000u);
  EXPECT_EQ(board.in_flight(), 2000u);
  EXPECT_EQ(lose_sent_until(second), "1001-2001");
  EXPECT_EQ(board.next_lost(9000), (OctetRange{at(1), at(2001)}));
  EXPECT_EQ(board.next_lost(1500), (OctetRange{at(1), at(1501)}));
}

// What is neither SACKed nor lost, and what has gone again.
// [RFC 6675 4-3]
TEST_F(ScoreboardTest, CountsARetransmissionAsInFlightAndAsTheNewest) {
  send(1, 1001);
  send(1001, 2001);
  const Instant sent = now;
  send(2001, 3001);
  (void)lose_sent_until(sent);
  send_again(1, 1001);
  EXPECT_EQ(picture(), "1-1001r 1001-2001l 2001-3001");
  EXPECT_EQ(board.in_flight(), 2000u);
  EXPECT_EQ(board.repeated(), 1000u);
  EXPECT_EQ(board.next_lost(9000), (OctetRange{at(1001), at(2001)}));
  EXPECT_EQ(lose_sent_until(sent + 1ms), "2001-3001") << "sent before the retransmission";
  EXPECT_EQ(lose_sent_until(now), "1-1001") << "which can be lost again";
  EXPECT_EQ(board.repeated(), 0u);
  EXPECT_EQ(board.next_lost(9000)->begin, at(1)) << "and goes first";
}

TEST_F(ScoreboardTest, KeepsLostRunsInTheOrderOfTheirOctets) {
  for (std::int64_t i = 0; i < 8; ++i) send(1 + i * 1000, 1001 + i * 1000);
  (void)sack(2001, 3001);
  (void)sack(5001, 6001);
  (void)lose_sent_until(now);
  send_again(1, 2001);
  send_again(3001, 5001);
  EXPECT_EQ(board.next_lost(9000), (OctetRange{at(6001), at(8001)}));
  (void)lose_sent_until(now);  // all of it again
  for (const OctetRange& run : {OctetRange{at(1), at(2001)}, OctetRange{at(3001), at(5001)},
                                OctetRange{at(6001), at(8001)}}) {
    EXPECT_EQ(board.next_lost(9000), run);
    send_again(run.begin.value(), run.end.value());
  }
  EXPECT_EQ(board.next_lost(9000), std::nullopt);
}

TEST_F(ScoreboardTest, SendsAPartOfALostSuperSegment) {
  send(1, 10001);
  (void)lose_sent_until(now);
  send_again(1, 3001);
  EXPECT_EQ(picture(), "1-3001r 3001-10001l");
  EXPECT_EQ(board.in_flight(), 3000u);
  send_again(3001, 4001);
  EXPECT_EQ(ack(3501), "1-3001 3001-3501");
  EXPECT_EQ(picture(), "3501-4001r 4001-10001l");
}

TEST_F(ScoreboardTest, SendsTheLastSegmentOfASuperSegmentAsAProbe) {
  send(1, 10001);
  send_again(9001, 10001);
  EXPECT_EQ(picture(), "1-9001 9001-10001r");
  EXPECT_EQ(board.in_flight(), 10000u);
}

TEST_F(ScoreboardTest, LeavesWhatIsSackedOutOfARetransmission) {
  send(1, 5001);
  (void)sack(2001, 3001);
  send_again(1, 5001);
  EXPECT_EQ(picture(), "1-2001r 2001-3001s 3001-5001r");
}

TEST_F(ScoreboardTest, PutsBackInFlightWhatWasNotLost) {
  send(1, 5001);
  send(5001, 6001);
  (void)lose_sent_until(now);
  send_again(1, 1001);
  send(6001, 7001);
  board.restore_lost();
  EXPECT_EQ(picture(), "1-1001r 1001-5001 5001-6001 6001-7001");
  EXPECT_EQ(board.in_flight(), 7000u);
  EXPECT_EQ(board.lost(), 0u);
  EXPECT_EQ(board.oldest()->begin, at(1001)) << "in the order they were sent";
  EXPECT_EQ(lose_sent_until(now), "1001-5001 5001-6001 1-1001 6001-7001");
}

TEST_F(ScoreboardTest, MarksLostByARuleInTheOrderOfOctets) {
  for (std::int64_t i = 0; i < 4; ++i) send(1 + i * 1000, 1001 + i * 1000);
  (void)sack(1001, 2001);
  std::string told;
  board.mark_lost([](const Transmission&) { return true; },
                  [&](const Transmission& t) { tell(told, t.begin, t.end()); });
  EXPECT_EQ(told, "1-1001 2001-3001 3001-4001");
  EXPECT_EQ(board.in_flight(), 0u);
  EXPECT_EQ(board.oldest(), nullptr);
}

TEST_F(ScoreboardTest, LosesTheFirstSegmentAlone) {
  send(1, 3001);
  std::string told;
  const auto teller = [&](const Transmission& t) { tell(told, t.begin, t.end()); };
  board.make_room(2);
  board.lose_first(kNoLimit, teller);
  EXPECT_EQ(picture(), "1-1001l 1001-3001");
  board.lose_first(kNoLimit, teller);
  EXPECT_EQ(told, "1-1001") << "once";
}

TEST_F(ScoreboardTest, NoticesThatThePeerHasDroppedWhatItHadSacked) {
  send(1, 4001);
  (void)sack(1001, 3001);
  EXPECT_FALSE(board.has_reneged());
  (void)ack(1001);
  EXPECT_TRUE(board.has_reneged());
  board.forget_sacks();
  EXPECT_FALSE(board.has_reneged());
  EXPECT_EQ(board.sacked(), 0u);
  EXPECT_EQ(board.in_flight(), 3000u);
  EXPECT_EQ(lose_sent_until(now), "1001-3001 3001-4001");
}

TEST_F(ScoreboardTest, IsAValue) {
  send(1, 5001);
  (void)sack(2001, 3001);
  Scoreboard copy = board;
  EXPECT_EQ(copy, board);
  (void)ack(1001);
  EXPECT_FALSE(copy == board);
}

TEST_F(ScoreboardTest, GivesItsMemoryBack) {
  send(1, 5001);
  (void)ack(5001);
  EXPECT_GT(board.memory(), 0u);
  board.trim();
  EXPECT_EQ(board.memory(), 0u);
  send(5001, 6001);
  EXPECT_EQ(ack(6001), "5001-6001");
}

// ---- against an array of segments that is gone through from end to end

struct Random {
  using State = Transmission::State;
  static constexpr std::int64_t kSegment = 10;

  explicit Random(std::uint64_t seed) : prng(seed) {}
  std::int64_t any() { return static_cast<std::int64_t>(prng.below(plain.size() + 1)); }
  State& state(std::int64_t i) { return plain[static_cast<std::size_t>(i)]; }
  std::int64_t index(StreamOffset offset) const { return (offset.value() - una) / kSegment; }
  Sending sending() { return {now += 1us, kSegment, {}}; }
  auto counter() {
    return [this](const Delivery& d) { told += d.octets / kSegment; };
  }

  void send() {
    const auto segments = static_cast<std::int64_t>(1 + prng.below(20));
    board.add(at(una + static_cast<std::int64_t>(plain.size()) * kSegment),
              static_cast<std::uint32_t>(segments * kSegment), sending());
    plain.insert(plain.end(), static_cast<std::size_t>(segments), State::in_flight);
  }
  void acknowledge() {
    const auto segments = std::min(any(), any());
    for (std::int64_t i = 0; i < segments; ++i) fresh += state(i) != State::sacked;
    una += segments * kSegment;
    board.acknowledge(at(una), counter());
    plain.erase(plain.begin(), plain.begin() + segments);
  }
  void sack() {
    auto from = any(), to = any();
    if (from > to) std::swap(from, to);
    for (auto i = from; i < to; ++i)
      fresh += std::exchange(state(i), State::sacked) != State::sacked;
    board.sack({at(una + from * kSegment), at(una + to * kSegment)}, kNoLimit, counter());
  }
  void send_again() {
    const auto run = board.next_lost(50);
    if (!run) return;
    for (auto i = index(run->begin); i < index(run->end); ++i) {
      EXPECT_EQ(state(i), State::lost);
      state(i) = State::in_flight;
    }
    board.send_again(*run, sending());
  }
  void lose() {
    const Transmission* oldest = board.oldest();
    if (!oldest) return;
    const Instant until = oldest->sent_at + 1us;
    board.detect([&](const Transmission& t) { return t.sent_at <= until; },
                 [&](const Transmission& t) {
                   for (auto i = index(t.begin); i < index(t.end()); ++i) state(i) = State::lost;
                 });
    if (prng.below(10) != 0) return;
    board.restore_lost();
    for (State& each : plain)
      if (each == State::lost) each = State::in_flight;
  }
  void step() {
    board.make_room(2);
    fresh = told = 0;
    constexpr std::array kSteps = {&Random::send, &Random::acknowledge, &Random::sack,
                                   &Random::sack, &Random::send_again,  &Random::lose};
    (this->*kSteps[prng.below(kSteps.size())])();
    EXPECT_EQ(told, fresh);
  }
  void compare() const {
    std::vector<State> seen;
    std::uint32_t in_flight = 0, lost = 0;
    board.for_each([&](const Transmission& t) {
      EXPECT_EQ(index(t.begin), static_cast<std::int64_t>(seen.size()));
      seen.insert(seen.end(), t.segments(), t.state);
      in_flight += t.state == State::in_flight ? t.length : 0;
      lost += t.state == State::lost ? t.length : 0;
    });
    ASSERT_EQ(seen, plain);
    ASSERT_EQ(board.in_flight(), in_flight);
    ASSERT_EQ(board.lost(), lost);
  }

  base::Prng prng;
  Scoreboard board;
  std::vector<State> plain;  // from SND.UNA on
  std::int64_t una = 1, fresh = 0, told = 0;
  Instant now{1s};
};

TEST(ScoreboardAtRandom, AgreesWithAPlainArray) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    for (int i = 0; i < 2000; ++i) {
      random.step();
      random.compare();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << " step " << i;
    }
  }
}

// A walk through all records for each block would take hours here.
TEST(ScoreboardUnderAttack, FindsBlocksAnywhereWithoutAWalk) {
  Scoreboard board;
  constexpr std::int64_t kRecords = 1 << 16;
  board.make_room(2 * kRecords);
  Instant now{1s};
  for (std::int64_t i = 0; i < kRecords; ++i)
    board.add(at(1 + i * 1000), 1000, {now += 1us, 1000, {}});
  base::Prng prng(3);
  std::uint64_t delivered = 0;
  for (int i = 0; i < 400'000; ++i) {
    const auto left = static_cast<std::int64_t>(prng.below(kRecords));
    const auto right = left + 1 + static_cast<std::int64_t>(prng.below(kRecords));
    // One that was SACKed before for the most part, or one of a single segment.
    const auto end = i % 2 == 0 ? left + 1 : std::min(right, kRecords);
    board.sack({at(1 + left * 1000), at(1 + end * 1000)}, kNoLimit,
               [&](const Delivery& d) { delivered += d.octets; });
  }
  EXPECT_EQ(delivered, board.sacked());
}

}  // namespace
}  // namespace estab::tcp::loss
