// The cases about data on its way.
#include <memory>

#include "tools/demo_case.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;
using enum State;

// Of segments as large as the link lets them be, timestamps in each.
constexpr std::uint32_t kSegment = 1448;
constexpr std::uint32_t kSmallBuffer = 2 * kSegment;

void play_push(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().remark("A's application writes 3000 octets at once.");
  scene.a().send(3000);
  scene.wait_until([&] { return scene.b().read(), scene.b().octets_read() == 3000; },
                   "3000 octets arrive");
  scene.wait(100ms);
  scene.a().remark("A writes \"dear \" and says that more follows: it is held back.");
  scene.a().send("dear ", SendMode::more);
  scene.wait(100ms);
  scene.expect(
      [&] {
        return scene.b().octets_read() + scene.b().stack().readable(scene.b().stream()) == 3000;
      },
      "what is marked `more` is held back");
  scene.a().remark("A writes \"reader\" and pushes: both go at once.");
  scene.a().send("reader", SendMode::push);
  scene.wait_until([&] { return scene.b().read(), scene.b().octets_read() == 3011; },
                   "what was pushed arrives");
  scene.play_out();
}

void play_urgent(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().send("a long speech, not read yet");
  scene.wait(100ms);
  scene.a().remark("A's application sends \"STOP\" as urgent data.");
  scene.a().send("STOP", SendMode::urgent);
  scene.wait_until([&] { return scene.b().was_told_urgent(); }, "B is told of urgent data");
  const auto mark = scene.b().stack().urgent(scene.b().stream());
  scene.expect([&] { return mark && mark->octets_before_end == 31; },
               "B learns how much there is up to the end of it");
  scene.b().remark(
      "B's application is told of urgent data, asks, and learns that it ends 31 octets "
      "on. It reads up to there in a hurry.");
  scene.expect([&] { return scene.b().read().ends_with("STOP"); }, "the octets stay in the stream");
  scene.expect([&] { return !scene.b().stack().urgent(scene.b().stream()); },
               "urgent mode ends with the last urgent octet");
  scene.play_out();
}

void arrange_zero_window(SimulationConfig& config) {
  config.b.stack.tcp.receive_buffer = kSmallBuffer;
  config.b.stack.tcp.use_window_scale = false;
}

void play_zero_window(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.b().remark("B's application does not read. Its buffer holds 2896 octets.");
  scene.a().send(4000);
  scene.wait_until(
      [&] {
        const auto info = scene.a().stack().info(scene.a().stream());
        return info && info->snd_wnd == 0;
      },
      "B's window shuts");
  // Time for three probes: the first after an RTO, each later one after twice the wait before it.
  const auto info = scene.a().stack().info(scene.a().stream());
  scene.wait(info ? 8 * info->rto : Duration(2s));
  scene.b().remark("B's application reads everything.");
  scene.wait_until([&] { return scene.b().read(), scene.b().octets_read() == 4000; },
                   "all octets arrive in the end");
  scene.play_out();
}

void play_loss(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  // Of six segments the second gets lost once; later a single one, with none behind it to tell.
  auto segments = std::make_shared<unsigned>(0);
  scene.lose(Side::a, 1, [segments](const Segment&, std::uint32_t octets) {
    return octets > 0 && ++*segments == 2;
  });
  scene.a().send(std::size_t{6} * kSegment);
  scene.wait_until(
      [&] { return scene.b().read(), scene.b().octets_read() == std::size_t{6} * kSegment; },
      "the lost segment is sent again");
  scene.wait(500ms);
  scene.lose(Side::a, 1, [](const Segment&, std::uint32_t octets) { return octets > 0; });
  scene.a().remark(
      "A sends one more segment. With none behind it there is nothing that would make "
      "B complain.");
  scene.a().send("the tail");
  scene.wait_until([&] { return scene.b().read() == "the tail"; }, "the tail arrives in the end");
  scene.play_out();
}

}  // namespace

std::vector<DemoCase> data_cases() {
  return {
      {.name = "push",
       .shows = "when a segment waits to be filled, and PSH that ends the waiting",
       .look = "PSH stands on the segment with which the send queue empties, and on what the "
               "application pushes. It tells B: hand this over, do not wait for more. The last 104 "
               "octets of the 3000 do not fill a segment, so they wait until all before them is "
               "acknowledged (Nagle's algorithm).",
       .arrange = nullptr,
       .play = play_push,
       .expected = {.segments = {"A . data", "A . data", "A P. data", "A P. data"}}},
      {.name = "urgent",
       .shows = "urgent data: the pointer overtakes the octets, not the octets each other",
       .look = "The octets stay in the stream, in order. What is urgent is the news that they are "
               "there: B's application learns it before it has read anything, and how far to read. "
               "New programs should not use it (RFC 6093), but every TCP must know it.",
       .arrange = nullptr,
       .play = play_urgent,
       .expected = {.segments = {"A P. data", "A PU. data"}}},
      {.name = "zero-window",
       .shows = "the receiver stops reading: its window shuts, is probed, and opens again",
       .look = "B never promises room it does not have. While the window is shut A asks, at "
               "intervals that double, since the segment that opens it again could get lost.",
       .arrange = arrange_zero_window,
       .play = play_zero_window,
       .expected = {.segments = {"A . data", "A . data", "A . zero_window_probe",
                                 "A . zero_window_probe", "A . zero_window_probe",
                                 "B . window_update", "A P. data"},
                    .never = {"A . retransmit_fast", "A . retransmit_timeout"}}},
      {.name = "loss",
       .shows = "a lost segment is found by what arrives behind it, a lost last one by a probe",
       .look = "The first loss costs one round trip: every segment behind the gap makes B repeat "
               "what it expects and say what it has (SACK), and the third such answer is acted on "
               "at once. The second has nothing behind it: A asks by sending it again, long before "
               "its retransmission timer would run out.",
       .arrange = nullptr,
       .play = play_loss,
       .expected = {.segments = {"A . data", "A . data lost", "B . ack_duplicate",
                                 "B . ack_duplicate", "B . ack_duplicate", "A . retransmit_fast",
                                 "B . ack_gap_filled", "A P. data lost", "A P. retransmit_tail"}}},
  };
}

}  // namespace estab::tools
