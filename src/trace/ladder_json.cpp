// Writes a Ladder as JSON: the same facts as the drawing, for programs.
#include <nlohmann/json.hpp>

#include "estab/ladder.h"
#include "estab/notation.h"

namespace estab {

namespace {

using Json = nlohmann::ordered_json;

/// null where there is none.
template <class T>
Json name_or_null(const std::optional<T>& value) {
  return value ? Json(name(*value)) : Json();
}

Json end_json(const LadderEnd& end, LadderSide side) {
  return {{"side", side == LadderSide::left ? "left" : "right"},
          {"name", end.name},
          {"endpoint", to_string(end.endpoint)},
          {"observed", end.observed},
          {"first_state", name(end.first)},
          {"last_state", name(end.last)},
          {"isn", end.isn ? Json(end.isn->value()) : Json()}};
}

void add_segment(const Ladder& ladder, const LadderEvent& event, Json& object) {
  const auto arrived = event.arrived ? Json((*event.arrived - ladder.start).count()) : Json();
  object.update({{"arrived_ns", arrived},
                 {"to", ladder.ends[index_of(other(event.from))].name},
                 {"segment", event.notation},
                 {"flags", to_string(event.segment.flags)},
                 {"seq", event.seq},
                 {"ack", event.segment.flags.ack() ? Json(event.ack) : Json()},
                 {"length", event.payload_length},
                 {"window", event.segment.window},
                 {"reason", name_or_null(event.reason)},
                 {"verdict", name_or_null(event.verdict)},
                 {"fate", name(event.fate)},
                 {"lost", event.fate == Fate::lost}});
}

Json event_json(const Ladder& ladder, const LadderEvent& event) {
  const bool segment = event.kind == LadderEvent::Kind::segment;
  Json object{{"kind", segment ? "segment" : "moment"},
              {"time_ns", (event.departed - ladder.start).count()},
              {"from", ladder.ends[index_of(event.from)].name}};
  if (segment) add_segment(ladder, event, object);
  std::string text = event.text;
  if (!event.on_arrival.empty()) text += (text.empty() ? "" : " ") + event.on_arrival;
  object.update({{"text", text},
                 {"rfc", event.rfc},
                 {"left_state", name(event.states[0])},
                 {"right_state", name(event.states[1])}});
  return object;
}

}  // namespace

std::string ladder_json(const Ladder& ladder) {
  Json object{{"schema", "estab.ladder/1"}, {"ends", Json::array()}};
  for (const LadderSide side : {LadderSide::left, LadderSide::right})
    object["ends"].push_back(end_json(ladder.ends[index_of(side)], side));
  if (ladder.transit) object["transit_ns"] = ladder.transit->count();
  object["events"] = Json::array();
  for (const LadderEvent& event : ladder.events)
    object["events"].push_back(event_json(ladder, event));
  object["events_left_out"] = ladder.left_out;
  // A note of the application's need not be UTF-8; JSON must be.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ladder_json(const Recording& recording, const LadderOptions& options) {
  const auto ladder = make_ladder(recording, options);
  return ladder_json(ladder.value_or(Ladder{}));
}

}  // namespace estab
