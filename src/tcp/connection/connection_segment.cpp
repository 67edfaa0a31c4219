// Segment arrival (RFC 9293 §3.10.7.4) as modified by RFC 5961 and RFC 7323: eight checks, in
// order.

#include "tcp/connection/connection.h"

namespace estab::tcp {

Verdict Connection::on_segment(const Context& context, const Segment& segment,
                               const Carrier& carrier) {
  const Arrival arrival{
      segment, receiver_.offset_of(segment.seq),
      segment.flags.ack() ? sender_.space().offset_of(segment.ack) : StreamOffset(), carrier};
  ++segs_in_;
  const std::uint32_t cwnd = sender_.congestion().congestion_window();
  Verdict verdict = Verdict::predicted;
  if (config_->quirks.header_prediction && check_predicted(arrival, context.now)) {
    accept_predicted(context, arrival);
  } else {
    verdict = examine(context, arrival);
  }
  if (context.observer) trace_congestion(context, cwnd);
  return verdict;
}

void Connection::on_opened(const Context& context, const Segment& segment, const Carrier& carrier,
                           Answer answer) {
  if (!segment.flags.syn()) {
    (void)on_segment(context, segment, carrier);
  } else {
    // What AE, CWR and ECE of a SYN mean has been settled.
    // [RFC 9768 3.2.2-3]
    Segment rest = segment;
    rest.flags = rest.flags.without(kSyn);
    rest.seq = rest.seq + 1;
    if (rest.urgent_pointer > 0) --rest.urgent_pointer;  // counted from the SYN's number (MUST-62)
    const Arrival arrival{rest, receiver_.offset_of(rest.seq), sender_.space().una(), carrier};
    ++segs_in_;
    note_timestamp(context, arrival);
    sixth_check_urgent(context, arrival);
    if (!seventh_check_text(context, arrival)) eighth_check_fin(context, arrival);
  }
  if (answer == Answer::acknowledge) receiver_.owe(SendReason::open_complete);
}

bool Connection::is_outstanding(SeqNum seq) const {
  const StreamOffset offset = sender_.space().offset_of(seq);
  return offset >= sender_.space().una() && offset < sender_.space().max();
}

Verdict Connection::examine(const Context& context, const Arrival& arrival) {
  if (auto stop = first_check_sequence(context, arrival)) return *stop;
  if (auto stop = second_check_reset(context, arrival)) return *stop;
  if (auto stop = fourth_check_syn(context, arrival)) return *stop;
  if (auto stop = fifth_check_ack(context, arrival)) return *stop;
  note_timestamp(context, arrival);
  if (accurate_) count_mark(arrival);
  sixth_check_urgent(context, arrival);
  if (auto stop = seventh_check_text(context, arrival)) return *stop;
  eighth_check_fin(context, arrival);
  return Verdict::accepted;
}

// ---- First, check the sequence number

// RFC 7323 §3.2 and §5.3. A RST is judged by its sequence number alone.
Connection::Stop Connection::check_timestamps(const Context& context, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  // [RFC 7323 3.2-10, 5.2-5]
  if (!negotiated_.timestamps || segment.flags.rst()) return std::nullopt;
  if (!segment.options.timestamps) {
    // A peer that rebooted may open anew without them: it must hear the challenge (RFC 5961 §4).
    if (segment.flags.syn() || !config_->require_timestamps) return std::nullopt;
    // [RFC 7323 3.2-8, 3.2-9]
    return Verdict::missing_timestamp;
  }
  // [RFC 7323 5.3-1]
  if (receiver_.check_paws(*segment.options.timestamps, context.now)) return std::nullopt;
  if (segment.length() > 0 || may_answer(context)) receiver_.on_refused(arrival.seq, 0);
  return Verdict::paws;
}

Connection::Stop Connection::first_check_sequence(const Context& context, const Arrival& arrival) {
  // [RFC 7323 5.3-2, 5.3-3]
  if (auto stop = check_timestamps(context, arrival)) return stop;
  const Segment& segment = arrival.segment;
  const bool acceptable = receiver_.check_acceptable(arrival.seq, segment.length());
  // "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made
  // to accept valid ACKs, URGs, and RSTs" (MUST-66). The text of such a segment finds no room
  // later.
  // [RFC 9293 MUST-66]
  const bool allowance = receiver_.window() == 0 && arrival.seq == receiver_.nxt();
  if (acceptable || allowance) {
    on_heard(context);
    return std::nullopt;
  }
  // [RFC 5961 3.2-5]
  if (segment.flags.rst()) return Verdict::reset_ignored;
  // Octets that came again mean that our ACK was lost: they are always answered. Empty segments are
  // answered at a limited rate, so that two ends cannot answer each other for ever.
  // Beside a SYN they are no octets of this connection's, and nothing came twice.
  const auto octets = segment.flags.syn() ? 0 : static_cast<std::uint32_t>(segment.payload.size());
  if (octets > 0 || segment.flags.fin() || may_answer(context)) answer_refused(arrival, octets);
  return Verdict::out_of_window;
}

// A SYN-ACK that comes again asks a client of AccECN for its mark again.
// [RFC 9768 3.2.2.1-3, 3.1.5-7]
void Connection::answer_refused(const Arrival& arrival, std::uint32_t octets) {
  receiver_.on_refused(arrival.seq, octets);
  const TcpFlags flags = arrival.segment.flags;
  if (!accurate_ || !flags.syn() || !flags.ack() || arrival.seq != kSynOffset) return;
  if (agreed_by_syn_ack(ace_flags(0b111), flags) == EcnMode::accurate)
    accurate_->reflector.on_syn_ack(arrival.carrier.mark);
}

// RFC 7323 §5.3 (R3), but for what a later check discards (RFC 5961 §5.2): a segment made up by
// somebody who guessed the sequence number alone must not make the peer's own look old.
void Connection::note_timestamp(const Context& context, const Arrival& arrival) {
  if (negotiated_.timestamps && arrival.segment.options.timestamps)
    receiver_.accept_timestamp(*arrival.segment.options.timestamps, arrival.seq, context.now);
}

// ---- Second, check the RST bit (RFC 5961 §3)

Connection::Stop Connection::second_check_reset(const Context& context, const Arrival& arrival) {
  if (!arrival.segment.flags.rst()) return std::nullopt;
  // [RFC 9293 SHLD-2, 3.10.7.4-1, 3.10.7.4-2, 3.10.7.4-3] [RFC 5961 4.2-4]
  if (arrival.seq != receiver_.nxt()) {
    owe_challenge(context);
    return Verdict::reset_challenged;
  }
  if (state_ == State::closing || state_ == State::last_ack) {
    end(context, std::nullopt, std::nullopt);  // nothing is lost: both sides had said all
  } else {
    ++context.counters.resets_in_established;
    // [RFC 9293 MUST-12]
    end(context, Error::connection_reset, std::nullopt);  // MUST-12
  }
  return Verdict::reset_accepted;
}

// ---- Fourth, check the SYN bit (RFC 5961 §4)

Connection::Stop Connection::fourth_check_syn(const Context& context, const Arrival& arrival) {
  // [RFC 9293 3.10.7.4-4, 3.10.7.4-5]
  // [RFC 9768 3.1.5-2]
  if (!arrival.segment.flags.syn()) return std::nullopt;
  owe_challenge(context);
  return Verdict::syn_challenged;
}

// ---- Fifth, check the ACK field

// The five conditions of RFC 5681 §2; that the number equals SND.UNA is known. The octet of a
// window probe does not count as outstanding: the answers to probes say nothing of a loss.
bool Connection::is_duplicate_ack(const Arrival& arrival) const {
  const Segment& segment = arrival.segment;
  return sender_.space().nxt() > sender_.space().una() && segment.payload.empty() &&
         !segment.flags.fin() && scaled_window(segment) == sender_.space().window();
}

// RFC 5961 §5: neither of what was never sent, nor older than the largest window there has been.
// Nor older than the connection: nobody who has seen our SYN acknowledges what stands before it,
// and a guess that may lie there has twice the room. [RFC 9293 MAY-12, 3.10.7.4-6, 3.10.7.4-7]
bool Connection::check_ack_range(const Arrival& arrival) const {
  const StreamOffset oldest = sender_.space().una() - std::int64_t{sender_.space().max_window()};
  return arrival.ack <= sender_.space().max() && arrival.ack >= std::max(kFirstOctet, oldest);
}

Connection::Stop Connection::fifth_check_ack(const Context& context, const Arrival& arrival) {
  if (!arrival.segment.flags.ack()) return Verdict::no_ack_bit;
  const AckKind kind = sender_.space().check_ack(arrival.ack);
  if (!check_ack_range(arrival)) {
    owe_challenge(context);
    return Verdict::ack_unacceptable;
  }
  if (kind == AckKind::old) {
    accept_late_sack(context, arrival);
    return std::nullopt;
  }
  accept_valid_ack(context, arrival);
  accept_state_of_ack(context);
  if (state_ == State::closed) return Verdict::accepted;
  return std::nullopt;
}

// What of our timestamps a segment returns.
loss::Echo Connection::echo_of(const Segment& segment) const {
  loss::Echo echo{.value = {}, .clock_offset = timestamp_offset_};
  if (negotiated_.timestamps && segment.options.timestamps && segment.options.timestamps->echo != 0)
    echo.value = segment.options.timestamps->echo;
  return echo;
}

// An ACK that comes late may SACK what no other does.
// [RFC 6675 5-1]
void Connection::accept_late_sack(const Context& context, const Arrival& arrival) {
  const SackBlocks& sack = arrival.segment.options.sack;
  if (!sack.empty())
    sender_.accept_ack(turn(context), {.number = arrival.ack, .seq = arrival.seq, .sack = sack});
}

void Connection::accept_valid_ack(const Context& context, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  const bool repeats = arrival.ack == sender_.space().una();
  AckFacts facts{
      .number = arrival.ack,
      .seq = arrival.seq,
      .window = scaled_window(segment),
      .sack = segment.options.sack,
      .echo = echo_of(segment),
      .is_duplicate = repeats && is_duplicate_ack(arrival),
      .answers_nothing = repeats && segment.payload.empty() && segment.options.sack.empty(),
      .echoes_congestion = negotiated_.ecn == EcnMode::classic && segment.flags.ece()};
  if (accurate_) {
    facts.feedback = &accurate_->feedback;
    facts.told = {ace_of(segment.flags), &segment.options.accurate_ecn, facts.echo.value};
  }
  sender_.accept_ack(turn(context), facts);
  if (!repeats && sender_.outgoing().awaits_room()) make_way_for_writer(context);
}

// Who found the send buffer full is told when a quarter of it is free: not of every segment.
void Connection::make_way_for_writer(const Context& context) {
  sender_.grow_buffer(context, *config_);
  if (send_room() >= sender_.outgoing().growth().size(config_->send_buffer) / 4) wake_writer();
}

void Connection::on_text_heard(const Context& context, const Segment& segment) {
  receiver_.note_text(context, *config_, segment.payload.size(), echo_of(segment));
  sender_.on_text_heard(context.now);
}

// What the acknowledgement of our FIN means in each state.
void Connection::accept_state_of_ack(const Context& context) {
  if (!fin_acked()) return;
  switch (state_) {
    case State::fin_wait_1:
      enter_fin_wait_2(context);
      return;
    case State::closing:
      set_state(context, State::time_wait);
      return;
    case State::last_ack:
      end(context, std::nullopt, std::nullopt);
      return;
    default:
      return;
  }
}

// ---- Sixth, check the URG bit

// [RFC 9293 MUST-30]
void Connection::sixth_check_urgent(const Context& context, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  if (!segment.flags.urg() || segment.urgent_pointer == 0 || receiver_.fin_received()) return;
  // [RFC 9293 MUST-62]
  // The pointer means the octet behind the urgent data (MUST-62).
  // [RFC 9293 MUST-32]
  if (receiver_.accept_urgent(arrival.seq + segment.urgent_pointer)) signals_.urgent = true;
  receiver_.set_aside_urgent(context, *config_);
}

// ---- Seventh, process the segment text

// RFC 3168 §6.1.3: echo a mark until the peer says it has slowed down. Only segments with text in
// the window get here, which is as §6.1.5 wants it.
void Connection::accept_echo(const Arrival& arrival) {
  // [RFC 3168 6.1.1-6, 6.1.5-1, 6.1.5-2, 6.1.6-2]
  if (negotiated_.ecn != EcnMode::classic) return;
  if (arrival.segment.flags.cwr()) receiver_.on_window_reduced();
  if (arrival.carrier.mark == IpMark::ce) receiver_.on_congestion();
}

// Of AccECN, all that got through the checks up to the ACK field counts, text or not (RFC 9768
// §1.3).
// [RFC 9768 3.1.5-17, 3.2-1, 3.2-2]
void Connection::count_mark(const Arrival& arrival) {
  const Unacknowledged some =
      receiver_.has_unacknowledged() ? Unacknowledged::some : Unacknowledged::none;
  const auto octets = static_cast<std::uint32_t>(arrival.segment.payload.size());
  if (accurate_->reflector.on_segment(arrival.carrier, octets, some))
    receiver_.owe(SendReason::ack_mark);
}

Connection::Stop Connection::seventh_check_text(const Context& context, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  if (segment.payload.empty() || receiver_.fin_received()) return std::nullopt;
  accept_echo(arrival);
  const bool nobody_reads = released_ || (refuses_input_ && sender_.outgoing().fin_queued());
  if (nobody_reads && arrival.text_end() > receiver_.nxt()) {
    // [RFC 9293 SHLD-3]
    // The peer must not believe this was delivered (SHLD-3).
    end(context, released_ ? std::nullopt : std::optional(Error::connection_reset),
        SendReason::reset_unread_data);
    ending_->answered = arrival.segment.ack;
    return Verdict::data_after_close;
  }
  const StreamOffset before = receiver_.nxt();
  on_text_heard(context, segment);
  try {
    receiver_.accept_text(context, *config_, arrival.seq, {segment.payload, arrival.carrier.owner},
                          timers_);
  } catch (...) {  // std::bad_alloc, perhaps behind a part of the text
    signals_.readable = signals_.readable || receiver_.nxt() > before;
    throw;
  }
  receiver_.set_aside_urgent(context, *config_);
  if (receiver_.nxt() > before) signals_.readable = true;
  return std::nullopt;
}

// ---- Eighth, check the FIN bit

// A FIN that came earlier, beyond a gap, counts as soon as the gap is filled: accept_fin is asked
// again with the place it stands at.
void Connection::eighth_check_fin(const Context& context, const Arrival& arrival) {
  // One that contradicts text we hold is passed over; one noted earlier may be next all the same.
  const bool now_in_order =
      (arrival.segment.flags.fin() && receiver_.accept_fin(arrival.text_end())) ||
      receiver_.accept_noted_fin();
  if (!now_in_order) {
    // Text in front of it has already been answered for both: one segment, one duplicate ACK.
    // Behind an earlier FIN text is not looked at.
    const bool answered = !arrival.segment.payload.empty() && !receiver_.fin_received();
    if (arrival.segment.flags.fin() && !answered) receiver_.owe_duplicate();
    return;
  }
  signals_.peer_closed = true;
  signals_.readable = true;
  switch (state_) {
    case State::established:
      set_state(context, State::close_wait);
      return;
    case State::fin_wait_1:
      set_state(context, State::closing);
      return;
    case State::fin_wait_2:
      set_state(context, State::time_wait);
      return;
    default:
      return;
  }
}

// ---- The short path

// Header prediction: the segment every check would pass without a side effect but to take its text
// and its acknowledgement.
bool Connection::check_predicted(const Arrival& arrival, Instant now) const {
  const Segment& segment = arrival.segment;
  if (state_ != State::established || released_) return false;
  const TcpFlags told = accurate_ ? kAe | kCwr | kEce : TcpFlags();  // a count
  if (segment.flags.without(kPsh | told) != kAck || arrival.seq != receiver_.nxt()) return false;
  if (arrival.carrier.mark == IpMark::ce) return false;
  if (arrival.ack < sender_.space().una() || arrival.ack > sender_.space().max()) return false;
  if (sender_.flight().tail_probe().is_out()) return false;
  if (arrival.ack == sender_.space().una() && segment.payload.empty()) return false;
  if (!segment.options.sack.empty() || receiver_.window() < segment.payload.size()) return false;
  if (receiver_.window() == 0 || !receiver_.is_straight()) return false;
  if (!negotiated_.timestamps) return true;
  return segment.options.timestamps && receiver_.check_paws(*segment.options.timestamps, now);
}

void Connection::accept_predicted(const Context& context, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  on_heard(context);
  note_timestamp(context, arrival);
  accept_valid_ack(context, arrival);
  if (accurate_) count_mark(arrival);
  if (segment.payload.empty()) return;
  on_text_heard(context, segment);
  receiver_.accept_expected(context, *config_, {segment.payload, arrival.carrier.owner}, timers_);
  signals_.readable = true;
}

}  // namespace estab::tcp
