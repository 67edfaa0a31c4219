// What a connection sends, decided once per burst: RFC 9293 §3.8.6 and §3.10.

#include <algorithm>

#include "base/hasher.h"
#include "tcp/connection.h"

namespace estab::tcp {

std::uint32_t Connection::payload_limit(const PathLimits& path) const {
  const std::uint32_t mss = sender_.mss();
  // A super-segment is cut where the device splits it; an urgent pointer would then be copied to
  // every part and mean something else in each.
  if (path.super_segment <= mss || sender_.has_urgent(sender_.nxt())) return mss;
  return path.super_segment - path.super_segment % mss;
}

// [RFC 9293 MUST-58, MUST-59]
bool Connection::poll(const Context& context, const PathLimits& path, std::span<Octets> views,
                      Emission& emission) {
  if (state_ == State::closed) return false;
  if (path.mtu != path_mtu_) on_path_mtu(path);
  if (std::exchange(challenge_due_, false)) {
    emit_ack(context, SendReason::challenge_ack, emission);
  } else if (receiver_.owes_duplicate()) {
    receiver_.on_duplicate_sent();
    emit_ack(context, SendReason::ack_duplicate, emission);
  } else if (auto plan = sender_.plan(*config_, payload_limit(path))) {
    emit_data(context, *plan, views, emission);
  } else if (sender_.urgent_notice()) {  // the peer is to know even if its window is shut (MUST-66)
    sender_.on_urgent_notice_sent();
    emit_ack(context, SendReason::urgent, emission);
  } else if (auto reason = receiver_.due()) {
    emit_ack(context, *reason, emission);
  } else if (std::exchange(keep_alive_due_, false)) {
    emit_ack(context, SendReason::keep_alive, emission);
  } else {
    sender_.arm_persist(context, *config_, timers_);
    return false;
  }
  return true;
}

// Every segment after the handshake carries ACK, the current window, and the timestamps agreed on.
void Connection::emit_header(const Context& context, StreamOffset at, Segment& segment) {
  segment.source_port = tuple_.local_port;
  segment.destination_port = tuple_.remote_port;
  segment.seq = sender_.wire(at);
  segment.ack = receiver_.ack_number();
  segment.flags = kAck;
  segment.window = receiver_.announce(*config_);
  if (negotiated_.timestamps)
    segment.options.timestamps =
        TcpTimestamps{timestamp_clock(context.now, timestamp_offset_), receiver_.ts_recent()};
  if (const auto pointer = sender_.urgent_pointer(at)) {
    segment.flags = segment.flags | kUrg;
    segment.urgent_pointer = *pointer;
  }
  ++segs_out_;
  receiver_.on_ack_sent(timers_);
}

void Connection::emit_ack(const Context& context, SendReason reason, Emission& emission) {
  // [RFC 9293 SHLD-12]
  // A keep-alive repeats the number before the next, so that the peer must answer (SHLD-12: without
  // an octet of data).
  const StreamOffset at =
      reason == SendReason::keep_alive ? sender_.max() - 1 : sender_.bare_number();
  emit_header(context, at, emission.segment);
  if (receiver_.has_sack()) emission.segment.options.sack = receiver_.sack_blocks();
  emission.reason = reason;
}

void Connection::emit_data(const Context& context, const SendPlan& plan, std::span<Octets> views,
                           Emission& emission) {
  SendPlan fitting = plan;
  SendQueue::Gathered gathered = sender_.gather(plan, views);
  if (gathered.octets < plan.length) {  // more pieces than a frame can point at: send what fits
    const std::uint32_t mss = sender_.mss();
    const bool whole = gathered.octets < mss;
    fitting.length = whole ? gathered.octets : gathered.octets - gathered.octets % mss;
    fitting.fin = fitting.push = false;
    gathered = sender_.gather(fitting, views);
  }
  emit_header(context, plan.from, emission.segment);
  emission.pieces = gathered.pieces;
  emission.payload_length = fitting.length;
  emission.reason =
      fitting.length == 0 && fitting.reason == SendReason::data ? SendReason::fin : fitting.reason;
  if (fitting.push) emission.segment.flags = emission.segment.flags | kPsh;
  if (fitting.fin) emission.segment.flags = emission.segment.flags | kFin;
  if (fitting.length > sender_.mss()) emission.gso_size = static_cast<std::uint16_t>(sender_.mss());
  sender_.on_sent(context, *config_, fitting, timers_);
}

// RFC 9293 §3.10.5 with the ACK that RFC 5961 lets the peer judge it by.
Emission Connection::make_reset(SendReason reason) const {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = tuple_.local_port;
  segment.destination_port = tuple_.remote_port;
  segment.seq = sender_.wire(sender_.bare_number());
  segment.ack = receiver_.ack_number();
  segment.flags = kRst | kAck;
  emission.reason = reason;
  return emission;
}

}  // namespace estab::tcp
