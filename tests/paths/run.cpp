#include "paths/run.h"

#include <algorithm>
#include <deque>
#include <iostream>

#include <fmt/format.h>

#include "estab/sim/network.h"

#include "paths/laws.h"
#include "paths/scenario.h"

namespace estab::paths {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 9;
constexpr Duration kLimit = std::chrono::hours(2);

constexpr std::uint8_t octet_at(std::uint64_t place) {
  return static_cast<std::uint8_t>(place ^ place >> 8 ^ place >> 16);
}

/// What a receiver must keep to.
class ReceiverLaws final : public Observer, public FrameTap {
 public:
  ReceiverLaws(const StackConfig& config, std::function<std::optional<TcpInfo>()> ask)
      : config_(config), ask_(std::move(ask)) {}

  void on_trace(Instant, const TraceEvent& event) override {
    const auto* received = std::get_if<SegmentReceived>(&event);
    if (received && !received->segment.payload.empty()) needless += !ranges_.add(received->segment);
  }
  // What is held stays within the buffer, or what it has grown to; the window may have promised
  // half as much again where it is told in coarse units (Receiver::announce).
  void on_frame(Instant, const TappedFrame&) override {
    const auto info = ask_();
    if (!info) return;
    const BufferSize& buffer = config_.tcp.receive_buffer;
    const std::uint64_t growth =
        std::min<std::uint64_t>(buffer.most - buffer.initial, config_.limits.buffer_growth);
    const std::uint64_t most = buffer.initial + growth;
    const std::uint64_t held = info->recv_queue + info->reord_bytes;
    if (held > most + most / 2 && breach_.empty())
      breach_ = fmt::format("{} octets are held in a buffer of {}", held, most);
  }
  const std::string& breach() const { return breach_; }
  std::uint64_t needless = 0;

 private:
  StackConfig config_;
  std::function<std::optional<TcpInfo>()> ask_;
  sim::ReceivedRanges ranges_;
  std::string breach_;
};

class Flow {
 public:
  Flow(sim::Network& network, sim::NodeId from, sim::NodeId to, const Scenario& scenario)
      : network_(network),
        scenario_(scenario),
        from_(from),
        to_(to),
        sender_(scenario.sender.tcp, [this] { return info(from_, stream_); }),
        receiver_(scenario.receiver, [this] { return info(to_, accepted_); }) {
    network.stack(from).set_observer(&sender_);
    network.stack(to).set_observer(&receiver_);
    network.set_tap(from, &sender_);
    network.set_tap(to, &receiver_);
    const Endpoint remote{network.address(to), kPort};
    listener_ = network.stack(to).listen({.local = remote}).value();
    stream_ = network.stack(from).connect(network.now(), {.remote = remote}).value();
  }

  void work() {
    write();
    read();
  }
  bool is_over() const { return over_ || !complaint_.empty(); }
  /// What was broken, if anything.
  std::string judge() const;
  void add_to(Report& report) const;

 private:
  std::optional<TcpInfo> info(sim::NodeId node, StreamId stream) const {
    if (!stream) return std::nullopt;
    const auto known = network_.stack(node).info(stream);
    return known ? std::optional(*known) : std::nullopt;
  }
  void write();
  void read();
  void finish();

