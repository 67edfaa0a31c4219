// Builds a Ladder from a Recording: walks through departures, arrivals and other moments in the
// order they happened, keeping the state of each side, and asks explain.h for the words.
#include "estab/ladder.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "estab/notation.h"

#include "trace/explain.h"
#include "trace/ladder_facts.h"
#include "trace/ladder_join.h"
#include "trace/ladder_state.h"

namespace estab {

namespace {

using trace::Conversation;
using trace::kNoRecord;
using trace::kNowhere;
using trace::Passage;

template <class Alternative>
const Alternative* as(const Record& record) {
  const auto* event = std::get_if<TraceEvent>(&record.what);
  return event ? std::get_if<Alternative>(event) : nullptr;
}

void append(std::string& text, const std::string& more, std::string_view between) {
  if (!text.empty() && !more.empty()) text += between;
  text += more;
}

class Builder {
 public:
  Builder(const Recording& recording, const LadderOptions& options,
          const Conversation& conversation)
      : recording_(recording), options_(options), conversation_(conversation) {}

  Ladder build() {
    find_first_states();
    std::multimap<std::int64_t, std::function<void()>> steps;
    for (std::size_t i = 0; i < recording_.records.size(); ++i) add_moment_step(i, steps);
    for (std::size_t p = 0; p < conversation_.passages.size(); ++p) add_passage_steps(p, steps);
    for (const auto& [order, step] : steps) step();
    return finish();
  }

 private:
  using Steps = std::multimap<std::int64_t, std::function<void()>>;

  State& state(LadderSide side) { return states_[index_of(side)]; }
  bool observed(LadderSide side) const { return conversation_.observed[index_of(side)]; }
  const std::string& name_of(LadderSide side) const { return conversation_.names[index_of(side)]; }
  const Segment& segment_of(const Passage& passage) const {
    const std::size_t index = passage.sent != kNoRecord ? passage.sent : passage.received;
    return *trace::segment_of(recording_.records[index]);
  }

  void add_passage_steps(std::size_t p, Steps& steps) {
    const Passage& passage = conversation_.passages[p];
    steps.emplace(passage.departs, [this, p] { depart(p); });
    if (passage.arrives != kNowhere) steps.emplace(passage.arrives, [this, p] { arrive(p); });
  }

  void add_moment_step(std::size_t i, Steps& steps) {
    const Record& record = recording_.records[i];
    if (trace::segment_of(record)) return;
    const auto side = trace::side_of(conversation_, record);
    if (!side) return;
    steps.emplace(2 * static_cast<std::int64_t>(i), [this, i, side] { moment(i, *side); });
  }

  // What each side was before the first thing it did.
  void find_first_states() {
    for (const LadderSide side : {LadderSide::left, LadderSide::right}) {
      const State first = observed(side) ? first_observed(side) : first_apparent(side);
      states_[index_of(side)] = ladder_.ends[index_of(side)].first = first;
      trackers_[index_of(side)] = trace::StateTracker(first);
    }
  }

  State first_observed(LadderSide side) const {
    for (const Record& record : recording_.records) {
      if (trace::side_of(conversation_, record) != side) continue;
      if (const auto* received = as<SegmentReceived>(record)) return received->before;
      if (const auto* change = as<StateChanged>(record)) return change->from;
      if (const auto* sent = as<SegmentSent>(record))
        return sent->segment.flags.syn() ? State::closed : sent->state;
    }
    return State::closed;
  }

  // An end nobody observed listened if the first thing it says is a SYN-ACK, and was connected
  // already if it is anything but a SYN or a RST.
  State first_apparent(LadderSide side) const {
    for (const Passage& passage : conversation_.passages) {
      if (passage.from != side) continue;
      const TcpFlags flags = segment_of(passage).flags;
      if (flags.syn()) return flags.ack() ? State::listen : State::closed;
      return flags.rst() ? State::closed : State::established;
    }
    return State::closed;
  }

  void depart(std::size_t p) {
    const Passage& passage = conversation_.passages[p];
    const Segment& segment = segment_of(passage);
    LadderEvent event;
    event.from = passage.from;
    event.departed = passage.departed;
    event.departure_order = passage.departs;
    event.fate = passage.fate;
    event.slanted = passage.slanted;
    event.sender_before = state(passage.from);
    if (passage.fate != Fate::copied) note_departure(passage, segment, event);
    event.sender_after = state(passage.from);
    event.receiver_before = event.receiver_after = state(other(passage.from));

    if (passage.fate == Fate::copied)
      describe_copy(segment, event);
    else
      describe(passage, segment, event);
    if (passage.arrives == kNowhere) explain_end(passage, segment, event);
    event.states = states_;
    event_of_[p] = ladder_.events.size();
    ladder_.events.push_back(std::move(event));
  }

