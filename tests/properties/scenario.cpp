#include "properties/scenario.h"

#include <algorithm>

#include "properties/draw.h"

namespace estab::properties {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Impairments draw_impairments(Draw& draw) {
  Impairments wire;
  if (draw.chance(0.2)) return wire;
  const double most = draw.pick({0.01, 0.05, 0.2});
  if (draw.chance(0.6)) wire.loss = draw.share() * most;
  if (draw.chance(0.4)) wire.duplicate = draw.share() * most;
  if (draw.chance(0.5)) wire.reorder = draw.share() * most * 1.5;
  if (draw.chance(0.3)) wire.corrupt = draw.share() * most * 0.5;
  wire.reorder_delay = draw.duration(microseconds(10), milliseconds(300));
  if (draw.chance(0.8)) wire.delay = draw.duration(microseconds(10), milliseconds(300));
  if (draw.chance(0.3)) wire.jitter = draw.duration(microseconds(10), milliseconds(100));
  if (draw.chance(0.3)) {
    wire.rate_bits_per_second = draw.magnitude(64'000, 1'000'000'000);
    // No longer a queue than two seconds: what a segment may outlive must be less than an MSL.
    wire.queue_octets = draw.magnitude(5'000, 5'000 + wire.rate_bits_per_second / 4);
  }
  return wire;
}

bool can_lose(const Impairments& wire) {
  return wire.loss > 0 || wire.reorder > 0 || wire.corrupt > 0 || wire.queue_octets > 0;
}

KeepAlive draw_keep_alive(Draw& draw, Outcome outcome) {
  KeepAlive keep;
  // Where the peer may vanish without a word, only this tells a side that merely listens.
  keep.enabled = outcome != Outcome::complete || draw.chance(0.2);
  keep.idle = draw.duration(seconds(1), seconds(60));
  keep.interval = draw.duration(milliseconds(300), seconds(5));
  keep.probes = outcome == Outcome::complete ? 60 : 5;
  return keep;
}

TcpConfig draw_tcp(Draw& draw, Outcome outcome) {
  TcpConfig tcp;
  tcp.receive_buffer = static_cast<std::uint32_t>(draw.magnitude(600, 1 << 20));
  tcp.send_buffer = static_cast<std::uint32_t>(draw.magnitude(400, 1 << 20));
  tcp.initial_window_segments =
      draw.chance(0.5) ? 10 : static_cast<std::uint32_t>(draw.between(1, 20));
  tcp.slow_start_after_idle = draw.chance(0.8);
  if (draw.chance(0.1)) tcp.mss_limit = static_cast<std::uint16_t>(draw.magnitude(88, 65495));
  tcp.window_scale = draw.chance(0.5) ? 8 : static_cast<std::uint8_t>(draw.between(0, 14));
  tcp.use_window_scale = draw.chance(0.8);
  tcp.use_timestamps = draw.chance(0.7);
  tcp.use_sack = draw.chance(0.7);
  tcp.nagle = draw.chance(0.7);
  tcp.quirks.header_prediction = draw.chance(0.9);
  tcp.urgent_inline = draw.chance(0.8);
  tcp.dscp = static_cast<std::uint8_t>(draw.between(0, 63));
  tcp.delayed_ack =
      draw.chance(0.2) ? Duration{0} : draw.duration(milliseconds(1), milliseconds(400));
  tcp.quick_acks = static_cast<std::uint8_t>(draw.between(0, 16));
  tcp.rto_min = draw.duration(milliseconds(10), seconds(1));
  tcp.rto_max = draw.duration(seconds(2), seconds(120));
  tcp.r2 = hours(2);
  tcp.r2_syn = hours(1);
  tcp.fin_wait_2_timeout = hours(1);
  tcp.keep_alive = draw_keep_alive(draw, outcome);
  if (outcome == Outcome::silenced) {
    tcp.r2 = draw.duration(seconds(5), seconds(100));
    tcp.r2_syn = draw.duration(seconds(5), seconds(180));
    if (draw.chance(0.3)) tcp.user_timeout = draw.duration(seconds(1), seconds(60));
  }
  tcp.congestion_control = static_cast<CongestionControl>(draw.between(0, 3));
  tcp.pacing = draw.chance(0.6);
  tcp.tail_loss_probe = draw.chance(0.8);
  tcp.detect_black_holes = draw.chance(0.7);
  tcp.require_timestamps = draw.chance(0.3);
  return tcp;
}

StackConfig draw_stack(Draw& draw, Outcome outcome) {
  StackConfig stack;
  stack.seed = {draw.next(), draw.next()};
  stack.tcp = draw_tcp(draw, outcome);
  stack.syn_cookies = false;  // but see draw_cookies
  stack.msl = draw.duration(seconds(3), seconds(120));
  if (draw.chance(0.2))
    stack.limits.out_of_order_pieces = static_cast<std::uint32_t>(draw.magnitude(1, 64));
  if (draw.chance(0.4))  // the numbers wrap on the way
    stack.quirks.fixed_isn = static_cast<std::uint32_t>(-draw.magnitude(1, 1 << 20));
  return stack;
}

InterfaceConfig draw_interface(Draw& draw, Family family, const Impairments& towards) {
  InterfaceConfig link;
  const std::uint16_t least = family == Family::ipv4 ? 100 : 1280;
  link.mtu = draw.chance(0.5)
                 ? draw.pick<std::uint16_t>({1280, 1420, 1500, 1500, 1500, 9000, 65535})
                 : static_cast<std::uint16_t>(draw.magnitude(least, 10000));
  link.checksum_offload = draw.chance(0.4);
  link.segmentation_v4 = link.segmentation_v6 = draw.chance(0.4);
  link.ignore_received_checksums = towards.corrupt <= 0 && draw.chance(0.2);
  return link;
}

void draw_urgent(Draw& draw, AppPlan& app, const TcpConfig& receiver) {
  if (receiver.urgent_inline) return;
  app.urgent = 0;
  if (app.total > 0 && draw.chance(0.7)) app.apart_at = draw.magnitude(0, app.total - 1);
}

/// Octets to write: few enough that no run takes long.
std::uint64_t draw_total(Draw& draw, const AppPlan& app, const TcpConfig& sender,
                         const TcpConfig& receiver, std::uint16_t mtu) {
  if (draw.chance(0.1)) return 0;
  std::uint64_t segment = std::min<std::uint64_t>(mtu - 80u, receiver.receive_buffer.initial / 2);
  if (!sender.nagle) segment = std::min<std::uint64_t>(segment, app.write_most);
  const std::uint64_t segments = draw.magnitude(1, 1200);
  return std::min<std::uint64_t>(segments * std::max<std::uint64_t>(segment / 2, 1), 2 << 20);
}

AppPlan draw_app(Draw& draw) {
  AppPlan app;
  app.seed = draw.next();
  app.key = draw.next();
  app.write_most = draw.magnitude(1, 100'000);
  app.read_most = draw.magnitude(1, 100'000);
  if (draw.chance(0.4)) app.write_pause = draw.share() * 0.3;
  if (draw.chance(0.4)) app.read_pause = draw.share() * 0.3;
  app.pause_most = draw.duration(microseconds(100), seconds(5));
  if (draw.chance(0.3)) app.push = draw.share();
  if (draw.chance(0.2)) app.more = draw.share();
  if (draw.chance(0.2)) app.urgent = draw.share() * 0.5;
  if (draw.chance(0.3)) app.owned = draw.share();
  app.in_place = draw.chance(0.3);
  app.ends_when = draw.pick(
      {EndsWhen::written, EndsWhen::written, EndsWhen::peer_ended, EndsWhen::after_pause});
  app.end_pause = draw.duration(microseconds(1), seconds(10));
  if (draw.chance(0.5)) app.close_pause = draw.duration(microseconds(1), seconds(10));
  return app;
}

ConnectionPlan draw_connection(Draw& draw, const Scenario& scenario, Family family,
                               std::uint16_t port) {
  ConnectionPlan plan;
  plan.family = family;
  plan.opener = draw.pick({Opener::a, Opener::a, Opener::b, Opener::both});
  plan.port = port;
  plan.fixed_port = plan.opener == Opener::both || draw.chance(0.5);
  if (draw.chance(0.5)) plan.start = draw.duration(microseconds(1), seconds(2));
  if (draw.chance(0.3)) plan.accept_pause = draw.duration(microseconds(1), seconds(4));
  const auto& a = scenario.world.a;
  const auto& b = scenario.world.b;
  const std::uint16_t mtu = std::min(a.interface.mtu, b.interface.mtu);
  plan.apps = {draw_app(draw), draw_app(draw)};
  auto& [x, y] = plan.apps;
  x.total = draw_total(draw, x, a.stack.tcp, b.stack.tcp, mtu);
  y.total = draw_total(draw, y, b.stack.tcp, a.stack.tcp, mtu);
  draw_urgent(draw, x, b.stack.tcp);
  draw_urgent(draw, y, a.stack.tcp);
  for (AppPlan* app : {&x, &y}) {  // not so small that calls alone take the time
    app->write_most = std::max<std::uint64_t>(app->write_most, app->total / 2000);
    app->read_most = std::max<std::uint64_t>(app->read_most, (x.total + y.total) / 2000);
  }
  // If each waited for the other to end, neither would.
  if (x.ends_when == EndsWhen::peer_ended && y.ends_when == EndsWhen::peer_ended)
    (draw.chance(0.5) ? x : y).ends_when = EndsWhen::written;
  x.close_at_once = y.total == 0 && draw.chance(0.5);
  y.close_at_once = x.total == 0 && draw.chance(0.5);
  if (scenario.outcome == Outcome::aborted)
    (draw.chance(0.5) ? x : y).abort_after = draw.magnitude(0, x.total + y.total);
  return plan;
}

/// A listener with no room for half-open records answers with cookies. A cookie's opening hangs on
/// its third segment: lost or overtaken it leaves the opener with a connection the listener knows
/// nothing of. So only a wire that keeps segments and their order will do, and a long queue.
void draw_cookies(Draw& draw, Scenario& scenario) {
  const bool safe = scenario.outcome == Outcome::complete &&
                    !can_lose(scenario.impairments(Side::a)) &&
                    !can_lose(scenario.impairments(Side::b));
  if (!safe || !draw.chance(0.5)) return;
  scenario.backlog = 128;
  for (SimulationConfig::End* end : {&scenario.world.a, &scenario.world.b}) {
    end->stack.limits.syn_cache = 0;
    end->stack.syn_cookies = true;
  }
}

/// The same again between the same ports, as soon as the stacks allow it: TIME-WAIT, and whether a
/// SYN proves itself new. Numbers must then move on as those of RFC 6528 do.
void draw_again(Draw& draw, Scenario& scenario) {
  const bool isn_fixed =
      scenario.world.a.stack.quirks.fixed_isn || scenario.world.b.stack.quirks.fixed_isn;
  if (scenario.outcome != Outcome::complete || isn_fixed || !draw.chance(0.3)) return;
  ConnectionPlan again = scenario.connections.front();
  if (again.opener == Opener::both) return;
  scenario.connections.front().fixed_port = again.fixed_port = true;
  for (AppPlan& app : again.apps) app.seed = draw.next();
  for (std::uint64_t i = draw.between(1, 2); i > 0; --i) {
    again.after = scenario.connections.size() - 1;
    scenario.connections.push_back(again);
  }
}

void draw_connections(Draw& draw, Scenario& scenario, Family family) {
  const bool many = draw.chance(0.05);
  const std::uint64_t count = many                ? draw.between(10, 40)
                              : draw.chance(0.75) ? 1
                                                  : draw.between(2, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    ConnectionPlan plan =
        draw_connection(draw, scenario, family, static_cast<std::uint16_t>(2000 + i));
    for (AppPlan& app : plan.apps) {
      if (!many) break;
      app.total = std::min<std::uint64_t>(app.total, 3000);
      if (app.apart_at >= app.total) app.apart_at.reset();
    }
    scenario.connections.push_back(plan);
  }
  if (many)
    scenario.world.a.stack.limits.time_wait = scenario.world.b.stack.limits.time_wait =
        static_cast<std::uint32_t>(draw.between(1, 8));
  if (count == 1) draw_again(draw, scenario);
}

void draw_mtu_changes(Draw& draw, Scenario& scenario, Family family) {
  if (!draw.chance(0.2)) return;
  for (std::uint64_t i = draw.between(1, 4); i > 0; --i)
    scenario.mtu_changes.push_back(
        {draw.duration(microseconds(100), seconds(5)), draw.pick({Side::a, Side::b}),
         static_cast<std::uint16_t>(draw.magnitude(family == Family::ipv4 ? 100 : 1280, 10000))});
  std::ranges::sort(scenario.mtu_changes, {}, &MtuChange::at);
}

}  // namespace

bool Scenario::may_be_refused() const {
  return connections.front().family == Family::ipv6 &&
         (impairments(Side::a).corrupt > 0 || impairments(Side::b).corrupt > 0);
}

Scenario draw_scenario(std::uint64_t seed) {
  Draw draw(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.outcome = draw.pick({Outcome::complete, Outcome::complete, Outcome::complete,
                                Outcome::complete, Outcome::aborted, Outcome::silenced});
  SimulationConfig& world = scenario.world;
  const Family family = draw.pick({Family::ipv4, Family::ipv6});
  world.start = Instant(draw.duration(Duration{0}, hours(24 * 60)));
  world.link.seed = draw.next();
  world.link.from_a = draw_impairments(draw);
  world.link.from_b = draw.chance(0.5) ? *world.link.from_a : draw_impairments(draw);
  world.a.stack = draw_stack(draw, scenario.outcome);
  world.b.stack = draw_stack(draw, scenario.outcome);
  world.a.interface = draw_interface(draw, family, *world.link.from_b);
  world.b.interface = draw_interface(draw, family, *world.link.from_a);
  scenario.backlog = static_cast<std::uint32_t>(draw.pick({1, 2, 128}));
  draw_cookies(draw, scenario);
  draw_connections(draw, scenario, family);
  draw_mtu_changes(draw, scenario, family);
  scenario.silent_after = draw.duration(microseconds(100), seconds(20));
  if (draw.chance(0.4))
    for (std::uint64_t i = draw.between(1, 2); i > 0; --i)
      scenario.copies_at.push_back(static_cast<std::uint32_t>(draw.magnitude(0, 3000)));
  std::ranges::sort(scenario.copies_at);
  return scenario;
}

}  // namespace estab::properties
