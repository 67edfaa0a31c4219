#include "tcp/congestion/cubic.h"

#include "base/hasher.h"
#include "tcp/congestion/cube.h"

namespace estab::tcp::congestion {

namespace {

// C = 0.4 segments / s^3 and beta_cubic = 0.7 (§5.1, §4.6), as fractions.
// [RFC 9438 4.6-2, 5.1-1, 5.1-2]
constexpr std::uint64_t kC = 2, kCUnder = 5;
constexpr std::uint64_t kBeta = 7, kBetaUnder = 10;
// alpha_cubic = 3 (1 - beta) / (1 + beta) = 9/17 (§4.3).
constexpr std::uint64_t kAlpha = 9, kAlphaUnder = 17;

// Times along the curve are counted in 1/1024 s, and beyond 512 s nothing grows faster any more:
// the cube of that still fits, with a segment beside it.
constexpr int kTickBits = 10;
constexpr std::int64_t kMostTicks = 512 << kTickBits;

constexpr std::int64_t to_ticks(Duration time) {
  using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 1 << kTickBits>>;
  return std::chrono::duration_cast<Ticks>(time).count();
}
constexpr Duration from_ticks(std::uint64_t ticks) {
  return Duration(static_cast<std::int64_t>(ticks) * 1'000'000'000 >> kTickBits);
}

std::uint32_t capped(std::int64_t window) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(window, 0, kMaxWindow));
}

}  // namespace

Cubic::Cubic(const Settings& settings)
    : at_{.window = {.cwnd = initial_window(settings)}}, settings_(settings) {}

// [RFC 9438 4.2-1]
void Cubic::on_sent(const SentEvent& event) {
  // What passed with nothing in flight is no part of t (§5.8).
  if (event.in_flight == 0) at_.epoch.counted_until = event.now;
}

// [RFC 9438 4.2-1, 4.6-3]
void Cubic::on_ack(const AckEvent& event) {
  const RoundTrip round = use_.on_ack(event);
  const std::uint32_t initial = initial_window(settings_);
  if (event.repairing != Repairing::losses && use_.has_expired(at_.window, initial, event.now)) {
    at_.window.leave_unused(initial);
    at_.epoch.w_est = std::min(at_.epoch.w_est, at_.window.ssthresh);
  }
  if (event.repairing == Repairing::losses || !use_.lets_grow(at_.window)) {
    at_.epoch.counted_until = event.now;
    return;
  }
  if (at_.window.in_slow_start())
    slow_start(event, round);
  else
    avoid_congestion(event, event.acked);
}

/// §4.10: HyStart++ the first time, the ordinary slow start up to ssthresh later.
// [RFC 9438 4.10-1, 4.10-2] [RFC 9406 4.3-5]
void Cubic::slow_start(const AckEvent& event, RoundTrip round) {
  Window& window = at_.window;
  if (window.ssthresh == kNoThreshold) {
    window.grow(hystart_.growth(event.acked, settings_));
    if (hystart_.on_ack(event, round, window.cwnd, settings_.mss) != HyStart::Phase::done) return;
    // No loss has shown W_max: the curve begins here, at its flat middle.
    window.ssthresh = at_.cwnd_prior = window.cwnd;
    return;
  }
  const std::uint32_t growth = std::min(event.acked, window.ssthresh - window.cwnd);
  window.grow(growth);
  if (growth < event.acked) avoid_congestion(event, event.acked - growth);
}

// [RFC 9438 4.3-1, 4.4-1, 4.5-1]
void Cubic::avoid_congestion(const AckEvent& event, std::uint32_t acked) {
  Epoch& epoch = at_.epoch;
  if (!epoch.begun) begin_epoch(event.now);
  if (event.now > epoch.counted_until) epoch.t += event.now - epoch.counted_until;
  epoch.counted_until = event.now;
  grow_w_est(acked);
  Window& window = at_.window;
  // §4.4, §4.5: (target - cwnd) / cwnd for each segment acknowledged.
  epoch.cubic_rest += std::uint64_t{target(event.srtt) - window.cwnd} * acked;
  const std::uint64_t growth = epoch.cubic_rest / window.cwnd;
  epoch.cubic_rest %= window.cwnd;
  window.grow(growth);
  // §4.3: the Reno-friendly region.
  window.cwnd = std::max(window.cwnd, epoch.w_est);
}

// [RFC 9438 4.8-1]
void Cubic::begin_epoch(Instant now) {
  const std::uint32_t cwnd = at_.window.cwnd;
  at_.epoch = {.begun = true, .counted_until = now, .w_est = cwnd};
  if (at_.w_max <= cwnd) {
    at_.w_max = cwnd;  // K is 0
    return;
  }
  // K = cbrt((W_max - cwnd_epoch) / C), in ticks.
  const std::uint64_t distance = at_.w_max - cwnd;
  const std::uint64_t cube = (distance * kCUnder << 3 * kTickBits) / (kC * settings_.mss);
  at_.epoch.k = from_ticks(cube_root(cube));
}

