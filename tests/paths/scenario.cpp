#include "paths/scenario.h"

#include <algorithm>
#include <sstream>

#include "properties/draw.h"

namespace estab::paths {

namespace {

using namespace std::chrono_literals;
using properties::Draw;

BufferSize draw_buffer(Draw& draw) {
  if (draw.chance(0.6)) return TcpConfig{}.receive_buffer;
  const auto octets = static_cast<std::uint32_t>(draw.magnitude(8000, 1'000'000));
  return draw.chance(0.5) ? BufferSize(octets) : BufferSize::growing(octets, 4 * octets);
}

StackConfig draw_stack(Draw& draw) {
  StackConfig config;
  TcpConfig& tcp = config.tcp;
  tcp.congestion_control =
      draw.pick({CongestionControl::cubic, CongestionControl::cubic, CongestionControl::new_reno,
                 CongestionControl::bbr, CongestionControl::bbr, CongestionControl::dctcp});
  tcp.ecn = draw.pick({Ecn::off, Ecn::off, Ecn::accept, Ecn::request});
  tcp.use_sack = draw.chance(0.85);
  tcp.use_timestamps = draw.chance(0.85);
  tcp.pacing = draw.chance(0.8);
  tcp.tail_loss_probe = draw.chance(0.9);
  tcp.nagle = draw.chance(0.9);
  tcp.quick_acks = draw.chance(0.8) ? 16 : 0;
  tcp.receive_buffer = draw_buffer(draw);
  tcp.send_buffer = draw_buffer(draw);
  if (draw.chance(0.2)) config.limits.buffer_growth = draw.magnitude(1, 1'000'000);
  return config;
}

sim::Queue draw_queue(Draw& draw) {
  sim::Queue queue;
  queue.packets = draw.magnitude(4, 1000);
  if (draw.chance(0.25)) {
    queue.discipline = sim::Queue::Discipline::codel;
    queue.ecn = draw.chance(0.5);
  }
  if (draw.chance(0.15)) queue.mark_from = draw.magnitude(2, 100);
  return queue;
}

void draw_impairments(Draw& draw, sim::LinkConfig& link) {
  sim::Impairments& harm = link.impairments;
  if (draw.chance(0.4)) harm.loss = 0.05 * draw.share() * draw.share();
  if (draw.chance(0.1))
    // A burst outlasts R2's fifteen repetitions, one packet each, once in two thousand at most.
    harm.burst_loss = {.enter = 0.02 * draw.share(), .leave = 0.4 + 0.6 * draw.share()};
  if (draw.chance(0.1)) harm.duplicate = 0.05 * draw.share();
  if (draw.chance(0.2)) {
    harm.reorder = 0.1 * draw.share();
    harm.reorder_delay = draw.duration(100us, 50ms);
  }
  if (draw.chance(0.05)) harm.corrupt = 0.02 * draw.share();
  if (draw.chance(0.05)) harm.blackouts.push_back({draw.duration(1ms, 2s), draw.duration(1ms, 3s)});
  if (draw.chance(0.1)) link.jitter = draw.duration(10us, 20ms);
  if (draw.chance(0.1))
    link.delay_changes.push_back({draw.duration(1ms, 2s), draw.duration(1us, 200ms)});
}

void draw_way_back(Draw& draw, sim::LinkConfig& link) {
  if (draw.chance(0.2)) link.impairments.ack_loss = 0.3 * draw.share();
  if (draw.chance(0.1)) link.impairments.ack_compression = draw.duration(100us, 20ms);
  if (draw.chance(0.5)) draw_impairments(draw, link);
}

Hop draw_hop(Draw& draw, bool clean) {
  Hop hop;
  // Ten segments are no standstill on a clean path: at 10 Mbit/s they take a third of the least
  // RTO.
  const std::uint64_t slowest = clean ? 10'000'000 : 500'000;
  hop.there.rate_bits_per_second = draw.chance(0.1) ? 0 : draw.magnitude(slowest, 1'000'000'000);
  hop.there.delay = draw.duration(1us, 75ms);
  hop.back = hop.there;
  if (clean) return hop;
  hop.there.queue = draw_queue(draw);
  draw_impairments(draw, hop.there);
  draw_way_back(draw, hop.back);
  if (draw.chance(0.05)) {
    sim::Middlebox& box = hop.there.impairments.middlebox;
    box.strip_sack = draw.chance(0.5);
    box.strip_timestamps = draw.chance(0.5);
    box.strip_window_scale = draw.chance(0.5);
    if (draw.chance(0.5)) box.clamp_mss = static_cast<std::uint16_t>(draw.between(300, 1460));
    hop.back.impairments.middlebox = box;
  }
  return hop;
}

bool is_orderly(const sim::LinkConfig& link) {
  const sim::Impairments& harm = link.impairments;
  return harm.loss == 0 && !harm.burst_loss && harm.ack_loss == 0 && harm.duplicate == 0 &&
         harm.corrupt == 0 && harm.reorder == 0 && harm.ack_compression == Duration{0} &&
         harm.blackouts.empty() && link.jitter == Duration{0} && link.delay_changes.empty();
}

/// Data may be lost, by chance or by a queue, but nothing is held up.
bool is_in_order(const sim::LinkConfig& link) {
  sim::LinkConfig without = link;
  without.impairments.loss = 0;
  without.impairments.burst_loss.reset();
  return is_orderly(without);
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed) {
  Draw draw(seed);
  Scenario scenario{.seed = seed, .hops = {}, .sender = {}, .receiver = {}};
  scenario.clean = draw.chance(0.2);
  const std::uint64_t hops = draw.between(1, 3);
  for (std::uint64_t i = 0; i < hops; ++i) scenario.hops.push_back(draw_hop(draw, scenario.clean));
  const auto mtu = static_cast<std::uint16_t>(
      draw.chance(0.7) ? 1500 : draw.between(576, draw.chance(0.5) ? 1500 : 9000));
  for (Hop& hop : scenario.hops) hop.there.mtu = hop.back.mtu = mtu;
  if (!scenario.clean && hops > 1 && draw.chance(0.1)) {  // a narrow link, which is told of
    Hop& narrow = scenario.hops.back();
    narrow.there.mtu = narrow.back.mtu = static_cast<std::uint16_t>(draw.between(576, mtu));
  }
  scenario.flows = scenario.clean || draw.chance(0.75) ? 1 : draw.between(2, 4);
  scenario.octets = draw.magnitude(1, 400'000) / scenario.flows + 1;
  if (draw.chance(0.15)) scenario.appetite = draw.magnitude(100, 20'000);
  scenario.sender = draw_stack(draw);
  scenario.receiver = draw_stack(draw);
  scenario.orderly = std::ranges::all_of(scenario.hops, [](const Hop& hop) {
    return is_in_order(hop.there) && is_orderly(hop.back) && hop.back.queue.packets >= 500;
  });
  return scenario;
}

namespace {

void describe_link(std::ostringstream& out, const char* name, const sim::LinkConfig& link) {
  const sim::Impairments& harm = link.impairments;
  const auto us = [](Duration time) { return time.count().value() / 1000; };
  out << "    " << name << ": " << link.rate_bits_per_second / 1000 << " kbit/s, " << us(link.delay)
      << " us, jitter " << us(link.jitter) << " us, mtu " << link.mtu << ", queue "
      << link.queue.packets
      << (link.queue.discipline == sim::Queue::Discipline::codel ? " codel" : "")
      << (link.queue.ecn ? " ecn" : "");
  if (link.queue.mark_from) out << ", marks from " << *link.queue.mark_from;
  out << ", loss " << harm.loss << ", ack loss " << harm.ack_loss << ", duplicate "
      << harm.duplicate << ", corrupt " << harm.corrupt << ", reorder " << harm.reorder << " by "
      << us(harm.reorder_delay) << " us, compression " << us(harm.ack_compression) << " us";
  if (harm.burst_loss)
    out << ", bursts " << harm.burst_loss->enter << "/" << harm.burst_loss->leave;
  for (const auto& dark : harm.blackouts)
    out << ", dark at " << us(dark.begin) << " for " << us(dark.length) << " us";
  for (const auto& change : link.delay_changes)
    out << ", delay " << us(change.delay) << " at " << us(change.at) << " us";
  if (!harm.middlebox.none()) out << ", a middlebox";
  out << "\n";
}

void describe_stack(std::ostringstream& out, const char* name, const StackConfig& config) {
  const TcpConfig& tcp = config.tcp;
  constexpr const char* kControls[] = {"reno", "cubic", "bbr", "dctcp"};
  out << "  " << name << ": " << kControls[static_cast<std::size_t>(tcp.congestion_control)]
      << ", ecn " << static_cast<int>(tcp.ecn) << (tcp.use_sack ? ", sack" : "")
      << (tcp.use_timestamps ? ", timestamps" : "") << (tcp.pacing ? ", paced" : "")
      << (tcp.tail_loss_probe ? ", tail probe" : "") << (tcp.nagle ? ", nagle" : "")
      << ", receive buffer " << tcp.receive_buffer.initial << ".." << tcp.receive_buffer.most
      << ", send buffer " << tcp.send_buffer.initial << ".." << tcp.send_buffer.most << ", growth "
      << config.limits.buffer_growth << "\n";
}

}  // namespace

std::string describe(const Scenario& scenario) {
  std::ostringstream out;
  out << "seed " << scenario.seed << ": " << scenario.flows << " x " << scenario.octets
      << " octets, read " << scenario.appetite << "/ms" << (scenario.clean ? ", clean" : "")
      << (scenario.orderly ? ", orderly" : "") << "\n";
  for (const Hop& hop : scenario.hops) {
    describe_link(out, "there", hop.there);
    describe_link(out, "back ", hop.back);
  }
  describe_stack(out, "sender", scenario.sender);
  describe_stack(out, "receiver", scenario.receiver);
  return out.str();
}

}  // namespace estab::paths
