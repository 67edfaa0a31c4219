// How a connection moves between the tables: follow_up() and what it rests on.

#include <algorithm>
#include <tuple>

#include "base/ensure.h"
#include "base/public_fields.h"
#include "stack/tcp_layer.h"

namespace estab::stack {

using tcp::Connection;

// ---- finding

// Listening endpoints are the application's choice, not a peer's: no secret is needed.
std::uint64_t TcpLayer::listener_hash(const Endpoint& local) {
  base::Hasher hasher;
  hasher.add(local);
  return hasher.finish();
}

std::optional<std::uint32_t> TcpLayer::find_exact_listener(const Endpoint& local) const {
  return listener_table_.find(
      listener_hash(local), [&](std::uint32_t index) { return listeners_[index].local == local; });
}

// The most specific LISTEN takes the SYN: its own address, then any of the family, then any.
std::optional<std::uint32_t> TcpLayer::find_listener(const Endpoint& local) const {
  if (listeners_.empty()) return std::nullopt;
  if (auto exact = find_exact_listener(local)) return exact;
  if (auto family = find_exact_listener({IpAddress::any(local.address.family()), local.port}))
    return family;
  const auto any = find_exact_listener({IpAddress::any(Family::ipv6), local.port});
  if (any && local.address.is_v4() && listeners_[*any].ipv6_only) return std::nullopt;
  return any;
}

const Flow* TcpLayer::find(StreamId id) const {
  const Flow* flow = flows_.find(id.index, id.generation);
  return flow && !flow->released() ? flow : nullptr;
}

const Connection* TcpLayer::find_connection(StreamId id) const {
  const Flow* flow = find(id);
  return flow ? flow->connection() : nullptr;
}

State TcpLayer::state(const Core& core, StreamId id) const {
  const Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return State::closed;
  if (flow->state() != State::time_wait) return flow->state();
  // The stream is over; TIME-WAIT lives on in a record of its own as long as it lasts.
  const Entry entry = find_entry(core.secrets.flow_hash(flow->tuple()), flow->tuple());
  return entry.kind == Kind::time_wait ? State::time_wait : State::closed;
}

// ---- settling

void TcpLayer::follow_up(Core& core, Instant now, std::uint32_t index) {
  interrupted_ = true;
  follow_up_flow(core, now, index);
  interrupted_ = false;
}

void TcpLayer::follow_up_all(Core& core, Instant now) {
  flows_.for_each([&](std::uint32_t index, Flow&) { follow_up(core, now, index); });
  interrupted_ = false;
}

// May be called again for a flow it had not done with.
void TcpLayer::follow_up_flow(Core& core, Instant now, std::uint32_t index) {
  Flow& flow = flows_[index];
  if (flow.handshake()) return follow_up_handshake(core, now, flow, index);
  Connection& connection = *flow.connection();
  const State state = connection.state();
  if (flow.indexed && (state == State::closed || state == State::time_wait))
    retire(core, now, flow, index);
  if (connection.released() && !flow.indexed) return erase_flow(core, index);
  if (connection.has_signals() && !connection.released()) queue_event(flow, index);
  if (!flow.indexed) return;
  rearm(flow, index);
  // A path that may have become narrower is looked at even if nothing new is to go.
  const bool narrower = flow.path_version != core.path_version;
  if (connection.wants_to_send() || narrower) queue_output(flow, index);
}

void TcpLayer::follow_up_handshake(Core& core, Instant now, Flow& flow, std::uint32_t index) {
  const tcp::Handshake& handshake = *flow.handshake();
  if (handshake.state() == State::closed) {
    if (flow.indexed) {
      ++core.counters.failed_opens;
      const bool silence = handshake.failure() != Error::connection_refused;
      if (silence && handshake.has_tried_fast_open()) core.fast_open.pause(flow.tuple(), now);
    }
    leave_table(flow, index);
    if (handshake.released()) return erase_flow(core, index);
    return queue_event(flow, index);
  }
  if (handshake.has_signals() && !handshake.released()) queue_event(flow, index);
  rearm(flow, index);
  if (handshake.wants_to_send()) queue_output(flow, index);
}

// The connection has ended: it tells the peer if that is due, and makes way for a TIME-WAIT record
// or nothing. Out of line: most segments end nothing.
[[gnu::noinline]] void TcpLayer::retire(Core& core, Instant now, Flow& flow, std::uint32_t index) {
  const Connection& connection = *flow.connection();
  if (opened_by_syn_ > 0) forget_opened_by_syn(now, flow, index);
  const auto& ending = connection.ending();
  if (ending && ending->reset)
    send_reply(core, connection.tuple(), connection.make_reset(core.context(now), *ending->reset),
               State::closed, connection.config());
  if (connection.state() == State::time_wait)
    enter_time_wait(core, now, index);
  else
    leave_table(flow, index);
}

// Segments no longer find the flow; its timer stops. The application may still read what came.
void TcpLayer::leave_table(Flow& flow, std::uint32_t index) {
  if (!flow.indexed) return;
  flow.indexed = false;
  table_.erase(flow.hash, Entry{Kind::flow, index}.packed());
  wheel_.cancel(flow.timer);
}

void TcpLayer::erase_flow(Core& core, std::uint32_t index) {
  Flow& flow = flows_[index];
  leave_table(flow, index);
  if (Connection* connection = flow.connection())
    connection->release_buffers(core.blocks, core.buffers);
  if (flow.forwarded) uncount_source(core, flow.tuple().remote_address);
  flows_.erase(index);  // stale numbers in output_ and ready_ are recognised there
}

void TcpLayer::enter_time_wait(Core& core, Instant now, std::uint32_t index) {
  Flow& flow = flows_[index];
  if (time_wait_.size() >= core.config.limits.time_wait) {
    if (oldest_time_wait_ == kNone) return leave_table(flow, index);
    ++core.counters.time_wait_overflow;
    drop_time_wait(core, now, oldest_time_wait_);
  }
  // [RFC 9293 MUST-13]
  const Instant deadline = now + 2 * core.config.msl;  // MUST-13
  const std::uint32_t record =
      time_wait_.emplace(tcp::make_time_wait(*flow.connection(), deadline));
  flow.indexed = false;
  table_.replace(flow.hash, Entry{Kind::flow, index}.packed(),
                 Entry{Kind::time_wait, record}.packed());
  wheel_.cancel(flow.timer);
  link_newest(record);
  // If the ACK of the peer's FIN is still owed, the connection that owed it is out of the table.
  if (!flow.connection()->receiver().due()) return;
  const tcp::Emission ack = tcp::make_time_wait_ack(
      time_wait_[record], flow.connection()->timestamp_offset(), now, SendReason::ack_immediate);
  send_reply(core, flow.tuple(), ack, State::time_wait, flow.config());
}

// All waits are equally long, so the order of beginning is the order of ending.
void TcpLayer::link_newest(std::uint32_t index) {
  tcp::TimeWait& record = time_wait_[index];
  record.older = newest_time_wait_;
  record.newer = kNone;
  if (newest_time_wait_ != kNone) time_wait_[newest_time_wait_].newer = index;
  newest_time_wait_ = index;
  if (oldest_time_wait_ == kNone) oldest_time_wait_ = index;
}

void TcpLayer::unlink(std::uint32_t index) {
  const tcp::TimeWait& record = time_wait_[index];
  (record.older == kNone ? oldest_time_wait_ : time_wait_[record.older].newer) = record.newer;
  (record.newer == kNone ? newest_time_wait_ : time_wait_[record.newer].older) = record.older;
}

void TcpLayer::drop_time_wait(Core& core, Instant now, std::uint32_t index) {
  const FourTuple tuple = time_wait_[index].tuple;
  core.context(now).trace([&] { return StateChanged{tuple, State::time_wait, State::closed}; });
  table_.erase(core.secrets.flow_hash(tuple), Entry{Kind::time_wait, index}.packed());
  unlink(index);
  time_wait_.erase(index);
}

void TcpLayer::drop_half_open(const Core& core, std::uint32_t index) {
  table_.erase(core.secrets.flow_hash(half_open_[index].tuple),
               Entry{Kind::half_open, index}.packed());
  release_half_open(index);
}

void TcpLayer::release_half_open(std::uint32_t index) {
  tcp::HalfOpen& record = half_open_[index];
  if (listeners_.holds(record.listener)) --listeners_[record.listener].half_open;
  wheel_.cancel(record.timer);
  half_open_.erase(index);
}

void TcpLayer::forget_half_open(Core& core, Instant now, std::uint32_t index, State to) {
  core.context(now).trace(
      [&] { return StateChanged{half_open_[index].tuple, State::syn_received, to}; });
  drop_half_open(core, index);
}

std::uint32_t TcpLayer::add_connection(Core& core, Instant now, std::uint32_t hash,
                                       const tcp::Opening& opening,
                                       std::shared_ptr<const TcpConfig> config, const Path& path,
                                       std::optional<std::uint32_t> half_open) {
  make_room();
  const std::uint32_t index = flows_.emplace(
      std::in_place_type<Connection>, Flow::Place{hash, path, now, core.path_version},
      core.context(now), opening, std::move(config), limits_of(core, path, opening.tuple.family()));
  const std::uint32_t entry = Entry{Kind::flow, index}.packed();
  if (half_open) {
    table_.replace(hash, Entry{Kind::half_open, *half_open}.packed(), entry);
  } else {
    table_.insert(hash, entry);
  }
  flows_[index].indexed = true;
  return index;
}

void TcpLayer::send_reply(Core& core, const FourTuple& tuple, const tcp::Emission& emission,
                          State state, const TcpConfig& config,
                          const tcp::ReturnRoute& return_route) {
  if (emission.segment.flags.rst()) ++core.counters.resets_out;
  core.reply(TcpReply{
      tuple, emission, state, config.ttl, static_cast<std::uint8_t>(config.dscp << 2),
      config.source_route.empty() ? return_route.hops() : config.source_route});  // MUST-52
}

void TcpLayer::send_reset(Core& core, Instant now, const tcp::HalfOpen& record, SendReason reason) {
  send_reply(core, record.tuple, tcp::make_reset(record, now, reason), State::closed,
             *listeners_[record.listener].config, record.return_route);
}

// ---- seen from outside

std::vector<SocketRow> TcpLayer::table() const {
  std::vector<SocketRow> rows;
  listeners_.for_each([&](std::uint32_t, const tcp::Listener& listener) {
    rows.push_back(
        {listener.local, std::nullopt, State::listen, listener.queue.size(), listener.backlog});
  });
  half_open_.for_each([&](std::uint32_t, const tcp::HalfOpen& record) {
    if (record.is_opened()) return;  // its connection is below
    rows.push_back({record.tuple.local(), record.tuple.remote(), State::syn_received});
  });
  held_.for_each([&](std::uint32_t, const tcp::HeldSyn& syn) {
    rows.push_back({syn.tuple.local(), syn.tuple.remote(), State::syn_received});
  });
  time_wait_.for_each([&](std::uint32_t, const tcp::TimeWait& record) {
    rows.push_back({record.tuple.local(), record.tuple.remote(), State::time_wait});
  });
  flows_.for_each([&](std::uint32_t, const Flow& flow) {
    if (!flow.indexed) return;
    SocketRow row{flow.tuple().local(), flow.tuple().remote(), flow.state()};
    if (const Connection* connection = flow.connection()) {
      row.recv_queue = connection->receiver().readable();
      row.send_queue = connection->sender().outgoing().size();
    } else {
      row.send_queue = flow.handshake()->early_data().size();
    }
    rows.push_back(row);
  });
  std::ranges::sort(rows, {}, [](const SocketRow& row) {
    return std::tuple(row.state != State::listen, row.local, row.remote);
  });
  return rows;
}

// ---- the value

void TcpLayer::census(Stack::Census& census) const {
  census.streams = flows_.size();
  census.syn_cache = half_open_.size();
  census.time_wait = time_wait_.size();
  census.listeners = listeners_.size();
  census.held_syns = held_.size();
  census.forwarded = sources_.total();
  census.timers = wheel_.size();
}

std::size_t TcpLayer::memory() const {
  std::size_t octets = flows_.memory() + half_open_.memory() + time_wait_.memory() +
                       listeners_.memory() + table_.memory() + listener_table_.memory() +
                       wheel_.memory() + output_.memory() + ready_.memory() + acceptable_.memory() +
                       held_.memory() + offers_.memory() + sources_.memory();
  flows_.for_each([&](std::uint32_t, const Flow& flow) {
    octets +=
        flow.connection() ? flow.connection()->memory() : flow.handshake()->early_data().memory();
  });
  return octets;
}

// The tables and the wheel follow from the records; what was interrupted is followed up before
// anything else happens.
auto TcpLayer::fields() const {
  const auto& [flows, half_open, time_wait, held, listeners, table, listener_table, wheel, output,
               ready, acceptable, offers, sources, oldest_time_wait, newest_time_wait,
               cookie_sent_at, next_port, opened_by_syn, interrupted, default_config] = *this;
  // Nobody outside knows the numbers of these records: which they have, and had, decides nothing.
  const auto hash_half_open = [this](auto& hasher, const auto& records) {
    hasher.add(records.size());
    records.for_each([&](std::uint32_t, const tcp::HalfOpen& record) {
      record.hash_into(hasher, config_of(record));
    });
  };
  const auto hash_time_wait = [](auto& hasher, const auto& records) {
    hasher.add(records.size());
    records.for_each([&](std::uint32_t, const tcp::TimeWait& record) { hasher.add(record); });
  };
  return base::fields(
      flows, base::hashed_by(half_open, hash_half_open), base::hashed_by(time_wait, hash_time_wait),
      held, listeners, base::derived(table), base::derived(listener_table), base::derived(wheel),
      output, ready, acceptable, offers, base::derived(sources), base::derived(oldest_time_wait),
      base::derived(newest_time_wait), cookie_sent_at, next_port, base::derived(opened_by_syn),
      base::derived(interrupted), base::derived(default_config));
}

bool TcpLayer::equals(const TcpLayer& other) const {
  return fields() == other.fields();
}

void TcpLayer::hash_into(base::Hasher& hasher) const {
  hasher.add(fields());
}

}  // namespace estab::stack
