// Why TIME-WAIT, and why it lasts two MSL. In the network of these scenes a segment lives one
// second at most: Scene::kMsl.
#include <memory>

#include "tools/demo_why.h"

namespace estab::tools {

namespace {

using namespace std::chrono_literals;
using enum State;

// B repeats its FIN soon, so that one that is repeated can be as old as a segment gets; but not
// sooner, as a tail loss probe would.
void arrange_quick_repeats(SimulationConfig& config) {
  config.b.stack.tcp.tail_loss_probe = false;
  config.b.stack.tcp.rto_initial = config.b.stack.tcp.rto_min = 900ms;
  make_late_by(config, Scene::kMsl - 5ms);
}
void arrange_no_wait(SimulationConfig& config) {
  arrange_quick_repeats(config);
  config.a.stack.msl = 0ms;
}
// TIME-WAIT lasts twice what the stack believes the MSL to be.
void arrange_one_msl(SimulationConfig& config) {
  arrange_quick_repeats(config);
  config.a.stack.msl = Scene::kMsl / 2;
}

bool is_ack_of_fin(const Segment& segment) {
  return segment.flags.ack() && !segment.flags.fin() && !segment.flags.rst();
}

void open_and_close(Scene& scene) {
  scene.open();
  scene.wait(50ms);
  scene.curtain();
  scene.a().remark("A's application closes its direction.");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().state() == close_wait; }, "B becomes CLOSE-WAIT");
  scene.wait(50ms);
}

void expect_good_end(Scene& scene) {
  scene.expect([&] { return !scene.b().failure(); }, "B's close is a good one");
}
void expect_reset(Scene& scene) {
  scene.expect([&] { return scene.b().reset_seen(); }, "B's good close becomes a reset");
}

// The last ACK gets lost, so that B's FIN comes again.
void play_lost_ack(Scene& scene) {
  open_and_close(scene);
  scene.b().remark("B's application closes too. The ACK of its FIN will be lost.");
  scene.lose(Side::a, 1, [](const Segment& s, std::uint32_t) { return is_ack_of_fin(s); });
  scene.b().shutdown();
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
}

void play_lost_ack_no_wait(Scene& scene) {
  play_lost_ack(scene);
  expect_reset(scene);
  scene.play_out();
}

// The last ACK lives as long as it may and is lost at its end; B's repeated FIN, sent shortly
// before it could have come, takes as long as it may too.
void play_late_fin(Scene& scene) {
  open_and_close(scene);
  scene.b().remark(
      "B's application closes too. The ACK of its FIN will be lost, and the FIN that is "
      "sent again takes almost one MSL.");
  auto acks = std::make_shared<int>(0);
  auto fins = std::make_shared<int>(0);
  scene.decide([=](Side from, const Segment& segment, std::uint32_t) {
    if (from == Side::a && is_ack_of_fin(segment) && (*acks)++ == 0) return FrameFate::lose;
    if (from == Side::b && segment.flags.fin() && ++*fins == 2) return FrameFate::reorder;
    // Those behind it are not needed here: the story is about this one.
    if (from == Side::b && segment.flags.fin() && *fins > 2) return FrameFate::lose;
    return FrameFate::by_chance;
  });
  scene.b().shutdown();
  scene.wait_until([&] { return scene.b().state() == closed; }, "B becomes CLOSED");
}

void play_late_fin_one_msl(Scene& scene) {
  play_late_fin(scene);
  expect_reset(scene);
  scene.play_out();
}

void play_late_fin_two_msl(Scene& scene) {
  play_late_fin(scene);
  expect_good_end(scene);
  scene.expect([&] { return scene.a().stack().census().time_wait == 1; }, "A still waits");
  scene.play_out();
}

// The next connection of the same pair begins with the same number as the last one: numbers are
// chosen so that this is rare, and it happens.
void arrange_same_numbers(SimulationConfig& config) {
  config.a.stack.quirks.fixed_isn = 1000;
  config.b.stack.quirks.fixed_isn = 5000;
  config.a.stack.tcp.use_timestamps = false;  // PAWS would notice
}
void arrange_same_numbers_no_wait(SimulationConfig& config) {
  arrange_same_numbers(config);
  config.a.stack.msl = 0ms;
}

constexpr std::string_view kOld = "old words\n", kNew = "new words\n";

// Everything ends well, and a copy of A's octets is still under way.
void first_connection(Scene& scene) {
  scene.copy_late(Side::a, 700ms, [](const Segment&, std::uint32_t octets) { return octets > 0; });
  scene.open();
  scene.a().remark("A sends ten octets. Somebody on the way makes a copy, and that one is late.");
  scene.a().send(kOld);
  scene.wait_until([&] { return scene.b().read() == kOld; }, "B reads them");
  scene.a().shutdown();
  scene.wait_until([&] { return scene.b().at_end(); }, "B learns that A has closed");
  scene.b().close();
  scene.wait_until([&] { return scene.b().stack().census().streams == 0; }, "B has closed");
  scene.wait(50ms);
}

