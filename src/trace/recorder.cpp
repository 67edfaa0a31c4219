// Copies events out of a stack at work. Law: a record's views point into the
// record's own `kept`, which moves along with it (a moved vector keeps its storage).
#include "estab/recorder.h"

#include <utility>

namespace estab {

namespace {

// What a view in the event points to; at most one member of an event is a view.
Octets viewed(const TraceEvent& event) {
  if (const auto* sent = std::get_if<SegmentSent>(&event)) return sent->segment.payload;
  if (const auto* received = std::get_if<SegmentReceived>(&event)) return received->segment.payload;
  if (const auto* change = std::get_if<CongestionChanged>(&event)) return as_octets(change->phase);
  return {};
}

void point_to(TraceEvent& event, Octets kept) {
  if (auto* sent = std::get_if<SegmentSent>(&event)) sent->segment.payload = kept;
  if (auto* received = std::get_if<SegmentReceived>(&event)) received->segment.payload = kept;
  if (auto* change = std::get_if<CongestionChanged>(&event)) change->phase = as_text(kept);
}

}  // namespace

class Recorder::End final : public Observer {
 public:
  End(Recorder& recorder, std::size_t index) : recorder_(recorder), index_(index) {}
  void on_trace(Instant now, const TraceEvent& event) override {
    recorder_.keep(now, index_, event);
  }

 private:
  Recorder& recorder_;
  std::size_t index_;
};

Recorder::Recorder(const RecorderLimits& limits) : limits_(limits) {}
Recorder::~Recorder() = default;

Observer& Recorder::add_end(std::string name) {
  recording_.ends.push_back(std::move(name));
  ends_.push_back(std::make_unique<End>(*this, ends_.size()));
  return *ends_.back();
}

void Recorder::note(Instant now, std::size_t end, std::string text) {
  if (!has_room(text.size())) return;
  octets_ += text.size();
  Record record;
  record.when = now;
  record.end = end;
  record.what = Note{std::move(text)};
  recording_.records.push_back(std::move(record));
}

void Recorder::clear() {
  recording_.records.clear();
  recording_.left_out = 0;
  octets_ = 0;
}

// Once something has been left out, so is everything after it: a recording is cut off, it has no
// gaps.
bool Recorder::has_room(std::size_t octets) {
  const bool room = recording_.left_out == 0 && recording_.records.size() < limits_.records &&
                    octets <= limits_.octets - octets_;
  if (!room) ++recording_.left_out;
  return room;
}

void Recorder::keep(Instant now, std::size_t end, const TraceEvent& event) {
  const Octets view = viewed(event);
  if (!has_room(view.size())) return;
  octets_ += view.size();
  Record record;
  record.when = now;
  record.end = end;
  record.kept.assign(view.begin(), view.end());
  TraceEvent copy = event;
  point_to(copy, record.kept);
  record.what = copy;
  recording_.records.push_back(std::move(record));
}

}  // namespace estab
