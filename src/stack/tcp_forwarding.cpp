// SYNs for other hosts (estab/forward.h): held until the application accepts or rejects them. A
// held SYN is in the flow table, so that one which is repeated finds it, and has a timer; the
// stream that is made of it takes its place in both.

#include "stack/tcp_layer.h"
#include "tcp/connection/negotiated.h"

namespace estab::stack {

// As RFC 9293 §3.10.7.2 for LISTEN: whether a host listens there, the application will say.
Verdict TcpLayer::to_foreign(Core& core, Instant now, const Arrived& in) {
  if (!takes_syns(core, in)) return Verdict::not_for_us;
  const TcpFlags flags = in.segment.flags;
  if (flags.rst()) return Verdict::no_connection;
  if (flags.ack()) {
    refuse(core, in, SendReason::reset_no_connection);
    return Verdict::answered_reset;
  }
  return flags.syn() ? hold_syn(core, now, in) : Verdict::no_ack_bit;
}

bool TcpLayer::may_hold_syn(const Core& core, const IpAddress& source) const {
  const StackLimits& limits = core.config.limits;
  return held_.size() < limits.held_syns && sources_.total() < limits.forwarded &&
         sources_.of(source_hash(core, source), source) < limits.forwarded_per_source;
}

Verdict TcpLayer::hold_syn(Core& core, Instant now, const Arrived& in,
                           std::optional<SeqNum> above) {
  const IpAddress& source = in.tuple.remote_address;
  if (!may_hold_syn(core, source)) {
    ++core.counters.offers_refused;
    return Verdict::syn_dropped;
  }
  make_room();
  sources_.make_room();
  if (offers_.size() >= kStaleEvents + 2 * held_.size()) drop_stale_offers();
  offers_.make_room();
  tcp::HeldSyn syn{.tuple = in.tuple, .interface = in.by.interface, .above = above};
  syn.mark = in.carrier.mark;
  syn.keep(in.by.octets, now);
  syn.hash = in.hash;
  const std::uint32_t index = held_.emplace(syn);
  const std::uint32_t packed = Entry{Kind::held, index}.packed();
  table_.insert(in.hash, packed);
  held_[index].timer = wheel_.arm(kNone, packed, now + core.config.held_syn_timeout);
  sources_.add(source_hash(core, source), source);
  offers_.push_back({index, held_.generation(index)});
  ++core.counters.offers;
  return Verdict::syn_held;
}

// Nothing has been answered yet, so there is only the SYN to go by: another one takes its place,
// and a RST behind it takes it back.
Verdict TcpLayer::to_held(Core& core, Instant now, const Arrived& in, std::uint32_t index) {
  tcp::HeldSyn& syn = held_[index];
  const TcpFlags flags = in.segment.flags;
  if (flags.rst()) {
    const SeqNum first = syn.segment().seq;
    if (in.segment.seq != first && in.segment.seq != first + 1) return Verdict::reset_ignored;
    forget_held(core, index);
    return Verdict::reset_accepted;
  }
  if (flags.ack()) {
    refuse(core, in, SendReason::reset_bad_ack);
    return Verdict::ack_unacceptable;
  }
  if (!flags.syn()) return Verdict::no_ack_bit;
  syn.keep(in.by.octets, now);
  return Verdict::syn_held;
}

// RFC 6191: the guest opens the same pair again. One that finds no room leaves the wait as it is.
Verdict TcpLayer::reopen_foreign(Core& core, Instant now, const Arrived& in,
                                 std::uint32_t time_wait) {
  if (!may_hold_syn(core, in.tuple.remote_address)) {
    ++core.counters.offers_refused;
    return Verdict::syn_dropped;
  }
  const SeqNum used = time_wait_[time_wait].snd_nxt;
  drop_time_wait(core, now, time_wait);
  const Verdict verdict = hold_syn(core, now, in, used);
  return verdict == Verdict::syn_held ? Verdict::time_wait_reopened : verdict;
}

// ---- what the application decides

Result<StreamId> TcpLayer::accept(Core& core, Instant now, OfferId id,
                                  const std::optional<TcpConfig>& tcp) {
  const tcp::HeldSyn* syn = held_.find(id.index, id.generation);
  if (!syn) return std::unexpected(Error::no_such_id);
  recover(core, now);
  auto config = tcp ? std::make_shared<const TcpConfig>(*tcp) : default_config(core);
  if (!tcp::is_usable_route(config->source_route)) return std::unexpected(Error::invalid_argument);
  if (flows_.size() >= core.config.limits.connections) return std::unexpected(Error::limit_reached);
  const FourTuple tuple = syn->tuple;
  const auto path = core.find_path(now, tcp::first_hop(config->source_route, tuple.remote_address));
  if (!path) return std::unexpected(Error::no_route);
  tcp::HalfOpen record = tcp::make_half_open(core.context(now), core.secrets, tuple, syn->segment(),
                                             syn->mark, *config, path->link_mtu);
  if (syn->above) move_beyond(core, *syn->above, record.iss);
  const std::uint32_t hash = syn->hash;
  make_room();
  output_.make_room();
  const std::uint32_t index = flows_.emplace(std::in_place_type<tcp::Handshake>,
                                             Flow::Place{hash, *path, now, core.path_version},
                                             core.context(now), record, std::move(config));
  table_.replace(hash, Entry{Kind::held, id.index}.packed(), Entry{Kind::flow, index}.packed());
  flows_[index].indexed = true;
  flows_[index].forwarded = true;
  release_held(id.index);
  follow_up(core, now, index);
  return StreamId{index, flows_.generation(index)};
}

Result<tcp::HeldSyn> TcpLayer::take(const Core& core, OfferId id) {
  const tcp::HeldSyn* found = held_.find(id.index, id.generation);
  if (!found) return std::unexpected(Error::no_such_id);
  tcp::HeldSyn syn = *found;
  forget_held(core, id.index);
  return syn;
}

void TcpLayer::reset(Core& core, const tcp::HeldSyn& syn) {
  refuse(core, syn.tuple, syn.segment(), SendReason::reset_no_connection);
}

// ---- what becomes of one

std::uint32_t TcpLayer::source_hash(const Core& core, const IpAddress& source) {
  return core.secrets.flow_hash({.local_address = {}, .remote_address = source});
}

void TcpLayer::uncount_source(const Core& core, const IpAddress& source) {
  sources_.remove(source_hash(core, source), source);
}

void TcpLayer::forget_held(const Core& core, std::uint32_t index) {
  const tcp::HeldSyn& syn = held_[index];
  table_.erase(syn.hash, Entry{Kind::held, index}.packed());
  uncount_source(core, syn.tuple.remote_address);
  release_held(index);
}

void TcpLayer::release_held(std::uint32_t index) {
  wheel_.cancel(held_[index].timer);
  held_.erase(index);
}

void TcpLayer::on_held_timer(Core& core, Instant now, std::uint32_t index) {
  tcp::HeldSyn& syn = held_[index];
  syn.timer = kNone;
  const Instant deadline = syn.heard_at + core.config.held_syn_timeout;
  if (now < deadline) {  // it has been repeated, or the wheel is early
    syn.timer = wheel_.arm(kNone, Entry{Kind::held, index}.packed(), deadline);
    return;
  }
  ++core.counters.offers_expired;
  forget_held(core, index);
}

std::optional<OfferEvent> TcpLayer::poll_offer() {
  while (!offers_.empty()) {
    const OfferId id = offers_.pop_front();
    tcp::HeldSyn* syn = held_.find(id.index, id.generation);
    if (syn) return OfferEvent{id, syn->tuple, syn->interface};
  }
  return std::nullopt;
}

// Who never asks for events leaves entries here of what is gone.
void TcpLayer::drop_stale_offers() {
  for (std::size_t left = offers_.size(); left > 0; --left) {
    const OfferId id = offers_.pop_front();
    if (is_waiting(id)) offers_.push_back(id);
  }
}

}  // namespace estab::stack
