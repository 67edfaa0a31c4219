#include "trace/ladder_facts.h"

#include <algorithm>

namespace estab::trace {

SegmentFacts FactTracker::depart(LadderSide from, Instant when, const Segment& segment) {
  Direction& own = directions_[index_of(from)];
  Direction& peer = directions_[index_of(other(from))];
  learn_base(own, peer, segment);

  SegmentFacts facts;
  facts.segment = segment;
  facts.isn = own.isn.value_or(SeqNum{0});
  facts.peer_isn = peer.isn.value_or(SeqNum{0});
  facts.seq = segment.seq.value() - facts.isn.value();
  facts.ack = segment.flags.ack() ? segment.ack.value() - facts.peer_isn.value() : 0;
  facts.answers = own.last_arrived;
  facts.peer_offered = peer.offered;
  if (segment.flags.rst()) return facts;

  count_transmission(own, when, facts);
  if (segment.flags.syn()) {
    own.offered = segment.options;
    facts.after_own_syn = segment.flags.ack() && own.opened_actively;
    own.opened_actively = own.opened_actively || !segment.flags.ack();
  }
  if (segment.flags.fin()) own.fin_number = facts.fin_number();
  read_window(own, peer, facts);
  if (segment.flags.ack()) read_ack(own, peer, facts);
  return facts;
}

void FactTracker::arrive(LadderSide at, const Segment& segment) {
  Direction& own = directions_[index_of(at)];
  own.last_arrived = segment;
}

// A recording may begin in the middle of a connection: then the first number seen from a side
// counts as its first octet. A reset may carry arbitrary numbers, and teaches nothing.
void FactTracker::learn_base(Direction& own, Direction& peer, const Segment& segment) {
  if (segment.flags.syn()) {
    if (own.isn != segment.seq)
      own = Direction{.isn = segment.seq, .last_arrived = own.last_arrived};
    return;
  }
  if (segment.flags.rst()) return;
  if (!own.isn) own.isn = segment.seq - 1;
  if (!peer.isn && segment.flags.ack()) peer.isn = segment.ack - 1;
}

void FactTracker::count_transmission(Direction& own, Instant when, SegmentFacts& facts) {
  if (facts.segment.length() == 0) return;
  Sent& sent = own.sent[facts.seq];
  if (sent.times > 0) facts.since_last = when - sent.last;
  facts.transmission = ++sent.times;
  sent.last = when;
}

void FactTracker::read_ack(Direction& own, const Direction& peer, SegmentFacts& facts) {
  const std::uint32_t before = own.acked.value_or(0);
  facts.refuses_probe = facts.segment.window == 0 && facts.segment.length() == 0 &&
                        own.last_arrived && !own.last_arrived->payload.empty() &&
                        own.last_arrived->seq == facts.segment.ack;
  if (own.acked && facts.ack <= before) {
    const bool says_the_same =
        facts.segment.length() == 0 && facts.ack == before && facts.window == facts.window_before;
    own.same_acks = says_the_same ? own.same_acks + 1 : 0;
    facts.duplicate = own.same_acks;
    return;
  }
  own.same_acks = 0;
  own.acked = facts.ack;
  facts.acknowledged.syn = before == 0 && facts.ack >= 1;
  facts.acknowledged.fin = peer.fin_number && facts.ack == *peer.fin_number + 1;
  const std::uint32_t first = std::max(before, 1u);
  const std::uint32_t behind = facts.ack - (facts.acknowledged.fin ? 1 : 0);
  facts.acknowledged.octets = behind > first ? behind - first : 0;
}

// RFC 7323 §2.3: scaled by what this side's SYN said, if both said something; never on a SYN.
void FactTracker::read_window(Direction& own, const Direction& peer, SegmentFacts& facts) {
  facts.window_before = own.window;
  const bool both = own.offered && peer.offered;
  if (!both && !facts.segment.flags.syn()) return;
  const bool scaled = both && own.offered->window_scale && peer.offered->window_scale;
  const unsigned shift =
      scaled && !facts.segment.flags.syn() ? std::min<unsigned>(*own.offered->window_scale, 14) : 0;
  own.window = std::uint32_t{facts.segment.window} << shift;
  facts.window = own.window;
}

}  // namespace estab::trace
