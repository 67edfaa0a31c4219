#include "tools/demo_scene.h"

#include <algorithm>
#include <array>

#include "tools/exit_code.h"
#include "wire/ip.h"
#include "wire/tcp.h"

namespace estab::tools {

namespace {

// Virtual time begins at 0, which readers of captures take for "no time". A date of its own, and
// not today's, so that the same seed gives the same file: 1 January 2000.
constexpr Duration kCaptureBegins = std::chrono::seconds(946'684'800);

std::optional<Segment> segment_in(const TransmitFrame& frame) {
  return wire::parse_tcp(frame.header().subspan(frame.transport_offset));
}

SimulationConfig arranged(const SceneOptions& options,
                          const std::function<void(SimulationConfig&)>& arrange) {
  SimulationConfig config;
  config.a.stack.seed = {options.seed, 1};
  config.b.stack.seed = {options.seed, 2};
  config.link.seed = options.seed;
  config.link.both_ways.delay = std::clamp(options.delay, kShortestDelay, kLongestDelay);
  config.a.stack.msl = config.b.stack.msl = Scene::kMsl;
  if (arrange) arrange(config);
  return config;
}

}  // namespace

// ---- Actor

Stack& Actor::stack() {
  return scene_.world_.stack(side_);
}

State Actor::state() {
  return stack().state(stream_);
}

void Actor::listen() {
  const auto listener = stack().listen({.local = {IpAddress(), Scene::kServerPort}});
  scene_.expect([&] { return listener.has_value(); }, "listening works");
  if (listener) listener_ = *listener;
}

void Actor::connect(std::uint16_t to) {
  const Endpoint remote = {Simulation::address_v4(other(side_)), to};
  const std::uint16_t from = side_ == Side::a ? Scene::kClientPort : Scene::kServerPort;
  const auto stream = stack().connect(scene_.world_.now(), {.remote = remote, .local_port = from});
  scene_.expect([&] { return stream.has_value(); }, "connect begins");
  if (stream) stream_ = *stream;
}

void Actor::send(std::string_view text, SendMode mode) {
  const auto sent = stack().send(scene_.world_.now(), stream_, as_octets(text), mode);
  scene_.expect([&] { return sent == text.size(); }, "the send buffer takes what is sent");
}

void Actor::send(std::size_t octets) {
  std::string text(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i) text[i] = static_cast<char>('a' + i % 26);
  send(text);
}

std::string Actor::read() {
  std::string all;
  std::array<std::uint8_t, 4096> buffer;
  while (true) {
    const auto count = stack().recv(scene_.world_.now(), stream_, buffer);
    if (!count || *count == 0) break;
    all += as_text(Octets(buffer).first(*count));
  }
  octets_read_ += all.size();
  if (!all.empty()) last_read_ = all;
  return all;
}

void Actor::shutdown() {
  (void)stack().shutdown(scene_.world_.now(), stream_);
}
void Actor::close() {
  (void)stack().close(scene_.world_.now(), stream_);
}
void Actor::abort() {
  (void)stack().abort(scene_.world_.now(), stream_);
}

void Actor::remark(const std::string& text) {
  scene_.recorder_.note(scene_.world_.now(), side_ == Side::a ? 0 : 1, text);
}

// A RST in LAST-ACK is no error for a connection that has nothing left to lose (RFC 9293
// §3.10.7.4), so the stack tells its application nothing: what was seen on the wire tells.
bool Actor::reset_seen() const {
  const auto received_reset = [&](const Record& record) {
    const auto* event = std::get_if<TraceEvent>(&record.what);
    const auto* in = event ? std::get_if<SegmentReceived>(event) : nullptr;
    return in && in->segment.flags.rst() && in->before != in->after;
  };
  const auto& records = scene_.recording().records;
  return std::ranges::any_of(records, [&](const Record& record) {
    return record.end == (side_ == Side::a ? 0u : 1u) && received_reset(record);
  });
}

bool Actor::at_end() {
  return stack().at_end(stream_);
}

void Actor::take_events() {
  while (const auto event = stack().poll_event()) {
    if (std::holds_alternative<AcceptEvent>(*event)) {
      while (const auto stream = stack().accept(scene_.world_.now(), listener_)) {
        stream_ = *stream;
        ++accepted_;
      }
    } else if (const auto* news = std::get_if<StreamEvent>(&*event)) {
      if (news->failure) failure_ = news->failure;
      if (news->peer_closed && ends_together_) shutdown();
      urgent_ = urgent_ || news->urgent;
    }
  }
}

// ---- Believer

// Stands before one end of the wire. It sees that end's SYN-ACKs leave and hands the
// acknowledgement each of them asks for straight in; the end's observer is not told of those.
class Scene::Believer final : public Observer {
 public:
  explicit Believer(Observer& told) : told_(told) {}

