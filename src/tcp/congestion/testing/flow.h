// Flow: a sender that has nothing of TCP but what congestion control sees: a window, a pace,
// selective acknowledgements, losses told by three later deliveries, PRR, a retransmission timer.
// It is how the trajectories of the controllers are compared with those that kernels have on the
// same path.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>

#include "tcp/congestion/controller.h"
#include "tcp/congestion/testing/bottleneck.h"
#include "tcp/send/pacer.h"

namespace estab::tcp::congestion::testing {

inline constexpr std::uint32_t kFlowMss = 1448;

class Flow {
 public:
  /// The application's queue is never empty.
  static constexpr std::uint64_t kForever = ~std::uint64_t{0} / 2;

  Flow(Algorithm algorithm, Bottleneck& path, std::uint64_t octets = kForever, Instant start = {},
       std::uint32_t seed = 1)
      : path_(path),
        controller_(algorithm, {.mss = kFlowMss, .seed = seed}),
        srtt_(path.rtt()),  // of the handshake
        min_rtt_(srtt_),
        now_(start),
        last_sent_(start),
        queued_(octets) {
    pacer_.allow_burst(controller_.congestion_window());
  }

  /// The application writes more at now().
  void write(std::uint64_t octets) {
    if (limit() == Limit::application) rate_.on_app_limited(in_flight_);
    queued_ += octets;
  }
  void advance(Instant now) { now_ = std::max(now_, now); }

  /// When something happens next; kNever: nothing is queued and all is acknowledged.
  Instant next() const {
    if (limit() == Limit::pacing) return std::min(next_arrival(), std::max(pacer_.next(), now_));
    return is_open() ? now_ : next_arrival();
  }
  /// Lets what is due at next() happen.
  void step() {
    const Instant until = next();
    now_ = std::max(now_, until);
    if (!acks_.empty() && acks_.front().at <= now_)
      on_acks();
    else if (!packets_.empty() && timeout_at() <= now_)
      on_timeout();
    send_what_may_go();
  }

  Instant now() const { return now_; }
  const Controller& controller() const { return controller_; }
  std::uint32_t cwnd() const { return controller_.congestion_window() / kFlowMss; }  // segments
  std::uint32_t ssthresh() const { return controller_.ssthresh() / kFlowMss; }
  std::uint32_t in_flight() const { return in_flight_ / kFlowMss; }
  std::uint64_t acked() const { return una_ * kFlowMss; }
  std::uint64_t retransmitted() const { return retransmitted_; }
  std::uint64_t reductions() const { return reductions_; }
  std::uint64_t timeouts() const { return timeouts_; }
  std::uint64_t undone() const { return undone_; }
  Duration srtt() const { return srtt_; }

 private:
  enum class Fate : std::uint8_t { flying, delivered, lost };
  struct Packet {
    std::uint64_t sequence;  // in segments
    Instant sent_at;
    DeliverySnapshot snapshot;
    Fate fate;
    Transmission kind;
  };
  struct Ack {
    Instant at;
    std::uint64_t packet;  // number of the transmission
    bool marked;
  };

  // ---- sending
  bool window_lets() const {
    if (repairing_ == Repairing::losses && !controller_.recovers_itself()) return prr_room_ > 0;
    return in_flight_ + kFlowMss <= controller_.congestion_window();
  }
  Limit limit() const {
    if (lost_.empty() && queued_ < kFlowMss) return Limit::application;
    if (!window_lets()) return Limit::congestion_window;
    return Limit::pacing;  // or nothing at all: is_open()
  }
  bool is_open() const { return limit() == Limit::pacing && pacer_.may_send(now_); }
  void send_what_may_go() {
    while (is_open()) {
      const bool again = !lost_.empty();
      const std::uint64_t sequence = again ? lost_.front() : nxt_;
      if (again) lost_.pop_front();
      if (!again) queued_ -= kFlowMss, received_.push_back(false), ++nxt_;
      send(sequence, again ? Transmission::again : Transmission::first);
    }
    stopped_by_ = limit();
  }
  void send(std::uint64_t sequence, Transmission kind) {
    if (in_flight_ == 0 && now_ - last_sent_ > rto() && packets_.empty()) {
      controller_.on_restart_after_idle({.now = now_, .idle = now_ - last_sent_, .rto = rto()});
      pacer_.allow_burst(std::min(controller_.congestion_window(), 10 * kFlowMss));
    }
    controller_.on_sent({.now = now_,
                         .octets = kFlowMss,
                         .in_flight = in_flight_,
                         .kind = kind,
                         .app_limited = rate_.is_app_limited()});
    const DeliverySnapshot snapshot = rate_.on_sent(now_, kFlowMss, in_flight_);
    if (packets_.empty()) last_progress_ = now_;
    const std::uint64_t number = first_ + packets_.size();
    packets_.push_back({sequence, now_, snapshot, Fate::flying, kind});
    if (const auto passage = path_.carry(now_))
      acks_.push_back({passage->ack_at, number, passage->marked});
    in_flight_ += kFlowMss;
    last_sent_ = now_;
    retransmitted_ += kind == Transmission::again;
    if (repairing_ == Repairing::losses) prr_room_ -= kFlowMss, prr_out_ += kFlowMss;
    pacer_.on_sent(now_, kFlowMss, controller_.pacing_rate(srtt_));
  }

