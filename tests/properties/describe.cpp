// A scenario in words, for whoever reads a failure.

#include <sstream>

#include "properties/scenario.h"

namespace estab::properties {

namespace {

double ms(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

void add(std::ostream& out, const char* name, const Impairments& wire) {
  out << "  " << name << ": loss " << wire.loss << ", duplicate " << wire.duplicate << ", reorder "
      << wire.reorder << " by " << ms(wire.reorder_delay) << " ms, corrupt " << wire.corrupt
      << ", delay " << ms(wire.delay) << " ms, jitter " << ms(wire.jitter) << " ms, rate "
      << wire.rate_bits_per_second << " bit/s, queue " << wire.queue_octets << '\n';
}

void add(std::ostream& out, const char* name, const SimulationConfig::End& end) {
  constexpr const char* kControls[] = {" new-reno", " cubic", " bbr", " dctcp"};
  const TcpConfig& tcp = end.stack.tcp;
  out << "  " << name << ": mtu " << end.interface.mtu << ", receive buffer "
      << tcp.receive_buffer.initial << ", send buffer " << tcp.send_buffer.initial << ", mss limit "
      << tcp.mss_limit << ", window scale "
      << (tcp.use_window_scale ? std::to_string(tcp.window_scale.value_or(0)) : "off")
      << ", initial window " << tcp.initial_window_segments << "\n     with"
      << (tcp.use_timestamps ? " timestamps" : "") << (tcp.use_sack ? " sack" : "")
      << (tcp.nagle ? " nagle" : "") << (tcp.urgent_inline ? "" : " urgent-apart")
      << (tcp.quirks.header_prediction ? " prediction" : "")
      << (tcp.keep_alive.enabled ? " keep-alive" : "")
      << (end.interface.segmentation_v4 ? " super-segments" : "")
      << (end.interface.checksum_offload ? " checksum-offload" : "")
      << (end.interface.ignore_received_checksums ? " checksums-ignored" : "")
      << (end.stack.limits.syn_cache == 0 ? " cookies" : "")
      << kControls[static_cast<std::size_t>(tcp.congestion_control)]
      << (tcp.pacing ? " pacing" : "") << (tcp.tail_loss_probe ? " tail-probe" : "")
      << (tcp.detect_black_holes ? " black-holes" : "") << "\n     delayed ack "
      << ms(tcp.delayed_ack) << " ms, quick acks " << int{tcp.quick_acks} << ", rto "
      << ms(tcp.rto_min) << ".." << ms(tcp.rto_max) << " ms, r2 " << ms(tcp.r2) << " ms, msl "
      << ms(end.stack.msl) << " ms, out-of-order pieces " << end.stack.limits.out_of_order_pieces;
  if (end.stack.quirks.fixed_isn) out << ", isn " << *end.stack.quirks.fixed_isn;
  out << '\n';
}

void add(std::ostream& out, const char* name, const AppPlan& app) {
  constexpr const char* kEnds[] = {"when written", "after the peer", "after a pause of"};
  out << "     " << name << ": writes " << app.total << " by " << app.write_most << ", reads by "
      << app.read_most << (app.in_place ? " in place" : "") << ", pauses " << app.write_pause << '/'
      << app.read_pause << " up to " << ms(app.pause_most) << " ms, push " << app.push << " more "
      << app.more << " urgent " << app.urgent << " owned " << app.owned << ", "
      << (app.close_at_once ? "closes " : "ends ") << kEnds[static_cast<int>(app.ends_when)];
  if (app.ends_when == EndsWhen::after_pause) out << ' ' << ms(app.end_pause) << " ms";
  if (app.apart_at) out << ", one octet apart at " << *app.apart_at;
  out << ", lets go after " << ms(app.close_pause) << " ms";
  if (app.abort_after != ~std::uint64_t{0}) out << ", aborts after " << app.abort_after;
  out << '\n';
}

}  // namespace

std::string describe(const Scenario& scenario) {
  constexpr const char* kOutcomes[] = {"complete", "aborted", "silenced"};
  constexpr const char* kOpeners[] = {"a", "b", "both"};
  std::ostringstream out;
  out << "seed " << scenario.seed << ": " << kOutcomes[static_cast<int>(scenario.outcome)];
  if (scenario.outcome == Outcome::silenced) out << " after " << ms(scenario.silent_after) << " ms";
  out << ", backlog " << scenario.backlog << '\n';
  add(out, "a to b", scenario.impairments(Side::a));
  add(out, "b to a", scenario.impairments(Side::b));
  add(out, "a", scenario.world.a);
  add(out, "b", scenario.world.b);
  for (const ConnectionPlan& plan : scenario.connections) {
    out << "  port " << plan.port << (plan.family == Family::ipv4 ? ", IPv4" : ", IPv6")
        << ", opened by " << kOpeners[static_cast<int>(plan.opener)] << " after " << ms(plan.start)
        << " ms, accepted after " << ms(plan.accept_pause) << " ms\n";
    if (plan.after) out << "     once connection " << *plan.after << " is over\n";
    add(out, "a", plan.apps[0]);
    add(out, "b", plan.apps[1]);
  }
  for (const MtuChange& change : scenario.mtu_changes)
    out << "  after " << ms(change.at) << " ms the link at " << (change.side == Side::a ? "a" : "b")
        << " takes " << change.mtu << '\n';
  return out.str();
}

}  // namespace estab::properties
