#include "tcp/open/half_open.h"

#include <algorithm>

#include "base/public_fields.h"
#include "tcp/ecn/reflector.h"
#include "tcp/open/syn.h"

namespace estab::tcp {

HalfOpen make_half_open(const Context& context, const Secrets& secrets, const FourTuple& tuple,
                        const Segment& syn, IpMark mark, const TcpConfig& config,
                        std::uint16_t link_mtu) {
  const Secrets::InitialNumbers begin = secrets.initial_numbers(tuple, context.now);
  HalfOpen h;
  h.tuple = tuple;
  h.iss = isn_of(context.config.quirks, begin.isn);
  h.irs = syn.seq;
  h.timestamp_offset = begin.timestamp_offset;
  h.negotiated = negotiate(syn.options, config, tuple.family());
  // [RFC 9293 SHLD-8] [RFC 9768 3.2.3.2.1-2]
  h.negotiated.ecn = answer_to_syn(syn.flags, config);
  h.negotiated.ect = h.negotiated.ecn != EcnMode::none;
  h.syns.add(syn.flags, mark);
  // [RFC 7323 3.2-4]
  if (h.negotiated.timestamps) h.ts_recent = syn.options.timestamps->value;
  h.mss = announced_mss(tuple.family(), link_mtu, config);
  h.window = syn_window(config);
  h.started_at = h.sent_at = context.now;
  return h;
}

Emission make_syn_ack(const HalfOpen& h, Instant now,
                      const std::optional<FastOpenOption>& fast_open) {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = h.tuple.local_port;
  segment.destination_port = h.tuple.remote_port;
  segment.seq = h.iss;
  segment.ack = h.irs + 1;
  segment.flags = kSyn | kAck | syn_ack_flags(h.negotiated.ecn, h.syns.mark, h.repeats);
  segment.window = h.window;
  segment.options =
      accept_offer(h.negotiated, h.mss, {timestamp_clock(now, h.timestamp_offset), h.ts_recent});
  segment.options.fast_open = fast_open;
  // Somebody on the way may drop what he does not know: only the first has it. Beside a cookie
  // there is no room for it. [RFC 9768 3.2.3.2.1-3, 3.2.3.2.2-1]
  if (h.negotiated.ecn == EcnMode::accurate && h.repeats == 0 && !h.sent_twice && !fast_open)
    segment.options.accurate_ecn = Reflector::initial_option();
  emission.reason = h.repeats > 0 ? SendReason::retransmit_timeout : SendReason::open_reply;
  return emission;
}

// With timestamps where both SYNs had them (RFC 7323 §5.2: SHOULD).
Emission make_reset(const HalfOpen& h, Instant now, SendReason reason) {
  Emission emission;
  Segment& segment = emission.segment;
  segment.source_port = h.tuple.local_port;
  segment.destination_port = h.tuple.remote_port;
  segment.seq = h.iss + 1;
  segment.ack = h.irs + 1;
  segment.flags = kRst | kAck;
  if (h.negotiated.timestamps)
    segment.options.timestamps =
        TcpTimestamps{timestamp_clock(now, h.timestamp_offset), h.ts_recent};
  emission.reason = reason;
  return emission;
}

void arm_syn_ack(HalfOpen& h, const TcpConfig& config, Instant now) {
  const Instant give_up = h.started_at + config.r2_syn;
  h.deadline = now + backed_off(config.rto_initial, h.repeats, config.rto_max);
  if (give_up > now) h.deadline = std::min(h.deadline, give_up);
  h.sent_at = now;
  h.answers.clear();
}

// Not before a repeated SYN-ACK has gone unanswered, for whatever time this host stood still.
// [RFC 9293 MUST-23]
bool is_out_of_time(const HalfOpen& h, const TcpConfig& config, Instant now) {
  return now - h.started_at >= config.r2_syn && h.repeats > 0 &&
         served(now, h.deadline, config.rto_initial) == Served::in_time;
}

Opening make_opening(const HalfOpen& h, const Segment& ack, Instant now) {
  Opening opening;
  opening.tuple = h.tuple;
  opening.iss = h.iss;
  opening.irs = h.irs;
  opening.negotiated = h.negotiated;
  opening.send_window = std::uint32_t{ack.window}
                        << (ack.flags.syn() ? 0 : h.negotiated.send_shift);
  opening.receive_window = h.window;
  opening.timestamp_offset = h.timestamp_offset;
  opening.ts_recent = h.ts_recent;
  // An ACK read after the SYN-ACK should have been repeated has waited here: how long, nobody
  // knows.
  if (h.repeats == 0 && !h.sent_twice && now <= h.deadline) opening.rtt = now - h.sent_at;
  opening.syn_repeated = h.repeats > 0;
  if (h.negotiated.ecn == EcnMode::accurate)
    opening.accurate = accurate_opening(ack, h.syns.without || h.repeats >= kSynAcksWithEcn
                                                 ? EcnPromise::taken_back
                                                 : EcnPromise::kept);
  return opening;
}

auto HalfOpen::fields(const TcpConfig& config) const {
  const auto& [pair, our_isn, peers_isn, options, asked, recent, offset, opened, our_mss,
               our_window, repeated, answers_given, twice, acknowledged, listens, handle, since,
               last, until, route] = *this;
  return base::fields(pair, our_isn, peers_isn, options, asked,
                      base::If{options.timestamps}.decides_timestamp(recent), offset, opened,
                      our_mss, our_window, repeated, answers_given, twice, acknowledged, listens,
                      base::derived(handle), since, base::If{!is_rto_pinned(config)}.decides(last),
                      until, route);
}

bool operator==(const HalfOpen& a, const HalfOpen& b) {
  return a.fields({}) == b.fields({});
}

void HalfOpen::hash_into(base::Hasher& hasher, const TcpConfig& config) const {
  hasher.add(fields(config));
}

}  // namespace estab::tcp