/// W_est += alpha * segments_acked / cwnd (§4.3), alpha being 1 once W_est has reached cwnd_prior.
// [RFC 9438 4.3-2]
void Cubic::grow_w_est(std::uint32_t acked) {
  Epoch& epoch = at_.epoch;
  const std::uint64_t alpha = epoch.w_est < at_.cwnd_prior ? kAlpha : kAlphaUnder;
  const std::uint64_t under = kAlphaUnder * at_.window.cwnd;
  epoch.reno_rest += alpha * acked * settings_.mss;
  epoch.w_est = capped(static_cast<std::int64_t>(epoch.w_est + epoch.reno_rest / under));
  epoch.reno_rest %= under;
}

/// W_cubic(t) = C (t - K)^3 + W_max (§4.2).
std::uint32_t Cubic::w_cubic(Duration t) const {
  const std::int64_t ticks = std::clamp(to_ticks(t - at_.epoch.k), -kMostTicks, kMostTicks);
  const std::int64_t cube = ticks * ticks * ticks / (1 << 2 * kTickBits);
  const std::int64_t segments = cube * static_cast<std::int64_t>(kC * settings_.mss);
  return capped(at_.w_max + segments / static_cast<std::int64_t>(kCUnder << kTickBits));
}

std::uint32_t Cubic::target(Duration rtt) const {
  const std::uint32_t cwnd = at_.window.cwnd;
  return std::clamp(w_cubic(at_.epoch.t + rtt), cwnd, std::min(cwnd + cwnd / 2, kMaxWindow));
}

// [RFC 9438 4.6-1, 4.6-5, 4.7-1, 4.9.2-2]
void Cubic::on_congestion(Cause cause, const LossEvent& event) {
  if (!in_episode_) before_ = at_;
  in_episode_ = cause != Cause::ecn;  // marks stay true, whatever becomes of a suspected loss
  const std::uint32_t mss = settings_.mss;
  Window& window = at_.window;
  const auto reduced =
      static_cast<std::uint32_t>(used_window(window, use_, event) * kBeta / kBetaUnder);
  if (event.repeat == Repeat::first) {
    // §4.7, fast convergence: a path that is full earlier than last time has a new flow on it.
    at_.w_max =
        window.cwnd < at_.w_max
            ? static_cast<std::uint32_t>(window.cwnd * (kBetaUnder + kBeta) / (2 * kBetaUnder))
            : window.cwnd;
    at_.cwnd_prior = window.cwnd;
    window.ssthresh = std::max(reduced, 2 * mss);
  }
  at_.epoch = {};
  switch (cause) {
    case Cause::timeout:
      window.cwnd = mss;
      at_.w_max = 0;  // §4.8: the curve begins where slow start will end, with K = 0
      break;
    case Cause::ecn:
      window.cwnd = std::max(reduced, mss);
      break;
    default:
      window.cwnd = std::min(window.cwnd, window.ssthresh);
  }
}

// [RFC 9438 4.9.1-2, 4.9.2-3, 4.9.2-4]
void Cubic::on_spurious() {
  if (!in_episode_) return;
  in_episode_ = false;
  if (at_.window.cwnd >= before_.window.cwnd) return;  // §4.9.2: it has found more meanwhile
  at_ = before_;
  at_.epoch.counted_until = kNever;  // the episode is no part of t
}

void Cubic::on_restart_after_idle(const RestartEvent& event) {
  Window& window = at_.window;
  // RFC 5681 §4.1: min(RW, cwnd). The way back up is quick as far as the window was in use, and the
  // curve is where it was.
  if (window.cwnd <= event.window) return;
  if (window.ssthresh != kNoThreshold)
    window.ssthresh = std::max(window.ssthresh, window.cwnd / 4 * 3);  // RFC 7661 §4.4.3
  window.cwnd = event.window;
  at_.epoch.w_est = std::min(at_.epoch.w_est, window.ssthresh);
}

void Cubic::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  const auto add = [&](const Place& place) {
    const Epoch& epoch = place.epoch;
    hasher.add_all(place.window.cwnd, place.window.ssthresh, place.w_max, place.cwnd_prior,
                   epoch.begun);
    if (!epoch.begun) return;
    hasher.add_all(epoch.counted_until, epoch.t, epoch.k, epoch.w_est, epoch.cubic_rest,
                   epoch.reno_rest);
  };
  add(at_);
  hasher.add_all(settings_.mss, in_episode_);
  if (in_episode_) add(before_);
  if (at_.window.ssthresh == kNoThreshold) hystart_.hash_into(hasher);
  use_.hash_into(hasher, total_delivered);
}

}  // namespace estab::tcp::congestion
