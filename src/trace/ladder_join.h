// Joins what two ends recorded of one connection: each departure with its arrival. The two are
// matched by content, since nothing else travels with a segment; where equal segments were sent
// more than once the usual time of transit decides which of them it was that arrived.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "estab/ladder.h"
#include "estab/recorder.h"

namespace estab::trace {

inline constexpr std::size_t kNoRecord = std::numeric_limits<std::size_t>::max();
inline constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::max();

/// One segment's way. Orders are twice the index of the record, so that something worked out can
/// stand between two records.
struct Passage {
  LadderSide from = LadderSide::left;
  std::size_t sent = kNoRecord, received = kNoRecord;
  std::int64_t departs = 0, arrives = kNowhere;
  Instant departed{}, arrived{};
  Fate fate = Fate::arrived;
  bool slanted = false;
};

/// One connection within a recording.
struct Conversation {
  FourTuple flow;  ///< seen from the left
  std::array<bool, 2> observed{};
  std::array<std::string, 2> names{};
  std::array<std::size_t, 2> ends{kNoRecord, kNoRecord};  ///< index into Recording::ends
  std::optional<Duration> transit{};
  std::vector<Passage> passages{};  ///< by departure
};

/// The flow a record is about, seen from the end that recorded it; null for a note and for what
/// belongs to no connection.
const FourTuple* flow_of(const Record& record);
/// The segment in a SegmentSent or SegmentReceived; null otherwise.
const Segment* segment_of(const Record& record);
FourTuple reversed(const FourTuple& flow);
/// Whose record it is: nothing if it belongs to another connection. Notes belong by their end.
std::optional<LadderSide> side_of(const Conversation& conversation, const Record& record);

/// Nothing if there is no segment of it.
std::optional<Conversation> join(const Recording& recording, const LadderOptions& options);

}  // namespace estab::trace
