#include "trace/explain.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "trace/ladder_script.h"

namespace estab::trace {
namespace {

using namespace std::chrono_literals;
constexpr LadderSide kA = LadderSide::left, kB = LadderSide::right;
constexpr auto kOpen = State::established;

// The words for the last segment of a script.
const LadderEvent& last_of(const Ladder& ladder) {
  return ladder.events.back();
}

::testing::AssertionResult says(const LadderEvent& event, std::string_view words) {
  const std::string all = event.text + " | " + event.on_arrival + " [" + event.rfc + "]";
  if (all.find(words) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << words << "' is not in: " << all;
}

// After a handshake, `from` sends one segment for that reason.
Ladder one(LadderSide from, const std::string& text, SendReason reason, State state = kOpen,
           std::string_view payload = {}) {
  Script script;
  handshake(script);
  script.send(100, from, text, reason, state, payload);
  script.arrive(110, from, text, kOpen, kOpen, Verdict::accepted, payload);
  return script.ladder();
}

TEST(Explain, HasWordsAndARuleForEveryReason) {
  for (int i = 0; i < static_cast<int>(SendReason::count_); ++i) {
    const auto reason = static_cast<SendReason>(i);
    SegmentFacts facts;
    facts.sender = "A";
    facts.receiver = "B";
    facts.reason = reason;
    const bool resets = name(reason).starts_with("reset");
    const bool opens = reason == SendReason::open || reason == SendReason::open_reply;
    facts.segment.flags = resets ? kRst | kAck : opens ? kSyn | kAck : kAck;
    const Words words = explain_departure(facts);
    EXPECT_FALSE(words.text().empty()) << name(reason);
    EXPECT_TRUE(words.rules().starts_with("RFC ")) << name(reason) << ": " << words.rules();
    EXPECT_TRUE(words.text().ends_with('.')) << words.text();
  }
}

TEST(Explain, CountsOctetsAndNumbers) {
  const Ladder ladder =
      one(kA, "FP. 1:6(5) ack 1 win 256", SendReason::data, State::fin_wait_1, "hello");
  EXPECT_TRUE(says(last_of(ladder), "A sends 5 octets (\"hello\"), numbers 1 to 5."));
  EXPECT_TRUE(says(last_of(ladder), "PSH: B should hand over"));
  EXPECT_TRUE(says(last_of(ladder), "it takes the number after them (6)"));
}

TEST(Explain, ShowsTextOnlyIfItIsText) {
  EXPECT_TRUE(says(
      last_of(one(kA, "P. 1:15(14) ack 1 win 256", SendReason::data, kOpen, "GET / HTTP\r\n\r\n")),
      "(\"GET / HTTP\"...)"));
  EXPECT_TRUE(says(last_of(one(kA, "P. 1:4(3) ack 1 win 256", SendReason::data, kOpen, "a\x01z")),
                   "A sends 3 octets, numbers"));
}

TEST(Explain, TellsAHalfClosedConnection) {
  Script script;
  handshake(script);
  teardown(script, 100);
  const Ladder ladder = script.ladder();
  EXPECT_TRUE(says(ladder.events[3], "A has no more to send; B may still send."));
  EXPECT_TRUE(says(ladder.events[4], "the connection is half-closed"));
  EXPECT_TRUE(says(ladder.events[5], "Now B has no more to send either"));
  EXPECT_TRUE(says(ladder.events[6], "A waits 2 MSL:")) << "no MSL is claimed that was not given";
  EXPECT_TRUE(says(ladder.events[6], "B's FIN is acknowledged"));
  EXPECT_TRUE(says(ladder.events[7], "2 MSL have passed"));
}

TEST(Explain, TellsFinAndAckInOneSegment) {
  Script script;
  handshake(script);
  script.send(100, kA, "F. 1:1(0) ack 1 win 256", SendReason::fin, State::fin_wait_1);
  script.arrive(110, kA, "F. 1:1(0) ack 1 win 256", kOpen, State::close_wait);
  script.send(110, kB, "F. 1:1(0) ack 2 win 256", SendReason::fin, State::last_ack);
  EXPECT_TRUE(says(last_of(script.ladder()), "FIN and ACK in one"));
}

TEST(Explain, CountsDuplicateAcks) {
  Script script;
  handshake(script);
  const std::string ack = ". 1:1(0) ack 1 win 256";
  for (int i = 0; i < 3; ++i) script.send(100 + i, kB, ack, SendReason::ack_duplicate, kOpen);
  const Ladder ladder = script.ladder();
  EXPECT_TRUE(says(last_of(ladder), "duplicate ACK"));
  EXPECT_TRUE(says(ladder.events[5], "[RFC 5681 §3.2"));
}

TEST(Explain, ReadsAScaledWindow) {
  const Ladder ladder = one(kB, ". 1:1(0) ack 1 win 4", SendReason::window_update);
  EXPECT_TRUE(says(last_of(ladder), "room for 1024 octets")) << "4 << 8";
}

TEST(Explain, NamesTheWaitBeforeASecondTry) {
  Script script;
  handshake(script);
  const std::string text = ". 1:101(100) ack 1 win 256";
  script.send(100, kA, text, SendReason::data, kOpen);
  script.send(350, kA, text, SendReason::retransmit_timeout, kOpen);
  EXPECT_TRUE(
      says(last_of(script.ladder()), "Timeout: no ACK in 250 ms, so A sends octets 1 to 100"));
}

TEST(Explain, TakesTheSynOfTheNextConnectionOfTheSamePairForWhatItIs) {
  Script script;
  handshake(script);
  script.send(5000, kA, "S 0:0(0) win 9", SendReason::open, State::syn_sent);
  EXPECT_TRUE(says(last_of(script.ladder()), "A opens"));
}

TEST(Explain, SaysWhatBothOfTwoSimultaneousOpeningsDo) {
  Script script;
  script.send(0, kA, "S 0:0(0) win 9", SendReason::open, State::syn_sent);
  script.send(0, kB, "S 0:0(0) win 9", SendReason::open, State::syn_sent);
  script.arrive(10, kB, "S 0:0(0) win 9", State::syn_sent, State::syn_received);
  script.send(10, kA, "S. 0:0(0) ack 1 win 9", SendReason::open_reply, State::syn_received);
  EXPECT_TRUE(says(last_of(script.ladder()), "both open at once"));
}

TEST(Explain, TakesANumberWithoutRoomForAProbe) {
  Script script;
  handshake(script);
  const std::string probe = ". 1:2(1) ack 1 win 256", answer = ". 1:1(0) ack 1 win 0";
  script.send(100, kA, probe, SendReason::zero_window_probe, kOpen);
  script.arrive(110, kA, probe, kOpen, kOpen);
  script.send(110, kB, answer, SendReason::ack_duplicate, kOpen);
  const Ladder ladder = script.ladder();
  EXPECT_TRUE(says(ladder.events[3], "Window probe: B's window is shut. A sends one octet"));
  EXPECT_TRUE(says(last_of(ladder), "in answer to the probe"));
}

TEST(Explain, NoticesThatNumbersWrap) {
  SegmentFacts facts;
  facts.sender = "A";
  facts.receiver = "B";
  const std::string payload(10, 'x');
  facts.segment.payload = as_octets(payload);
  facts.segment.flags = kAck;
  facts.segment.seq = SeqNum(0xfffffff6);
  EXPECT_EQ(explain_departure(facts).text().find("4294967295"), std::string::npos);
  facts.segment.seq = SeqNum(0xfffffff7);
  EXPECT_NE(explain_departure(facts).text().find("4294967295"), std::string::npos);
}

TEST(Explain, PointsAtTheLastUrgentOctet) {
  const Ladder ladder = one(kA, "PU. 1:5(4) ack 1 win 256 urg 4", SendReason::data);
  EXPECT_TRUE(says(last_of(ladder), "urgent data ends with number 4"));
}

TEST(Explain, CallsALateSegmentLate) {
  Script script;
  handshake(script);
  script.send(100, kA, ". 1:2(1) ack 1 win 256", SendReason::data, kOpen);
  script.arrive(140, kA, ". 1:2(1) ack 1 win 256", kOpen, kOpen);
  EXPECT_TRUE(says(last_of(script.ladder()), "it took 40 ms instead of 10 ms"));
}

TEST(Explain, DoesNotTellAnApplicationWhatItDidItself) {
  Script script;
  handshake(script);
  script.tell(100, kA, StateChanged{{}, kOpen, State::closed});
  script.tell(100, kA, ConnectionFailed{{}, Error::connection_aborted});
  script.send(100, kA, "R. 1:1(0) ack 1 win 0", SendReason::reset_abort, State::closed);
  const Ladder ladder = script.ladder();
  ASSERT_EQ(ladder.events.size(), 4u);
  EXPECT_TRUE(says(last_of(ladder), "A's application aborts"));
  EXPECT_EQ(ladder.ends[0].last, State::closed);
}

TEST(Explain, CallsAnEndedConnectionClosedEvenIfSomebodyListensThere) {
  Script script;
  handshake(script);
  script.send(100, kA, "R. 1:1(0) ack 1 win 0", SendReason::reset_abort, State::closed);
  script.arrive(110, kA, "R. 1:1(0) ack 1 win 0", kOpen, State::listen, Verdict::reset_accepted);
  EXPECT_EQ(script.ladder().ends[1].last, State::closed);
}

TEST(Explain, WritesDurationsShortly) {
  EXPECT_EQ(duration_text(10ms), "10 ms");
  EXPECT_EQ(duration_text(1500ms), "1.5 s");
  EXPECT_EQ(duration_text(250us), "250 us");
  EXPECT_EQ(duration_text(17ns), "17 ns");
  EXPECT_EQ(duration_text(1234567us), "1.235 s");
}

}  // namespace
}  // namespace estab::trace
