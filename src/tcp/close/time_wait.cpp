#include "tcp/close/time_wait.h"

#include <algorithm>

#include "base/public_fields.h"

namespace estab::tcp {

TimeWait make_time_wait(const Connection& connection, Instant deadline) {
  TimeWait record;
  record.tuple = connection.tuple();
  record.snd_nxt = connection.sender().space().wire(connection.sender().space().max());
  record.rcv_nxt = connection.receiver().ack_number();
  record.ts_recent = connection.receiver().ts_recent();
  record.kept.timestamps = connection.negotiated().timestamps;
  if (connection.negotiated().ecn == EcnMode::accurate)
    record.kept.ace = ace_of(connection.feedback_flags());
  record.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(
      connection.receiver().window() >> connection.negotiated().receive_shift, 0xffff));
  record.deadline = deadline;
  return record;
}

namespace {

// RFC 6191 §2: timestamps decide where there are any, else whether the number lies beyond the FIN.
// [RFC 9293 SHLD-4] [RFC 6191 2-1]
bool proves_itself_new(const TimeWait& record, const Segment& syn, const TcpConfig& config) {
  if (syn.options.timestamps && config.use_timestamps) {
    if (!record.kept.timestamps) return true;  // old segments are known by having none
    const auto newer = static_cast<std::int32_t>(syn.options.timestamps->value - record.ts_recent);
    if (newer != 0) return newer > 0;
  }
  return syn.seq - record.rcv_nxt >= 0;
}

}  // namespace

TimeWaitStep check_time_wait(const TimeWait& record, const Segment& segment,
                             const TcpConfig* listening, const StackConfig& config) {
  const TcpFlags flags = segment.flags;
  // A peer that has begun anew answers our ACK with this very number; old duplicates have another.
  // [RFC 9293 3.10.7.4-1] [RFC 1337 3-1]
  if (flags.rst()) {
    const bool ends = segment.seq == record.rcv_nxt && !config.time_wait_ignores_resets;
    return ends ? TimeWaitStep::end : TimeWaitStep::ignore;
  }
  if (flags.syn() && !flags.ack()) {
    const bool reopens = listening && proves_itself_new(record, segment, *listening);
    return reopens ? TimeWaitStep::reopen : TimeWaitStep::acknowledge;
  }
  if (!flags.ack()) return TimeWaitStep::ignore;
  const SeqNum end = segment.seq + segment.length();
  const bool old_timestamp = record.kept.timestamps && segment.options.timestamps &&
                             is_older(segment.options.timestamps->value, record.ts_recent);
  if (flags.fin() && end == record.rcv_nxt && !old_timestamp)
    return TimeWaitStep::acknowledge_restart;
  // Nothing new can come. What takes sequence space, or is a keep-alive, is answered. So is an
  // empty segment that stands elsewhere (first check), but not for ever: the peer may be in
  // TIME-WAIT too and would answer the answer.
  const bool keep_alive = segment.length() == 0 && segment.seq == record.rcv_nxt - 1;
  if (segment.length() > 0 || keep_alive) return TimeWaitStep::acknowledge;
  const bool in_place = segment.seq == record.rcv_nxt;
  return in_place ? TimeWaitStep::ignore : TimeWaitStep::acknowledge_few;
}

Emission make_time_wait_ack(const TimeWait& record, std::uint32_t timestamp_offset, Instant now,
                            SendReason reason) {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = record.tuple.local_port;
  segment.destination_port = record.tuple.remote_port;
  segment.seq = record.snd_nxt;
  segment.ack = record.rcv_nxt;
  segment.flags = kAck | ace_flags(record.kept.ace);
  segment.window = record.window;
  if (record.kept.timestamps)
    segment.options.timestamps =
        TcpTimestamps{timestamp_clock(now, timestamp_offset), record.ts_recent};
  emission.reason = reason;
  return emission;
}

auto TimeWait::fields() const {
  const auto& [until, pair, next_out, next_in, recent, before, behind, announced, carried,
               answered] = *this;
  return base::fields(until, pair, next_out, next_in,
                      base::If{carried.timestamps}.decides_timestamp(recent), base::derived(before),
                      base::derived(behind), announced, carried, answered);
}

bool operator==(const TimeWait& a, const TimeWait& b) {
  return a.fields() == b.fields();
}

void TimeWait::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

}  // namespace estab::tcp
