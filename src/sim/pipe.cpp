// Law: time is not asked for. What is due by the time of a call is done at the instants it was due,
// so that it does not matter how often anybody calls.
#include "estab/sim/pipe.h"

#include <algorithm>
#include <utility>

#include "base/prng.h"
#include "base/ring.h"
#include "sim/codel.h"
#include "sim/packet.h"

namespace estab::sim {

namespace {

struct Waiting {
  Packet packet;
  Instant since;
  friend bool operator==(const Waiting&, const Waiting&) = default;
};

struct Flying {
  Instant arrival;
  std::uint64_t number = 0;  // of its entry: those that arrive together keep that order
  Packet packet;
  friend bool operator==(const Flying&, const Flying&) = default;
};

bool arrives_later(const Flying& x, const Flying& y) {
  return x.arrival != y.arrival ? x.arrival > y.arrival : x.number > y.number;
}

void corrupt(Packet& packet, base::Prng& prng) {
  if (packet.empty()) return;
  std::uint8_t& octet = packet[prng.below(packet.size())];
  const bool one_bit = prng.below(2) == 0;
  octet ^= static_cast<std::uint8_t>(one_bit ? 1u << prng.below(8) : 1 + prng.below(255));
}

}  // namespace

struct Pipe::Impl {
  Impl(const LinkConfig& of, std::uint64_t seed, Instant now)
      : config(of),
        made(now),
        prng(seed),
        codel(of.queue.target, of.queue.interval),
        free_at(now) {}

  void enter(Instant now, Packet packet);
  std::optional<Packet> take(Instant now);
  Instant next_deadline() const;

  /// Some impairments are for segments that only acknowledge.
  enum class Kind : std::uint8_t { pure_ack, other };
  enum class Order : std::uint8_t { kept, overtaken };

  bool has_room(std::size_t octets) const;
  void advance(Instant now);
  std::optional<Packet> dequeue(Instant now);
  void put_on_wire(Instant now, Packet packet);
  void fly(Instant arrival, Packet packet);
  bool is_lost(Instant now, const Packet& packet, Kind kind);
  bool is_lost_in_burst();
  bool happens(double chance) { return chance > 0 && prng.chance(chance); }
  Duration delay_at(Instant now) const;
  Instant arrival(Instant departure, Order order);
  Instant gathered(Instant arrival);
  Duration time_for(std::size_t octets) const;

  bool operator==(const Impl& other) const;

