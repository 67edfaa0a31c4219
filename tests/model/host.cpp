#include "model/host.h"

#include <algorithm>

#include "base/hasher.h"
#include "model/inside.h"
#include "model/segments.h"

namespace estab::model {

namespace {

constexpr std::uint16_t kPortA = 1000, kPortB = 2000;
constexpr int kMostTurns = 100;

IpAddress address(Side side) {
  return IpAddress::v4(10, 0, 0, side == Side::a ? 1 : 2);
}

constexpr std::string_view kActs[] = {"deliver", "deliver first", "fire",           "pass",
                                      "settle",  "listen",        "stop listening", "connect",
                                      "send",    "read",          "shutdown",       "close",
                                      "abort",   "wind up",       "give up"};

constexpr std::uint32_t bit(Act act) {
  return 1u << static_cast<std::uint32_t>(act);
}

}  // namespace

std::string_view name(Act act) {
  return kActs[static_cast<std::size_t>(act)];
}

struct Host::Work {
  HostState& state;
  Outcome& outcome;
  bool bare_syn = false;  // the input was a SYN without ACK
  InterfaceId interface{0};

  Stack& stack() { return state.stack; }
  Instant now() const { return state.now; }
  Application& application() { return state.application; }
  StreamRecord* last() { return state.application.last(); }
  void complain(const std::string& what) {
    if (outcome.complaint.empty()) outcome.complaint = what;
  }
};

FourTuple Host::tuple(Side side) {
  FourTuple tuple;
  tuple.local_address = address(side);
  tuple.remote_address = address(other(side));
  tuple.local_port = side == Side::a ? kPortA : kPortB;
  tuple.remote_port = side == Side::a ? kPortB : kPortA;
  return tuple;
}

HostState Host::make() const {
  HostState state{Stack(bounds_->stack[index_of(side_)])};
  state.now = bounds_->start;
  const InterfaceId link = state.stack.add_interface({.name = "model"});
  (void)state.stack.add_address(link, {address(side_), 24});
  if (may().listens == Listening::from_the_start) listen(state);
  return state;
}

void Host::listen(HostState& state) const {
  if (auto made = state.stack.listen({.local = tuple(side_).local()}))
    state.application.listener = *made;
  state.application.has_listened = true;
}

std::uint64_t Host::hash(const HostState& state) const {
  auto hasher = base::Hasher::of_future(state.now);
  hasher.add_all(side_, state.drew_isn, state.in_burst, future_hash(state.stack, state.now));
  state.application.hash_into(hasher);
  return hasher.finish();
}

// ---- what the application may do

std::uint32_t Host::enabled(const HostState& state) const {
  const Application& app = state.application;
  std::uint32_t acts = 0;
  if (may().listens == Listening::at_any_time && !app.has_listened) acts |= bit(Act::listen);
  if (may().stops_listening && app.listener) acts |= bit(Act::stop_listening);
  if (!app.holds()) {
    const bool room = app.opened < may().opens && app.count < kMostStreams;
    return may().connects && room ? acts | bit(Act::connect) : acts;
  }
  const StreamRecord& stream = *app.last();
  if (stream.open && !stream.shut && stream.sent < may().octets) acts |= bit(Act::send);
  if (stream.open && !stream.shut && may().shuts_down) acts |= bit(Act::shutdown);
  if (state.stack.readable(stream.id) > 0) acts |= bit(Act::read);
  if (may().closes) acts |= bit(Act::close);
  if (may().aborts) acts |= bit(Act::abort);
  return acts;
}

// ---- inputs

Outcome Host::perform(HostState& state, Input input, Octets segment) const {
  Outcome outcome;
  Work work{state, outcome};
  switch (input.act) {
    case Act::deliver:
      deliver(work, segment);
      break;
    case Act::deliver_first:
      deliver(work, segment);
      take_events(work);
      state.in_burst = true;
      return outcome;
    case Act::settle:
      break;
    case Act::fire:
      fire(work);
      if (outcome.nothing) return outcome;
      break;
    case Act::pass:
      state.now += std::chrono::milliseconds(input.argument);
      state.drew_isn = false;
      return outcome;
    default:
      command(work, input.act);
  }
  settle(work);
  return outcome;
}

void Host::deliver(Work& work, Octets octets) const {
  std::vector<std::uint8_t> falsified;
  const Segment segment = segment_of(octets);
  work.bare_syn = segment.flags.syn() && !segment.flags.ack();
  const StreamRecord* last = work.last();
  const auto flow = last ? view_flow(work.stack(), last->id, work.now()) : std::nullopt;
  if (side_ == Side::b && flow && is_synchronized(flow->state)) {
    const SeqNum next = flow->irs + static_cast<std::uint32_t>(flow->rcv_nxt);
    const std::int32_t ahead = segment.seq + segment.length() - next;
    const bool again = !segment.payload.empty() && !segment.flags.syn() && ahead <= 0;
    const bool believes = (bounds_->fault == Fault::text_taken_twice && again) ||
                          (bounds_->fault == Fault::any_reset_believed && segment.flags.rst());
    if (believes) {
      falsified.assign(octets.begin(), octets.end());
      set_numbers(falsified, next, segment.ack);
      octets = falsified;
    }
  }
  const std::size_t half_open = work.stack().census().syn_cache;
  work.stack().handle_frame(work.now(), work.interface, {.octets = octets});
  if (work.stack().census().syn_cache > half_open) work.state.drew_isn = true;
}

// A wheel entry may be early, and find that nothing is due. To the world nothing has happened then:
// it goes on to the next that comes to something.
void Host::fire(Work& work) const {
  if (bounds_->fault == Fault::silent_retransmitter && side_ == Side::a) {
    work.outcome.nothing = true;
    return;
  }
  const Instant before = work.now();
  const std::uint64_t hash = future_hash(work.stack(), before);
  for (int turn = 0; turn < kMostTurns; ++turn) {
    const Instant due = work.stack().next_deadline();
    if (due == kNever) {
      work.outcome.nothing = true;
      return;
    }
    const Instant then = std::max(work.now(), due);
    work.stack().handle_deadline(then);
    work.state.now = then;
    settle(work);
    if (work.outcome.frames.empty() && future_hash(work.stack(), before) == hash) continue;
    work.outcome.elapsed = then - before;
    if (then > before) work.state.drew_isn = false;
    return;
  }
  work.complain("a deadline that never comes to anything");
}

void Host::command(Work& work, Act act) const {
  Application& app = work.application();
  switch (act) {
    case Act::listen:
      return listen(work.state);
    case Act::stop_listening:
      (void)work.stack().close(work.now(), *app.listener);
      app.listener.reset();
      return;
    case Act::connect:
      return connect(work);
    case Act::send:
      return send(work);
    case Act::read:
      return read(work);
    case Act::shutdown:
      if (work.stack().shutdown(work.now(), work.last()->id)) work.last()->shut = true;
      return;
    case Act::close:
    case Act::give_up:
      return let_go(work);
    case Act::abort:
      return abort(work);
    case Act::wind_up:
      return wind_up(work);
    default:
      return;
  }
}

void Host::connect(Work& work) const {
  const FourTuple own = tuple(side_);
  const auto made =
      work.stack().connect(work.now(), {.remote = own.remote(), .local_port = own.local_port});
  if (!made) return;  // the port may still be in TIME-WAIT
  Application& app = work.application();
  app.streams[app.count++] = {.id = *made, .iss = view_flow(work.stack(), *made, work.now())->iss};
  ++app.opened;
  work.state.drew_isn = true;
}

void Host::send(Work& work) const {
  StreamRecord& stream = *work.last();
  const std::uint8_t octet = octet_at(side_, work.application().count, stream.sent);
  const auto taken = work.stack().send(work.now(), stream.id, {&octet, 1});
  if (taken && *taken == 1) ++stream.sent;
}

void Host::read(Work& work) const {
  StreamRecord& stream = *work.last();
  std::array<std::uint8_t, 4 * kMostOctets> octets;
  const auto count = work.stack().recv(work.now(), stream.id, octets);
  if (!count) {
    if (count.error() == Error::end_of_stream) stream.ended = true;
    return;
  }
  for (std::size_t i = 0; i < *count; ++i) {
    if (stream.peer_ordinal == 0) stream.peer_ordinal = octets[i] >> 4 & 7;
    if (octets[i] != octet_at(other(side_), stream.peer_ordinal, stream.read))
      work.complain("octet " + std::to_string(stream.read) + " of the stream was delivered as " +
                    std::to_string(octets[i] & 15) + " of the peer's stream " +
                    std::to_string(octets[i] >> 4 & 7));
    ++stream.read;
  }
  if (work.stack().at_end(stream.id)) stream.ended = true;
}

void Host::let_go(Work& work) const {
  if (!work.application().holds()) return;
  StreamRecord& stream = *work.last();
  stream.aborted = work.stack().readable(stream.id) > 0;
  stream.left = !stream.ended;
  stream.shut = stream.let_go = true;
  (void)work.stack().close(work.now(), stream.id);
}

void Host::abort(Work& work) const {
  StreamRecord& stream = *work.last();
  stream.shut = stream.let_go = stream.left = stream.aborted = true;
  (void)work.stack().abort(work.now(), stream.id);
}

void Host::wind_up(Work& work) const {
  if (!work.application().holds()) return;
  StreamRecord& stream = *work.last();
  if (!stream.open) return;
  read(work);
  if (!stream.shut && work.stack().shutdown(work.now(), stream.id)) stream.shut = true;
  if (stream.ended) let_go(work);
}

// ---- what follows from them

// As in the loop of a host: first the application has its turn, then what is to be sent goes out.
void Host::settle(Work& work) const {
  work.state.in_burst = false;
  for (int turn = 0; turn < kMostTurns; ++turn) {
    if (!take_events(work) && turn > 0) return;
    collect(work);
  }
  work.complain("events without end");
}

bool Host::take_events(Work& work) const {
  bool any = false;
  for (int turn = 0; turn < kMostTurns; ++turn) {
    const auto event = work.stack().poll_event();
    if (!event) return any;
    take_event(work, *event);
    any = true;
  }
  work.complain("events without end");
  return any;
}

void Host::take_event(Work& work, const Event& event) const {
  if (const auto* accept = std::get_if<AcceptEvent>(&event)) {
    while (auto id = work.stack().accept(work.now(), accept->listener)) {
      if (work.application().count == kMostStreams)
        return work.complain("more streams than were ever opened");
      work.application().streams[work.application().count++] = {.id = *id, .passive = true};
      take_stream(work, *id);
    }
    return;
  }
  const auto* told = std::get_if<StreamEvent>(&event);
  StreamRecord* stream = work.last();
  if (!told || !stream || told->stream != stream->id) return;
  if (told->connected) take_stream(work, told->stream);
  if (told->failure) stream->failure = told->failure;
  if (told->closed) stream->closed = true;
  if (told->readable && bounds_->of(side_).reading == Reading::at_once) read(work);
  if (told->closed) finish(work);
}

// The stream has just been opened.
void Host::take_stream(Work& work, StreamId id) const {
  const auto flow = view_flow(work.stack(), id, work.now());
  if (!flow) return work.complain("a stream is open that does not exist");
  StreamRecord& stream = *work.last();
  stream.open = true;
  stream.iss = flow->iss;
  stream.irs = flow->irs;
}

// Nothing more will come: what is left is read, and the handle given back.
void Host::finish(Work& work) const {
  StreamRecord& stream = *work.last();
  if (stream.let_go) return;
  read(work);
  if (!stream.ended && !stream.failure && stream.open)
    work.complain("the stream is over, but neither its end nor a failure is told");
  stream.let_go = stream.shut = true;
  (void)work.stack().close(work.now(), stream.id);
}

void Host::collect(Work& work) const {
  static thread_local TransmitFrame frame;
  while (work.stack().poll_transmit(work.now(), frame)) {
    std::vector<std::uint8_t> octets(frame.size());
    frame.copy_to(octets.data());
    const Segment segment = segment_of(octets);
    const bool answers_syn = work.bare_syn && segment.flags.rst() && segment.flags.ack();
    if (bounds_->fault == Fault::fin_not_counted && side_ == Side::b) {
      const StreamRecord* last = work.last();
      const auto flow = last ? view_flow(work.stack(), last->id, work.now()) : std::nullopt;
      const bool counted = flow && flow->fin_received && segment.flags.ack();
      if (counted) set_numbers(octets, segment.seq, segment.ack - 1);
    }
    work.outcome.frames.push_back(
        {std::move(octets), answers_syn ? SequenceNumber::zero : SequenceNumber::of_a_space});
    if (work.outcome.frames.size() > 100) return work.complain("segments without end");
  }
}

}  // namespace estab::model
