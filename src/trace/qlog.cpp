// Events of the core as qlog records (draft-ietf-quic-qlog-main-schema, JSON text sequences). Law:
// one record for one event, in the order they happen; nothing is kept, so a trace of any length
// takes no memory. Numbers are those of the wire.
#include "estab/qlog.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "estab/notation.h"

#include "trace/explain.h"
#include "trace/loss_text.h"

namespace estab {

namespace {

using Json = nlohmann::ordered_json;

// A reader that knows the versions by number looks for the first two, one of today's for
// file_schema: both are there.
constexpr std::string_view kVersion = "0.3";
constexpr std::string_view kFormat = "JSON-SEQ";
constexpr std::string_view kFileSchema = "urn:ietf:params:qlog:file:sequential";
constexpr std::string_view kEventSchema = "urn:estab:qlog:tcp/1";

double milliseconds(Duration duration) {
  return static_cast<double>(duration.count().value()) / 1e6;
}

Json header_record(const QlogOptions& options) {
  const bool real = options.wall_clock_offset.has_value();
  Json reference{{"clock_type", real ? "system" : "monotonic"},
                 {"epoch", real ? "1970-01-01T00:00:00.000Z" : "unknown"}};
  return {{"file_schema", kFileSchema},
          {"serialization_format", "application/qlog+json-seq"},
          {"qlog_version", kVersion},
          {"qlog_format", kFormat},
          {"title", options.title},
          {"trace",
           {{"title", options.title},
            {"vantage_point", {{"name", options.title}, {"type", "unknown"}}},
            {"event_schemas", {kEventSchema}},
            {"common_fields",
             {{"protocol_types", {"TCP"}},
              {"time_format", "relative_to_epoch"},
              {"reference_time", std::move(reference)}}}}}};
}

Json options_of(const TcpOptions& options) {
  Json said = Json::object();
  if (options.mss) said["mss"] = *options.mss;
  if (options.window_scale) said["window_scale"] = *options.window_scale;
  if (options.sack_permitted) said["sack_permitted"] = true;
  if (options.timestamps)
    said["timestamps"] = {{"value", options.timestamps->value}, {"echo", options.timestamps->echo}};
  if (const auto& marks = options.accurate_ecn) {
    if (marks->has_e0b()) said["accurate_ecn"]["e0b"] = marks->e0b;
    if (marks->has_ceb()) said["accurate_ecn"]["ceb"] = marks->ceb;
    if (marks->has_e1b()) said["accurate_ecn"]["e1b"] = marks->e1b;
  }
  for (const SackBlock& block : options.sack)
    said["sack"].push_back({block.left.value(), block.right.value()});
  return said;
}

/// null where nothing is paced.
Json rate_or_null(std::uint64_t octets_per_second) {
  return octets_per_second == ~std::uint64_t{0} ? Json() : Json(octets_per_second);
}

Json segment_json(const Segment& segment) {
  Json said{{"seq", segment.seq.value()},
            {"flags", to_string(segment.flags)},
            {"payload_length", segment.payload.size()},
            {"window", segment.window}};
  if (segment.flags.ack()) said["ack"] = segment.ack.value();
  if (segment.flags.urg()) said["urgent_pointer"] = segment.urgent_pointer;
  if (Json options = options_of(segment.options); !options.empty())
    said["options"] = std::move(options);
  return said;
}

/// What an event is called, whose connection it belongs to, and what it says.
struct Said {
  std::string_view name;
  const FourTuple& flow;
  Json data;
};

Said said_of(const SegmentSent& sent) {
  Json data{{"segment", segment_json(sent.segment)},
            {"reason", name(sent.reason)},
            {"state", name(sent.state)}};
  if (sent.gso_size != 0) data["gso_size"] = sent.gso_size;
  return {"tcp:segment_sent", sent.flow, std::move(data)};
}

Said said_of(const SegmentReceived& received) {
  return {"tcp:segment_received",
          received.flow,
          {{"segment", segment_json(received.segment)},
           {"verdict", name(received.verdict)},
           {"state_before", name(received.before)},
           {"state", name(received.after)}}};
}

Said said_of(const StateChanged& changed) {
  return {
      "tcp:state_updated", changed.flow, {{"old", name(changed.from)}, {"new", name(changed.to)}}};
}

Said said_of(const TimerFired& fired) {
  return {"tcp:timer_expired", fired.flow, {{"timer", name(fired.timer)}}};
}

Said said_of(const CongestionChanged& changed) {
  return {"tcp:metrics_updated",
          changed.flow,
          {{"congestion_window", changed.cwnd},
           {"ssthresh", changed.ssthresh},
           {"phase", changed.phase},
           {"bytes_in_flight", changed.in_flight},
           {"smoothed_rtt", milliseconds(changed.srtt)},
           {"rto", milliseconds(changed.rto)},
           {"pacing_rate", rate_or_null(changed.pacing_rate)}}};
}

Said said_of(const SegmentLost& lost) {
  return {"tcp:segment_lost",
          lost.flow,
          {{"seq", lost.first.value()},
           {"length", lost.length},
           {"rule", name(lost.rule)},
           {"why", trace::loss_text(lost)},
           {"age", milliseconds(lost.age)},
           {"rack_rtt", milliseconds(lost.rtt)},
           {"reordering_window", milliseconds(lost.reordering_window)}}};
}

Said said_of(const RecoveryUndone& undone) {
  return {"tcp:recovery_undone", undone.flow, {{"proof", name(undone.proof)}}};
}

Said said_of(const ConnectionFailed& failed) {
  return {"tcp:connection_failed", failed.flow, {{"error", message(failed.error)}}};
}

void write_record(const OctetSink& sink, const Json& record) {
  // A name given by the application need not be UTF-8; JSON must be.
  const std::string text =
      '\x1e' + record.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  sink(as_octets(text));
}

}  // namespace

namespace trace {

// In the words of RFC 8985 §6.2, RFC 5681 §3.2, RFC 6582 §3.2, RFC 6298 §5 and RFC 1191 §6.4.
std::string loss_text(const SegmentLost& lost) {
  switch (lost.rule) {
    case LossRule::rack:
      return fmt::format(
          "RACK: sent {} ago, before what was delivered after {}, by more than reo_wnd {}",
          duration_text(lost.age), duration_text(lost.rtt), duration_text(lost.reordering_window));
    case LossRule::duplicate_acks:
      return "three duplicate ACKs from a peer without SACK";
    case LossRule::partial_ack:
      return "a partial ACK during recovery, from a peer without SACK";
    case LossRule::timeout:
      return fmt::format("the retransmission timer ran out; sent {} ago", duration_text(lost.age));
    case LossRule::too_big:
      return "the path takes only smaller segments";
  }
  return {};
}

}  // namespace trace

class QlogWriter::End final : public Observer {
 public:
  End(const OctetSink& sink, std::string name, std::optional<Duration> offset)
      : sink_(sink), name_(std::move(name)), offset_(offset.value_or(Duration{0})) {}

