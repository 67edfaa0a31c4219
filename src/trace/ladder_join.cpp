#include "trace/ladder_join.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <unordered_map>

#include "trace/ladder_slant.h"

namespace estab::trace {

namespace {

const TraceEvent* event_of(const Record& record) {
  return std::get_if<TraceEvent>(&record.what);
}

bool is_departure(const Record& record) {
  return event_of(record) && std::holds_alternative<SegmentSent>(*event_of(record));
}

bool same_content(const Segment& a, const Segment& b) {
  return a.seq == b.seq && a.ack == b.ack && a.flags == b.flags && a.window == b.window &&
         a.urgent_pointer == b.urgent_pointer && a.options == b.options &&
         std::ranges::equal(a.payload, b.payload);
}

// Equal for segments of equal content; cheap, and spread well enough.
std::uint64_t key_of(LadderSide from, const Segment& segment) {
  std::uint64_t key = segment.seq.value();
  key = key << 32 | segment.ack.value();
  key ^= std::uint64_t{segment.flags.wire()} << 24 | segment.payload.size();
  return key * 0x9e3779b97f4a7c15u ^ static_cast<std::uint64_t>(from);
}

/// First what can only be one thing; then, of what is left, the likeliest.
enum class Match { certain, likeliest };

class Matcher {
 public:
  Matcher(const Recording& recording, Conversation& conversation)
      : recording_(recording), conversation_(conversation) {}

  void run() {
    collect();
    for (const Match kind : {Match::certain, Match::likeliest})
      for (std::size_t arrival : arrivals_)
        if (!taken_.contains(arrival)) match(arrival, kind);
    for (std::size_t arrival : arrivals_)
      if (!taken_.contains(arrival)) match_piece(arrival);
    for (std::size_t arrival : arrivals_)
      if (!taken_.contains(arrival)) add_stray(arrival);
  }

 private:
  const Segment& segment(std::size_t index) const { return *segment_of(recording_.records[index]); }
  Instant when(std::size_t index) const { return recording_.records[index].when; }
  LadderSide sender_of(std::size_t arrival) const {
    return other(*side_of(conversation_, recording_.records[arrival]));
  }

  void collect() {
    for (std::size_t i = 0; i < recording_.records.size(); ++i) {
      const Record& record = recording_.records[i];
      if (!segment_of(record)) continue;
      const auto side = side_of(conversation_, record);
      if (!side) continue;
      if (!is_departure(record)) {
        arrivals_.push_back(i);
        continue;
      }
      departures_[key_of(*side, *segment_of(record))].push_back(conversation_.passages.size());
      conversation_.passages.push_back({.from = *side,
                                        .sent = i,
                                        .departs = 2 * static_cast<std::int64_t>(i),
                                        .departed = record.when});
    }
  }

  // The departures this arrival may belong to: of the same content, earlier, not yet matched.
  std::vector<std::size_t> candidates(std::size_t arrival) const {
    std::vector<std::size_t> found;
    const auto bucket = departures_.find(key_of(sender_of(arrival), segment(arrival)));
    if (bucket == departures_.end()) return found;
    for (std::size_t p : bucket->second) {
      const Passage& passage = conversation_.passages[p];
      if (passage.received == kNoRecord && passage.sent < arrival &&
          passage.from == sender_of(arrival) &&
          same_content(segment(passage.sent), segment(arrival)))
        found.push_back(p);
    }
    return found;
  }

  void match(std::size_t arrival, Match kind) {
    const auto found = candidates(arrival);
    if (found.empty() || (kind == Match::certain && found.size() > 1)) return;
    const Duration usual = conversation_.transit.value_or(Duration{0});
    const auto surprise = [&](std::size_t p) {
      return std::chrono::abs(when(arrival) - conversation_.passages[p].departed - usual);
    };
    take(*std::ranges::min_element(found, std::less<>{}, surprise), arrival);
    if (kind != Match::certain) return;
    const Duration transit = when(arrival) - conversation_.passages[found[0]].departed;
    conversation_.transit = std::min(conversation_.transit.value_or(transit), transit);
  }

