#include "tcp/congestion/window.h"

#include <utility>

#include "base/hasher.h"

namespace estab::tcp::congestion {

// [RFC 7661 4.2-2, 4.2-5, 4.4.1-4]
RoundTrip WindowUse::on_ack(const AckEvent& event) {
  if (event.repairing == Repairing::losses) {
    repairing_ = true;
    return RoundTrip::goes_on;
  }
  if (std::exchange(repairing_, false)) {
    round_.start(event.total_delivered);
    most_ = most_before_ = 0;
  }
  most_ = std::max(most_, event.in_flight_before);
  limited_ |= event.limit == Limit::congestion_window || event.limit == Limit::pacing;
  if (round_.on_ack(event.rate, event.total_delivered) == RoundTrip::goes_on)
    return RoundTrip::goes_on;
  most_before_ = most_;
  limited_before_ = limited_;
  most_ = event.in_flight;
  limited_ = false;
  return RoundTrip::ended;
}

void WindowUse::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  hasher.add_all(round_.delivered_since(total_delivered), most_, most_before_, limited_,
                 limited_before_, repairing_, unused_since_);
}

std::uint64_t pace_of(const Window& window, Duration srtt) {
  if (srtt <= Duration::zero()) return kUnpaced;
  constexpr std::uint64_t kTenthsASecond = 10'000'000'000 / 10;
  // Half of the threshold and below: the window may double in this round trip.
  const std::uint64_t tenths = window.cwnd < window.ssthresh / 2 ? 20 : 12;
  const auto time = static_cast<std::uint64_t>(srtt.count());
  return std::max<std::uint64_t>(window.cwnd * tenths * (kTenthsASecond / 10) / time, 1);
}

std::uint32_t quantum_of(std::uint64_t rate, std::uint32_t mss) {
  constexpr std::uint64_t kMost = 64 << 10;
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>(std::min(rate / 1000, kMost), std::uint64_t{2} * mss));
}

}  // namespace estab::tcp::congestion
