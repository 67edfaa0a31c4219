#include "tcp/loss/scoreboard.h"

#include <algorithm>

#include "base/hasher.h"

namespace estab::tcp::loss {

// ---- the slab

void Scoreboard::make_room(std::uint32_t records) {
  const std::size_t needed = std::size_t{used_} + records;
  if (needed > records_.capacity())
    records_.reserve(std::max<std::size_t>(records_.capacity() * 2, needed));
  sendings_.make_room();
}

RecordId Scoreboard::take() {
  base::ensure(used_ < records_.capacity());  // make_room() was called
  ++used_;
  if (free_ == kNoRecord) {
    records_.emplace_back();
    return static_cast<RecordId>(records_.size() - 1);
  }
  const RecordId id = free_;
  free_ = at(id).next;
  return id;
}

void Scoreboard::give(RecordId id) {
  at(id).next = free_;
  free_ = id;
  --used_;
}

void Scoreboard::trim() {
  if (!empty()) return;
  *this = Scoreboard();
  sendings_.shrink();
}

// ---- the lists

void Scoreboard::link_behind(List& list, RecordId before, RecordId id) {
  Transmission& record = at(id);
  record.before = before;
  record.behind = before == kNoRecord ? list.head : at(before).behind;
  (record.before == kNoRecord ? list.head : at(record.before).behind) = id;
  (record.behind == kNoRecord ? list.tail : at(record.behind).before) = id;
}

void Scoreboard::unlink(List& list, RecordId id) {
  const Transmission& record = at(id);
  (record.before == kNoRecord ? list.head : at(record.before).behind) = record.behind;
  (record.behind == kNoRecord ? list.tail : at(record.behind).before) = record.before;
}

// Halves find the sending; the records of one sending are few, and gone through one by one.
RecordId Scoreboard::find(StreamOffset offset) const {
  std::size_t low = 0, high = sendings_.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (records_[sendings_[middle]].begin <= offset ? low : high) = middle;
  }
  RecordId id = sendings_[low];
  while (records_[id].end() <= offset && records_[id].next != kNoRecord) id = records_[id].next;
  return id;
}

// Each that is passed learns what lies two further on: a walk through many is not made twice.
RecordId Scoreboard::skip_sacked(RecordId id) {
  const auto on_from = [&](RecordId from) {
    return at(from).behind == kNoRecord ? at(from).next : at(from).behind;
  };
  while (id != kNoRecord && at(id).state == State::sacked) {
    const RecordId on = on_from(id);
    if (on != kNoRecord && at(on).state == State::sacked) at(id).behind = on_from(on);
    id = on;
  }
  return id;
}

void Scoreboard::drop_first() {
  const RecordId gone = first_;
  first_ = at(gone).next;
  give(gone);
  if (first_ == kNoRecord) {
    last_ = kNoRecord;
    sendings_.clear();
  } else if (sendings_.size() > 1 && sendings_[1] == first_) {
    sendings_.drop_front();
  } else {
    sendings_.front() = first_;  // the rest of one sending
  }
}

RecordId Scoreboard::split(RecordId id, StreamOffset offset) {
  const RecordId made = take();
  Transmission& front = at(id);
  Transmission& back = at(made);
  back = front;
  back.begin = offset;
  front.length = static_cast<std::uint32_t>(offset - front.begin);
  back.length -= front.length;
  front.next = made;
  if (last_ == id) last_ = made;
  link_behind(list_of(front.state), id, made);
  return made;
}

// ---- sums

void Scoreboard::count_out(const Transmission& record, std::uint32_t octets) {
  switch (record.state) {
    case State::in_flight:
      in_flight_ -= octets;
      if (record.sent_twice()) repeated_ -= octets;
      return;
    case State::lost:
      lost_ -= octets;
      return;
    case State::sacked: {
      const std::uint32_t left = record.length - octets;
      sacked_ -= octets;
      sacked_segments_ -=
          record.segments() - (left + record.segment_size - 1) / record.segment_size;
      return;
    }
  }
}

// ---- sending

void Scoreboard::add(StreamOffset begin, std::uint32_t length, const Sending& sending) {
  base::ensure(length > 0 && sending.segment_size > 0 && (empty() || at(last_).end() == begin));
  const RecordId id = take();
  Transmission& record = at(id);
  record.begin = begin;
  record.sent_at = sending.now;
  record.set_snapshot(sending.snapshot);
  record.length = length;
  record.next = kNoRecord;
  record.segment_size = sending.segment_size;
  record.repeats = 0;
  record.state = State::in_flight;
  (last_ == kNoRecord ? first_ : at(last_).next) = id;
  last_ = id;
  sendings_.push_back(id);
  link_tail(flying_, id);
  in_flight_ += length;
}

void Scoreboard::send_again(OctetRange range, const Sending& sending) {
  RecordId id = find(range.begin);
  if (at(id).begin < range.begin && at(id).state != State::sacked) id = split(id, range.begin);
  while (id != kNoRecord && at(id).begin < range.end) {
    if (at(id).state == State::sacked) {
      id = skip_sacked(id);
      continue;
    }
    if (at(id).end() > range.end) (void)split(id, range.end);
    Transmission& record = at(id);
    count_out(record, record.length);
    unlink(list_of(record.state), id);
    record.state = State::in_flight;
    record.sent_at = sending.now;
    record.segment_size = sending.segment_size;
    record.set_snapshot(sending.snapshot);
    if (record.repeats < 255) ++record.repeats;
    link_tail(flying_, id);
    in_flight_ += record.length;
    repeated_ += record.length;
    id = record.next;
  }
}

