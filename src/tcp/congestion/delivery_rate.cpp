#include "tcp/congestion/delivery_rate.h"

#include <algorithm>

#include "base/hasher.h"

namespace estab::tcp::congestion {

namespace {

/// Octets a second, without overflow: what is delivered in one interval is below 2^34.
std::uint64_t rate_of(std::uint64_t octets, Duration interval) {
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  const auto time = static_cast<std::uint64_t>(interval.count());
  return octets < (std::uint64_t{1} << 34) ? octets * kNanoseconds / time
                                           : octets / (time / kNanoseconds + 1);
}

}  // namespace

DeliverySnapshot DeliveryRate::on_sent(Instant now, std::uint32_t octets, std::uint32_t in_flight) {
  // With nothing in flight the network was not at work: the interval begins now.
  if (in_flight == 0) first_sent_time_ = delivered_time_ = now;
  return {.delivered_time = delivered_time_,
          .first_sent_time = first_sent_time_,
          .delivered = static_cast<std::uint32_t>(delivered_),
          .lost = static_cast<std::uint32_t>(lost_),
          .tx_in_flight = in_flight + octets,
          .app_limited = is_app_limited()};
}

void DeliveryRate::on_delivered(Gathering& gathering, const DeliverySnapshot& snapshot,
                                Instant sent_at, std::uint32_t octets, Instant now) {
  delivered_ += octets;
  delivered_time_ = now;
  RateSample& sample = gathering.sample_;
  // IsNewestPacket; of those sent at one time the last handed over is the newest.
  if (sample.has_data && sent_at < gathering.newest_) return;
  gathering.newest_ = sent_at;
  gathering.send_elapsed_ = sent_at - snapshot.first_sent_time;
  gathering.ack_elapsed_ = now - snapshot.delivered_time;
  sample.has_data = true;
  sample.app_limited = snapshot.app_limited;
  sample.tx_in_flight = snapshot.tx_in_flight;
  const auto since = static_cast<std::uint32_t>(delivered_) - snapshot.delivered;
  sample.prior_delivered = delivered_ - since;
  gathering.lost_before_ = snapshot.lost;
  first_sent_time_ = std::max(first_sent_time_, sent_at);
}

RateSample DeliveryRate::finish(const Gathering& gathering, Duration min_rtt) {
  if (app_limited_ != 0 && delivered_ > app_limited_) app_limited_ = 0;  // the bubble is gone
  RateSample sample = gathering.sample_;
  if (!sample.has_data) return sample;
  sample.delivered = delivered_ - sample.prior_delivered;
  sample.lost = static_cast<std::uint32_t>(lost_) - gathering.lost_before_;
  sample.interval = std::max(gathering.send_elapsed_, gathering.ack_elapsed_);
  // Shorter than any round trip: the ACK is of an earlier sending of the same octets.
  if (sample.interval >= min_rtt && sample.interval > Duration::zero())
    sample.rate = rate_of(sample.delivered, sample.interval);
  return sample;
}

LostPacket DeliveryRate::on_lost(const DeliverySnapshot& snapshot, std::uint32_t octets,
                                 Instant now) {
  lost_ += octets;
  return {.now = now,
          .octets = octets,
          .tx_in_flight = snapshot.tx_in_flight,
          .lost = static_cast<std::uint32_t>(lost_) - snapshot.lost,
          .app_limited = snapshot.app_limited,
          .total_delivered = delivered_};
}

void DeliveryRate::on_app_limited(std::uint32_t in_flight) {
  app_limited_ = std::max<std::uint64_t>(delivered_ + in_flight, 1);
}

void DeliveryRate::hash_into(base::Hasher& hasher, std::uint32_t in_flight) const {
  if (hasher.takes_history()) hasher.add_all(delivered_, lost_);
  hasher.add(app_limited_ > delivered_ ? app_limited_ - delivered_ : 0);
  if (in_flight != 0) hasher.add_all(delivered_time_, first_sent_time_);
}

void DeliveryRate::hash_into(base::Hasher& hasher, const DeliverySnapshot& snapshot) const {
  hasher.add_all(static_cast<std::uint32_t>(delivered_) - snapshot.delivered,
                 static_cast<std::uint32_t>(lost_) - snapshot.lost, snapshot.tx_in_flight,
                 snapshot.app_limited, snapshot.delivered_time, snapshot.first_sent_time);
}

}  // namespace estab::tcp::congestion
