// Writes a Ladder as JSON: the same facts as the drawing, for programs.
#include <fmt/format.h>

#include "estab/ladder.h"
#include "estab/notation.h"

namespace estab {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

// Members of one object, in the order they are added.
class Object {
 public:
  Object& text(std::string_view key, std::string_view value) { return raw(key, quoted(value)); }
  Object& number(std::string_view key, std::int64_t value) {
    return raw(key, fmt::format("{}", value));
  }
  Object& word(std::string_view key, std::string_view value) { return raw(key, value); }
  Object& nothing(std::string_view key) { return raw(key, "null"); }
  Object& raw(std::string_view key, std::string_view value) {
    members_ += fmt::format("{}{}:{}", members_.empty() ? "" : ",", quoted(key), value);
    return *this;
  }
  std::string done() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

std::string_view side_name(LadderSide side) {
  return side == LadderSide::left ? "left" : "right";
}

std::string end_json(const LadderEnd& end, LadderSide side) {
  Object object;
  object.text("side", side_name(side))
      .text("name", end.name)
      .text("endpoint", to_string(end.endpoint))
      .word("observed", end.observed ? "true" : "false")
      .text("first_state", name(end.first))
      .text("last_state", name(end.last));
  if (end.isn)
    object.number("isn", end.isn->value());
  else
    object.nothing("isn");
  return object.done();
}

void add_segment(const Ladder& ladder, const LadderEvent& event, Object& object) {
  if (event.arrived)
    object.number("arrived_ns", (*event.arrived - ladder.start).count());
  else
    object.nothing("arrived_ns");
  object.text("to", ladder.ends[index_of(other(event.from))].name)
      .text("segment", event.notation)
      .text("flags", to_string(event.segment.flags))
      .number("seq", event.seq);
  if (event.segment.flags.ack())
    object.number("ack", event.ack);
  else
    object.nothing("ack");
  object.number("length", event.payload_length).number("window", event.segment.window);
  if (event.reason)
    object.text("reason", name(*event.reason));
  else
    object.nothing("reason");
  if (event.verdict)
    object.text("verdict", name(*event.verdict));
  else
    object.nothing("verdict");
  object.text("fate", name(event.fate)).word("lost", event.fate == Fate::lost ? "true" : "false");
}

std::string event_json(const Ladder& ladder, const LadderEvent& event) {
  const bool segment = event.kind == LadderEvent::Kind::segment;
  Object object;
  object.text("kind", segment ? "segment" : "moment")
      .number("time_ns", (event.departed - ladder.start).count())
      .text("from", ladder.ends[index_of(event.from)].name);
  if (segment) add_segment(ladder, event, object);
  std::string text = event.text;
  if (!event.on_arrival.empty()) text += (text.empty() ? "" : " ") + event.on_arrival;
  return object.text("text", text)
      .text("rfc", event.rfc)
      .text("left_state", name(event.states[0]))
      .text("right_state", name(event.states[1]))
      .done();
}

}  // namespace

std::string ladder_json(const Ladder& ladder) {
  std::string ends, events;
  for (const LadderSide side : {LadderSide::left, LadderSide::right})
    ends += (ends.empty() ? "" : ",") + end_json(ladder.ends[index_of(side)], side);
  for (const LadderEvent& event : ladder.events)
    events += (events.empty() ? "" : ",") + event_json(ladder, event);
  Object object;
  object.text("schema", "estab.ladder/1").raw("ends", "[" + ends + "]");
  if (ladder.transit) object.number("transit_ns", ladder.transit->count());
  return object.raw("events", "[" + events + "]")
      .number("events_left_out", static_cast<std::int64_t>(ladder.left_out))
      .done();
}

std::string ladder_json(const Recording& recording, const LadderOptions& options) {
  const auto ladder = make_ladder(recording, options);
  return ladder_json(ladder.value_or(Ladder{}));
}

}  // namespace estab
