// Scoreboard: every transmission that is not acknowledged yet, and what became of it (RFC 2018 §5,
// RFC 6675 §3, RFC 8985 §5.2). It knows octets, times and states; what counts as lost is decided
// elsewhere (rack.h, recovery.h).
//
// Laws. The records cover SND.UNA to SND.NXT without gap or overlap. A super-segment is one record,
// split only at the edges of its segments, where a SACK or a retransmission makes a difference.
// in_flight() is RFC 6675's pipe: octets that were neither SACKed nor taken for lost since they
// were last sent.
//
// What an ACK costs is bounded by what it says that is new, plus a logarithm for each of its
// blocks, whatever a peer makes up. For this
//   - records stand in a slab and are linked in the order of octets, so that a split moves nothing;
//     beside them the first record of each sending is kept in a ring that can be searched by
//     halves;
//   - those in flight are linked in the order they were sent: RACK looks at its head alone;
//   - those lost are linked in the order they go out again;
//   - from one that is SACKed leads a shortcut past its SACKed neighbours, made shorter by each
//     that follows it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ensure.h"
#include "base/ring.h"
#include "tcp/loss/transmission.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::loss {

/// A run of octets: [begin, end).
struct OctetRange {
  StreamOffset begin, end;
  std::uint32_t length() const { return static_cast<std::uint32_t>(end - begin); }
  friend bool operator==(const OctetRange&, const OctetRange&) = default;
};

/// Octets of a record that an acknowledgement delivers for the first time.
struct Delivery {
  const Transmission& record;  ///< as it was before
  StreamOffset end;            ///< behind the last of them
  std::uint32_t octets;
};

/// What a sending is recorded with.
struct Sending {
  Instant now;
  std::uint16_t segment_size;
  congestion::DeliverySnapshot snapshot;
};

class Scoreboard {
 public:
  using State = Transmission::State;

  // ---- sums, in octets unless they say otherwise
  bool empty() const { return first_ == kNoRecord; }
  // [RFC 6675 4-3, 5-8]
  std::uint32_t in_flight() const { return in_flight_; }
  std::uint32_t lost() const { return lost_; }
  std::uint32_t sacked() const { return sacked_; }
  std::uint32_t sacked_segments() const { return sacked_segments_; }
  /// Sent more than once, and in flight.
  std::uint32_t repeated() const { return repeated_; }
  std::uint32_t records() const { return used_; }
  bool has_room(std::uint32_t limit) const { return used_ < limit; }

  // ---- sending
  /// Octets behind all that was sent before.
  void add(StreamOffset begin, std::uint32_t length, const Sending& sending);
  /// Octets that were sent before, lost or not, go once more. What is SACKed among them stays so.
  void send_again(OctetRange range, const Sending& sending);
  /// What is lost and goes next: a run of at most `most` octets.
  std::optional<OctetRange> next_lost(std::uint32_t most) const;
  /// Why, of the first of these.
  LossRule rule_of_next_lost() const { return records_[missing_.head].rule; }
  /// The last segment that was sent, as a tail loss probe repeats it: at most `most` octets.
  OctetRange tail(std::uint32_t most) const;
  /// So many records may be made without asking for memory: for a sending two at most, for an ACK
  /// two for each of its blocks.
  void make_room(std::uint32_t records);

  // ---- acknowledgements: `deliver(const Delivery&)` is called for what they deliver
  template <class Deliver>
  void acknowledge(StreamOffset una, Deliver&& deliver);
  // [RFC 6675 5.1-3, 5.1-7]
  /// A SACK block, already known to lie between SND.UNA and SND.NXT. Only whole segments count: the
  /// rest of one that is SACKed in part has to go again anyway. Splits no more than `limit` records
  /// allow.
  template <class Deliver>
  void sack(OctetRange block, std::uint32_t limit, Deliver&& deliver);

  // ---- losses: `lose(Transmission&)` is called for what is newly taken for lost; it may note why
  /// Goes through those in flight in the order they were sent, as far as `is_lost` says so.
  template <class IsLost, class Lose>
  void detect(IsLost&& is_lost, Lose&& lose);
  /// Goes through all that are in flight, in the order of their octets.
  template <class IsLost, class Lose>
  void mark_lost(IsLost&& is_lost, Lose&& lose);
  /// The first segment that is not acknowledged, unless it is SACKed or lost.
  template <class Lose>
  void lose_first(std::uint32_t limit, Lose&& lose);
  /// Nothing of what is to be sent again was lost: it is in flight.
  void restore_lost();
  /// The peer has dropped what it had SACKed (RFC 2018 §8): all of that is in flight again.
  void forget_sacks();

  // ---- getters
  const Transmission* first() const { return empty() ? nullptr : &records_[first_]; }
  const Transmission* last() const { return empty() ? nullptr : &records_[last_]; }
  /// In flight, and sent before all others that are.
  const Transmission* oldest() const {
    return flying_.head == kNoRecord ? nullptr : &records_[flying_.head];
  }
  /// What the peer waits for it has SACKed before: it has dropped it (RFC 2018 §8).
  bool has_reneged() const { return !empty() && first()->state == State::sacked; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (RecordId id = first_; id != kNoRecord; id = records_[id].next) visit(records_[id]);
  }