  void take(std::size_t p, std::size_t arrival) {
    Passage& passage = conversation_.passages[p];
    passage.received = arrival;
    passage.arrives = 2 * static_cast<std::int64_t>(arrival);
    passage.arrived = when(arrival);
    taken_.emplace(arrival, p);
  }

  // Super-segments are split on the way, or merged: an arrival that lies within a departure, or the
  // other way round, is its arrival, and further pieces say nothing new.
  void match_piece(std::size_t arrival) {
    if (segment(arrival).payload.empty()) return;
    for (std::size_t p = 0; p < conversation_.passages.size(); ++p) {
      const Passage& passage = conversation_.passages[p];
      if (passage.sent == kNoRecord || passage.sent > arrival ||
          passage.from != sender_of(arrival) ||
          !(within(segment(arrival), segment(passage.sent)) ||
            within(segment(passage.sent), segment(arrival))))
        continue;
      if (passage.received == kNoRecord) take(p, arrival);
      taken_.emplace(arrival, p);
    }
  }

  static bool within(const Segment& inner, const Segment& outer) {
    const auto outer_length = static_cast<std::int32_t>(outer.payload.size());
    const auto inner_length = static_cast<std::int32_t>(inner.payload.size());
    return inner_length != outer_length && inner_length > 0 && inner.seq - outer.seq >= 0 &&
           (inner.seq - outer.seq) + inner_length <= outer_length;
  }

  // An arrival without a departure: its sender was not observed, or it is a second copy.
  void add_stray(std::size_t arrival) {
    const auto order = 2 * static_cast<std::int64_t>(arrival);
    const LadderSide from = sender_of(arrival);
    conversation_.passages.push_back(
        {.from = from,
         .received = arrival,
         .departs = order,
         .arrives = order,
         .departed = when(arrival),
         .arrived = when(arrival),
         .fate = conversation_.observed[index_of(from)] ? Fate::copied : Fate::arrived});
  }