  void note_departure(const Passage& passage, const Segment& segment, LadderEvent& event) {
    if (passage.sent == kNoRecord) {
      auto& tracker = trackers_[index_of(passage.from)];
      tracker.sent(segment);
      state(passage.from) = tracker.state();
      return;
    }
    const auto* sent = as<SegmentSent>(recording_.records[passage.sent]);
    event.reason = sent->reason;
    state(passage.from) = sent->state;
  }

  void number(const Segment& segment, SeqNum base_seq, SeqNum base_ack, LadderEvent& event) const {
    event.segment = segment;
    event.segment.payload = {};
    event.payload_length = static_cast<std::uint32_t>(segment.payload.size());
    event.seq = segment.seq.value() - base_seq.value();
    event.ack = segment.flags.ack() ? segment.ack.value() - base_ack.value() : 0;
    event.notation = to_string(segment, base_seq, base_ack);
    Segment brief = segment;
    if (!segment.flags.syn()) brief.options.timestamps.reset();
    const std::string text = to_string(brief, base_seq, base_ack);
    const std::size_t bracket = text.find(" <");
    event.label = text.substr(0, bracket);
    if (bracket != std::string::npos) event.options = text.substr(bracket + 1);
  }

  void describe(const Passage& passage, const Segment& segment, LadderEvent& event) {
    trace::SegmentFacts facts = facts_.depart(passage.from, passage.departed, segment);
    facts.sender = name_of(passage.from);
    facts.receiver = name_of(other(passage.from));
    facts.reason = event.reason;
    facts.sender_before = event.sender_before;
    facts.sender_after = event.sender_after;
    facts.msl = options_.msl;
    facts.msl_remark = options_.msl_remark;
    number(segment, facts.isn, facts.peer_isn, event);
    const trace::Words words = trace::explain_departure(facts);
    event.text = words.text();
    event.rfc = words.rules();
    if (segment.flags.syn()) ladder_.ends[index_of(passage.from)].isn = segment.seq;
  }

  void describe_copy(const Segment& segment, LadderEvent& event) const {
    number(segment, facts_.isn(event.from).value_or(SeqNum{0}),
           facts_.isn(other(event.from)).value_or(SeqNum{0}), event);
  }

  void arrive(std::size_t p) {
    const Passage& passage = conversation_.passages[p];
    const Segment& segment = segment_of(passage);
    const LadderSide at = other(passage.from);
    LadderEvent& event = ladder_.events[event_of_.at(p)];
    event.arrived = passage.arrived;
    event.arrival_order = passage.arrives;
    event.receiver_before = state(at);
    facts_.arrive(at, segment);
    if (passage.received == kNoRecord) {
      auto& tracker = trackers_[index_of(at)];
      tracker.received(segment);
      state(at) = tracker.state();
    } else {
      const auto* received = as<SegmentReceived>(recording_.records[passage.received]);
      event.receiver_before = received->before;
      event.verdict = received->verdict;
      state(at) = after_arrival(*received);
    }
    event.receiver_after = state(at);
    event.states = states_;
    explain_end(passage, segment, event);
  }

  // A pair of endpoints whose connection has ended is LISTEN again if somebody listens there; of
  // the connection it is said that it is CLOSED.
  static State after_arrival(const SegmentReceived& received) {
    const bool ended = is_synchronized(received.before) && received.after == State::listen;
    return ended ? State::closed : received.after;
  }

  void explain_end(const Passage& passage, const Segment& segment, LadderEvent& event) const {
    trace::ArrivalFacts facts;
    facts.sender = name_of(passage.from);
    facts.receiver = name_of(other(passage.from));
    facts.segment = segment;
    facts.fate = passage.fate;
    facts.verdict = event.verdict;
    facts.before = event.receiver_before;
    facts.after = event.receiver_after;
    if (passage.sent != kNoRecord && passage.received != kNoRecord)
      facts.took = passage.arrived - passage.departed;
    facts.usual = conversation_.transit;
    facts.msl = options_.msl;
    facts.msl_remark = options_.msl_remark;
    const trace::Words words = trace::explain_arrival(facts);
    event.on_arrival = words.text();
    append(event.rfc, words.rules(), ", ");
  }

