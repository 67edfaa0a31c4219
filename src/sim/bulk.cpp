// Applications that send and read in bulk, and the figures of what they saw.
#include "estab/sim/bulk.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <variant>

#include "estab/sim/network.h"
#include "estab/trace.h"

#include "base/ensure.h"
#include "sim/received_ranges.h"

namespace estab::sim {

namespace {

constexpr std::uint16_t kPort = 9;  // discard

/// The octet at a place of every flow: so that what is lost, twice there or changed is seen.
constexpr std::uint8_t octet_at(std::uint64_t place) {
  return static_cast<std::uint8_t>(place ^ place >> 8 ^ place >> 16);
}

/// Counts what one end saw, and passes it on.
class Watch : public Observer {
 public:
  void pass_to(Observer& next) { next_ = &next; }
  void on_trace(Instant now, const TraceEvent& event) final {
    see(event);
    if (next_) next_->on_trace(now, event);
  }

 private:
  virtual void see(const TraceEvent& event) = 0;
  Observer* next_ = nullptr;
};

/// Counts what the sender decided, by the reasons of its segments.
class SenderWatch final : public Watch {
 public:
  std::uint64_t retransmits = 0, timeouts = 0, recoveries = 0, tail_probes = 0;

 private:
  void see(const TraceEvent& event) override {
    if (const auto* sent = std::get_if<SegmentSent>(&event)) on_sent(*sent);
    if (const auto* changed = std::get_if<CongestionChanged>(&event)) on_phase(changed->phase);
    if (const auto* fired = std::get_if<TimerFired>(&event))
      timeouts += fired->timer == Timer::retransmit;
  }

  void on_sent(const SegmentSent& sent) {
    switch (sent.reason) {
      case SendReason::retransmit_tail:
        ++tail_probes;
        [[fallthrough]];
      case SendReason::retransmit_timeout:
      case SendReason::retransmit_fast:
      case SendReason::retransmit_partial:
        ++retransmits;
        break;
      default:
        break;
    }
  }
  void on_phase(std::string_view phase) {
    const bool recovers = phase == "recovery";
    recoveries += recovers && !recovering_;
    recovering_ = recovers;
  }

  bool recovering_ = false;
};

/// Counts what reached the receiver and told it nothing.
class ReceiverWatch final : public Watch {
 public:
  std::uint64_t needless = 0;

 private:
  void see(const TraceEvent& event) override {
    const auto* received = std::get_if<SegmentReceived>(&event);
    if (received && !received->segment.payload.empty()) needless += !ranges_.add(received->segment);
  }
  ReceivedRanges ranges_;
};

class Flow {
 public:
  Flow(Network& network, NodeId sender, NodeId receiver, const BulkConfig& config,
       std::size_t number)
      : network_(network), sender_(sender), receiver_(receiver), octets_(config.octets) {
    network_.stack(sender).set_observer(&sender_watch_);
    network_.stack(receiver).set_observer(&receiver_watch_);
    if (!config.observer) return;
    const std::string mark = config.flows > 1 ? " " + std::to_string(number) : "";
    sender_watch_.pass_to(config.observer("sender" + mark));
    receiver_watch_.pass_to(config.observer("receiver" + mark));
  }

  void begin(Instant at) { begin_ = at; }
  bool is_over() const { return over_; }
  Instant begins() const { return begin_; }

  /// Lets the application do what it can.
  void work() {
    if (over_ || network_.now() < begin_) return;
    if (!stream_) open();
    write();
    read();
  }

  BulkFlow report(std::uint64_t duplicated) const;

 private:
  void open();
  void write();
  void read();

