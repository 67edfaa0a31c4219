#include "estab/qlog.h"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "trace/loss_text.h"

namespace estab {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// Collects what is written; records() takes the JSON text sequence apart as RFC 7464 §2 says.
struct Written {
  std::string text{};
  OctetSink sink() {
    return [this](Octets more) { text += as_text(more); };
  }
  std::vector<json> records() const {
    std::vector<json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(line.at(0), '\x1e');
      found.push_back(json::parse(line.substr(1)));
    }
    return found;
  }
};

FourTuple flow() {
  return {*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.2"), 40000, 80};
}

/// The record that one event becomes, at 1500 ms.
json record_of(const TraceEvent& event) {
  Written written;
  QlogWriter writer(written.sink());
  writer.add_end("A").on_trace(Instant(milliseconds(1500)), event);
  return written.records().at(1);
}

TEST(QlogWriter, BeginsWithAHeaderThatReadersOfOldAndNewVersionsKnow) {
  Written written;
  const QlogWriter writer(written.sink(), {.title = "a title"});
  const json header = written.records().at(0);
  EXPECT_EQ(header.at("file_schema"), "urn:ietf:params:qlog:file:sequential");
  EXPECT_EQ(header.at("serialization_format"), "application/qlog+json-seq");
  EXPECT_EQ(header.at("qlog_version"), "0.3");
  EXPECT_EQ(header.at("qlog_format"), "JSON-SEQ");
  EXPECT_EQ(header.at("trace").at("vantage_point").at("name"), "a title");
  EXPECT_EQ(header.at("trace").at("common_fields").at("reference_time").at("epoch"), "unknown");
}

TEST(QlogWriter, TellsASegmentWithItsOptionsAndReason) {
  Segment segment;
  segment.seq = SeqNum(4'000'000'000);
  segment.ack = SeqNum(7);
  segment.flags = kSyn | kAck;
  segment.window = 65535;
  segment.options.mss = 1460;
  segment.options.timestamps = TcpTimestamps{1, 2};
  segment.options.sack.add({SeqNum(10), SeqNum(20)});
  const json record = record_of(SegmentSent{.flow = flow(),
                                            .segment = segment,
                                            .reason = SendReason::open_reply,
                                            .state = State::syn_received});
  EXPECT_EQ(record.at("time"), 1500.0);
  EXPECT_EQ(record.at("name"), "tcp:segment_sent");
  EXPECT_EQ(record.at("group_id"), "A 10.0.0.1:40000 - 10.0.0.2:80");
  const json& data = record.at("data");
  EXPECT_EQ(data.at("end"), "A");
  EXPECT_EQ(data.at("reason"), "open_reply");
  EXPECT_EQ(data.at("state"), name(State::syn_received));
  EXPECT_EQ(data.at("segment"), json::parse(R"({"seq": 4000000000, "ack": 7, "flags": "S.",
      "payload_length": 0, "window": 65535,
      "options": {"mss": 1460, "timestamps": {"value": 1, "echo": 2}, "sack": [[10, 20]]}})"));
}

TEST(QlogWriter, TellsWhatBecameOfASegment) {
  const json data = record_of(SegmentReceived{.flow = flow(),
                                              .segment = {},
                                              .verdict = Verdict::accepted,
                                              .before = State::established,
                                              .after = State::close_wait})
                        .at("data");
  EXPECT_EQ(data.at("verdict"), name(Verdict::accepted));
  EXPECT_EQ(data.at("state_before"), name(State::established));
  EXPECT_EQ(data.at("state"), name(State::close_wait));
  EXPECT_FALSE(data.at("segment").contains("ack"));  // no ACK flag: the field says nothing
}

TEST(QlogWriter, TellsMetricsInMilliseconds) {
  const CongestionChanged changed{.flow = flow(),
                                  .cwnd = 14600,
                                  .ssthresh = 7300,
                                  .phase = "recovery",
                                  .in_flight = 5840,
                                  .srtt = milliseconds(60),
                                  .rto = milliseconds(260),
                                  .pacing_rate = 1'000'000};
  const json data = record_of(changed).at("data");
  EXPECT_EQ(data.at("congestion_window"), 14600);
  EXPECT_EQ(data.at("phase"), "recovery");
  EXPECT_EQ(data.at("bytes_in_flight"), 5840);
  EXPECT_EQ(data.at("smoothed_rtt"), 60.0);
  EXPECT_EQ(data.at("rto"), 260.0);
  EXPECT_EQ(data.at("pacing_rate"), 1'000'000);
  CongestionChanged unpaced = changed;
  unpaced.pacing_rate = ~std::uint64_t{0};
  EXPECT_TRUE(record_of(unpaced).at("data").at("pacing_rate").is_null());
}

TEST(QlogWriter, TellsByWhichRuleASegmentWasLost) {
  SegmentLost lost{.flow = flow(),
                   .first = SeqNum(99),
                   .length = 1460,
                   .rule = LossRule::rack,
                   .age = milliseconds(66),
                   .rtt = milliseconds(60),
                   .reordering_window = milliseconds(5)};
  const json record = record_of(lost);
  EXPECT_EQ(record.at("name"), "tcp:segment_lost");
  EXPECT_EQ(record.at("data").at("rule"), "rack");
  EXPECT_EQ(
      record.at("data").at("why"),
      "RACK: sent 66 ms ago, before what was delivered after 60 ms, by more than reo_wnd 5 ms");
  std::vector<std::string> sentences;
  for (const LossRule rule : {LossRule::rack, LossRule::duplicate_acks, LossRule::partial_ack,
                              LossRule::timeout, LossRule::too_big}) {
    lost.rule = rule;
    EXPECT_EQ(std::ranges::count(sentences, trace::loss_text(lost)), 0);
    sentences.push_back(trace::loss_text(lost));
    EXPECT_FALSE(sentences.back().empty());
  }
}

TEST(QlogWriter, TellsStatesTimersUndoingAndFailure) {
  EXPECT_EQ(
      record_of(StateChanged{flow(), State::fin_wait_2, State::time_wait}).at("data").at("new"),
      name(State::time_wait));
  EXPECT_EQ(record_of(TimerFired{flow(), Timer::tail_probe}).at("data").at("timer"), "tail_probe");
  EXPECT_EQ(record_of(RecoveryUndone{flow(), UndoProof::f_rto}).at("data").at("proof"),
            name(UndoProof::f_rto));
  EXPECT_EQ(record_of(ConnectionFailed{flow(), Error::connection_reset}).at("data").at("error"),
            message(Error::connection_reset));
}

TEST(QlogWriter, GivesTheTimeOfDayOfARealClock) {
  Written written;
  QlogWriter writer(written.sink(), {.wall_clock_offset = std::chrono::hours(1)});
  writer.add_end("A").on_trace(Instant(milliseconds(1)), TimerFired{flow(), Timer::persist});
  EXPECT_EQ(written.records().at(1).at("time"), 3'600'001.0);
  EXPECT_EQ(
      written.records().at(0).at("trace").at("common_fields").at("reference_time").at("epoch"),
      "1970-01-01T00:00:00.000Z");
}

TEST(QlogWriter, WritesARecordingInItsOrderWithItsRemarks) {
  Recorder recorder;
  Observer& a = recorder.add_end("A");
  Observer& b = recorder.add_end("B");
  a.on_trace(Instant(milliseconds(1)), TimerFired{flow(), Timer::retransmit});
  recorder.note(Instant(milliseconds(2)), 1, "B stops reading \xff");  // not UTF-8
  b.on_trace(Instant(milliseconds(3)), TimerFired{flow(), Timer::persist});
  Written written;
  QlogWriter writer(written.sink());
  writer.write(recorder.recording());
  const std::vector<json> records = written.records();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].at("data").at("end"), "A");
  EXPECT_EQ(records[2].at("name"), "application:note");
  EXPECT_EQ(records[2].at("data").at("end"), "B");
  EXPECT_EQ(records[3].at("time"), 3.0);
}

}  // namespace
}  // namespace estab