  // With a real clock the FIN that a close gives rise to goes out a little later.
  bool followed_by_segment(std::size_t i, LadderSide side, const StateChanged& change) const {
    constexpr Duration kSoon = std::chrono::milliseconds(5);
    const auto& records = recording_.records;
    for (std::size_t k = i + 1; k < records.size() && records[k].when - records[i].when < kSoon;
         ++k) {
      if (trace::side_of(conversation_, records[k]) != side) continue;
      if (as<SegmentReceived>(records[k]) || as<StateChanged>(records[k])) return false;
      if (const auto* sent = as<SegmentSent>(records[k])) return sent->state == change.to;
    }
    return false;
  }

  // A change of state that a segment of the same instant brings about needs no line of its own.
  bool told_by_segment(std::size_t i, LadderSide side, const StateChanged& change) const {
    const Instant when = recording_.records[i].when;
    const auto tells = [&](const Record& record) {
      if (record.when != when || trace::side_of(conversation_, record) != side) return false;
      if (const auto* received = as<SegmentReceived>(record))
        return received->before != received->after;
      const auto* sent = as<SegmentSent>(record);
      const auto* failed = as<ConnectionFailed>(record);
      return (sent && sent->state == change.to) || (failed && change.to == State::closed);
    };
    const auto& records = recording_.records;
    if (followed_by_segment(i, side, change)) return true;
    for (std::size_t k = i; k > 0 && records[k - 1].when == when; --k)
      if (tells(records[k - 1])) return true;
    for (std::size_t k = i + 1; k < records.size() && records[k].when == when; ++k)
      if (tells(records[k])) return true;
    return false;
  }

  void moment(std::size_t i, LadderSide side) {
    const Record& record = recording_.records[i];
    LadderEvent event;
    event.kind = LadderEvent::Kind::moment;
    event.from = side;
    event.departed = record.when;
    event.departure_order = event.arrival_order = 2 * static_cast<std::int64_t>(i);
    event.sender_before = state(side);
    if (const auto* note = std::get_if<Note>(&record.what)) {
      event.text = note->text;
    } else if (!read_moment(i, side, event)) {
      return;
    }
    event.sender_after = state(side);
    event.states = states_;
    ladder_.events.push_back(std::move(event));
  }

  bool read_moment(std::size_t i, LadderSide side, LadderEvent& event) {
    const auto& what = std::get<TraceEvent>(recording_.records[i].what);
    const auto words = trace::explain_moment(name_of(side), what);
    if (!words) return false;
    if (const auto* change = std::get_if<StateChanged>(&what)) {
      if (change->to == state(side) || told_by_segment(i, side, *change)) return false;
      state(side) = change->to;
    }
    if (const auto* failed = std::get_if<ConnectionFailed>(&what)) {
      // What the application did itself it need not be told; its RST says it.
      if (failed->error == Error::connection_aborted) return false;
      state(side) = State::closed;
    }
    event.text = words->text();
    event.rfc = words->rules();
    return true;
  }

  Ladder finish() {
    const FourTuple& flow = conversation_.flow;
    for (const LadderSide side : {LadderSide::left, LadderSide::right}) {
      LadderEnd& end = ladder_.ends[index_of(side)];
      end.name = name_of(side);
      end.endpoint = side == LadderSide::left ? flow.local() : flow.remote();
      end.observed = observed(side);
      end.last = state(side);
    }
    ladder_.start = ladder_.events.front().departed;
    ladder_.transit = conversation_.transit;
    ladder_.left_out = recording_.left_out;
    return std::move(ladder_);
  }

  const Recording& recording_;
  const LadderOptions& options_;
  const Conversation& conversation_;
  Ladder ladder_;
  std::array<State, 2> states_{};
  std::array<trace::StateTracker, 2> trackers_;
  trace::FactTracker facts_;
  std::map<std::size_t, std::size_t> event_of_;  // passage -> event
};

}  // namespace

std::string_view name(Fate fate) {
  constexpr std::array<std::string_view, 4> kNames = {"arrived", "lost", "under_way", "copied"};
  return kNames[static_cast<std::size_t>(fate)];
}

std::optional<Ladder> make_ladder(const Recording& recording, const LadderOptions& options) {
  const auto conversation = trace::join(recording, options);
  if (!conversation) return std::nullopt;
  return Builder(recording, options, *conversation).build();
}

}  // namespace estab