  Network& network_;
  NodeId sender_, receiver_;
  std::uint64_t octets_;  // 0: no end
  Instant begin_{}, end_{};
  SenderWatch sender_watch_;
  ReceiverWatch receiver_watch_;
  ListenerId listener_{};
  StreamId stream_{}, accepted_{};
  std::uint64_t written_ = 0, read_ = 0;
  bool over_ = false, unchanged_ = true;
};

void Flow::open() {
  const Endpoint remote{network_.address(receiver_), kPort};
  listener_ = network_.stack(receiver_).listen({.local = remote}).value();
  stream_ = network_.stack(sender_).connect(network_.now(), {.remote = remote}).value();
}

void Flow::write() {
  std::array<std::uint8_t, 1 << 14> block;
  Stack& stack = network_.stack(sender_);
  while (octets_ == 0 || written_ < octets_) {
    std::size_t size = block.size();
    if (octets_ != 0) size = std::min<std::uint64_t>(size, octets_ - written_);
    for (std::size_t i = 0; i < size; ++i) block[i] = octet_at(written_ + i);
    const auto taken = stack.send(network_.now(), stream_, Octets(block).first(size));
    if (!taken || *taken == 0) return;
    written_ += *taken;
    if (written_ == octets_) (void)stack.shutdown(network_.now(), stream_);
  }
}

void Flow::read() {
  Stack& stack = network_.stack(receiver_);
  if (!accepted_) {
    const auto accepted = stack.accept(network_.now(), listener_);
    if (!accepted) return;
    accepted_ = *accepted;
  }
  std::array<std::uint8_t, 1 << 14> block;
  for (;;) {
    const auto got = stack.recv(network_.now(), accepted_, block);
    if (!got || *got == 0) break;
    for (std::size_t i = 0; i < *got; ++i) unchanged_ &= block[i] == octet_at(read_ + i);
    read_ += *got;
    end_ = network_.now();
  }
  if (stack.failure(accepted_) || network_.stack(sender_).failure(stream_)) over_ = true;
  over_ |= octets_ != 0 && read_ >= octets_;
}

BulkFlow Flow::report(std::uint64_t duplicated) const {
  BulkFlow flow;
  flow.octets = read_;
  flow.complete = unchanged_ && read_ == octets_;
  flow.duration = read_ > 0 ? end_ - begin_ : Duration{0};
  if (flow.duration > Duration{0})
    flow.goodput_bit_s =
        static_cast<double>(read_) * 8e9 / static_cast<double>(flow.duration.count().value());
  flow.retransmits = sender_watch_.retransmits;
  flow.timeouts = sender_watch_.timeouts;
  flow.recoveries = sender_watch_.recoveries;
  flow.tail_probes = sender_watch_.tail_probes;
  // What the link itself duplicated is nobody's fault.
  const std::uint64_t needless = receiver_watch_.needless;
  flow.spurious_retransmits = needless - std::min(needless, duplicated);
  if (const auto info = network_.stack(sender_).info(stream_)) {
    flow.retransmitted_octets = info->bytes_retrans;
    flow.srtt = info->rtt;
    flow.min_rtt = info->min_rtt;
    flow.cwnd = info->snd_cwnd;
  }
  return flow;
}

/// The way back: as there, unharmed, unless it is said otherwise.
LinkConfig back_of(const BulkConfig& config) {
  if (config.back) return *config.back;
  LinkConfig back = config.path;
  back.impairments = {};
  return back;
}

double jain(const std::vector<BulkFlow>& flows) {
  double sum = 0, squares = 0;
  for (const BulkFlow& flow : flows) {
    sum += flow.goodput_bit_s;
    squares += flow.goodput_bit_s * flow.goodput_bit_s;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(flows.size()) * squares) : 1;
}

BulkReport sum_up(const std::deque<Flow>& flows, const PipeCounters& path) {
  BulkReport report;
  report.path = path;
  report.complete = true;
  Instant first = kNever, last{};
  std::uint64_t octets = 0;
  const std::uint64_t duplicated = path.duplicated / flows.size();
  for (const Flow& flow : flows) {
    const BulkFlow one = flow.report(duplicated);
    octets += one.octets;
    first = std::min(first, flow.begins());
    last = std::max(last, flow.begins() + one.duration);
    report.retransmitted_octets += one.retransmitted_octets;
    report.retransmits += one.retransmits;
    report.spurious_retransmits += one.spurious_retransmits;
    report.timeouts += one.timeouts;
    report.recoveries += one.recoveries;
    report.complete &= one.complete;
    report.flows.push_back(one);
  }
  report.duration = last - first;
  if (report.duration > Duration{0})
    report.goodput_bit_s =
        static_cast<double>(octets) * 8e9 / static_cast<double>(report.duration.count().value());
  report.fairness = jain(report.flows);
  return report;
}

}  // namespace

BulkReport run_bulk(const BulkConfig& config) {
  base::ensure(config.flows > 0);
  Network network(config.seed);
  LinkId path;
  NodeId left;
  std::vector<std::pair<NodeId, NodeId>> ends;
  if (config.flows == 1) {
    left = network.add_host("sender", config.sender);
    const NodeId right = network.add_host("receiver", config.receiver);
    path = network.connect(left, right, config.path, back_of(config));
    ends.emplace_back(left, right);
  } else {
    const Dumbbell shape = make_dumbbell(network, {.pairs = config.flows,
                                                   .to_servers = config.path,
                                                   .to_clients = back_of(config),
                                                   .access = {.mtu = config.path.mtu},
                                                   .client = config.sender,
                                                   .server = config.receiver});
    path = shape.bottleneck;
    left = shape.left;
    for (std::size_t i = 0; i < config.flows; ++i)
      ends.emplace_back(shape.clients[i], shape.servers[i]);
  }
  std::deque<Flow> flows;
  for (const auto& [sender, receiver] : ends) {
    flows.emplace_back(network, sender, receiver, config, flows.size() + 1);
    flows.back().begin(network.now() + config.apart * static_cast<int>(flows.size() - 1));
    if (config.tap) network.set_tap(sender, config.tap);
  }
  const Instant end = network.now() + config.limit;
  const auto all_over = [&] {
    for (Flow& flow : flows) flow.work();
    return std::ranges::all_of(flows, [](const Flow& flow) { return flow.is_over(); });
  };
  // A flow that begins later must be woken then, even if nothing else happens.
  for (const Flow& flow : flows) {
    if (flow.begins() >= end || all_over()) break;
    network.run_until(all_over, flow.begins() - network.now());
    network.run_to(std::max(network.now(), flow.begins()));
  }
  network.run_until(all_over, end - network.now());
  return sum_up(flows, network.counters(path, left));
}

}  // namespace estab::sim