  // ---- hearing
  /// One acknowledgement, as of a receiver that answers each packet.
  void on_acks() {
    const Ack ack = acks_.front();
    acks_.pop_front();
    AckEvent event{
        .now = now_, .in_flight_before = in_flight_, .min_rtt = min_rtt_, .limit = stopped_by_};
    if (event.limit == Limit::application) rate_.on_app_limited(in_flight_);
    Packet& packet = at(ack.packet);
    DeliveryRate::Gathering gathering;
    if (packet.fate == Fate::lost && repairing_ != Repairing::nothing) undo();
    if (packet.fate == Fate::flying) in_flight_ -= kFlowMss;
    const std::uint64_t place = packet.sequence - una_;
    const bool fresh = packet.sequence >= una_ && !received_[place];
    if (packet.fate != Fate::delivered && fresh) {
      rate_.on_delivered(gathering, packet.snapshot, packet.sent_at, kFlowMss, now_);
      event.delivered = kFlowMss;
      last_progress_ = now_;
      received_[place] = true;
      std::erase(lost_, packet.sequence);
    }
    packet.fate = Fate::delivered;
    event.marked = ack.marked ? event.delivered : 0;
    measure(now_ - packet.sent_at, event);
    newest_ = std::max(newest_, ack.packet);
    advance_una(event);
    detect_losses(event);
    event.rate = rate_.finish(gathering, min_rtt_);
    event.total_delivered = rate_.delivered();
    event.in_flight = in_flight_;
    if (ack.marked && ack.packet >= marks_end_) {
      marks_end_ = first_ + packets_.size();
      reduce(Cause::ecn, event);
    }
    event.repairing = repairing_;
    controller_.on_ack(event);
    if (repairing_ == Repairing::losses) update_prr(event);
    if (repairing_ != Repairing::nothing && una_ >= recover_) {
      repairing_ = Repairing::nothing;
      controller_.on_recovered();
    }
    forget();
  }
  void measure(Duration rtt, AckEvent& event) {
    const Duration difference = rtt > srtt_ ? rtt - srtt_ : srtt_ - rtt;
    rttvar_ += (difference - rttvar_) / 4;
    srtt_ += (rtt - srtt_) / 8;
    min_rtt_ = std::min(min_rtt_, rtt);
    event.rtt = rtt;
    event.srtt = srtt_;
    event.min_rtt = min_rtt_;
  }
  void advance_una(AckEvent& event) {
    while (!received_.empty() && received_.front()) {
      received_.pop_front();
      ++una_;
      event.acked += kFlowMss;
    }
    if (event.acked == 0) return;
    backoff_ = 0;
  }
  void detect_losses(AckEvent& event) {
    for (; first_unjudged_ + 3 <= newest_; ++first_unjudged_) {
      Packet& packet = at(first_unjudged_);
      if (packet.fate == Fate::flying) take_for_lost(packet, event.lost);
    }
    if (event.lost > 0 && repairing_ != Repairing::losses) reduce(Cause::recovery, event);
  }
  void take_for_lost(Packet& packet, std::uint32_t& lost) {
    packet.fate = Fate::lost;
    lost += kFlowMss;
    in_flight_ -= kFlowMss;
    controller_.on_lost(rate_.on_lost(packet.snapshot, kFlowMss, now_));
    if (packet.sequence >= una_ && !received_[packet.sequence - una_])
      lost_.insert(std::ranges::lower_bound(lost_, packet.sequence), packet.sequence);
  }
  void reduce(Cause cause, const AckEvent& event) {
    const std::uint32_t flight = event.in_flight_before;
    controller_.on_congestion(cause, {.now = now_, .in_flight = flight, .lost = event.lost});
    ++reductions_;
    if (repairing_ == Repairing::timeout && cause == Cause::ecn) return;
    repairing_ = Repairing::losses;
    recover_ = nxt_;
    recover_fs_ = std::max(flight, kFlowMss);
    prr_delivered_ = prr_out_ = 0;
  }
  /// RFC 9937.
  void update_prr(const AckEvent& event) {
    prr_delivered_ += event.delivered;
    const std::uint32_t ssthresh = controller_.ssthresh();
    std::int64_t room = 0;
    if (in_flight_ > ssthresh) {
      room =
          static_cast<std::int64_t>((prr_delivered_ * ssthresh + recover_fs_ - 1) / recover_fs_) -
          static_cast<std::int64_t>(prr_out_);
    } else {
      const bool safe = event.acked > 0 && event.lost == 0;
      room = std::max<std::int64_t>(static_cast<std::int64_t>(prr_delivered_ - prr_out_),
                                    event.delivered) +
             (safe ? kFlowMss : 0);
      room = std::min<std::int64_t>(room, ssthresh - in_flight_);
    }
    prr_room_ = std::max<std::int64_t>(room, prr_out_ == 0 ? kFlowMss : 0);
  }
  void forget() {
    while (!packets_.empty() && packets_.front().fate != Fate::flying && first_ < first_unjudged_ &&
           (acks_.empty() || acks_.front().packet > first_)) {
      packets_.pop_front();
      ++first_;
    }
    if (una_ == nxt_) {
      first_ += packets_.size();
      packets_.clear();
      acks_.clear();
      first_unjudged_ = first_;
    }
  }

