// What a connection sends, decided once per burst: RFC 9293 §3.8.6 and §3.10.

#include <algorithm>

#include "base/hasher.h"
#include "tcp/connection/connection.h"
#include "wire/tcp.h"

namespace estab::tcp {

std::uint32_t Connection::payload_limit(const PathLimits& path) const {
  const std::uint32_t mss = sender_.mss();
  // A super-segment is cut where the device splits it; an urgent pointer would then be copied to
  // every part and mean something else in each.
  // CWR belongs on one segment only, and who cuts clears it on the others: where it is a bit of the
  // ACE field that would count for marks (RFC 9768 §3.3.4).
  if (path.super_segment <= mss || sender_.outgoing().has_urgent(sender_.space().nxt()) ||
      sender_.flight().owes_cwr() || (accurate_ && feedback_flags().cwr()))
    return mss;
  return path.super_segment - path.super_segment % mss;
}

// [RFC 9293 MUST-58, MUST-59]
bool Connection::poll(const Context& context, const PathLimits& path, std::span<Octets> views,
                      Emission& emission) {
  if (state_ == State::closed) return false;
  if (path.mtu != path_mtu_) on_path_mtu(context, path);
  if (std::exchange(challenge_due_, false)) {
    emit_ack(context, SendReason::challenge_ack, emission);
  } else if (accurate_ && accurate_->reflector.owes_ack() && receiver_.due()) {
    // Without text, which would take the place of what it has to tell (RFC 9768 §3.2.2.1,
    // §3.2.3.3).
    emit_ack(context, *receiver_.due(), emission);
  } else if (receiver_.owes_duplicate()) {
    // [RFC 5681 4.2-11]
    receiver_.on_duplicate_sent();
    emit_ack(context, SendReason::ack_duplicate, emission);
  } else if (auto plan = sender_.plan(turn(context), payload_limit(path))) {
    emit_data(context, *plan, views, emission);
  } else if (sender_.outgoing().owes_urgent_notice()) {  // the peer is to know even if its window
                                                         // is shut (MUST-66)
    sender_.outgoing().on_urgent_notice_sent();
    emit_ack(context, SendReason::urgent, emission);
  } else if (auto reason = receiver_.due()) {
    emit_ack(context, *reason, emission);
  } else if (std::exchange(keep_alive_due_, false)) {
    emit_ack(context, SendReason::keep_alive, emission);
  } else {
    return false;
  }
  return true;
}

TcpTimestamps Connection::timestamps(const Context& context) const {
  return {timestamp_clock(context.now, timestamp_offset_), receiver_.ts_recent()};
}

// Every segment after the handshake carries ACK, the current window, and the timestamps agreed on.
void Connection::emit_header(const Context& context, StreamOffset at, Segment& segment) {
  segment.source_port = tuple_.local_port;
  segment.destination_port = tuple_.remote_port;
  segment.seq = sender_.space().wire(at);
  segment.ack = receiver_.ack_number();
  segment.flags = kAck | feedback_flags();
  segment.window = receiver_.announce(*config_);
  // [RFC 7323 3.2-2, 3.2-6]
  if (negotiated_.timestamps) segment.options.timestamps = timestamps(context);
  if (const auto pointer = sender_.outgoing().urgent_pointer(at, sender_.space().max())) {
    segment.flags = segment.flags | kUrg;
    segment.urgent_pointer = *pointer;
  }
  ++segs_out_;
  receiver_.on_ack_sent(timers_);
}

// Of either kind: the echo of a mark, or the count of all.
// [RFC 9768 3.2.2-2, 3.2.2.1-6, 3.2.2.2-1, 3.1.5-16, 3.2.2.3-1, 3.2.2.3-2, 3.2.2.4-2, 3.2-3]
TcpFlags Connection::feedback_flags() const {
  if (accurate_) return ace_flags(accurate_->reflector.ace());
  return receiver_.echoes_congestion() ? kEce : TcpFlags();
}

// What the header has left for the AccECN option beside its other options. Two SACK blocks go
// before it (RFC 9768 §3.2.3.3).
// [RFC 9768 3.2.3.3-2]
std::size_t Connection::accurate_room(const TcpOptions& options) const {
  TcpOptions others = options;
  others.sack = {};
  for (std::size_t i = 0; i < std::min<std::size_t>(options.sack.size(), 2); ++i)
    others.sack.add(options.sack[i]);
  return wire::kTcpHeaderLength + wire::kMaxTcpOptions - wire::tcp_header_length(others);
}

// [RFC 9768 3.2.3.3-1, 3.2.3.3-3, 3.2.3.3-9, 3.2.3.2.3-2]
void Connection::add_accurate_option(std::size_t room, TcpOptions& options) {
  Reflector& reflector = accurate_->reflector;
  if (reflector.wants_option())
    options.accurate_ecn = reflector.option(std::min(room, accurate_room(options)));
  reflector.on_sent(options.accurate_ecn ? WithOption::yes : WithOption::no);
}

void Connection::emit_ack(const Context& context, SendReason reason, Emission& emission) {
  // [RFC 9293 SHLD-12]
  // A keep-alive repeats the number before the next, so that the peer must answer (SHLD-12: without
  // an octet of data).
  const StreamOffset at = reason == SendReason::keep_alive ? sender_.space().max() - 1
                                                           : sender_.space().acceptable_seq();
  emit_header(context, at, emission.segment);
  emission.reason = reason;
  const bool reflects = accurate_ && accurate_->reflector.reflects();
  // ACKs of marked ACKs must not look like duplicate ACKs, nor the reflection of a mark like a
  // count.
  // [RFC 9768 3.2.2.5.1-8, 3.2.2.1-1, 3.2.2.1-2]
  if (receiver_.has_sack() && !reflects && reason != SendReason::ack_mark)
    emission.segment.options.sack = receiver_.sack_blocks();
  if (!accurate_) return;
  if (reflects)
    emission.segment.flags =
        emission.segment.flags.without(kAe | kCwr | kEce) | accurate_->reflector.take_reflection();
  add_accurate_option(wire::kMaxTcpOptions, emission.segment.options);
}

// RFC 2018 §4: "SACK options SHOULD be included in all ACKs which do not ACK the highest sequence
// number in the data receiver's queue", and a segment with text is one. As many blocks as fit
// beside the text; two NOPs and the option's head take four octets.
void Connection::add_sack_blocks(std::uint32_t length, Segment& segment) {
  constexpr std::uint32_t kHead = 4, kBlock = 8;
  const std::uint32_t room = sender_.mss() > length ? sender_.mss() - length : 0;
  if (room < kHead + kBlock) return;
  const SackBlocks all = receiver_.sack_blocks();
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), (room - kHead) / kBlock); ++i)
    segment.options.sack.add(all[i]);
}

