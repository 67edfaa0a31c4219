// Header prediction is a shorter way to the same place: with it and without it the same octets go
// out at the same time, and the same is left behind, over wires good and bad.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "estab/simulation.h"

#include "base/hasher.h"
#include "base/prng.h"

namespace estab {
namespace {

using namespace std::chrono_literals;

enum class Prediction : std::uint8_t { off, on };

SimulationConfig draw_world(std::uint64_t seed) {
  base::Prng prng(seed);
  const auto chance = [&](double p) { return prng.chance(p); };
  SimulationConfig world;
  Impairments& wire = world.link.both_ways;
  world.link.seed = prng.next();
  if (chance(0.6)) wire.loss = 0.05;
  if (chance(0.4)) wire.duplicate = 0.05;
  if (chance(0.5)) wire.reorder = 0.1;
  if (chance(0.3)) wire.corrupt = 0.03;
  if (chance(0.8)) wire.delay = std::chrono::microseconds(prng.below(50'000));
  wire.reorder_delay = std::chrono::microseconds(1 + prng.below(30'000));
  for (SimulationConfig::End* end : {&world.a, &world.b}) {
    TcpConfig& tcp = end->stack.tcp;
    end->stack.seed = {prng.next(), prng.next()};
    tcp.use_timestamps = chance(0.7);
    tcp.use_sack = chance(0.7);
    tcp.nagle = chance(0.7);
    tcp.urgent_inline = chance(0.5);
    tcp.tail_loss_probe = chance(0.5);
    tcp.receive_buffer = static_cast<std::uint32_t>(2000 + prng.below(100'000));
    tcp.send_buffer = static_cast<std::uint32_t>(2000 + prng.below(100'000));
    tcp.quick_acks = static_cast<std::uint8_t>(prng.below(17));
    tcp.keep_alive = {.enabled = chance(0.5), .idle = 300ms, .interval = 100ms, .probes = 50};
    end->interface.segmentation_v4 = chance(0.5);
    end->interface.mtu = chance(0.5) ? 1500 : 700;
    if (chance(0.5)) end->stack.quirks.fixed_isn = static_cast<std::uint32_t>(-prng.below(50'000));
  }
  return world;
}

/// A simulation with one connection, on which both applications do things drawn from the seed. Two
/// of the same seed do the same things, as long as the stacks give them the same answers.
class Twin {
 public:
  Twin(std::uint64_t seed, Prediction prediction)
      : prng_(seed), world_(configured(seed, prediction)) {
    world_.link().set_filter([this](Instant now, Side from, const TransmitFrame& frame) {
      note(now, from, frame);
      return FrameFate::by_chance;
    });
    const auto listener = world_.b().listen({.local = {IpAddress(), 80}});
    streams_[0] =
        *world_.a().connect(world_.now(), {.remote = {Simulation::address_v4(Side::b), 80}});
    world_.run_until([&] { return accept(*listener); }, 1h);
  }
  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;

  void step() {
    const std::uint64_t what = prng_.below(12);
    const auto who = static_cast<Side>(prng_.below(2));
    Stack& stack = world_.stack(who);
    const StreamId stream = streams_[static_cast<std::size_t>(who)];
    std::vector<std::uint8_t> octets(1 + prng_.below(6000));
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(prng_.next());
    if (what < 4)
      add(stack.send(world_.now(), stream, octets, static_cast<SendMode>(prng_.below(4))));
    else if (what < 7)
      add(stack.recv(world_.now(), stream, octets));
    else if (what == 7 && prng_.below(40) == 0)
      (void)stack.shutdown(world_.now(), stream);
    else
      world_.run_for(std::chrono::microseconds(prng_.below(20'000)));
    for (const Side side : {Side::a, Side::b}) drain(side);
  }

  void finish() {
    for (const Side side : {Side::a, Side::b})
      (void)world_.stack(side).close(world_.now(), streams_[static_cast<std::size_t>(side)]);
    world_.run_for(2h);
  }

  /// Everything that can be known of both stacks, in one number. That a segment was predicted
  /// counts as that it was accepted.
  std::uint64_t fingerprint() const {
    base::Hasher hasher;
    hasher.add(seen_.finish());
    for (const Side side : {Side::a, Side::b}) add_stack(hasher, side);
    return hasher.finish();
  }
  std::uint64_t predicted() const {
    return world_.stack(Side::a).counters().of(Verdict::predicted) +
           world_.stack(Side::b).counters().of(Verdict::predicted);
  }
  Instant now() const { return world_.now(); }

 private:
  static SimulationConfig configured(std::uint64_t seed, Prediction prediction) {
    SimulationConfig world = draw_world(seed);
    world.a.stack.tcp.quirks.header_prediction = prediction == Prediction::on;
    world.b.stack.tcp.quirks.header_prediction = prediction == Prediction::on;
    return world;
  }

  bool accept(ListenerId listener) {
    const auto stream = world_.b().accept(world_.now(), listener);
    if (stream) streams_[1] = *stream;
    return stream.has_value();
  }

  void note(Instant now, Side from, const TransmitFrame& frame) {
    std::vector<std::uint8_t> octets(frame.size());
    frame.copy_to(octets.data());
    seen_.add_all(now, from, frame.gso_size);
    seen_.add(Octets(octets));
  }

  template <class T>
  void add(const Result<T>& result) {
    seen_.add(result.has_value());
    if (result) seen_.add(*result);
  }

  void drain(Side side) {
    while (const auto event = world_.stack(side).poll_event()) {
      seen_.add(event->index());
      if (const auto* told = std::get_if<StreamEvent>(&*event))
        seen_.add_all(told->connected, told->readable, told->writable, told->peer_closed,
                      told->urgent, told->closed, told->failure, told->soft_error);
    }
  }

  void add_stack(base::Hasher& hasher, Side side) const {
    const Stack& stack = world_.stack(side);
    const StreamId stream = streams_[static_cast<std::size_t>(side)];
    const auto urgent = stack.urgent(stream);
    hasher.add_all(stack.next_deadline(), stack.readable(stream), stack.writable(stream),
                   stack.at_end(stream), stack.state(stream), stack.memory(), urgent.has_value());
    if (urgent) hasher.add_all(urgent->octets_before_end, urgent->out_of_band);
    if (const auto info = stack.info(stream)) add_info(hasher, *info);
    StackCounters counters = stack.counters();
    auto& verdicts = counters.verdicts;
    verdicts[static_cast<std::size_t>(Verdict::accepted)] +=
        std::exchange(verdicts[static_cast<std::size_t>(Verdict::predicted)], 0);
    for (const std::uint64_t count : verdicts) hasher.add(count);
    hasher.add_all(counters.retransmitted_segments, counters.resets_out, counters.segments_out,
                   counters.challenge_acks_out, counters.out_of_order_refused);
  }

  static void add_info(base::Hasher& hasher, const TcpInfo& info) {
    hasher.add_all(info.state, info.retransmits, info.backoff, info.rto, info.ato, info.snd_mss,
                   info.rtt, info.rttvar, info.min_rtt, info.snd_cwnd, info.snd_ssthresh,
                   info.snd_wnd, info.rcv_wnd, info.bytes_acked, info.bytes_received,
                   info.bytes_sent, info.bytes_retrans, info.segs_out, info.segs_in,
                   info.total_retrans, info.notsent_bytes, info.unacked_bytes, info.recv_queue,
                   info.reord_bytes);
  }

  base::Prng prng_;
  base::Hasher seen_{};  // frames and answers so far
  Simulation world_;
  std::array<StreamId, 2> streams_{};
};

// Compared after every act of the applications, so that the first difference shows.
TEST(HeaderPrediction, LeadsToTheSameOctetsAndTheSameStacks) {
  std::uint64_t predicted = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Twin with(seed, Prediction::on), without(seed, Prediction::off);
    for (int i = 0; i < 400; ++i) {
      with.step();
      without.step();
      ASSERT_EQ(with.now(), without.now()) << "seed " << seed << ", step " << i;
      ASSERT_EQ(with.fingerprint(), without.fingerprint()) << "seed " << seed << ", step " << i;
    }
    with.finish();
    without.finish();
    ASSERT_EQ(with.fingerprint(), without.fingerprint()) << "seed " << seed << ", at the end";
    EXPECT_EQ(without.predicted(), 0u);
    predicted += with.predicted();
  }
  EXPECT_GT(predicted, 5'000u);
}

}  // namespace
}  // namespace estab