  void on_trace(Instant now, const TraceEvent& event) override {
    Said said = std::visit([](const auto& one) { return said_of(one); }, event);
    write(now, said.name,
          fmt::format("{} {} - {}", name_, to_string(said.flow.local()),
                      to_string(said.flow.remote())),
          std::move(said.data));
  }
  void note(Instant now, const std::string& text) {
    write(now, "application:note", name_, {{"text", text}});
  }

 private:
  void write(Instant now, std::string_view event, std::string group, Json data) {
    data["end"] = name_;
    write_record(sink_, {{"time", milliseconds(now.time_since_epoch() + offset_)},
                         {"name", event},
                         {"group_id", std::move(group)},
                         {"data", std::move(data)}});
  }

  const OctetSink& sink_;
  std::string name_;
  Duration offset_;
};

QlogWriter::QlogWriter(OctetSink sink, const QlogOptions& options)
    : sink_(std::move(sink)), wall_clock_offset_(options.wall_clock_offset) {
  write_record(sink_, header_record(options));
}

QlogWriter::~QlogWriter() = default;

Observer& QlogWriter::add_end(std::string name) {
  ends_.push_back(std::make_unique<End>(sink_, std::move(name), wall_clock_offset_));
  return *ends_.back();
}

void QlogWriter::write(const Recording& recording) {
  std::vector<End*> ends;
  for (const std::string& name : recording.ends) {
    add_end(name);
    ends.push_back(ends_.back().get());
  }
  for (const Record& record : recording.records) {
    End& end = *ends.at(record.end);
    if (const auto* event = std::get_if<TraceEvent>(&record.what))
      end.on_trace(record.when, *event);
    else
      end.note(record.when, std::get<Note>(record.what).text);
  }
}

}  // namespace estab