std::optional<OctetRange> Scoreboard::next_lost(std::uint32_t most) const {
  if (missing_.head == kNoRecord) return std::nullopt;
  RecordId id = missing_.head;
  const StreamOffset begin = records_[id].begin, limit = begin + most;
  StreamOffset end = begin;
  while (id != kNoRecord && records_[id].state == State::lost && end < limit) {
    end = records_[id].end();
    id = records_[id].next;
  }
  return OctetRange{begin, std::min(end, limit)};
}

OctetRange Scoreboard::tail(std::uint32_t most) const {
  const Transmission& record = records_[last_];
  const std::uint32_t size = std::min<std::uint32_t>(record.segment_size, most);
  const std::uint32_t before = record.length > 1 ? (record.length - 1) / size * size : 0;
  return {record.begin + before, record.end()};
}

// ---- SACK

void Scoreboard::mark_sacked(RecordId id) {
  Transmission& record = at(id);
  count_out(record, record.length);
  unlink(list_of(record.state), id);
  record.state = State::sacked;
  record.behind = kNoRecord;  // what follows it, so far
  sacked_ += record.length;
  sacked_segments_ += record.segments();
}

RecordId Scoreboard::cut_out(RecordId id, OctetRange block, std::uint32_t limit) {
  const Transmission& record = at(id);
  const std::int64_t size = record.segment_size;
  const std::int64_t skipped = std::max<std::int64_t>(block.begin - record.begin, 0);
  const StreamOffset begin = record.begin + (skipped + size - 1) / size * size;
  StreamOffset end = record.end();
  if (block.end < end) end = record.begin + (block.end - record.begin) / size * size;
  if (begin >= end) return kNoRecord;
  const std::uint32_t more = (begin > record.begin ? 1u : 0u) + (end < record.end() ? 1u : 0u);
  if (more > 0 && limit < used_ + more) return kNoRecord;
  if (begin > record.begin) id = split(id, begin);
  if (end < at(id).end()) (void)split(id, end);
  return id;
}

// RFC 2018 §8. They have been away long enough to count as the oldest.
void Scoreboard::forget_sacks() {
  RecordId before = kNoRecord;
  for (RecordId id = first_; id != kNoRecord; id = at(id).next) {
    Transmission& record = at(id);
    if (record.state != State::sacked) continue;
    count_out(record, record.length);
    record.state = State::in_flight;
    link_behind(flying_, before, id);
    in_flight_ += record.length;
    if (record.sent_twice()) repeated_ += record.length;
    before = id;
  }
}

// ---- losses

// In the order of octets as far as that costs nothing: a run that goes on where the last one found
// ended stands behind it, one beyond all others at the end, and what was sent longest ago first.
RecordId Scoreboard::place_among_lost(RecordId id, RecordId latest) const {
  const StreamOffset begin = records_[id].begin;
  const auto is_below = [&](RecordId other) {
    return other != kNoRecord && records_[other].begin < begin;
  };
  if (is_below(missing_.tail)) return missing_.tail;
  if (is_below(latest) && !is_below(records_[latest].behind)) return latest;
  return kNoRecord;
}

void Scoreboard::lose_record(RecordId id, RecordId behind) {
  Transmission& record = at(id);
  count_out(record, record.length);
  unlink(flying_, id);
  record.state = State::lost;
  link_behind(missing_, behind, id);
  lost_ += record.length;
}

// Both lists are in the order of their times, or nearly: they are merged.
void Scoreboard::restore_lost() {
  RecordId before = kNoRecord, flying = flying_.head;
  for (RecordId id = missing_.head; id != kNoRecord;) {
    Transmission& record = at(id);
    const RecordId on = record.behind;
    while (flying != kNoRecord && at(flying).sent_at < record.sent_at) {
      before = flying;
      flying = at(flying).behind;
    }
    count_out(record, record.length);
    record.state = State::in_flight;
    link_behind(flying_, before, id);
    in_flight_ += record.length;
    if (record.sent_twice()) repeated_ += record.length;
    before = id;
    id = on;
  }
  missing_ = {};
}

// ---- the value

bool operator==(const Scoreboard& a, const Scoreboard& b) {
  if (a.used_ != b.used_) return false;
  for (RecordId i = a.first_, j = b.first_; i != kNoRecord; i = a.records_[i].next) {
    const Transmission& x = a.records_[i];
    const Transmission& y = b.records_[j];
    const bool same = x.begin == y.begin && x.length == y.length && x.sent_at == y.sent_at &&
                      x.segment_size == y.segment_size && x.repeats == y.repeats &&
                      x.state == y.state && x.snapshot() == y.snapshot();
    if (!same) return false;
    j = b.records_[j].next;
  }
  return true;
}

void Scoreboard::hash_into(base::Hasher& hasher, const congestion::DeliveryRate* rate) const {
  hasher.add(used_);
  for_each([&](const Transmission& record) {
    hasher.add_all(record.length, record.segment_size, record.repeats, record.state);
    if (!rate) return;
    hasher.add(record.sent_at);
    rate->hash_into(hasher, record.snapshot());
  });
}

}  // namespace estab::tcp::loss
