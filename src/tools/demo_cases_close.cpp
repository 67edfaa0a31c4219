// The cases about ending a connection, in good order and otherwise.
#include "tools/demo_case.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;
using enum State;

void close_both(Scene& scene) {
  scene.a().remark("A's application closes its direction.");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().state() == close_wait; }, "B becomes CLOSE-WAIT");
  scene.wait(50ms);
  scene.b().remark("B's application closes too.");
  scene.b().shutdown();
}

void play_teardown(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  close_both(scene);
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
  scene.expect([&] { return scene.a().stack().census().time_wait == 1; }, "A is in TIME-WAIT");
  scene.play_out();
  scene.expect([&] { return scene.a().stack().census().time_wait == 0; },
               "A forgets the connection");
}

void play_half_close(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().send("all I have to say\n");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().read(), scene.b().at_end(); },
                   "B reads the end of the stream");
  for (const char* line : {"B still sends\n", "and again\n", "and for the last time\n"}) {
    scene.wait(100ms);
    scene.b().send(line);
    scene.wait_until([&] { return scene.a().read() == line; }, "A still receives");
  }
  scene.wait(100ms);
  scene.b().shutdown();
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
  scene.play_out();
}

void play_simultaneous_close(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().shutdown();
  scene.b().shutdown();
  scene.play_out();
}

void play_time_wait(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  close_both(scene);
  // The ACK of B's FIN is the first segment of A's that acknowledges number 2.
  scene.lose(Side::a, 1, [](const Segment& segment, std::uint32_t) {
    return segment.flags.ack() && !segment.flags.fin();
  });
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
  scene.play_out();
}

void play_reset(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().send("never mind\n");
  scene.wait_until([&] { return !scene.b().read().empty(); }, "B reads what A sent");
  scene.wait(50ms);
  scene.a().remark("A's application aborts.");
  scene.a().abort();
  scene.wait_until([&] { return scene.b().failure().has_value(); }, "B is told of the reset");
  scene.expect([&] { return scene.b().failure() == Error::connection_reset; },
               "B is told `connection reset`, not something else");
  scene.play_out();
  scene.expect([&] { return scene.a().stack().census().time_wait == 0; }, "nobody waits");
}

}  // namespace

std::vector<DemoCase> closing_cases() {
  return {
      {.name = "teardown",
       .shows = "four segments close a connection, each direction by itself",
       .look = "FIN, ACK, FIN, ACK. Who closes first (A) ends in TIME-WAIT and remembers the "
               "connection for 2 MSL; who closes last (B) may forget it at once.",
       .arrange = nullptr,
       .play = play_teardown,
       .expected = {.a = {closed, syn_sent, established, fin_wait_1, fin_wait_2, time_wait, closed},
                    .b = {listen, syn_received, established, close_wait, last_ack, closed},
                    .segments = {"A F. fin", "B . ack_immediate", "B F. fin",
                                 "A . ack_immediate"}}},
      {.name = "half-close",
       .shows = "after one side's FIN the other goes on sending as long as it likes",
       .look = "A's FIN ends only A's direction. In FIN-WAIT-2 it still receives and acknowledges "
               "everything; in CLOSE-WAIT B still sends.",
       .arrange = nullptr,
       .play = play_half_close,
       .expected = {.a = {closed, syn_sent, established, fin_wait_1, fin_wait_2, time_wait, closed},
                    .b = {listen, syn_received, established, close_wait, last_ack, closed},
                    .segments = {"B P. data", "B P. data", "B P. data", "B F. fin"}}},
      {.name = "simultaneous-close",
       .shows = "both ends close at the same moment",
       .look = "The two FINs cross, so each end sees the other's before the ACK of its own: "
               "CLOSING. Nobody closed last, and both wait 2 MSL.",
       .arrange = nullptr,
       .play = play_simultaneous_close,
       .expected = {.a = {closed, syn_sent, established, fin_wait_1, closing, time_wait, closed},
                    .b = {listen, syn_received, established, fin_wait_1, closing, time_wait,
                          closed},
                    .segments = {"A F. fin", "B F. fin"}}},
      {.name = "time-wait",
       .shows = "the last ACK is lost, so that one sees what each of the two MSLs is for",
       .look =
           "B cannot know whether its FIN or the ACK got lost, so it sends the FIN again. Had A "
           "forgotten the connection, it would answer with RST, and B would take a good close "
           "for a broken one. A waits long enough for its ACK to arrive (one MSL) and, if it "
           "does not, for the repeated FIN to come back (one more); then it starts anew.",
       .arrange = nullptr,
       .play = play_time_wait,
       .expected = {.a = {closed, syn_sent, established, fin_wait_1, fin_wait_2, time_wait, closed},
                    .b = {listen, syn_received, established, close_wait, last_ack, closed},
                    .segments = {"A F. fin", "B . ack_immediate", "B F. fin",
                                 "A . ack_immediate lost", "B F. retransmit_tail",
                                 "A . time_wait_ack"}}},
      {.name = "reset",
       .shows = "one side aborts: no FIN, no wait, and the other is told",
       .look = "One RST ends both directions. It is not acknowledged and nobody waits; B's "
               "application learns that this was no proper end.",
       .arrange = nullptr,
       .play = play_reset,
       .expected = {.a = {closed, syn_sent, established, closed},
                    .b = {listen, syn_received, established, closed},
                    .segments = {"A P. data", "A R. reset_abort"}}},
  };
}

}  // namespace estab::tools
