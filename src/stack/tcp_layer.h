// TcpLayer: every listener, opening, connection and TIME-WAIT record of a stack; finds whose a
// segment is, carries a connection from one kind of record to the next, and keeps its timer and its
// place in the output queue. What a segment means to a connection is not decided here but in
// src/tcp.
//
// Law: after anything that may have changed a flow, follow_up() is called for it, once; it alone
// moves flows between tables and queues.
//
// Law: std::bad_alloc may come out anywhere, with the strong exception guarantee for the records:
// what makes one reserves all the memory it needs first. What changes a flow raises `interrupted_`
// before it begins, and follow_up() lowers it; a call that finds it raised follows up all flows
// before anything else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "estab/stack.h"

#include "base/flat_index.h"
#include "base/ring.h"
#include "base/slab.h"
#include "base/timer_wheel.h"
#include "ip/icmp_rules.h"
#include "ip/source_counts.h"
#include "stack/core.h"
#include "stack/flow.h"
#include "tcp/close/time_wait.h"
#include "tcp/open/fast_open_server.h"
#include "tcp/open/half_open.h"
#include "tcp/open/held_syn.h"
#include "tcp/open/listener.h"
#include "tcp/open/syn_received.h"

namespace estab::stack {

class TcpLayer {
 public:
  // ---- segments and deadlines (tcp_dispatch.cpp, tcp_timers.cpp)
  /// What a segment came in.
  struct Delivery {
    Origin origin;
    tcp::Carrier carrier;
    tcp::ReturnRoute return_route;
    Reach reach;
    InterfaceId interface;
    Octets octets;  ///< header and text
  };
  Verdict on_segment(Core& core, Instant now, const FourTuple& tuple, const Segment& segment,
                     const Delivery& by);
  void on_icmp(Core& core, Instant now, const FourTuple& tuple, SeqNum seq,
               const ip::IcmpEffect& effect, const IcmpReport& report);
  /// The path to this peer became narrower.
  void on_path_mtu(Core& core, Instant now, const FourTuple& tuple);
  /// Whether `seq` is sent and unacknowledged on that connection (RFC 5927 §4).
  bool is_outstanding(const Core& core, const FourTuple& tuple, SeqNum seq) const;
  void on_deadline(Core& core, Instant now);
  Instant next_deadline(Instant now) const;
  /// Ends what used one of these addresses, without a word to any peer (tcp_removal.cpp).
  void on_removed(Core& core, Instant now, const Removed& gone);

  // ---- commands (tcp_commands.cpp)
  Result<ListenerId> listen(Core& core, const ListenOptions& options);
  Result<void> close_listener(Core& core, Instant now, ListenerId id);
  Result<StreamId> accept(Core& core, Instant now, ListenerId id);
  Result<StreamId> connect(Core& core, Instant now, const ConnectOptions& options);
  Result<void> close(Core& core, Instant now, StreamId id);
  Result<void> abort(Core& core, Instant now, StreamId id);
  /// Runs `act(connection)` on an open connection and follows it up; else the error for its state.
  template <class Act>
  auto with_connection(Core& core, Instant now, StreamId id, Act&& act)
      -> decltype(act(std::declval<tcp::Connection&>(), core.context(now)));
  /// The same for what may be said before the connection is open: `early(handshake)` then.
  template <class Early, class Act>
  auto with_sender(Core& core, Instant now, StreamId id, Early&& early, Act&& act)
      -> decltype(act(std::declval<tcp::Connection&>(), core.context(now)));
  Result<void> reconfigure(Core& core, Instant now, StreamId id, const TcpConfig& config);
  Result<void> reconfigure(ListenerId id, const TcpConfig& config);
  Result<void> set_backlog(ListenerId id, std::uint32_t backlog);

  // ---- for others (tcp_forwarding.cpp)
  Result<StreamId> accept(Core& core, Instant now, OfferId id, const std::optional<TcpConfig>& tcp);
  /// The SYN, which is held no more. Error::no_such_id.
  Result<tcp::HeldSyn> take(const Core& core, OfferId id);
  /// RST: as if nobody listened there.
  static void reset(Core& core, const tcp::HeldSyn& syn);
  bool is_waiting(OfferId id) const { return held_.find(id.index, id.generation) != nullptr; }
  /// Segments to other hosts may find somebody.
  bool has_forwarded() const { return sources_.total() > 0; }
  std::optional<OfferEvent> poll_offer();