// Beside text there is room where it does not fill a segment, and beside a FIN alone there is,
// which may be the last ACK of what the peer has sent. What goes again goes without: somebody on
// the way may drop what he does not know. [RFC 9768 3.2.3.2.2-5]
std::size_t Connection::option_room(const SendPlan& plan, const Segment& segment) const {
  const std::uint32_t mss = sender_.mss();
  if (plan.from < sender_.space().max() || plan.length >= mss) return 0;
  const std::size_t blocks = segment.options.sack.size();
  const std::size_t taken = plan.length + (blocks > 0 ? 4 + 8 * blocks : 0);
  return mss > taken ? mss - taken : 0;
}

void Connection::emit_data(const Context& context, const SendPlan& plan, std::span<Octets> views,
                           Emission& emission) {
  sender_.make_room();
  SendPlan fitting = plan;
  SendQueue::Gathered gathered = sender_.outgoing().gather(plan.from, plan.length, views);
  if (gathered.octets < plan.length) {  // more pieces than a frame can point at: send what fits
    const std::uint32_t mss = sender_.mss();
    const bool whole = gathered.octets < mss;
    fitting.length = whole ? gathered.octets : gathered.octets - gathered.octets % mss;
    fitting.fin = fitting.push = false;
    gathered = sender_.outgoing().gather(fitting.from, fitting.length, views);
  }
  emit_header(context, plan.from, emission.segment);
  emission.pieces = gathered.pieces;
  emission.payload_length = fitting.length;
  emission.reason =
      fitting.length == 0 && fitting.reason == SendReason::data ? SendReason::fin : fitting.reason;
  const bool is_new = fitting.is_new(sender_.space());
  // [RFC 3168 5.2-1, 5.2-2, 6.1.1-5, 6.1.1-9, 6.1.2-4, 6.1.2-5, 6.1.4-1, 6.1.5-1, 6.1.5-2, 6.1.6-1]
  // [RFC 9768 3.1.5-12, 3.1.5-13, 3.1.5-14]
  emission.ect = negotiated_.ect && is_new && (!accurate_ || accurate_->feedback.may_mark());
  if (is_new && sender_.flight().owes_cwr()) emission.segment.flags = emission.segment.flags | kCwr;
  if (receiver_.has_sack()) add_sack_blocks(fitting.length, emission.segment);
  if (accurate_)
    add_accurate_option(option_room(fitting, emission.segment), emission.segment.options);
  if (fitting.push) emission.segment.flags = emission.segment.flags | kPsh;
  if (fitting.fin) emission.segment.flags = emission.segment.flags | kFin;
  if (fitting.length > sender_.mss()) emission.gso_size = static_cast<std::uint16_t>(sender_.mss());
  sender_.on_sent(turn(context), fitting);
  if (is_new && ends_burst(context, emission))
    emission.segment.flags = emission.segment.flags | kPsh;
}

// Whether these octets are the last of a burst (Quirks::push_bursts).
bool Connection::ends_burst(const Context& context, const Emission& emission) {
  const std::uint32_t mss = sender_.mss();
  if (!config_->quirks.push_bursts || emission.payload_length < mss) return false;
  burst_ = static_cast<std::uint16_t>(burst_ + emission.payload_length / mss);
  if (sender_.continues_burst(turn(context), burst_)) return false;
  return std::exchange(burst_, std::uint16_t{0}) > 1;
}

// RFC 9293 §3.10.5, with an ACK for peers that look at one, and with timestamps where they are in
// use (RFC 7323 §5.2: SHOULD). Where it answers a segment it takes its number from there (§3.5.2):
// that is RCV.NXT as the peer sees it, whatever of ours is under way or lost, and so the only
// number for which RFC 5961 §3 lets the peer believe a RST at once.
Emission Connection::make_reset(const Context& context, SendReason reason) const {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = tuple_.local_port;
  segment.destination_port = tuple_.remote_port;
  segment.seq = sender_.space().wire(sender_.space().acceptable_seq());
  segment.ack = receiver_.ack_number();
  segment.flags = kRst | kAck;
  emission.reason = reason;
  if (ending_ && ending_->answered) {
    segment.seq = *ending_->answered;
    segment.ack = SeqNum();
    segment.flags = kRst;
  } else if (negotiated_.timestamps) {
    segment.options.timestamps = timestamps(context);
  }
  return emission;
}

}  // namespace estab::tcp
