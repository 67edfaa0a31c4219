// The cases about opening a connection, and about not opening one.
#include "tools/demo_case.h"

namespace estab::tools {

namespace {

using enum State;

void play_handshake(Scene& scene) {
  scene.open();
}

void play_simultaneous_open(Scene& scene) {
  scene.a().connect(Scene::kServerPort);
  scene.b().connect(Scene::kClientPort);
  scene.wait_until(
      [&] { return scene.a().state() == established && scene.b().state() == established; },
      "both ends become ESTABLISHED");
  scene.play_out();
}

void play_refused(Scene& scene) {
  scene.a().connect(Scene::kServerPort);
  scene.wait_until([&] { return scene.a().failure().has_value(); }, "A is told of the failure");
  scene.expect([&] { return scene.a().failure() == Error::connection_refused; },
               "A is told `connection refused`, not something else");
}

void arrange_wrap(SimulationConfig& config) {
  config.a.stack.quirks.fixed_isn = 0xffffffff - 2000;
}

void play_wrap(Scene& scene) {
  scene.open();
  scene.a().send(4000);
  scene.wait_until([&] { return scene.b().read(), scene.b().octets_read() == 4000; },
                   "all octets arrive, once and in order");
  scene.play_out();
}

}  // namespace

std::vector<DemoCase> opening_cases() {
  return {
      {.name = "handshake",
       .shows = "three segments open a connection",
       .look = "Each side's SYN has a number (0) and is acknowledged by the other (ack 1): when A "
               "has sent the third segment, both know that they hear each other.",
       .arrange = nullptr,
       .play = play_handshake,
       .expected = {.a = {closed, syn_sent, established},
                    .b = {listen, syn_received, established},
                    .segments = {"A S open", "B S. open_reply", "A . open_complete"}}},
      {.name = "simultaneous-open",
       .shows = "both ends open at the same moment, and it becomes one connection",
       .look = "The two SYNs cross. Neither end listens; each finds a SYN where it waited for a "
               "SYN-ACK, goes to SYN-RECEIVED and sends its SYN again with an ACK. One connection "
               "comes of it, not two.",
       .arrange = nullptr,
       .play = play_simultaneous_open,
       .expected = {.a = {closed, syn_sent, syn_received, established},
                    .b = {closed, syn_sent, syn_received, established},
                    .segments = {"A S open", "B S open", "A S. open_reply", "B S. open_reply"}}},
      {.name = "refused",
       .shows = "nobody listens on the port",
       .look = "The RST carries the ACK of the SYN: without it A would not believe the RST, since "
               "anybody could have sent it. A knows at once, without waiting for a timeout.",
       .arrange = nullptr,
       .play = play_refused,
       .expected = {.a = {closed, syn_sent, closed},
                    .b = {closed},
                    .segments = {"A S open", "B R. reset_no_connection"}}},
      {.name = "wrap",
       .shows = "sequence numbers pass 2^32-1 in the midst of a transfer and go on at 0",
       .look = "A's ISN is 4294965295, so its octet 2001 has the number 0 on the wire. Numbers are "
               "compared modulo 2^32, and nothing special happens.",
       .arrange = arrange_wrap,
       .play = play_wrap,
       .expected = {.a = {closed, syn_sent, established},
                    .b = {listen, syn_received, established},
                    .segments = {"A . data", "A . data", "A P. data"}}},
  };
}

}  // namespace estab::tools