  LinkConfig config;
  Instant made;
  base::Prng prng;
  Codel codel;
  base::Ring<Waiting> queue{};
  std::size_t queue_octets = 0;
  Instant free_at;               // when what was sent last has left at the link's rate
  std::vector<Flying> flight{};  // a heap
  std::uint64_t next_number = 0;
  Instant last_arrival = Instant::min();  // of those in order
  Duration last_delay{0};
  Instant gathering_until = Instant::min();  // ACKs that come before go together then
  bool bad = false;                          // of burst loss
  PipeCounters counters{};
};

// ---- the queue

bool Pipe::Impl::has_room(std::size_t octets) const {
  const Queue& limits = config.queue;
  return (limits.packets == 0 || queue.size() < limits.packets) &&
         (limits.octets == 0 || queue_octets + octets <= limits.octets);
}

void Pipe::Impl::enter(Instant now, Packet packet) {
  advance(now);
  ++counters.entered;
  counters.octets_entered += packet.size();
  rewrite_syn(config.impairments.middlebox, packet);
  if (config.rate_bits_per_second == 0) return put_on_wire(now, std::move(packet));
  if (!has_room(packet.size())) {
    ++counters.queue_dropped;
    return;
  }
  if (config.queue.mark_from && queue.size() >= *config.queue.mark_from)
    counters.marked += mark_congestion(packet);
  queue_octets += packet.size();
  queue.push_back({std::move(packet), now});
  counters.most_waiting = std::max(counters.most_waiting, queue.size());
  advance(now);
}

/// Sends what the link had time for.
void Pipe::Impl::advance(Instant now) {
  while (!queue.empty() && free_at <= now) {
    const Instant start = std::max(free_at, queue.front().since);
    auto packet = dequeue(start);
    if (!packet) return;
    free_at = start + time_for(packet->size());
    put_on_wire(free_at, std::move(*packet));
  }
}

std::optional<Packet> Pipe::Impl::dequeue(Instant now) {
  while (!queue.empty()) {
    Waiting head = queue.pop_front();
    queue_octets -= head.packet.size();
    if (config.queue.discipline == Queue::Discipline::drop_tail ||
        codel.passes(now, now - head.since, queue_octets))
      return std::move(head.packet);
    if (config.queue.ecn && mark_congestion(head.packet)) {
      ++counters.marked;
      return std::move(head.packet);
    }
    ++counters.queue_dropped;
  }
  return std::nullopt;
}

Duration Pipe::Impl::time_for(std::size_t octets) const {
  // A datagram has at most 65,535 octets and an IPv6 header: the product fits.
  const std::uint64_t nanobits = std::uint64_t{octets} * 8 * 1'000'000'000;
  const std::uint64_t rate = config.rate_bits_per_second;
  return Duration(static_cast<std::int64_t>((nanobits + rate - 1) / rate));
}

// ---- the way

bool Pipe::Impl::is_lost_in_burst() {
  if (!config.impairments.burst_loss) return false;
  const BurstLoss& burst = *config.impairments.burst_loss;
  if (happens(bad ? burst.leave : burst.enter)) bad = !bad;
  return happens(bad ? burst.loss_bad : burst.loss_good);
}

bool Pipe::Impl::is_lost(Instant now, const Packet& packet, Kind kind) {
  const Impairments& impairments = config.impairments;
  // Every chance is drawn, whatever the others say: the kinds of loss do not hide each other.
  const bool lost = happens(impairments.loss);
  const bool in_burst = is_lost_in_burst();
  const bool ack_lost = kind == Kind::pure_ack && happens(impairments.ack_loss);
  const Duration age = now - made;
  const bool dark = std::ranges::any_of(impairments.blackouts, [age](const Blackout& blackout) {
    return age >= blackout.begin && age < blackout.begin + blackout.length;
  });
  const bool too_large =
      impairments.black_hole_above != 0 && packet.size() > impairments.black_hole_above;
  return lost || in_burst || ack_lost || dark || too_large;
}

void Pipe::Impl::put_on_wire(Instant now, Packet packet) {
  const Impairments& impairments = config.impairments;
  const bool looks = impairments.ack_loss > 0 || impairments.ack_compression > Duration{0};
  const Kind kind = looks && is_pure_ack(packet) ? Kind::pure_ack : Kind::other;
  if (is_lost(now, packet, kind)) {
    ++counters.lost;
    return;
  }
  const bool duplicated = happens(impairments.duplicate);
  const bool reordered = happens(impairments.reorder);
  Instant then = arrival(now, reordered ? Order::overtaken : Order::kept);
  if (kind == Kind::pure_ack && impairments.ack_compression > Duration{0}) then = gathered(then);
  if (happens(impairments.corrupt)) {
    corrupt(packet, prng);
    ++counters.corrupted;
  }
  counters.reordered += reordered;
  if (duplicated) {
    ++counters.duplicated;
    fly(then, packet);
  }
  fly(then, std::move(packet));
}

void Pipe::Impl::fly(Instant at, Packet packet) {
  flight.push_back({at, next_number++, std::move(packet)});
  std::ranges::push_heap(flight, arrives_later);
}

Duration Pipe::Impl::delay_at(Instant now) const {
  Duration delay = config.delay;
  for (const DelayChange& change : config.delay_changes)
    if (now - made >= change.at) delay = change.delay;
  return delay;
}

Instant Pipe::Impl::arrival(Instant departure, Order order) {
  const Duration delay = delay_at(departure);
  Instant then = departure + delay;
  if (config.jitter > Duration{0}) {
    const auto most = static_cast<std::uint64_t>(config.jitter.count().value());
    then += Duration(static_cast<std::int64_t>(prng.below(most + 1)));
  }
  if (order == Order::overtaken)
    return std::max(then, last_arrival) + config.impairments.reorder_delay;
  // On a new, shorter way packets overtake those on the old one.
  if (std::exchange(last_delay, delay) == delay) then = std::max(then, last_arrival);
  return last_arrival = then;
}

/// When the ACKs go that have been gathered by then.
Instant Pipe::Impl::gathered(Instant then) {
  if (then > gathering_until) gathering_until = then + config.impairments.ack_compression;
  return gathering_until;
}

std::optional<Packet> Pipe::Impl::take(Instant now) {
  advance(now);
  if (flight.empty() || flight.front().arrival > now) return std::nullopt;
  std::ranges::pop_heap(flight, arrives_later);
  Packet packet = std::move(flight.back().packet);
  flight.pop_back();
  ++counters.delivered;
  counters.octets_delivered += packet.size();
  return packet;
}

Instant Pipe::Impl::next_deadline() const {
  Instant next = flight.empty() ? kNever : flight.front().arrival;
  if (!queue.empty()) next = std::min(next, std::max(free_at, queue.front().since));
  return next;
}

// What it has counted decides nothing.
bool Pipe::Impl::operator==(const Impl& o) const {
  return config == o.config && made == o.made && prng == o.prng && codel == o.codel &&
         queue == o.queue && free_at == o.free_at && flight == o.flight &&
         last_arrival == o.last_arrival && last_delay == o.last_delay &&
         gathering_until == o.gathering_until && bad == o.bad;
}

// ---- the handle

Pipe::Pipe(const LinkConfig& config, std::uint64_t seed, Instant made)
    : impl_(std::make_unique<Impl>(config, seed, made)) {}
Pipe::Pipe(const Pipe& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Pipe& Pipe::operator=(const Pipe& other) {
  impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Pipe::Pipe(Pipe&&) noexcept = default;
Pipe& Pipe::operator=(Pipe&&) noexcept = default;
Pipe::~Pipe() = default;

void Pipe::enter(Instant now, std::vector<std::uint8_t> packet) {
  impl_->enter(now, std::move(packet));
}

std::optional<std::vector<std::uint8_t>> Pipe::take(Instant now) {
  return impl_->take(now);
}

Instant Pipe::next_deadline() const {
  return impl_->next_deadline();
}

const LinkConfig& Pipe::config() const {
  return impl_->config;
}

const PipeCounters& Pipe::counters() const {
  return impl_->counters;
}

std::size_t Pipe::waiting() const {
  return impl_->queue.size();
}

std::size_t Pipe::under_way() const {
  return impl_->flight.size();
}

void Pipe::set_config(const LinkConfig& config) {
  impl_->config = config;
  impl_->codel = Codel(config.queue.target, config.queue.interval);
}

bool Pipe::equals(const Pipe& other) const {
  return *impl_ == *other.impl_;
}

}  // namespace estab::sim