  void on_trace(Instant now, const TraceEvent& event) override {
    if (believing_ && std::holds_alternative<SegmentReceived>(event)) return;
    told_.on_trace(now, event);
  }

  void see(const TransmitFrame& frame) {
    const auto sent = segment_in(frame);
    if (sent && sent->flags.syn() && sent->flags.ack()) heard_.push_back(acknowledge(frame, *sent));
  }

  void believe(Instant now, Stack& stack, InterfaceId interface) {
    believing_ = true;
    for (const auto& octets : std::exchange(heard_, {}))
      (void)stack.handle_frame(now, interface, {.octets = octets, .checksum_verified = true});
    believing_ = false;
  }

 private:
  static std::vector<std::uint8_t> acknowledge(const TransmitFrame& frame, const Segment& syn_ack) {
    Segment ack;
    ack.source_port = syn_ack.destination_port;
    ack.destination_port = syn_ack.source_port;
    ack.seq = syn_ack.ack;
    ack.ack = syn_ack.seq + 1;
    ack.flags = kAck;
    ack.window = 4096;
    if (const auto& stamps = syn_ack.options.timestamps)
      ack.options.timestamps = TcpTimestamps{stamps->echo, stamps->value};
    const auto ip = wire::parse_ip(frame.header());
    std::vector<std::uint8_t> octets(128);
    const std::size_t header = wire::tcp_header_length(ack.options);
    const std::size_t at = wire::emit_ip({.source = ip->header.destination,
                                          .destination = ip->header.source,
                                          .protocol = wire::kProtocolTcp},
                                         header, octets.data());
    wire::emit_tcp(ack, octets.data() + at);
    octets.resize(at + header);
    return octets;
  }

