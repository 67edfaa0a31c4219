// Segment arrival (RFC 9293 §3.10.7): whose is it, and what is that in.

#include "base/ensure.h"
#include "stack/tcp_layer.h"
#include "tcp/open/syn.h"
#include "tcp/open/syn_cookie.h"

namespace estab::stack {

namespace {
constexpr std::uint8_t kPassiveTtl = 64;

/// How long after a cookie was sent an ACK may still bring it back (the cookie itself says less).
constexpr Duration kCookieLifetime = std::chrono::seconds(128);
}  // namespace

Verdict TcpLayer::on_segment(Core& core, Instant now, const FourTuple& tuple,
                             const Segment& segment, const Delivery& by) {
  recover(core, now);
  const Arrived in{
      tuple, segment, by.origin, by.carrier, by.return_route, core.secrets.flow_hash(tuple), by};
  ++core.counters.segments_in;
  if (!core.observer.get()) return dispatch(core, now, in);
  const State before = state_of(in.hash, tuple);
  const Verdict verdict = dispatch(core, now, in);
  core.context(now).trace([&] {
    // A connection that has gone leaves CLOSED, even where somebody goes on listening.
    const bool gone = (is_synchronized(before) || before == State::syn_sent) &&
                      find_entry(in.hash, tuple).kind == Kind::nobody;
    const State after = gone ? State::closed : state_of(in.hash, tuple);
    return SegmentReceived{tuple, segment, verdict, before, after};
  });
  return verdict;
}

Verdict TcpLayer::dispatch(Core& core, Instant now, const Arrived& in) {
  const Entry entry = find_entry(in.hash, in.tuple);
  switch (entry.kind) {
    case Kind::flow:
      return to_flow(core, now, in, entry.index);
    case Kind::half_open:
      return to_half_open(core, now, in, entry.index);
    case Kind::time_wait:
      return to_time_wait(core, now, in, entry.index);
    case Kind::held:
      return to_held(core, now, in, entry.index);
    case Kind::nobody:
      break;
  }
  // [RFC 9293 MUST-63]
  // MUST-63: an address that is no single host's, or ours, cannot be answered.
  if (in.origin == Origin::link && !core.interfaces.is_valid_source(in.tuple.remote_address))
    return Verdict::bad_address;
  if (in.by.reach == Reach::foreign) return to_foreign(core, now, in);
  const auto listener = find_listener(in.tuple.local());
  return listener ? to_listener(core, now, in, *listener) : to_nobody(core, in);
}

// The state a pair of endpoints is in, whatever record holds it.
State TcpLayer::state_of(std::uint32_t hash, const FourTuple& tuple) const {
  const Entry entry = find_entry(hash, tuple);
  switch (entry.kind) {
    case Kind::half_open:
      if (const auto flow = flow_of(entry)) return flows_[*flow].state();
      return State::syn_received;
    case Kind::time_wait:
      return State::time_wait;
    case Kind::held:
      return State::listen;
    case Kind::nobody:
      return find_listener(tuple.local()) ? State::listen : State::closed;
    case Kind::flow:
      break;
  }
  return flows_[entry.index].state();
}

// ---- a flow of the application

Verdict TcpLayer::to_flow(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  Flow& flow = flows_[index];
  if (flow.handshake()) return to_handshake(core, now, in, index);
  interrupted_ = true;
  const Verdict verdict = flow.connection()->on_segment(core.context(now), in.segment, in.carrier);
  const bool good = verdict == Verdict::accepted || verdict == Verdict::predicted;
  if (good && flow.learns_route && !in.return_route.empty())
    learn_route(core, now, flow, in.return_route);
  follow_up(core, now, index);
  return verdict;
}

// [RFC 9293 SHLD-24]
// SHLD-24: a different route in a later segment takes the place of the earlier one. A new route
// costs a copy of the settings; hardly anybody has one, and who changes it with each segment pays
// as much.
void TcpLayer::learn_route(Core& core, Instant now, Flow& flow,
                           const tcp::ReturnRoute& return_route) {
  if (flow.config().source_route == return_route.hops()) return;
  auto config = std::make_shared<TcpConfig>(flow.config());
  config->source_route = return_route.hops();
  flow.connection()->reconfigure(core.context(now), std::move(config));
  flow.path_version = core.path_version - 1;  // the way begins at another hop: look again
}

Verdict TcpLayer::to_handshake(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  Flow& flow = flows_[index];
  tcp::Handshake& handshake = *flow.handshake();
  interrupted_ = true;
  const tcp::Handshake::Step step =
      handshake.on_segment(core.context(now), in.segment, in.carrier.mark);
  if (step.reply) send_reply(core, in.tuple, *step.reply, handshake.state(), handshake.config());
  if (!step.established) {
    follow_up(core, now, index);
    return step.verdict;
  }
  // A SYN-ACK is answered by the third segment; the ACK that ends a simultaneous open needs none.
  const bool answer = in.segment.flags.syn();
  const bool released = handshake.released();
  const bool passive = handshake.is_passive();
  const tcp::Opening opening = handshake.opening(now);
  auto config = handshake.shared_config();
  tcp::learn_from_syn_ack(core.fast_open, handshake, in.segment, now);
  if (opening.fast_open == FastOpenOutcome::taken) ++core.counters.fast_opens_out;
  tcp::EarlyData early_data = std::move(handshake.early_data());
  flow.tcb.emplace<tcp::Connection>(core.context(now), opening, std::move(config),
                                    limits_of(core, flow.path, in.tuple.family()));
  flow.connection()->take_over(core.context(now), early_data, opening.octets_acked);
  ++(passive ? core.counters.passive_opens : core.counters.active_opens);
  flow.connected_due = !released;
  flow.connection()->on_opened(core.context(now), in.segment, in.carrier,
                               answer ? tcp::Answer::acknowledge : tcp::Answer::nothing);
  if (released) flow.connection()->release(core.context(now));
  if (!released) queue_event(flow, index);
  follow_up(core, now, index);
  return step.verdict;
}

// ---- a half-open record

Verdict TcpLayer::to_half_open(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  const tcp::HalfOpen& record = half_open_[index];
  if (record.is_opened()) return to_opened_by_syn(core, now, in, index);
  const TcpConfig& config = *listeners_[record.listener].config;
  const tcp::SynReceivedView view{record.iss,        record.irs,      record.irs + 1,
                                  record.iss + 1,    record.window,   config.require_timestamps,
                                  record.negotiated, record.ts_recent};
  switch (tcp::check_syn_received(view, in.segment)) {
    case tcp::SynReceivedStep::establish: {
      if (!listeners_[record.listener].has_room()) {
        // The SYN-ACK will be repeated, and so the ACK; not ever more seldom, since the peer is
        // there.
        ++core.counters.accept_queue_overflow;
        half_open_[index].answered = true;
        half_open_[index].repeats = 1;
        return Verdict::queue_full;
      }
      return complete(core, now, in, tcp::HalfOpen(record), index);
    }
    case tcp::SynReceivedStep::repeat_syn_ack:
      return repeat_syn_ack(core, now, in, index);
    case tcp::SynReceivedStep::acknowledge:
      answer_half_open(core, now, index, view, SendReason::ack_unacceptable);
      return Verdict::out_of_window;
    case tcp::SynReceivedStep::paws:
      answer_half_open(core, now, index, view, SendReason::ack_unacceptable);
      return Verdict::paws;
    case tcp::SynReceivedStep::challenge:
      answer_half_open(core, now, index, view, SendReason::challenge_ack);
      return Verdict::reset_challenged;
    case tcp::SynReceivedStep::ignore:
      return Verdict::no_ack_bit;
    // [RFC 9293 MUST-11]
    // MUST-11: it came from a passive OPEN: back to LISTEN. The peer will repeat its new SYN.
    case tcp::SynReceivedStep::new_syn:
      forget_half_open(core, now, index, State::listen);
      return Verdict::syn_dropped;
    case tcp::SynReceivedStep::reset:
      forget_half_open(core, now, index, State::listen);
      return Verdict::reset_accepted;
    case tcp::SynReceivedStep::refuse_ack:
      break;
  }
  refuse(core, in, SendReason::reset_bad_ack);
  return Verdict::ack_unacceptable;
}

// The mode of the first SYN stays, whatever the next ask for.
// [RFC 9768 3.1.5-1, 3.1.5-5, 3.1.5-8, 3.1.5-10]
Verdict TcpLayer::repeat_syn_ack(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  tcp::HalfOpen& record = half_open_[index];
  const TcpConfig& config = *listeners_[record.listener].config;
  record.syns.add(in.segment.flags, in.carrier.mark);
  if (config.accurate_ecn != Ecn::off && record.syns.contradict()) {
    send_reply(core, in.tuple, tcp::make_reset(record, now, SendReason::reset_bad_ack),
               State::syn_received, config, record.return_route);
    ++core.counters.resets_out;
    forget_half_open(core, now, index, State::listen);
    return Verdict::syn_dropped;
  }
  record.sent_twice = true;
  send_syn_ack(core, now, index);
  return Verdict::accepted;
}

// RFC 5961 §10: a limit for each opening too.
void TcpLayer::answer_half_open(Core& core, Instant now, std::uint32_t index,
                                const tcp::SynReceivedView& view, SendReason reason) {
  tcp::HalfOpen& record = half_open_[index];
  if (!record.answers.take(core.config.limits.challenge_acks_per_second)) return;
  const std::uint32_t clock = tcp::timestamp_clock(now, record.timestamp_offset);
  tcp::Emission ack;
  ack.segment = tcp::make_syn_received_ack(record.tuple, view, clock);
  ack.reason = reason;
  send_reply(core, record.tuple, ack, State::syn_received, *listeners_[record.listener].config,
             record.return_route);
}

void TcpLayer::send_syn_ack(Core& core, Instant now, std::uint32_t index,
                            const std::optional<FastOpenOption>& fast_open) {
  tcp::HalfOpen& record = half_open_[index];
  const tcp::Emission syn_ack = make_syn_ack(now, record, fast_open);
  send_reply(core, record.tuple, syn_ack, State::syn_received, config_of(record),
             record.return_route);
}

// [RFC 9293 MUST-52, MUST-53]
std::shared_ptr<const TcpConfig> TcpLayer::config_for(const tcp::Listener& listener,
                                                      const tcp::ReturnRoute& route) {
  const bool learns_route = listener.config->source_route.empty();  // MUST-52
  if (!learns_route || route.empty()) return listener.config;
  auto routed = std::make_shared<TcpConfig>(*listener.config);
  routed->source_route = route.hops();
  return routed;
}

// SYN-RECEIVED becomes ESTABLISHED: only now is there a Connection.
Verdict TcpLayer::complete(Core& core, Instant now, const Arrived& in, const tcp::HalfOpen& record,
                           std::optional<std::uint32_t> half_open) {
  tcp::Listener& listener = listeners_[record.listener];
  const tcp::ReturnRoute& route = in.return_route.empty() ? record.return_route : in.return_route;
  auto config = config_for(listener, route);
  const auto path =
      core.find_path(now, tcp::first_hop(config->source_route, in.tuple.remote_address),
                     in.tuple.local_address.zone());
  if (!path || flows_.size() >= core.config.limits.connections) {
    if (half_open) drop_half_open(core, *half_open);
    refuse(core, in, SendReason::reset_no_connection);
    return Verdict::queue_full;
  }
  const tcp::Opening opening = tcp::make_opening(record, in.segment, now);
  // Without memory for all of it there is no connection yet, and the ACK may come again.
  listener.queue.make_room();
  queue_accept_event(record.listener);
  const std::uint32_t index =
      add_connection(core, now, in.hash, opening, std::move(config), *path, half_open);
  if (half_open) release_half_open(*half_open);
  core.context(now).trace(
      [&] { return StateChanged{in.tuple, State::syn_received, State::established}; });
  Flow& flow = flows_[index];
  flow.listener = record.listener;
  flow.learns_route = listener.config->source_route.empty();
  ++core.counters.passive_opens;
  interrupted_ = true;
  listener.queue.push_back({index, flows_.generation(index)});
  flow.connection()->on_opened(core.context(now), in.segment, in.carrier, tcp::Answer::nothing);
  follow_up(core, now, index);
  return Verdict::handshake_completed;
}

// ---- LISTEN (RFC 9293 §3.10.7.2)

Verdict TcpLayer::to_listener(Core& core, Instant now, const Arrived& in, std::uint32_t listener) {
  const TcpFlags flags = in.segment.flags;
  if (flags.rst()) return Verdict::no_connection;  // first
  if (flags.ack()) {                               // second
    if (auto verdict = try_cookie(core, now, in, listener)) return *verdict;
    refuse(core, in, SendReason::reset_no_connection);
    return Verdict::answered_reset;
  }
  if (!flags.syn()) return Verdict::no_ack_bit;  // fourth
  if (flags.fin() && listeners_[listener].config->quirks.drop_syn_fin) return Verdict::syn_dropped;
  return accept_syn(core, now, in, listener);  // third
}

bool TcpLayer::may_queue_syn(const Core& core, const tcp::Listener& listener) const {
  return half_open_.size() < core.config.limits.syn_cache &&
         listener.half_open < listener.backlog && listener.has_room();
}

// The clock in an ISN puts it beyond an old connection's numbers, unless that one ran faster than
// 250,000 octets a second; then it is moved up by a step nobody can guess.
void TcpLayer::move_beyond(Core& core, SeqNum used, SeqNum& iss) {
  if (iss - used <= 0) iss = used + static_cast<std::uint32_t>(1 + core.prng.below(1 << 16));
}

Verdict TcpLayer::accept_syn(Core& core, Instant now, const Arrived& in, std::uint32_t listener,
                             std::optional<SeqNum> above) {
  tcp::Listener& l = listeners_[listener];
  const TcpConfig& config = *l.config;
  const auto& route = config.source_route.empty() ? in.return_route.hops() : config.source_route;
  const auto path = core.find_path(now, tcp::first_hop(route, in.tuple.remote_address),
                                   in.tuple.local_address.zone());
  if (!path) return Verdict::bad_address;
  tcp::HalfOpen record = tcp::make_half_open(core.context(now), core.secrets, in.tuple, in.segment,
                                             in.carrier.mark, config, path->link_mtu);
  record.listener = listener;
  record.return_route = in.return_route;
  if (above) move_beyond(core, *above, record.iss);
  if (!may_queue_syn(core, l)) {
    ++core.counters.syn_cache_overflow;
    if (!core.config.syn_cookies || !l.has_room()) return Verdict::syn_dropped;
    send_cookie(core, now, record, config);
    return Verdict::syn_cookie_sent;
  }
  core.context(now).trace(
      [&] { return StateChanged{in.tuple, State::listen, State::syn_received}; });
  const tcp::FastOpenAnswer fast_open = answer_fast_open(core, now, in, listener);
  const std::uint32_t index = add_half_open(now, in.hash, record);
  const bool opened = fast_open.takes_octets && open_by_syn(core, now, in, index, *path);
  send_syn_ack(core, now, index, fast_open.option);
  return opened ? Verdict::syn_opened : Verdict::syn_queued;
}

std::uint32_t TcpLayer::add_half_open(Instant now, std::uint32_t hash, tcp::HalfOpen record) {
  tcp::Listener& listener = listeners_[record.listener];
  tcp::arm_syn_ack(record, *listener.config, now);
  make_room();
  const std::uint32_t index = half_open_.emplace(record);
  const std::uint32_t packed = Entry{Kind::half_open, index}.packed();
  ++listener.half_open;
  table_.insert(hash, packed);
  half_open_[index].timer = wheel_.arm(kNone, packed, record.deadline);
  return index;
}

void TcpLayer::send_cookie(Core& core, Instant now, tcp::HalfOpen record, const TcpConfig& config) {
  tcp::make_cookie(record, core.secrets, now);
  tcp::Emission emission = tcp::make_syn_ack(record, now);
  if (auto& timestamps = emission.segment.options.timestamps)
    timestamps->value = tcp::cookie_timestamp(record, timestamps->value);
  ++core.counters.syn_cookies_sent;
  cookie_sent_at_ = now;
  send_reply(core, record.tuple, emission, State::listen, config, record.return_route);
}

std::optional<Verdict> TcpLayer::try_cookie(Core& core, Instant now, const Arrived& in,
                                            std::uint32_t listener) {
  const bool possible = cookie_sent_at_ && now - *cookie_sent_at_ <= kCookieLifetime;
  if (!possible || in.segment.flags.syn()) return std::nullopt;
  tcp::Listener& l = listeners_[listener];
  const auto path = core.find_path(now, in.tuple.remote_address, in.tuple.local_address.zone());
  if (!path) return std::nullopt;
  auto record =
      tcp::check_cookie(core.secrets, in.tuple, in.segment, *l.config, path->link_mtu, now);
  if (!record) return std::nullopt;
  record->listener = listener;
  record->return_route = in.return_route;
  record->repeats = 1;  // when the SYN-ACK was sent is not known: no sample may come of it
  if (!l.has_room()) return keep_for_later(core, now, in, *record);
  ++core.counters.syn_cookies_accepted;
  // The state was in the cookie alone; now it can be told.
  core.context(now).trace(
      [&] { return StateChanged{in.tuple, State::listen, State::syn_received}; });
  return complete(core, now, in, *record, std::nullopt);
}

// The peer has shown that it is there and believes the connection open, but the accept queue has
// filled since the cookie was sent. Nobody would ever repeat a cookie, so it gets the record it had
// no room for before: its SYN-ACK is repeated until there is room, as for any other. Without room
// in the cache it is told at once.
Verdict TcpLayer::keep_for_later(Core& core, Instant now, const Arrived& in, tcp::HalfOpen record) {
  ++core.counters.accept_queue_overflow;
  if (half_open_.size() >= core.config.limits.syn_cache) {
    refuse(core, in, SendReason::reset_no_connection);
    return Verdict::queue_full;
  }
  ++core.counters.syn_cookies_accepted;
  core.context(now).trace(
      [&] { return StateChanged{in.tuple, State::listen, State::syn_received}; });
  record.answered = true;
  (void)add_half_open(now, in.hash, record);
  return Verdict::queue_full;
}

// ---- TIME-WAIT

Verdict TcpLayer::to_time_wait(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  tcp::TimeWait& record = time_wait_[index];
  const auto acknowledge = [&](SendReason reason) {
    const std::uint32_t offset = core.secrets.timestamp_offset(in.tuple);
    send_reply(core, in.tuple, tcp::make_time_wait_ack(record, offset, now, reason),
               State::time_wait, core.config.tcp, in.return_route);
    return Verdict::time_wait_acked;
  };
  const bool foreign = in.by.reach == Reach::foreign;
  const auto listener = foreign ? std::nullopt : find_listener(in.tuple.local());
  const TcpConfig* listening = listener ? listeners_[*listener].config.get() : nullptr;
  if (foreign && takes_syns(core, in)) listening = &core.config.tcp;
  switch (tcp::check_time_wait(record, in.segment, listening, core.config)) {
    case tcp::TimeWaitStep::ignore:
      return Verdict::accepted;
    case tcp::TimeWaitStep::end:
      drop_time_wait(core, now, index);
      return Verdict::reset_accepted;
    case tcp::TimeWaitStep::acknowledge:
      return acknowledge(SendReason::ack_unacceptable);
    case tcp::TimeWaitStep::acknowledge_few:
      return record.answers.take(core.config.limits.challenge_acks_per_second)
                 ? acknowledge(SendReason::ack_unacceptable)
                 : Verdict::out_of_window;
    case tcp::TimeWaitStep::acknowledge_restart:
      record.answers.clear();
      record.deadline = now + 2 * core.config.msl;
      unlink(index);
      link_newest(index);
      return acknowledge(SendReason::time_wait_ack);
    case tcp::TimeWaitStep::reopen:
      break;
  }
  if (foreign) return reopen_foreign(core, now, in, index);
  // A cookie could not be a number of our choice, and a dropped SYN is no reason to give up the
  // wait.
  if (!may_queue_syn(core, listeners_[*listener])) {
    ++core.counters.syn_cache_overflow;
    return Verdict::syn_dropped;
  }
  // [RFC 9293 MAY-2]
  // MAY-2: the ISN we choose must lie beyond what the old connection used.
  const SeqNum used = record.snd_nxt;
  drop_time_wait(core, now, index);
  const Verdict verdict = accept_syn(core, now, in, *listener, used);
  return verdict == Verdict::syn_queued ? Verdict::time_wait_reopened : verdict;
}

// ---- CLOSED (RFC 9293 §3.10.7.1)

Verdict TcpLayer::to_nobody(Core& core, const Arrived& in) {
  if (in.segment.flags.rst()) return Verdict::no_connection;
  refuse(core, in, SendReason::reset_no_connection);
  return Verdict::answered_reset;
}

// RFC 9293 §3.5.2, groups 1 and 2.
void TcpLayer::refuse(Core& core, const FourTuple& tuple, const Segment& to, SendReason reason) {
  TcpReply reply{.tuple = tuple, .emission = {.segment = {}, .reason = reason}, .ttl = kPassiveTtl};
  Segment& segment = reply.emission.segment;
  segment.source_port = tuple.local_port;
  segment.destination_port = tuple.remote_port;
  if (to.flags.ack()) {
    segment.seq = to.ack;
    segment.flags = kRst;
  } else {
    segment.ack = to.seq + to.length();
    segment.flags = kRst | kAck;
  }
  ++core.counters.resets_out;
  core.reply(std::move(reply));
}

// ---- ICMP (RFC 9293 §3.9.2.2)

// [RFC 9293 MUST-54] [RFC 1122 3.2.2.1-6]
void TcpLayer::on_icmp(Core& core, Instant now, const FourTuple& tuple, SeqNum seq,
                       const ip::IcmpEffect& effect, const IcmpReport& report) {
  recover(core, now);
  const Entry entry = find_entry(core.secrets.flow_hash(tuple), tuple);
  if (entry.kind == Kind::nobody || entry.kind == Kind::time_wait || entry.kind == Kind::held)
    return;
  if (entry.kind == Kind::half_open) {
    const tcp::HalfOpen& record = half_open_[entry.index];
    if (record.is_opened()) return icmp_to_opened_by_syn(core, now, record, seq, effect, report);
    // SHLD-26: a hard error ends what has not opened yet (RFC 5927 §5.2).
    const bool hard =
        effect.error == Error::port_unreachable || effect.error == Error::protocol_unreachable;
    if (hard && seq == record.iss) forget_half_open(core, now, entry.index, State::listen);
    return;
  }
  Flow& flow = flows_[entry.index];
  if (tcp::Handshake* handshake = flow.handshake()) {
    if (!handshake->is_outstanding(seq)) return;  // RFC 5927 §4: it must quote what we sent
    // [RFC 7413 4.1.3.1-1]
    if (handshake->has_tried_fast_open()) core.fast_open.pause(tuple, now);
    handshake->on_icmp(core.context(now), effect.error, report);
    return follow_up(core, now, entry.index);
  }
  tcp::Connection& connection = *flow.connection();
  if (!connection.is_outstanding(seq)) return;
  connection.on_soft_error(effect.error, report);
  follow_up(core, now, entry.index);
}

void TcpLayer::on_path_mtu(Core& core, Instant now, const FourTuple& tuple) {
  recover(core, now);
  const Entry entry = find_entry(core.secrets.flow_hash(tuple), tuple);
  const auto index = flow_of(entry);
  if (!index) return;
  if (tcp::Handshake* handshake = flows_[*index].handshake();
      handshake && handshake->carried_octets()) {
    handshake->on_too_big();
    core.fast_open.pause(tuple, now);
  }
  follow_up(core, now, *index);
}

bool TcpLayer::is_outstanding(const Core& core, const FourTuple& tuple, SeqNum seq) const {
  const Entry entry = find_entry(core.secrets.flow_hash(tuple), tuple);
  const auto index = flow_of(entry);
  if (!index) return false;
  if (const tcp::Connection* connection = flows_[*index].connection())
    return connection->is_outstanding(seq);
  // A SYN without octets fits every path.
  const tcp::Handshake& handshake = *flows_[*index].handshake();
  return handshake.carried_octets() && handshake.is_outstanding(seq);
}

}  // namespace estab::stack
