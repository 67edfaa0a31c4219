// Why three segments open a connection: with two, one side believes in a connection before it has
// heard that the other side means it.
#include <memory>

#include "tools/demo_why.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;
using enum State;

constexpr std::string_view kGreeting = "hello\n";
/// How old the copy is when it arrives: well within the life of a segment (Scene::kMsl).
constexpr Duration kAge = 200ms;

/// B's application greets whoever it accepts.
void greet(Scene& scene, unsigned& greeted) {
  if (scene.b().accepted() == greeted) return;
  ++greeted;
  scene.b().remark(greeted == 1 ? "B's application accepts a connection, and greets."
                                : "B's application accepts another one, and greets nobody.");
  scene.b().send(kGreeting);
}

// A opens a connection, is greeted, and closes. Somebody on the way has copied A's SYN, and the
// copy arrives when all is over.
void play_old_duplicate(Scene& scene) {
  auto greeted = std::make_shared<unsigned>(0);
  scene.copy_late(Side::a, kAge,
                  [](const Segment& segment, std::uint32_t) { return segment.flags.syn(); });
  scene.meanwhile([&scene, greeted] { greet(scene, *greeted); });
  scene.b().listen();
  scene.a().connect(Scene::kServerPort);
  scene.wait_until([&] { return scene.a().read() == kGreeting; }, "A is greeted");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().at_end(); }, "B learns that A has closed");
  scene.b().close();
  scene.wait_until([&] { return scene.b().stack().census().streams == 0; }, "B has closed");
  scene.wait(50ms);
  scene.curtain();
  scene.b().remark("All is over. Now the late copy of A's SYN arrives.");
  scene.wait(300ms);
}

void play_two_segments_old(Scene& scene) {
  scene.believe(Side::b);
  play_old_duplicate(scene);
  scene.expect([&] { return scene.b().accepted() == 2; },
               "B's application is handed two connections though A opened one");
  scene.expect([&] { return scene.b().state() == established; },
               "B holds a connection that nobody wants");
}

void play_three_segments_old(Scene& scene) {
  play_old_duplicate(scene);
  scene.expect([&] { return scene.b().accepted() == 1; },
               "B's application is handed one connection");
  scene.play_out();
  scene.expect([&] { return scene.b().stack().census().streams == 0; }, "B holds no connection");
  scene.expect([&] { return scene.b().stack().census().syn_cache == 0; }, "nor half of one");
}

void arrange_silence(SimulationConfig& config) {
  config.a.stack.tcp.r2_syn = 2500ms;
}

// It is B that is to repeat itself here.
void arrange_patience(SimulationConfig& config) {
  config.a.stack.tcp.rto_initial = 3s;
}

void lose_syn_acks(Scene& scene, unsigned how_many) {
  scene.lose(Side::b, how_many, [](const Segment& segment, std::uint32_t) {
    return segment.flags.syn() && segment.flags.ack();
  });
}

void play_two_segments_unheard(Scene& scene) {
  scene.believe(Side::b);
  lose_syn_acks(scene, 1);
  scene.b().listen();
  scene.a().connect(Scene::kServerPort);
  scene.wait_until([&] { return scene.b().state() == established; }, "B believes it is open");
  scene.b().remark(
      "B has sent its SYN-ACK, and that is all it asks for: to B the connection is open.");
  scene.wait_until([&] { return scene.a().failure().has_value(); }, "A gives up");
  scene.expect([&] { return scene.a().failure() == Error::connect_timed_out; },
               "A never learns B's number");
  scene.expect([&] { return scene.b().state() == established; },
               "B holds a connection in which nobody hears it");
}

void play_three_segments_unheard(Scene& scene) {
  lose_syn_acks(scene, 1);
  scene.open();
  scene.play_out();
}

}  // namespace

Contrast why_three() {
  return {
      .name = "why-three",
      .asks = "why do three segments open a connection, and not two?",
      .answers =
          "Each side chooses its own first number, and has to know that the other has heard it. "
          "The SYN brings A's number to B, the SYN-ACK B's number to A, and says that A's was "
          "heard; only the third segment tells B that its own was heard, by an A that wants this "
          "very connection now. Two segments leave B believing; four would say nothing more, since "
          "B's SYN and its ACK of A's go in one.",
      .parts = {
          {.rule = Rule::taken_out,
           .scene = {.name = "two-segments-old-duplicate",
                     .shows = "two segments only, and an old duplicate SYN opens a connection "
                              "nobody wants",
                     .look = "B takes the connection for open as soon as it has answered a SYN, "
                             "however old that is. Its application is handed a connection, greets, "
                             "and will wait in vain: A knows nothing of it.",
                     .arrange = nullptr,
                     .play = play_two_segments_old,
                     .expected = {.segments = {"A S open", "B S. open_reply", "A F. fin",
                                               "B F. fin", "B S. open_reply", "B P. data",
                                               "A . ack_unacceptable"}}}},
          {.rule = Rule::in_force,
           .scene = {.name = "three-segments-old-duplicate",
                     .shows = "three segments: the old SYN meets a B that waits to be confirmed",
                     .look =
                         "B's application hears of a connection only once the number that B has "
                         "just chosen is acknowledged. A acknowledges another one, if anything: "
                         "nothing comes of the old SYN (RFC 9293 figure 9).",
                     .arrange = nullptr,
                     .play = play_three_segments_old,
                     .expected = {.segments = {"A S open", "B S. open_reply", "A F. fin",
                                               "B F. fin", "B S. open_reply",
                                               "B R reset_bad_ack"}}}},
          {.rule = Rule::taken_out,
           .scene = {.name = "two-segments-unheard",
                     .shows = "two segments only, and B never learns that A does not hear it",
                     .look = "B's SYN-ACK was lost, but B waits for no answer and repeats nothing. "
                             "Whatever it says now carries a number A has never been told: A "
                             "cannot use it, and gives up.",
                     .arrange = arrange_silence,
                     .play = play_two_segments_unheard,
                     .expected = {.segments = {"A S open", "B S. open_reply lost"}}}},
          {.rule = Rule::in_force,
           .scene = {.name = "three-segments-unheard",
                     .shows = "three segments: B repeats its SYN-ACK until the third comes",
                     .look = "No third segment, no connection: B repeats its SYN-ACK, the second "
                             "copy arrives, and the third segment says so.",
                     .arrange = arrange_patience,
                     .play = play_three_segments_unheard,
                     .expected = {.a = {closed, syn_sent, established},
                                  .b = {listen, syn_received, established},
                                  .segments = {"A S open", "B S. open_reply lost",
                                               "B S. retransmit_timeout", "A . open_complete"}}}},
      }};
}

}  // namespace estab::tools
