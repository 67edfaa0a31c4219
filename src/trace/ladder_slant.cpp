#include "trace/ladder_slant.h"

#include <algorithm>
#include <variant>

namespace estab::trace {

namespace {

bool has_flight(const Passage& passage) {
  return passage.fate == Fate::arrived && passage.sent != kNoRecord &&
         passage.received != kNoRecord;
}

bool changes_state(const Recording& recording, const Passage& passage) {
  const auto* event = std::get_if<TraceEvent>(&recording.records[passage.received].what);
  const auto* received = event ? std::get_if<SegmentReceived>(event) : nullptr;
  return received && received->before != received->after;
}

// Departures that come after `passages[at]` left and before it arrived: the receiver's make it
// slanted (it answered nothing of this yet), and its own that arrive earlier overtake it.
void look_ahead(const Recording& recording, std::vector<Passage>& passages, std::size_t at) {
  Passage& passage = passages[at];
  const bool decisive = changes_state(recording, passage);
  for (std::size_t i = at + 1; i < passages.size(); ++i) {
    Passage& later = passages[i];
    if (later.departs >= passage.arrives) return;
    const bool in_flight = later.departed < passage.arrived;
    if (later.from != passage.from) {
      if (later.fate == Fate::copied) continue;
      if (!in_flight && !decisive) continue;
      passage.slanted = true;
      if (in_flight && has_flight(later) && later.arrived > passage.departed) later.slanted = true;
    } else if (has_flight(later) && later.arrived < passage.arrived) {
      passage.slanted = later.slanted = true;
    }
  }
}

// Remarks and other moments of the receiver while the segment was on its way.
void look_at_notes(const Recording& recording, const Conversation& conversation, Passage& passage) {
  for (std::size_t i = passage.sent + 1; i < passage.received; ++i) {
    const Record& record = recording.records[i];
    if (std::holds_alternative<Note>(record.what) && record.when < passage.arrived &&
        side_of(conversation, record) != passage.from)
      passage.slanted = true;
  }
}

}  // namespace

void mark_slanted(const Recording& recording, Conversation& conversation) {
  for (std::size_t i = 0; i < conversation.passages.size(); ++i) {
    if (!has_flight(conversation.passages[i])) continue;
    look_ahead(recording, conversation.passages, i);
    look_at_notes(recording, conversation, conversation.passages[i]);
  }
}

}  // namespace estab::trace