  // ---- the timer
  Duration rto() const {
    return srtt_ + std::max(4 * rttvar_, Duration(std::chrono::milliseconds(200)));
  }
  Instant timeout_at() const {
    return packets_.empty() ? kNever : last_progress_ + rto() * (1 << std::min(backoff_, 10));
  }
  Instant next_arrival() const {
    return std::min(acks_.empty() ? kNever : acks_.front().at, timeout_at());
  }
  void on_timeout() {
    const std::uint32_t flight = in_flight_;
    std::uint32_t lost = 0;
    for (Packet& packet : packets_)
      if (packet.fate == Fate::flying) take_for_lost(packet, lost);
    first_unjudged_ = first_ + packets_.size();
    controller_.on_congestion(Cause::timeout,
                              {.now = now_,
                               .in_flight = flight,
                               .lost = lost,
                               .repeat = backoff_ == 0 ? Repeat::first : Repeat::again,
                               .total_delivered = rate_.delivered()});
    repairing_ = Repairing::timeout;
    recover_ = nxt_;
    last_progress_ = now_;
    ++timeouts_;
    ++backoff_;
  }
  /// An original came after all: nothing was lost (Eifel).
  void undo() {
    controller_.on_spurious();
    repairing_ = Repairing::nothing;
    lost_.clear();
    for (Packet& packet : packets_) {
      if (packet.fate != Fate::lost || packet.sequence < una_ || received_[packet.sequence - una_])
        continue;
      packet.fate = Fate::flying;
      in_flight_ += kFlowMss;
    }
    first_unjudged_ = first_;
    ++undone_;
  }

  Packet& at(std::uint64_t number) { return packets_[number - first_]; }

  Bottleneck& path_;
  Controller controller_;
  DeliveryRate rate_;
  Pacer pacer_;
  Duration srtt_, rttvar_{}, min_rtt_;
  Instant now_, last_sent_, last_progress_{};
  std::uint64_t queued_;        // octets not sent yet
  std::deque<Packet> packets_;  // from transmission number first_ on
  std::uint64_t first_ = 0;
  std::uint64_t first_unjudged_ = 0;  // transmissions before it are delivered or lost
  std::uint64_t newest_ = 0;          // the transmission delivered that was sent last
  std::deque<Ack> acks_;              // on their way
  std::deque<std::uint64_t> lost_;    // sequences to be sent again
  std::deque<bool> received_;         // from una_ on
  std::uint64_t una_ = 0, nxt_ = 0;   // segments
  std::uint32_t in_flight_ = 0;
  Limit stopped_by_ = Limit::application;
  Repairing repairing_ = Repairing::nothing;
  std::uint64_t recover_ = 0;    // repairing ends when una_ reaches it
  std::uint64_t marks_end_ = 0;  // marks on transmissions before it are answered already
  std::uint64_t recover_fs_ = 0, prr_delivered_ = 0, prr_out_ = 0;
  std::int64_t prr_room_ = 0;
  int backoff_ = 0;
  std::uint64_t retransmitted_ = 0, reductions_ = 0, timeouts_ = 0, undone_ = 0;
};

/// Lets flows over one path live until `end`; `watch` sees each after each of its steps.
inline void run(std::span<Flow* const> flows, Instant end,
                const std::function<void(const Flow&)>& watch = {}) {
  while (true) {
    Flow* first =
        *std::ranges::min_element(flows, {}, [](const Flow* flow) { return flow->next(); });
    if (first->next() >= end) break;
    first->step();
    if (watch) watch(*first);
  }
  for (Flow* flow : flows) flow->advance(end);
}
inline void run(Flow& flow, Instant end, const std::function<void(const Flow&)>& watch = {}) {
  Flow* const one[] = {&flow};
  run(one, end, watch);
}

}  // namespace estab::tcp::congestion::testing
