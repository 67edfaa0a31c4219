#include "tcp/congestion/dctcp.h"

#include "base/hasher.h"

namespace estab::tcp::congestion {

namespace {

constexpr std::uint32_t kGainShift = 4;  // g = 1/16 (RFC 8257 §4.2)

}  // namespace

// [RFC 8257 3.3-2]
/// RFC 8257 §3.3. What is delivered by SACK counts too: its marks are known as well.
void Dctcp::on_ack(const AckEvent& event) {
  acked_ += event.delivered;
  marked_ += event.marked;
  if (window_.on_ack(event.rate, event.total_delivered) == RoundTrip::ended) update_alpha();
  reno_.on_ack(event);
}

// [RFC 8257 3.3-1, 4.2-1, 4.2-2, 4.2-3]
void Dctcp::update_alpha() {
  if (acked_ == 0) return;
  const auto share = static_cast<std::uint32_t>(std::min(marked_, acked_) * kOne / acked_);  // M
  // alpha (1 - g) + g M; the last sixteenths go too, so that a path without marks is known as one.
  alpha_ -= std::min(std::max(alpha_ >> kGainShift, 1u), alpha_);
  alpha_ = std::min(alpha_ + (share >> kGainShift), kOne);
  acked_ = marked_ = 0;
}

// [RFC 8257 3.3-3, 3.5-1, 3.5-2, 3.5-3]
void Dctcp::on_congestion(Cause cause, const LossEvent& event) {
  if (cause != Cause::ecn) return reno_.on_congestion(cause, event);
  const std::uint64_t window = reno_.congestion_window();
  reno_.reduce_for_mark(static_cast<std::uint32_t>(window - window * alpha_ / kOne / 2));
}

void Dctcp::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  reno_.hash_into(hasher, total_delivered);
  hasher.add_all(window_.delivered_since(total_delivered), acked_, marked_, alpha_);
}

}  // namespace estab::tcp::congestion