  /// Gives the storage of an empty scoreboard back.
  void trim();
  std::size_t memory() const {
    return records_.capacity() * sizeof(Transmission) + sendings_.memory();
  }
  friend bool operator==(const Scoreboard& a, const Scoreboard& b);
  /// With `rate`: when each was sent, and what was known then, count too.
  void hash_into(base::Hasher& hasher, const congestion::DeliveryRate* rate) const;

 private:
  struct List {
    RecordId head = kNoRecord, tail = kNoRecord;
  };

  Transmission& at(RecordId id) { return records_[id]; }
  List& list_of(State state) { return state == State::lost ? missing_ : flying_; }

  RecordId take();
  void give(RecordId id);
  void link_behind(List& list, RecordId before, RecordId id);
  void link_tail(List& list, RecordId id) { link_behind(list, list.tail, id); }
  void unlink(List& list, RecordId id);
  /// The record that holds this octet.
  RecordId find(StreamOffset offset) const;
  /// The first at or behind `id` that is not SACKed.
  RecordId skip_sacked(RecordId id);
  /// Cuts a record in two; the new one begins at `offset`.
  RecordId split(RecordId id, StreamOffset offset);
  void drop_first();
  /// Where among the lost a record goes that is found to be one; `latest` was found before it.
  RecordId place_among_lost(RecordId id, RecordId latest) const;
  void lose_record(RecordId id, RecordId behind);
  void mark_sacked(RecordId id);
  void count_out(const Transmission& record, std::uint32_t octets);
  /// What of the block are whole segments of the record; splits it if it has to. Nothing: none.
  RecordId cut_out(RecordId id, OctetRange block, std::uint32_t limit);
  template <class Deliver>
  void deliver_front(StreamOffset una, Deliver&& deliver);

  std::vector<Transmission> records_;  // a slab: those not in use are linked from free_
  base::Ring<RecordId> sendings_;      // the first record of each sending that is not acknowledged
  List flying_;                        // in flight, in the order of their sending
  List missing_;                       // lost, in the order they go again
  RecordId first_ = kNoRecord, last_ = kNoRecord, free_ = kNoRecord;
  std::uint32_t used_ = 0;
  std::uint32_t in_flight_ = 0, lost_ = 0, sacked_ = 0, sacked_segments_ = 0, repeated_ = 0;
};

template <class Deliver>
void Scoreboard::acknowledge(StreamOffset una, Deliver&& deliver) {
  while (first_ != kNoRecord) {
    const Transmission& record = at(first_);
    if (record.begin >= una) return;
    if (record.end() > una) return deliver_front(una, deliver);
    if (record.state != State::sacked) {
      deliver(Delivery{record, record.end(), record.length});
      unlink(list_of(record.state), first_);
    }
    count_out(record, record.length);
    drop_first();
  }
}

// A part of the first record: the rest is as it was.
template <class Deliver>
void Scoreboard::deliver_front(StreamOffset una, Deliver&& deliver) {
  Transmission& record = at(first_);
  const auto octets = static_cast<std::uint32_t>(una - record.begin);
  if (record.state != State::sacked) deliver(Delivery{record, una, octets});
  count_out(record, octets);
  record.begin = una;
  record.length -= octets;
}

template <class Deliver>
void Scoreboard::sack(OctetRange block, std::uint32_t limit, Deliver&& deliver) {
  if (empty() || block.begin >= block.end) return;
  RecordId id = skip_sacked(find(block.begin));
  while (id != kNoRecord && at(id).begin < block.end) {
    const RecordId covered = cut_out(id, block, limit);
    if (covered == kNoRecord) {
      id = skip_sacked(at(id).next);
      continue;
    }
    const Transmission& record = at(covered);
    deliver(Delivery{record, record.end(), record.length});
    mark_sacked(covered);
    id = skip_sacked(record.next);
  }
}

template <class IsLost, class Lose>
void Scoreboard::detect(IsLost&& is_lost, Lose&& lose) {
  RecordId latest = kNoRecord;
  while (flying_.head != kNoRecord) {
    const RecordId id = flying_.head;
    if (!is_lost(at(id))) return;
    lose_record(id, place_among_lost(id, latest));
    lose(at(id));
    latest = id;
  }
}

template <class IsLost, class Lose>
void Scoreboard::mark_lost(IsLost&& is_lost, Lose&& lose) {
  missing_ = {};
  for (RecordId id = skip_sacked(first_); id != kNoRecord; id = skip_sacked(at(id).next)) {
    if (at(id).state == State::lost) {
      link_tail(missing_, id);
    } else if (is_lost(at(id))) {
      lose_record(id, missing_.tail);
      lose(at(id));
    }
  }
}

template <class Lose>
void Scoreboard::lose_first(std::uint32_t limit, Lose&& lose) {
  if (empty() || at(first_).state != State::in_flight) return;
  const Transmission& record = at(first_);
  const StreamOffset edge = record.begin + record.segment_size;
  // With no room for a split all of it counts as lost.
  if (record.end() > edge + 1 && has_room(limit)) (void)split(first_, edge);
  lose_record(first_, kNoRecord);
  lose(at(first_));
}

}  // namespace estab::tcp::loss