void play_next_connection_no_wait(Scene& scene) {
  first_connection(scene);
  scene.a().close();
  scene.a().remark("A opens the next connection between the same two ports.");
  scene.a().connect(Scene::kServerPort);
  scene.wait_until([&] { return scene.b().state() == established; }, "it opens");
  scene.wait_until([&] { return scene.b().octets_read() + scene.b().read().size() > kOld.size(); },
                   "B reads something in it, though A has sent nothing");
  scene.expect([&] { return scene.b().last_read() == kOld; },
               "it is the last connection's octets that B reads in this one");
}

void play_next_connection(Scene& scene) {
  first_connection(scene);
  scene.a().close();
  const auto early = scene.world().a().connect(
      scene.world().now(), {.remote = {Simulation::address_v4(Side::b), Scene::kServerPort},
                            .local_port = Scene::kClientPort});
  scene.expect([&] { return !early && early.error() == Error::address_in_use; },
               "A's stack refuses the pair of ports while it is in TIME-WAIT");
  scene.a().remark(
      "A wants to open the next connection between the same two ports, and is told "
      "that they are in use.");
  scene.wait(2 * Scene::kMsl);
  scene.expect([&] { return scene.a().stack().census().time_wait == 0; }, "the wait is over");
  scene.a().remark("2 MSL have passed: whatever was under way is no longer. A opens it now.");
  scene.a().connect(Scene::kServerPort);
  scene.wait_until([&] { return scene.b().state() == established; }, "it opens");
  scene.a().send(kNew);
  scene.wait_until([&] { return scene.b().read() == kNew; }, "B reads what A sends now");
}

}  // namespace

Contrast why_two_msl() {
  return {
      .name = "why-two-msl",
      .asks = "why does who closes first wait, and why for two MSL?",
      .answers =
          "A's ACK of B's FIN is the last segment, and nothing acknowledges it. It may be lost as "
          "late as one MSL after it was sent; a FIN that B repeats until then may take one more "
          "MSL to come back. So for two MSL A must be able to answer it. When these are over no "
          "segment of this connection, in either direction, is alive that could land in the "
          "next one of the same pair.",
      .parts = {
          {.rule = Rule::taken_out,
           .scene = {.name = "no-wait-lost-ack",
                     .shows = "no TIME-WAIT, and a lost last ACK turns a good close into a reset",
                     .look = "A has forgotten the connection when B's FIN comes again, and answers "
                             "as to any stranger: RST. B's application is told of a reset, though "
                             "every octet had arrived.",
                     .arrange = arrange_no_wait,
                     .play = play_lost_ack_no_wait,
                     .expected = {.segments = {"A F. fin", "B F. fin", "A . ack_immediate lost",
                                               "B F. retransmit_timeout",
                                               "A R reset_no_connection"}}}},
          {.rule = Rule::taken_out,
           .scene = {.name = "one-msl-late-fin",
                     .shows = "one MSL: enough for the ACK to arrive, not for the FIN to come back",
                     .look =
                         "One MSL covers the way of A's ACK. The FIN that B repeated before that "
                         "was over is still on its way then, and meets nobody.",
                     .arrange = arrange_one_msl,
                     .play = play_late_fin_one_msl,
                     .expected = {.segments = {"A F. fin", "B F. fin", "A . ack_immediate lost",
                                               "B F. retransmit_timeout",
                                               "A R reset_no_connection"}}}},
          {.rule = Rule::in_force,
           .scene =
               {.name = "two-msl-late-fin",
                .shows = "two MSL: the repeated FIN is answered, however late it is",
                .look = "The second MSL covers the way of the repeated FIN. A answers it as it "
                        "did the first, and B's close is a good one.",
                .arrange = arrange_quick_repeats,
                .play = play_late_fin_two_msl,
                .expected = {.a = {closed, syn_sent, established, fin_wait_1, fin_wait_2, time_wait,
                                   closed},
                             .b = {listen, syn_received, established, close_wait, last_ack, closed},
                             .segments = {"A F. fin", "B F. fin", "A . ack_immediate lost",
                                          "B F. retransmit_timeout", "A . time_wait_ack"}}}},
          {.rule = Rule::taken_out,
           .scene = {.name = "no-wait-next-connection",
                     .shows =
                         "no TIME-WAIT, and an old segment lands in the next connection of the "
                         "same pair",
                     .look = "The late copy has numbers that the next connection is waiting for. "
                             "Nothing in it says that it belongs to another, and B's application "
                             "reads octets that A did not send in this one.",
                     .arrange = arrange_same_numbers_no_wait,
                     .play = play_next_connection_no_wait,
                     .expected = {.segments = {"A P. data", "A F. fin", "B F. fin", "A S open"}}}},
          {.rule = Rule::in_force,
           .scene = {.name = "two-msl-next-connection",
                     .shows = "two MSL: the late copy meets TIME-WAIT, and the next connection is "
                              "clean",
                     .look =
                         "While A waits, the pair of ports is taken, and what is late dies out. "
                         "The next connection has only octets of its own.",
                     .arrange = arrange_same_numbers,
                     .play = play_next_connection,
                     .expected = {.segments = {"A P. data", "A F. fin", "B F. fin", "A S open",
                                               "A P. data"}}}},
      }};
}

}  // namespace estab::tools