  // ---- output and events (tcp_output.cpp)
  bool has_output() const { return interrupted_ || !output_.empty(); }
  bool poll_transmit(Core& core, Instant now, TransmitFrame& frame);
  static void build_reply(Core& core, Instant now, const Path& path, const TcpReply& reply,
                          TransmitFrame& frame);
  std::optional<StreamEvent> poll_event();
  std::optional<AcceptEvent> poll_accept_event();

  // ---- getters
  State state(const Core& core, StreamId id) const;
  /// Null for a stream that the application has let go of.
  const Flow* find(StreamId id) const;
  const tcp::Connection* find_connection(StreamId id) const;
  const tcp::Listener* find(ListenerId id) const {
    return listeners_.find(id.index, id.generation);
  }
  void census(Stack::Census& census) const;
  std::vector<SocketRow> table() const;
  std::size_t memory() const;
  bool equals(const TcpLayer& other) const;
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;

  /// What a number in the flow table, or a key in the timer wheel, stands for.
  enum class Kind : std::uint32_t { flow, half_open, time_wait, held, nobody };
  struct Entry {
    Kind kind;
    std::uint32_t index;
    std::uint32_t packed() const { return static_cast<std::uint32_t>(kind) << 30 | index; }
    static Entry unpack(std::uint32_t packed) {
      return {static_cast<Kind>(packed >> 30), packed & 0x3fffffff};
    }
  };
  static constexpr std::uint32_t kNone = 0xffffffff;
  /// Ids of flows that are no more, which the output queue may hold whatever else it holds.
  static constexpr std::size_t kFewStale = 64;
  /// So many entries of streams that are gone may stand in ready_ before somebody looks for them.
  static constexpr std::size_t kStaleEvents = 1024;

  // tcp_table.cpp
  const FourTuple& tuple_of(Entry entry) const;
  Entry find_entry(std::uint32_t hash, const FourTuple& tuple) const;
  std::optional<std::uint32_t> find_listener(const Endpoint& local) const;
  std::optional<std::uint32_t> find_exact_listener(const Endpoint& local) const;
  static std::uint64_t listener_hash(const Endpoint& local);
  void follow_up(Core& core, Instant now, std::uint32_t index);
  void follow_up_flow(Core& core, Instant now, std::uint32_t index);
  void follow_up_handshake(Core& core, Instant now, Flow& flow, std::uint32_t index);
  void retire(Core& core, Instant now, Flow& flow, std::uint32_t index);
  void follow_up_all(Core& core, Instant now);
  /// After a call that an exception cut short.
  void recover(Core& core, Instant now) {
    if (interrupted_) follow_up_all(core, now);
  }
  /// The table and the wheel will take one more flow, half-open record or held SYN without fail.
  void make_room() {
    table_.make_room();
    wheel_.make_room(flows_.size() + half_open_.size() + held_.size() + 1);
  }
  void leave_table(Flow& flow, std::uint32_t index);
  void enter_time_wait(Core& core, Instant now, std::uint32_t index);
  void drop_time_wait(Core& core, Instant now, std::uint32_t index);
  void rearm(Flow& flow, std::uint32_t index);
  void link_newest(std::uint32_t index);
  void unlink(std::uint32_t index);
  void drop_half_open(const Core& core, std::uint32_t index);
  /// All of that but the place in the table, which somebody else has taken.
  void release_half_open(std::uint32_t index);
  /// An opening that came to nothing.
  void forget_half_open(Core& core, Instant now, std::uint32_t index, State to);
  void erase_flow(Core& core, std::uint32_t index);
  void queue_output(Flow& flow, std::uint32_t index);
  void sweep_output();
  void queue_event(Flow& flow, std::uint32_t index);
  void drop_stale_events();
  /// The listener has something to be told of: a connection to accept, or its end.
  void queue_accept_event(std::uint32_t index);
  void send_reply(Core& core, const FourTuple& tuple, const tcp::Emission& emission, State state,
                  const TcpConfig& config, const tcp::ReturnRoute& return_route = {});
  /// To a peer that believes the connection open, though nobody had room for it.
  void send_reset(Core& core, Instant now, const tcp::HalfOpen& record, SendReason reason);
  /// `half_open`: the record whose place in the table it takes, if there is one.
  std::uint32_t add_connection(Core& core, Instant now, std::uint32_t hash,
                               const tcp::Opening& opening, std::shared_ptr<const TcpConfig> config,
                               const Path& path, std::optional<std::uint32_t> half_open);
  static tcp::PathLimits limits_of(const Core& core, const Path& path, Family family);
  static void refresh_path(const Core& core, Instant now, Flow& flow);