  const Recording& recording_;
  Conversation& conversation_;
  std::vector<std::size_t> arrivals_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> departures_;
  std::unordered_map<std::size_t, std::size_t> taken_;  // arrival -> passage
};

// To an end nobody observed everything arrives at once, unless what it says next shows that it had
// not seen a FIN yet: then that FIN arrives just before the first segment that acknowledges it.
void assume_arrival(const Recording& recording, const Conversation& conversation,
                    Passage& passage) {
  passage.arrives = passage.departs;
  passage.arrived = passage.departed;
  const Segment& segment = *segment_of(recording.records[passage.sent]);
  if (!segment.flags.fin()) return;
  bool crossed = false;
  for (std::size_t i = passage.sent + 1; i < recording.records.size(); ++i) {
    const Record& record = recording.records[i];
    const Segment* said = segment_of(record);
    if (!said || is_departure(record) || !said->flags.ack()) continue;
    if (side_of(conversation, record) != passage.from) continue;
    if (said->ack - (segment.seq + segment.length()) < 0) {
      crossed = true;
      continue;
    }
    if (!crossed) return;
    passage.arrives = 2 * static_cast<std::int64_t>(i) - 1;
    passage.arrived = record.when;
    passage.slanted = true;
    return;
  }
}

// What was sent behind such a FIN does not overtake it, nor the peer's answer to it.
void assume_order(const Passage& slowest, Passage& passage) {
  if (passage.arrives > slowest.arrives) return;
  passage.arrives = slowest.arrives + 2;
  passage.arrived = slowest.arrived;
  passage.slanted = true;
}

void settle_fates(const Recording& recording, Conversation& conversation) {
  const Instant end = recording.records.back().when;
  const Passage* slowest = nullptr;  // to an end nobody observed; only one end can be such
  for (Passage& passage : conversation.passages) {
    if (passage.received != kNoRecord) continue;
    if (!conversation.observed[index_of(other(passage.from))]) {
      assume_arrival(recording, conversation, passage);
      if (slowest) assume_order(*slowest, passage);
      if (passage.slanted && !slowest) slowest = &passage;
      continue;
    }
    const bool time_left = passage.departed + conversation.transit.value_or(Duration{0}) <= end;
    passage.fate = time_left ? Fate::lost : Fate::under_way;
  }
}

void name_ends(const Recording& recording, const LadderOptions& options,
               Conversation& conversation) {
  for (const Record& record : recording.records) {
    const FourTuple* flow = flow_of(record);
    if (!flow) continue;
    for (const LadderSide side : {LadderSide::left, LadderSide::right}) {
      const FourTuple own =
          side == LadderSide::left ? conversation.flow : reversed(conversation.flow);
      if (*flow != own || conversation.observed[index_of(side)]) continue;
      conversation.observed[index_of(side)] = true;
      conversation.ends[index_of(side)] = record.end;
    }
  }
  for (const LadderSide side : {LadderSide::left, LadderSide::right}) {
    std::size_t& end = conversation.ends[index_of(side)];
    const std::size_t peer = conversation.ends[index_of(other(side))];
    // Attached, but nothing of this connection ever reached it.
    if (end == kNoRecord && recording.ends.size() > 1) end = peer == 0 ? 1 : 0;
    if (end != kNoRecord) conversation.observed[index_of(side)] = true;
    conversation.names[index_of(side)] =
        end < recording.ends.size() ? recording.ends[end] : options.unobserved_name;
  }
}

std::optional<FourTuple> first_flow(const Recording& recording) {
  for (const Record& record : recording.records)
    if (segment_of(record))
      return is_departure(record) ? *flow_of(record) : reversed(*flow_of(record));
  return std::nullopt;
}

}  // namespace

const FourTuple* flow_of(const Record& record) {
  const TraceEvent* event = event_of(record);
  if (!event) return nullptr;
  return std::visit(
      [](const auto& alternative) -> const FourTuple* {
        if constexpr (requires { alternative.flow; })
          return &alternative.flow;
        else
          return nullptr;
      },
      *event);
}

const Segment* segment_of(const Record& record) {
  const TraceEvent* event = event_of(record);
  if (!event) return nullptr;
  if (const auto* sent = std::get_if<SegmentSent>(event)) return &sent->segment;
  if (const auto* received = std::get_if<SegmentReceived>(event)) return &received->segment;
  return nullptr;
}

FourTuple reversed(const FourTuple& flow) {
  return {flow.remote_address, flow.local_address, flow.remote_port, flow.local_port};
}

std::optional<LadderSide> side_of(const Conversation& conversation, const Record& record) {
  if (const FourTuple* flow = flow_of(record)) {
    if (*flow == conversation.flow) return LadderSide::left;
    if (*flow == reversed(conversation.flow)) return LadderSide::right;
    return std::nullopt;
  }
  if (!std::holds_alternative<Note>(record.what)) return std::nullopt;
  return record.end == conversation.ends[1] ? LadderSide::right : LadderSide::left;
}

std::optional<Conversation> join(const Recording& recording, const LadderOptions& options) {
  const auto flow = options.flow ? options.flow : first_flow(recording);
  if (!flow) return std::nullopt;
  Conversation conversation{.flow = *flow};
  name_ends(recording, options, conversation);
  Matcher(recording, conversation).run();
  if (conversation.passages.empty()) return std::nullopt;
  settle_fates(recording, conversation);
  std::ranges::stable_sort(conversation.passages, std::less<>{}, &Passage::departs);
  mark_slanted(recording, conversation);
  return conversation;
}

}  // namespace estab::trace
