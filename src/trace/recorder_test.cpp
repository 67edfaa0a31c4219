#include "estab/recorder.h"

#include <string>

#include <gtest/gtest.h>

namespace estab {
namespace {

TraceEvent sent(Octets payload) {
  Segment segment;
  segment.payload = payload;
  return SegmentSent{{}, segment, SendReason::data, State::established};
}

const SegmentSent& sent_at(const Recorder& recorder, std::size_t index) {
  return std::get<SegmentSent>(std::get<TraceEvent>(recorder.recording().records[index].what));
}

TEST(Recorder, OwnsThePayloadItKeeps) {
  Recorder recorder;
  Observer& end = recorder.add_end("A");
  for (int i = 0; i < 100; ++i) {
    std::string text = "octets " + std::to_string(i);
    end.on_trace(Instant{}, sent(as_octets(text)));
    text.assign(text.size(), '?');
  }
  ASSERT_EQ(recorder.recording().records.size(), 100u);
  EXPECT_EQ(as_text(sent_at(recorder, 0).segment.payload), "octets 0");
  EXPECT_EQ(as_text(sent_at(recorder, 99).segment.payload), "octets 99");
}

TEST(Recorder, OwnsThePhaseAndTheFrame) {
  Recorder recorder;
  Observer& end = recorder.add_end("A");
  std::string phase = "slow start";
  end.on_trace(Instant{}, CongestionChanged{{}, 10, 20, phase});
  phase = "gone......";
  const auto& what = std::get<TraceEvent>(recorder.recording().records[0].what);
  EXPECT_EQ(std::get<CongestionChanged>(what).phase, "slow start");
}

TEST(Recorder, TellsTheEndsApart) {
  Recorder recorder;
  Observer& a = recorder.add_end("A");
  Observer& b = recorder.add_end("B");
  b.on_trace(Instant(Duration(5)), sent({}));
  a.on_trace(Instant(Duration(7)), sent({}));
  recorder.note(Instant(Duration(9)), 1, "B stops reading");
  const Recording& recording = recorder.recording();
  EXPECT_EQ(recording.ends, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(recording.records[0].end, 1u);
  EXPECT_EQ(recording.records[1].end, 0u);
  EXPECT_EQ(recording.records[1].when, Instant(Duration(7)));
  EXPECT_EQ(std::get<Note>(recording.records[2].what).text, "B stops reading");
}

TEST(Recorder, StopsAtItsLimitsAndCountsTheRest) {
  Recorder few({.records = 2});
  Observer& end = few.add_end("A");
  for (int i = 0; i < 5; ++i) end.on_trace(Instant{}, sent({}));
  EXPECT_EQ(few.recording().records.size(), 2u);
  EXPECT_EQ(few.recording().left_out, 3u);

  Recorder small({.octets = 10});
  Observer& other = small.add_end("A");
  other.on_trace(Instant{}, sent(as_octets("seven..")));
  other.on_trace(Instant{}, sent(as_octets("four")));
  other.on_trace(Instant{}, sent(as_octets("one")));
  EXPECT_EQ(small.recording().records.size(), 1u) << "no hole: nothing is kept after a refusal";
  EXPECT_EQ(small.recording().left_out, 2u);
}

TEST(Recorder, ForgetsWhatItHeldWhenCleared) {
  Recorder recorder({.records = 1});
  Observer& end = recorder.add_end("A");
  end.on_trace(Instant{}, sent({}));
  end.on_trace(Instant{}, sent({}));
  recorder.clear();
  end.on_trace(Instant{}, sent(as_octets("again")));
  ASSERT_EQ(recorder.recording().records.size(), 1u);
  EXPECT_EQ(recorder.recording().left_out, 0u);
}

}  // namespace
}  // namespace estab
