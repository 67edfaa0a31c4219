// Why four segments close a connection: each direction ends by itself.
#include "tools/demo_why.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;
using enum State;

constexpr std::string_view kLastWords = "and one thing more\n";

void open_and_end_a(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().remark("A's application has no more to send.");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().state() != established; }, "A's FIN reaches B");
}

// The rule taken out: B's direction ends with A's, in the same moment.
void play_three(Scene& scene) {
  scene.end_together(Side::b);
  open_and_end_a(scene);
  scene.wait(50ms);
  scene.b().remark(
      "B's application has something left to send, and cannot: its direction has ended.");
  const auto sent =
      scene.b().stack().send(scene.world().now(), scene.b().stream(), as_octets(kLastWords));
  scene.expect([&] { return !sent && sent.error() != Error::would_block; },
               "B's last octets are refused");
  scene.wait_until([&] { return scene.a().stack().census().time_wait == 1; }, "A has closed");
  scene.expect([&] { return scene.a().read().empty() && scene.a().octets_read() == 0; },
               "B's last octets never reach A");
  scene.play_out();
}

void play_four(Scene& scene) {
  open_and_end_a(scene);
  scene.wait(50ms);
  scene.b().remark("B's application has something left to send, and sends it.");
  scene.b().send(kLastWords);
  scene.wait_until([&] { return scene.a().read() == kLastWords; }, "A reads B's last octets");
  scene.wait(50ms);
  scene.b().remark("Now B's application has no more to send either.");
  scene.b().shutdown();
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
  scene.play_out();
}

void play_merged(Scene& scene) {
  scene.meanwhile([&] {
    if (scene.b().state() == close_wait) scene.b().shutdown();
  });
  open_and_end_a(scene);
  scene.play_out();
}

}  // namespace

Contrast why_four() {
  return {
      .name = "why-four",
      .asks = "why do four segments close a connection, and not three?",
      .answers =
          "A connection is two streams, one each way, and each ends by itself: FIN says \"I "
          "have no more to send\", not \"be silent\". Each of two FINs is acknowledged: four "
          "segments. B's ACK may travel with B's FIN if B has nothing left to send, and "
          "then three are seen; a TCP that always made it three would cut B short.",
      .parts = {
          {.rule = Rule::taken_out,
           .scene =
               {.name = "three-segments",
                .shows = "three only, and B's last octets have no way home",
                .look = "FIN, FIN-ACK, ACK: A's end of sending has ended B's sending too. What "
                        "B still had to say is refused on the spot.",
                .arrange = nullptr,
                .play = play_three,
                .expected = {.a = {closed, syn_sent, established, fin_wait_1, time_wait, closed},
                             .b = {listen, syn_received, established, close_wait, last_ack, closed},
                             .segments = {"A F. fin", "B F. fin", "A . ack_immediate"},
                             .never = {"B P. data"}}}},
          {.rule = Rule::in_force,
           .scene = {.name = "four-segments",
                     .shows = "four: A's direction has ended, and B goes on until it is done",
                     .look = "FIN, ACK; then B's octets, as long as B likes; then FIN, ACK.",
                     .arrange = nullptr,
                     .play = play_four,
                     .expected = {.a = {closed, syn_sent, established, fin_wait_1, fin_wait_2,
                                        time_wait, closed},
                                  .b = {listen, syn_received, established, close_wait, last_ack,
                                        closed},
                                  .segments = {"A F. fin", "B . ack_immediate", "B P. data",
                                               "B F. fin", "A . ack_immediate"}}}},
          {.rule = Rule::in_force,
           .scene =
               {.name = "merged-three",
                .shows =
                    "the merged three: B has nothing left, and its ACK rides on its FIN",
                .look = "The same four statements in three segments. B's application closed in "
                        "the moment it read the end of the stream; nothing was cut short.",
                .arrange = nullptr,
                .play = play_merged,
                .expected = {.a = {closed, syn_sent, established, fin_wait_1, time_wait, closed},
                             .b = {listen, syn_received, established, close_wait, last_ack, closed},
                             .segments = {"A F. fin", "B F. fin", "A . ack_immediate"}}}},
      }};
}

}  // namespace estab::tools