  sim::Network& network_;
  const Scenario& scenario_;
  sim::NodeId from_, to_;
  SenderLaws sender_;
  ReceiverLaws receiver_;
  ListenerId listener_{};
  StreamId stream_{}, accepted_{};
  std::uint64_t written_ = 0, read_ = 0;
  Instant fed_ = Instant::min();
  bool at_end_ = false, over_ = false;
  std::string complaint_;
};

void Flow::write() {
  std::array<std::uint8_t, 1 << 14> block;
  Stack& stack = network_.stack(from_);
  while (written_ < scenario_.octets) {
    const auto size = std::min<std::uint64_t>(block.size(), scenario_.octets - written_);
    for (std::size_t i = 0; i < size; ++i) block[i] = octet_at(written_ + i);
    const auto taken = stack.send(network_.now(), stream_, Octets(block).first(size));
    if (!taken || *taken == 0) return;
    written_ += *taken;
    if (written_ == scenario_.octets) (void)stack.shutdown(network_.now(), stream_);
  }
}

void Flow::read() {
  Stack& stack = network_.stack(to_);
  if (!accepted_) {
    const auto accepted = stack.accept(network_.now(), listener_);
    if (accepted) accepted_ = *accepted;
  }
  if (const auto failure = network_.stack(from_).failure(stream_))
    complaint_ = "the sender's connection failed: " + std::string(name(*failure));
  if (!accepted_) return;
  std::size_t left = scenario_.appetite == 0 ? ~std::size_t{0} : scenario_.appetite;
  if (scenario_.appetite > 0 && network_.now() < fed_ + 1ms) left = 0;
  if (left > 0) fed_ = network_.now();
  std::array<std::uint8_t, 1 << 14> block;
  while (left > 0 && !at_end_) {
    const auto got = stack.recv(network_.now(), accepted_,
                                MutableOctets(block).first(std::min(left, block.size())));
    if (!got && got.error() == Error::end_of_stream) at_end_ = true;
    if (!got || *got == 0) break;
    for (std::size_t i = 0; i < *got; ++i)
      if (block[i] != octet_at(read_ + i) && complaint_.empty())
        complaint_ = fmt::format("octet {} came changed", read_ + i);
    read_ += *got;
    left -= *got;
  }
  if (at_end_) finish();
}

// The reader closes too, and both ends come to an end.
void Flow::finish() {
  (void)network_.stack(to_).shutdown(network_.now(), accepted_);
  const auto is_done = [](State state) {
    return state == State::closed || state == State::time_wait;
  };
  over_ = is_done(network_.stack(from_).state(stream_)) &&
          is_done(network_.stack(to_).state(accepted_));
}

std::string Flow::judge() const {
  if (!complaint_.empty()) return complaint_;
  if (!sender_.breach().empty()) return sender_.breach();
  if (!receiver_.breach().empty()) return receiver_.breach();
  if (!over_)
    return fmt::format("not over: {} of {} octets read, sender {}, receiver {}", read_,
                       scenario_.octets, name(network_.stack(from_).state(stream_)),
                       accepted_ ? name(network_.stack(to_).state(accepted_)) : "not there");
  if (read_ != scenario_.octets)
    return fmt::format("{} octets came of {}", read_, scenario_.octets);
  if (scenario_.clean && sender_.timeouts > 0)
    return fmt::format("{} timeouts on a clean path", sender_.timeouts);
  if (scenario_.clean && sender_.retransmits > sender_.tail_probes)
    return fmt::format("{} retransmissions on a clean path", sender_.retransmits);
  if (scenario_.orderly && sender_.timeouts == 0 && receiver_.needless > sender_.tail_probes)
    return fmt::format("{} retransmissions for nothing where nothing is late", receiver_.needless);
  return {};
}

void Flow::add_to(Report& report) const {
  report.octets += read_;
  report.retransmits += sender_.retransmits;
  report.timeouts += sender_.timeouts;
  report.needless += receiver_.needless;
}

/// The hosts of each flow at the two ends of the shared hops.
struct Topology {
  sim::Network network;
  std::vector<std::pair<sim::NodeId, sim::NodeId>> ends;

  explicit Topology(const Scenario& scenario) : network(scenario.seed) {
    const bool alone = scenario.flows == 1;
    const auto sender = [&] { return network.add_host("sender", scenario.sender); };
    const auto receiver = [&] { return network.add_host("receiver", scenario.receiver); };
    const sim::NodeId first = alone ? sender() : network.add_router("first");
    sim::NodeId at = first;
    for (std::size_t i = 0; i < scenario.hops.size(); ++i) {
      const bool last = i + 1 == scenario.hops.size();
      const sim::NodeId next = last && alone ? receiver() : network.add_router("router");
      network.connect(at, next, scenario.hops[i].there, scenario.hops[i].back);
      at = next;
    }
    if (alone) ends.emplace_back(first, at);
    for (std::size_t i = 0; !alone && i < scenario.flows; ++i) {
      const sim::LinkConfig access{.mtu = scenario.hops.front().there.mtu};
      ends.emplace_back(sender(), receiver());
      network.connect(ends.back().first, first, access);
      network.connect(at, ends.back().second, access);
    }
  }
};

}  // namespace

Report run_seed(std::uint64_t seed, bool trace) {
  const Scenario scenario = draw_scenario(seed);
  if (trace) std::cout << describe(scenario);
  Topology topology(scenario);
  sim::Network& network = topology.network;
  std::deque<Flow> flows;
  for (const auto& [from, to] : topology.ends) flows.emplace_back(network, from, to, scenario);
  const auto all_over = [&] {
    for (Flow& flow : flows) flow.work();
    return std::ranges::all_of(flows, &Flow::is_over);
  };
  const Instant end = network.now() + kLimit;
  if (scenario.appetite == 0) network.run_until(all_over, kLimit);
  // A slow reader wakes by the clock, any other by what arrives.
  while (scenario.appetite > 0 && network.now() < end && !all_over()) network.run_for(1ms);
  Report report;
  report.clean = scenario.clean;
  for (const Flow& flow : flows) {
    flow.add_to(report);
    if (report.complaint.empty()) report.complaint = flow.judge();
  }
  if (!report.complaint.empty())
    report.complaint = describe(scenario) + "  " + report.complaint +
                       fmt::format("\n  again: estab_paths --first {} --seeds 1 --trace", seed);
  return report;
}

}  // namespace estab::paths
