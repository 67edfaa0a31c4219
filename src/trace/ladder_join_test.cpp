#include "trace/ladder_join.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "trace/ladder_script.h"

namespace estab::trace {
namespace {

constexpr LadderSide kA = LadderSide::left, kB = LadderSide::right;
constexpr auto kOpen = State::established;

std::vector<Passage> joined(const Script& script) {
  const auto conversation = join(script.recording(), {});
  return conversation ? conversation->passages : std::vector<Passage>{};
}

std::int64_t ms(Instant when) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

void send(Script& script, int at, LadderSide from, const std::string& text) {
  script.send(at, from, text, SendReason::data, kOpen);
}
void arrive(Script& script, int at, LadderSide from, const std::string& text) {
  script.arrive(at, from, text, kOpen, kOpen);
}

TEST(Join, FindsTheArrivalOfEachDeparture) {
  Script script;
  handshake(script);
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 3u);
  for (const Passage& passage : passages) {
    EXPECT_EQ(passage.fate, Fate::arrived);
    EXPECT_EQ(ms(passage.arrived) - ms(passage.departed), 10);
    EXPECT_FALSE(passage.slanted);
  }
}

TEST(Join, KnowsWhichOfTwoEqualSegmentsGotLost) {
  Script script;
  handshake(script);
  const std::string text = ". 1:101(100) ack 1 win 256";
  send(script, 100, kA, text);
  send(script, 300, kA, text);
  arrive(script, 310, kA, text);
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 5u);
  EXPECT_EQ(passages[3].fate, Fate::lost) << "the first: else it would have taken 210 ms";
  EXPECT_EQ(passages[4].fate, Fate::arrived);
}

TEST(Join, KeepsEqualSegmentsInOrder) {
  Script script;
  handshake(script);
  const std::string text = ". 1:1(0) ack 1 win 256";
  for (const int at : {100, 101, 102}) send(script, at, kA, text);
  for (const int at : {110, 111, 112}) arrive(script, at, kA, text);
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 6u);
  for (std::size_t i = 3; i < 6; ++i) {
    EXPECT_EQ(ms(passages[i].arrived) - ms(passages[i].departed), 10);
    EXPECT_FALSE(passages[i].slanted);
  }
}

TEST(Join, CallsASecondArrivalACopy) {
  Script script;
  handshake(script);
  const std::string text = ". 1:101(100) ack 1 win 256";
  send(script, 100, kA, text);
  arrive(script, 110, kA, text);
  arrive(script, 115, kA, text);
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 5u);
  EXPECT_EQ(passages[3].fate, Fate::arrived);
  EXPECT_EQ(passages[4].fate, Fate::copied);
  EXPECT_NE(render_ladder(script.recording()).find("again: . 1:101(100)"), std::string::npos);
}

TEST(Join, DoesNotCallLostWhatMayStillBeUnderWay) {
  Script script;
  handshake(script);
  send(script, 100, kA, ". 1:101(100) ack 1 win 256");
  EXPECT_EQ(joined(script).back().fate, Fate::under_way);
  script.note(200, kA, "later");
  EXPECT_EQ(joined(script).back().fate, Fate::lost);
}

TEST(Join, SlantsWhatCrossesAndWhatIsOvertaken) {
  Script crossing;
  handshake(crossing);
  send(crossing, 100, kA, ". 1:2(1) ack 1 win 256");
  send(crossing, 105, kB, ". 1:2(1) ack 1 win 256");
  arrive(crossing, 110, kA, ". 1:2(1) ack 1 win 256");
  arrive(crossing, 115, kB, ". 1:2(1) ack 1 win 256");
  auto passages = joined(crossing);
  EXPECT_TRUE(passages[3].slanted);
  EXPECT_TRUE(passages[4].slanted);

  Script overtaking;
  handshake(overtaking);
  send(overtaking, 100, kA, ". 1:2(1) ack 1 win 256");
  send(overtaking, 101, kA, ". 2:3(1) ack 1 win 256");
  arrive(overtaking, 111, kA, ". 2:3(1) ack 1 win 256");
  arrive(overtaking, 130, kA, ". 1:2(1) ack 1 win 256");
  passages = joined(overtaking);
  EXPECT_TRUE(passages[3].slanted);
  EXPECT_TRUE(passages[4].slanted);
}

TEST(Join, DrawsATrainStraight) {
  Script script;
  handshake(script);
  const std::vector<std::string> train = {". 1:2(1) ack 1 win 256", ". 2:3(1) ack 1 win 256",
                                          "P. 3:4(1) ack 1 win 256"};
  for (const std::string& text : train) send(script, 100, kA, text);
  for (const std::string& text : train) arrive(script, 110, kA, text);
  send(script, 110, kB, ". 1:1(0) ack 4 win 256");
  arrive(script, 120, kB, ". 1:1(0) ack 4 win 256");
  for (const Passage& passage : joined(script)) EXPECT_FALSE(passage.slanted);
}

TEST(Join, TakesThePiecesOfASuperSegmentForOneArrival) {
  Script script;
  handshake(script);
  send(script, 100, kA, "P. 1:3001(3000) ack 1 win 256");
  arrive(script, 110, kA, ". 1:1501(1500) ack 1 win 256");
  arrive(script, 111, kA, "P. 1501:3001(1500) ack 1 win 256");
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 4u);
  EXPECT_EQ(passages[3].fate, Fate::arrived);
  EXPECT_EQ(ms(passages[3].arrived), 110);
}

TEST(Join, TakesAMergedArrivalForThatOfEachSegment) {
  Script script;
  handshake(script);
  send(script, 100, kA, ". 1:1001(1000) ack 1 win 256");
  send(script, 100, kA, "P. 1001:2001(1000) ack 1 win 256");
  arrive(script, 110, kA, "P. 1:2001(2000) ack 1 win 256");
  const auto passages = joined(script);
  ASSERT_EQ(passages.size(), 5u);
  EXPECT_EQ(passages[3].fate, Fate::arrived);
  EXPECT_EQ(passages[4].fate, Fate::arrived);
}

TEST(Join, PutsAFinThatCrossesBeforeItsAcknowledgementIfNobodyObservedItArrive) {
  Recorder recorder;
  Observer& end = recorder.add_end("ours");
  const FourTuple flow = {IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2), 1, 2};
  std::int64_t at = 0;
  const auto record = [&](bool ours, const std::string& text, State state) {
    const Segment segment = parse_segment(text)->segment;
    const Instant when(std::chrono::milliseconds(++at));
    if (ours)
      end.on_trace(when, SegmentSent{flow, segment, SendReason::fin, state});
    else
      end.on_trace(when, SegmentReceived{flow, segment, Verdict::accepted, state, state});
  };
  record(true, "F. 1:1(0) ack 1 win 9", State::fin_wait_1);
  record(false, "F. 1:1(0) ack 1 win 9", State::fin_wait_1);
  record(true, ". 2:2(0) ack 2 win 9", State::closing);
  record(false, ". 2:2(0) ack 2 win 9", State::closing);
  const Ladder ladder = make_ladder(recorder.recording()).value();
  EXPECT_TRUE(ladder.events[0].slanted);
  EXPECT_EQ(ladder.events[1].sender_after, State::fin_wait_1) << "it had not seen ours";
  EXPECT_EQ(ladder.events[3].sender_after, State::closing) << "nor the ACK behind ours";
}

}  // namespace
}  // namespace estab::trace