  // tcp_dispatch.cpp: one function a kind of record a segment can meet
  struct Arrived {
    const FourTuple& tuple;
    const Segment& segment;
    Origin origin;
    tcp::Carrier carrier;
    const tcp::ReturnRoute& return_route;
    std::uint32_t hash;
    const Delivery& by;
  };
  Verdict dispatch(Core& core, Instant now, const Arrived& in);
  State state_of(std::uint32_t hash, const FourTuple& tuple) const;
  Verdict to_flow(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  void learn_route(Core& core, Instant now, Flow& flow, const tcp::ReturnRoute& return_route);
  Verdict to_handshake(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  Verdict to_half_open(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  Verdict to_time_wait(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  Verdict to_listener(Core& core, Instant now, const Arrived& in, std::uint32_t listener);
  Verdict to_nobody(Core& core, const Arrived& in);
  /// `above`: the ISN must lie beyond this number (a TIME-WAIT record makes way).
  Verdict accept_syn(Core& core, Instant now, const Arrived& in, std::uint32_t listener,
                     std::optional<SeqNum> above = std::nullopt);
  static void move_beyond(Core& core, SeqNum used, SeqNum& iss);
  bool may_queue_syn(const Core& core, const tcp::Listener& listener) const;
  /// `half_open`: the number of the record, if it is in the cache; it goes.
  Verdict complete(Core& core, Instant now, const Arrived& in, const tcp::HalfOpen& record,
                   std::optional<std::uint32_t> half_open);
  std::optional<Verdict> try_cookie(Core& core, Instant now, const Arrived& in,
                                    std::uint32_t listener);
  Verdict keep_for_later(Core& core, Instant now, const Arrived& in, tcp::HalfOpen record);
  void send_syn_ack(Core& core, Instant now, std::uint32_t index,
                    const std::optional<FastOpenOption>& fast_open = std::nullopt);
  /// Into the cache, its SYN-ACK as just sent; returns its number.
  std::uint32_t add_half_open(Instant now, std::uint32_t hash, tcp::HalfOpen record);
  Verdict repeat_syn_ack(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  void answer_half_open(Core& core, Instant now, std::uint32_t index,
                        const tcp::SynReceivedView& view, SendReason reason);
  void send_cookie(Core& core, Instant now, tcp::HalfOpen half_open, const TcpConfig& config);
  static void refuse(Core& core, const FourTuple& tuple, const Segment& segment, SendReason reason);
  static void refuse(Core& core, const Arrived& in, SendReason reason) {
    refuse(core, in.tuple, in.segment, reason);
  }

  // tcp_forwarding.cpp
  Verdict to_foreign(Core& core, Instant now, const Arrived& in);
  Verdict to_held(Core& core, Instant now, const Arrived& in, std::uint32_t index);
  /// `above`: as for accept_syn.
  Verdict hold_syn(Core& core, Instant now, const Arrived& in,
                   std::optional<SeqNum> above = std::nullopt);
  /// Whether SYNs to other hosts that come this way are held.
  static bool takes_syns(const Core& core, const Arrived& in) {
    return core.interfaces.config(in.by.interface).forwarding.tcp;
  }
  Verdict reopen_foreign(Core& core, Instant now, const Arrived& in, std::uint32_t time_wait);
  bool may_hold_syn(const Core& core, const IpAddress& source) const;
  static std::uint32_t source_hash(const Core& core, const IpAddress& source);
  void uncount_source(const Core& core, const IpAddress& source);
  void forget_held(const Core& core, std::uint32_t index);
  /// All of that but the place in the table and the count, which go to the stream made of it.
  void release_held(std::uint32_t index);
  void drop_stale_offers();
  void on_held_timer(Core& core, Instant now, std::uint32_t index);

  // tcp_fast_open.cpp: connections that a SYN alone has opened
  tcp::FastOpenAnswer answer_fast_open(Core& core, Instant now, const Arrived& in,
                                       std::uint32_t index);
  bool open_by_syn(Core& core, Instant now, const Arrived& in, std::uint32_t record_index,
                   const Path& path);
  tcp::Emission make_syn_ack(Instant now, tcp::HalfOpen& record,
                             const std::optional<FastOpenOption>& fast_open);
  Verdict to_opened_by_syn(Core& core, Instant now, const Arrived& in, std::uint32_t record_index);
  Verdict complete_opened_by_syn(Core& core, Instant now, const Arrived& in,
                                 std::uint32_t record_index);
  enum class Settled : std::uint8_t { acknowledged, reset, otherwise };
  void settle_opened_by_syn(Instant now, Flow& flow, std::uint32_t record_index, Settled how);
  void forget_opened_by_syn(Instant now, Flow& flow, std::uint32_t index);
  void icmp_to_opened_by_syn(Core& core, Instant now, const tcp::HalfOpen& record, SeqNum seq,
                             const ip::IcmpEffect& effect, const IcmpReport& report);
  /// The settings a record stands for: its connection's, if it has one already.
  const TcpConfig& config_of(const tcp::HalfOpen& record) const {
    return record.is_opened() ? flows_[record.flow].config() : *listeners_[record.listener].config;
  }
  /// Those of a connection to be accepted, with the way back it is to take (MUST-53).
  static std::shared_ptr<const TcpConfig> config_for(const tcp::Listener& listener,
                                                     const tcp::ReturnRoute& route);
  /// The flow whose segments find this entry.
  std::optional<std::uint32_t> flow_of(Entry entry) const {
    if (entry.kind == Kind::flow) return entry.index;
    const bool opened = entry.kind == Kind::half_open && half_open_[entry.index].is_opened();
    return opened ? std::optional(half_open_[entry.index].flow) : std::nullopt;
  }

  void expire_time_wait(Core& core, Instant now);
  void trim_if_quiet(Core& core, Instant now, std::uint32_t index);
  void on_flow_timer(Core& core, Instant now, std::uint32_t index);
  void advise_against_way_of(Core& core, Instant now, const tcp::HalfOpen& record) const;
  void on_half_open_timer(Core& core, Instant now, std::uint32_t index);
  static bool has_to_wait(const Core& core, Instant now, Flow& flow);
  bool poll_flow(Core& core, Instant now, Flow& flow, TransmitFrame& frame);
  bool drop_output(Core& core, Flow& flow, const tcp::Context& context, TransmitFrame& frame);
  Result<void> abandon(Core& core, Instant now, StreamId id, SendReason reason);
  /// Whether peers hear of an end.
  enum class Tell : std::uint8_t { peers, nobody };
  base::Ring<StreamId> stop_listening(Core& core, Instant now, std::uint32_t index, Tell tell);

  // tcp_removal.cpp
  void end_flow(Core& core, Instant now, Flow& flow, std::uint32_t index);
  void end_listener(Core& core, Instant now, std::uint32_t index);

  struct Chosen {
    FourTuple tuple;
    std::uint32_t hash = 0;
  };
  bool choose_port(Core& core, Chosen& chosen);
  std::optional<std::uint16_t> choose_listening_port(Core& core) const;
  Result<Chosen> choose_tuple(Core& core, const Way& way, const ConnectOptions& options);
  std::shared_ptr<const TcpConfig> default_config(const Core& core);
  /// The first octets of a flow that is in no table yet.
  void send_first(Core& core, std::uint32_t index, Octets octets);

  base::Slab<Flow> flows_;
  base::Slab<tcp::HalfOpen> half_open_;
  base::Slab<tcp::TimeWait> time_wait_;
  base::Slab<tcp::HeldSyn> held_;
  base::Slab<tcp::Listener> listeners_;
  base::FlatIndex table_;
  base::FlatIndex listener_table_;
  base::TimerWheel wheel_;
  OutputQueue<StreamId> output_;
  base::Ring<StreamId> ready_;            // streams with something to tell; some are stale
  base::Ring<std::uint32_t> acceptable_;  // listeners with something to tell
  base::Ring<OfferId> offers_;            // held SYNs not told of yet; some are stale
  ip::SourceCounts sources_;              // of held SYNs and the streams made of them
  std::uint32_t oldest_time_wait_ = kNone, newest_time_wait_ = kNone;
  std::optional<Instant> cookie_sent_at_;
  std::uint32_t next_port_ = 0;
  std::uint32_t opened_by_syn_ = 0;  // half-open records whose connection is there already
  bool interrupted_ = false;
  std::shared_ptr<const TcpConfig> default_config_;
};

template <class Act>
auto TcpLayer::with_connection(Core& core, Instant now, StreamId id, Act&& act)
    -> decltype(act(std::declval<tcp::Connection&>(), core.context(now))) {
  recover(core, now);
  Flow* flow = flows_.find(id.index, id.generation);
  if (!flow) return std::unexpected(Error::no_such_id);
  tcp::Connection* connection = flow->connection();
  if (!connection) {
    if (flow->handshake()->released()) return std::unexpected(Error::no_such_id);
    const auto& failure = flow->handshake()->failure();
    return std::unexpected(failure.value_or(Error::not_connected));
  }
  if (connection->released()) return std::unexpected(Error::no_such_id);
  interrupted_ = true;
  auto result = act(*connection, core.context(now));
  follow_up(core, now, id.index);
  return result;
}

template <class Early, class Act>
auto TcpLayer::with_sender(Core& core, Instant now, StreamId id, Early&& early, Act&& act)
    -> decltype(act(std::declval<tcp::Connection&>(), core.context(now))) {
  Flow* flow = flows_.find(id.index, id.generation);
  tcp::Handshake* handshake = flow ? flow->handshake() : nullptr;
  if (handshake && !handshake->released() && handshake->state() != State::closed) {
    auto result = early(*handshake);
    if (handshake->wants_to_send() && !flow->in_output)
      queue_output(*flow, id.index);  // it was held
    return result;
  }
  return with_connection(core, now, id, std::forward<Act>(act));
}

inline const FourTuple& TcpLayer::tuple_of(Entry entry) const {
  switch (entry.kind) {
    case Kind::half_open:
      return half_open_[entry.index].tuple;
    case Kind::time_wait:
      return time_wait_[entry.index].tuple;
    case Kind::held:
      return held_[entry.index].tuple;
    case Kind::flow:
    case Kind::nobody:  // is in no table
      break;
  }
  return flows_[entry.index].tuple();
}

inline TcpLayer::Entry TcpLayer::find_entry(std::uint32_t hash, const FourTuple& tuple) const {
  const std::uint32_t* packed = table_.find_place(
      hash, [&](std::uint32_t candidate) { return tuple_of(Entry::unpack(candidate)) == tuple; });
  return packed ? Entry::unpack(*packed) : Entry{Kind::nobody, 0};
}

inline tcp::PathLimits TcpLayer::limits_of(const Core& core, const Path& path, Family family) {
  const InterfaceConfig* link = core.interfaces.find(path.hop.interface);
  const bool super =
      link && (family == Family::ipv4 ? link->segmentation_v4 : link->segmentation_v6);
  // 65535 octets less the longest headers: IPv4 and TCP with options.
  constexpr std::uint32_t kMaxPayload = 65535 - 60 - 60;
  return {path.mtu, super ? kMaxPayload : 0};
}

// Routes and path MTUs change seldom: a flow looks again when told so, and now and then for what
// has merely aged.
// [RFC 9293 MUST-45] [RFC 1122 3.3.1.2-1]
inline void TcpLayer::refresh_path(const Core& core, Instant now, Flow& flow) {
  const bool current = flow.path_version == core.path_version &&
                       now - flow.path_found_at < core.config.path_mtu_lifetime;
  if (current) return;
  flow.path_version = core.path_version;
  flow.path_found_at = now;
  const IpAddress& to = tcp::first_hop(flow.config().source_route, flow.tuple().remote_address);
  if (auto path = core.find_path(now, to, flow.tuple().local_address.zone())) {
    flow.path = *path;
  } else {
    flow.path.hop.interface = InterfaceId{};  // nowhere, until a route leads there again
  }
}

inline void TcpLayer::queue_output(Flow& flow, std::uint32_t index) {
  if (flow.in_output) return;
  if (output_.size() >= 2 * flows_.size() + kFewStale) sweep_output();
  output_.push_back({index, flows_.generation(index)});
  flow.in_output = true;
}

inline void TcpLayer::queue_event(Flow& flow, std::uint32_t index) {
  if (flow.in_events || flow.listener != kNone) return;
  if (ready_.size() >= kStaleEvents + 2 * flows_.size()) drop_stale_events();
  ready_.push_back({index, flows_.generation(index)});
  flow.in_events = true;
}

// With no deadline left the entry stays where it is: to cancel it and make it again with every
// exchange would cost more than one vain wakeup, which then finds the flow idle (see
// on_flow_timer).
inline void TcpLayer::rearm(Flow& flow, std::uint32_t index) {
  const Instant deadline =
      flow.connection() ? flow.connection()->next_deadline() : flow.handshake()->next_deadline();
  if (deadline == kNever) return;
  flow.timer = wheel_.arm(flow.timer, Entry{Kind::flow, index}.packed(), deadline);
}

}  // namespace estab::stack
