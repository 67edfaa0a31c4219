#include "model/laws.h"

#include <initializer_list>

namespace estab::model {

namespace {

using Complaint = std::optional<std::string>;

bool match(const StreamRecord& x, const StreamRecord& y) {
  return x.open && y.open && x.iss == y.irs && x.irs == y.iss;
}
bool match(const FlowView& x, const FlowView& y) {
  return x.iss == y.irs && x.irs == y.iss;
}

/// The peer's stream that is the other end of this one.
const StreamRecord* partner(const StreamRecord& x, const Application& peer) {
  for (std::size_t i = peer.count; i-- > 0;)
    if (match(x, peer.streams[i])) return &peer.streams[i];
  return nullptr;
}

// ---- states

// Which states the other end of a connection may be in, from what each state says of both FINs (RFC
// 9293 §3.3.2): one that was received was sent, one that was acknowledged was received. In LAST-ACK
// the peer's FIN came before ours was sent, which cannot be so at both ends.
bool may_stand_against(State x, State y) {
  using enum State;
  const auto one_of = [y](std::initializer_list<State> states) {
    for (const State state : states)
      if (y == state) return true;
    return false;
  };
  switch (x) {
    case syn_sent:
      return one_of({syn_sent, syn_received});
    case syn_received:
      return one_of({syn_sent, syn_received, established, fin_wait_1});
    case established:
      return one_of({syn_received, established, fin_wait_1});
    case fin_wait_1:
      return one_of({syn_received, established, fin_wait_1, close_wait, closing, last_ack});
    case fin_wait_2:
      return one_of({close_wait, closing, last_ack});
    case close_wait:
      return one_of({fin_wait_1, fin_wait_2});
    case closing:
      return one_of({fin_wait_1, fin_wait_2, closing, last_ack, time_wait});
    case last_ack:
      return one_of({fin_wait_1, fin_wait_2, closing, time_wait});
    case time_wait:
      return one_of({closing, last_ack, time_wait});
    case closed:
    case listen:
      return true;
  }
  return false;
}

Complaint broken_by_states(const End& a, const End& b) {
  if (!a.facts.flow || !b.facts.flow) return std::nullopt;
  const FlowView& x = *a.facts.flow;
  const FlowView& y = *b.facts.flow;
  const bool both = is_synchronized(x.state) && is_synchronized(y.state);
  const std::string states =
      std::string(name(x.state)) + " at a, " + std::string(name(y.state)) + " at b";
  if (both && !match(x, y)) return states + ", and they do not know each other's ISN";
  if (both && !may_stand_against(x.state, y.state)) return states + " of one connection";
  return std::nullopt;
}

/// One end only has opened, or is still opening.
Complaint broken_by_opening(const End& x, const End& y) {
  if (!x.facts.flow || !y.facts.flow) return std::nullopt;
  const FlowView& opening = *x.facts.flow;
  const FlowView& peer = *y.facts.flow;
  const bool one = opening.state == State::syn_received && is_synchronized(peer.state);
  if (one && match(opening, peer) && !may_stand_against(opening.state, peer.state))
    return "SYN-RECEIVED against " + std::string(name(peer.state));
  if (opening.state == State::syn_sent && is_synchronized(peer.state) && peer.irs == opening.iss)
    return "a peer is synchronised with a SYN whose sender has not heard of it";
  return std::nullopt;
}

// The TIME-WAIT record of the last stream against the other end.
Complaint broken_by_time_wait(const End& x, const End& y) {
  if (x.facts.records.time_wait == 0 || !y.facts.flow || !x.application.last()) return std::nullopt;
  const StreamRecord& stream = *x.application.last();
  const FlowView& peer = *y.facts.flow;
  if (!stream.open || stream.iss != peer.irs || stream.irs != peer.iss) return std::nullopt;
  if (may_stand_against(State::time_wait, peer.state)) return std::nullopt;
  return "TIME-WAIT against " + std::string(name(peer.state));
}

// ---- numbers

Complaint broken_by_numbers(const End& from, const End& to) {
  if (!from.facts.flow || !to.facts.flow) return std::nullopt;
  const FlowView& sender = *from.facts.flow;
  const FlowView& receiver = *to.facts.flow;
  const bool both = is_synchronized(sender.state) && is_synchronized(receiver.state);
  if (!both || !match(sender, receiver)) return std::nullopt;
  if (receiver.rcv_nxt > sender.max) return "RCV.NXT is beyond what the peer has sent";
  if (sender.una > receiver.rcv_nxt) return "SND.UNA is beyond what the peer has received";
  if (sender.max > receiver.edge + 1) return "more was sent than a window and a probe allow";
  return std::nullopt;
}

// ---- octets

Complaint broken_by_acknowledgement(const End& from, const End& to) {
  if (!from.facts.flow || !is_synchronized(from.facts.flow->state)) return std::nullopt;
  const StreamRecord* taker = partner(*from.application.last(), to.application);
  if (!taker || taker->aborted) return std::nullopt;
  std::int64_t delivered = taker->read;
  if (to.facts.flow && taker == to.application.last()) delivered += to.facts.flow->unread;
  if (from.facts.flow->acknowledged() > delivered) return "octets were acknowledged, and are lost";
  return std::nullopt;
}

// Each octet says whose it is (see octet_at); that they come in order is checked as they are read.
Complaint broken_by_octets(const End& from, const End& to) {
  std::uint8_t latest = 0;
  for (std::size_t i = 0; i < to.application.count; ++i) {
    const StreamRecord& taker = to.application.streams[i];
    if (taker.peer_ordinal == 0) continue;
    if (taker.peer_ordinal > from.application.count) return "octets of no stream were read";
    const StreamRecord& source = from.application.streams[taker.peer_ordinal - 1];
    if (taker.read > source.sent) return "more octets were read than were sent";
    if (taker.peer_ordinal <= latest) return "an earlier connection's octets were read again";
    latest = taker.peer_ordinal;
  }
  return std::nullopt;
}

Complaint broken_by_delivery(const End& from, const End& to) {
  for (std::size_t i = 0; i < to.application.count; ++i) {
    const StreamRecord& taker = to.application.streams[i];
    const StreamRecord* giver = partner(taker, from.application);
    if (!giver) continue;
    if (taker.ended && !giver->shut) return "an end was read that nobody made";
    if (taker.ended && taker.read != giver->sent)
      return "the end was read, but not every octet before it";
    const bool others =
        taker.peer_ordinal != 0 && giver != &from.application.streams[taker.peer_ordinal - 1];
    if (others) return "octets of another connection were read";
  }
  return std::nullopt;
}

// ---- openings and resets

Complaint broken_by_handshake(const End& x, const End& y) {
  for (std::size_t i = 0; i < x.application.count; ++i) {
    const StreamRecord& stream = x.application.streams[i];
    if (!stream.open || !stream.passive) continue;
    if (!partner(stream, y.application)) return "a connection was accepted that nobody opened";
  }
  return std::nullopt;
}

Complaint broken_by_reset(const End& x, const End& y) {
  for (std::size_t i = 0; i < x.application.count; ++i) {
    const StreamRecord& stream = x.application.streams[i];
    if (!stream.failure || !stream.open) continue;
    const StreamRecord* peer = partner(stream, y.application);
    if (!peer) continue;
    const bool its_doing = peer->aborted || peer->left || peer->failure;
    if (*stream.failure == Error::connection_reset && !its_doing)
      return "a connection was reset, and its peer has not let it go";
  }
  return std::nullopt;
}

}  // namespace

Complaint broken_law(const Bounds& bounds, const End& a, const End& b) {
  // Where ISNs repeat they do not tell connections apart; the octets still do.
  const bool isns_tell = !bounds.stack[0].quirks.fixed_isn && !bounds.stack[1].quirks.fixed_isn;
  for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (auto broken = broken_by_octets(*from, *to)) return broken;
  if (!isns_tell) return std::nullopt;
  if (auto broken = broken_by_states(a, b)) return broken;
  for (const auto& [x, y] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const auto law : {broken_by_opening, broken_by_time_wait, broken_by_numbers,
                           broken_by_acknowledgement, broken_by_delivery, broken_by_handshake})
      if (auto broken = law(*x, *y))
        return *broken + (x == &a ? " (from a to b)" : " (from b to a)");
    if (bounds.ends_by_silence) continue;
    if (auto broken = broken_by_reset(*x, *y)) return broken;
  }
  return std::nullopt;
}

}  // namespace estab::model