  Observer& told_;
  bool believing_ = false;
  std::vector<std::vector<std::uint8_t>> heard_;
};

// ---- Scene

Scene::Scene(const SceneOptions& options, const std::function<void(SimulationConfig&)>& arrange)
    : options_(options),
      world_(arranged(options, arrange)),
      a_(*this, Side::a),
      b_(*this, Side::b) {
  for (Actor* each : {&a_, &b_}) {
    observers_[each->side_ == Side::a ? 0 : 1] =
        &recorder_.add_end(each->side_ == Side::a ? "A" : "B");
    each->stack().set_observer(&observer(each->side_));
  }
  if (!options.pcap.empty()) attach_capture();
}

Scene::~Scene() {
  world_.a().set_observer(nullptr);
  world_.b().set_observer(nullptr);
}

// At A's end alone: what left one end and came in at the other would look like a repetition.
void Scene::attach_capture() {
  auto file = CaptureFile::open(options_.pcap);
  if (!file) throw Failure(ExitCode::bad_input, "--pcap: " + file.error().what);
  capture_ = *file;
  writer_ = std::make_unique<PcapWriter>(sink_to(capture_));
  tap_ = std::make_unique<PcapTap>(*writer_, "A", kCaptureBegins);
  world_.link().set_tap(Side::a, tap_.get());
}

void Scene::open() {
  b_.listen();
  a_.connect(kServerPort);
  wait_until([&] { return a_.state() == State::established && b_.state() == State::established; },
             "both ends become ESTABLISHED");
}

void Scene::curtain() {
  curtain_ = world_.now();
}

void Scene::take_events() {
  if (believer_)
    believer_->believe(world_.now(), actor(believes_).stack(), world_.interface(believes_));
  a_.take_events();
  b_.take_events();
  if (meanwhile_) meanwhile_();
}

void Scene::wait(Duration time) {
  const Instant end = world_.now() + time;
  const auto never = [&] {
    take_events();
    return false;
  };
  (void)run_until(never, time);
  if (world_.now() < end) world_.run_for(end - world_.now());
}

void Scene::wait_until(const std::function<bool()>& condition, std::string_view what,
                       Duration limit) {
  const auto holds = [&] {
    take_events();
    return condition();
  };
  if (!run_until(holds, limit)) failures_.emplace_back(what);
}

void Scene::play_out() {
  const auto quiet = [&] {
    take_events();
    return false;
  };
  (void)run_until(quiet, std::chrono::minutes(5));
  expect([&] { return world_.next_deadline() == kNever; }, "everything comes to rest");
}

void Scene::lose(Side side, unsigned how_many,
                 std::function<bool(const Segment&, std::uint32_t)> which) {
  auto left = std::make_shared<unsigned>(how_many);
  decide([=, which = std::move(which)](Side from, const Segment& segment, std::uint32_t octets) {
    if (from != side || *left == 0 || !which(segment, octets)) return FrameFate::by_chance;
    --*left;
    return FrameFate::lose;
  });
}

void Scene::decide(std::function<FrameFate(Side, const Segment&, std::uint32_t)> fate) {
  fate_ = std::move(fate);
  attach_filter();
}

void Scene::copy_late(Side side, Duration age, Which which) {
  copy_wishes_.push_back({side, age, std::move(which)});
  attach_filter();
}

void Scene::believe(Side side) {
  believes_ = side;
  believer_ = std::make_unique<Believer>(observer(side));
  actor(side).stack().set_observer(believer_.get());
  attach_filter();
}

void Scene::attach_filter() {
  world_.link().set_filter([this](Instant now, Side from, const TransmitFrame& frame) {
    const auto segment = segment_in(frame);
    if (!segment) return FrameFate::by_chance;
    if (believer_ && from == believes_) believer_->see(frame);
    copy_if_wanted(now, from, frame, *segment);
    return fate_ ? fate_(from, *segment, frame.payload_length) : FrameFate::by_chance;
  });
}

void Scene::copy_if_wanted(Instant now, Side from, const TransmitFrame& frame,
                           const Segment& segment) {
  const auto wish = std::ranges::find_if(copy_wishes_, [&](const CopyWish& each) {
    return each.from == from && each.which(segment, frame.payload_length);
  });
  if (wish == copy_wishes_.end()) return;
  LateCopy copy{now + wish->age, other(from), std::vector<std::uint8_t>(frame.size())};
  frame.copy_to(copy.octets.data());
  copy_wishes_.erase(wish);
  const auto behind = std::ranges::upper_bound(late_copies_, copy.arrives, {}, &LateCopy::arrives);
  late_copies_.insert(behind, std::move(copy));
}

/// As the world's, but stops where a late copy arrives and hands it in.
bool Scene::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = world_.now() + limit;
  while (!late_copies_.empty() && late_copies_.front().arrives <= end) {
    const Instant arrives = late_copies_.front().arrives;
    if (world_.run_until(condition, arrives - world_.now())) return true;
    if (world_.now() < arrives) world_.run_for(arrives - world_.now());
    const LateCopy copy = std::move(late_copies_.front());
    late_copies_.pop_front();
    (void)actor(copy.to).stack().handle_frame(world_.now(), world_.interface(copy.to),
                                              {.octets = copy.octets, .checksum_verified = true});
    if (condition()) return true;
  }
  return world_.run_until(condition, end - world_.now());
}

void Scene::expect(const std::function<bool()>& holds, std::string_view what) {
  if (!holds()) failures_.emplace_back(what);
}

}  // namespace estab::tools
