#include "tools/demo_scene.h"

#include <algorithm>
#include <array>

#include "tools/exit_code.h"
#include "wire/tcp.h"

namespace estab::tools {

namespace {

// Virtual time begins at 0, which readers of captures take for "no time". A date of its own, and
// not today's, so that the same seed gives the same file: 1 January 2000.
constexpr Duration kCaptureBegins = std::chrono::seconds(946'684'800);

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

bool Actor::at_end() {
  return stack().at_end(stream_);
}

void Actor::take_events() {
  while (const auto event = stack().poll_event()) {
    if (std::holds_alternative<AcceptEvent>(*event)) {
      if (const auto stream = stack().accept(scene_.world_.now(), listener_)) stream_ = *stream;
    } else if (const auto* news = std::get_if<StreamEvent>(&*event)) {
      if (news->failure) failure_ = news->failure;
      urgent_ = urgent_ || news->urgent;
    }
  }
}

// ---- Scene

Scene::Scene(const SceneOptions& options, const std::function<void(SimulationConfig&)>& arrange)
    : options_(options),
      world_(arranged(options, arrange)),
      a_(*this, Side::a),
      b_(*this, Side::b) {
  world_.a().set_observer(&recorder_.add_end("A"));
  world_.b().set_observer(&recorder_.add_end("B"));
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
  a_.take_events();
  b_.take_events();
}

void Scene::wait(Duration time) {
  const Instant end = world_.now() + time;
  const auto never = [&] {
    take_events();
    return false;
  };
  (void)world_.run_until(never, time);
  if (world_.now() < end) world_.run_for(end - world_.now());
}

void Scene::wait_until(const std::function<bool()>& condition, std::string_view what,
                       Duration limit) {
  const auto holds = [&] {
    take_events();
    return condition();
  };
  if (!world_.run_until(holds, limit)) failures_.emplace_back(what);
}

void Scene::play_out() {
  const auto quiet = [&] {
    take_events();
    return false;
  };
  (void)world_.run_until(quiet, std::chrono::minutes(5));
  expect([&] { return world_.next_deadline() == kNever; }, "everything comes to rest");
}

void Scene::lose(Side side, unsigned how_many,
                 std::function<bool(const Segment&, std::uint32_t)> which) {
  auto left = std::make_shared<unsigned>(how_many);
  world_.link().set_filter([=](Instant, Side from, const TransmitFrame& frame) {
    if (from != side || *left == 0) return FrameFate::by_chance;
    const auto segment = wire::parse_tcp(frame.header().subspan(frame.transport_offset));
    if (!segment || !which(*segment, frame.payload_length)) return FrameFate::by_chance;
    --*left;
    return FrameFate::lose;
  });
}

void Scene::expect(const std::function<bool()>& holds, std::string_view what) {
  if (!holds()) failures_.emplace_back(what);
}

}  // namespace estab::tools
