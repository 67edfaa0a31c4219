#include "tcp/loss/rtt.h"

#include <algorithm>
#include <utility>

#include "base/public_fields.h"
#include "tcp/connection/timers.h"

namespace estab::tcp {

namespace {
// (2.3) asks for max(G, K*RTTVAR); the clock here is exact to the nanosecond, so the variance term
// has the configured minimum RTO as its floor, as in every stack of today.
constexpr int kK = 4;
}  // namespace

// [RFC 6298 2-1, 2-2]
RttEstimator::RttEstimator(const TcpConfig& config) : rto_(config.rto_initial) {}

// A standstill, of the path or of this host, looks like one very slow round trip; a path that has
// become slow looks like several. So a sample beyond the RTO, which should not have been waited for
// so long, counts as twice the RTO at most; the next one, if it is beyond as well, is believed.
Duration RttEstimator::believable(Duration rtt) {
  const bool repeated = std::exchange(beyond_, rtt > rto_) && beyond_;
  return repeated ? rtt : std::min(rtt, 2 * rto_);
}

// [RFC 9293 MUST-18]
void RttEstimator::on_sample(Duration rtt, const TcpConfig& config) {
  rtt = std::max(believable(rtt), Duration(1));
  backoff_ = 0;
  if (!has_sample()) {  // (2.2)
    // [RFC 6298 2-3]
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    min_rtt_ = rtt;
  } else {  // (2.3): alpha = 1/8, beta = 1/4
    // [RFC 6298 2-4, 2-5, 2-6]
    const Duration error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
    rttvar_ += (error - rttvar_) / 4;
    srtt_ = std::max(srtt_ + (rtt - srtt_) / 8, Duration(1));
    min_rtt_ = std::min(min_rtt_, rtt);
  }
  // [RFC 6298 2-7, 4-1, 2-9]
  rto_ = std::min(srtt_ + std::max(config.rto_min, kK * rttvar_), config.rto_max);
}

// [RFC 9293 MUST-19] [RFC 6298 5-3]
void RttEstimator::back_off(const TcpConfig& config) {
  if (rto(config) < config.rto_max) ++backoff_;
}

// [RFC 6298 5-4]
void RttEstimator::on_syn_retransmitted(const TcpConfig& config) {
  backoff_ = 0;
  if (!has_sample())
    rto_ = std::min(std::max<Duration>(std::chrono::seconds(3), config.rto_min), config.rto_max);
}

Duration RttEstimator::rto(const TcpConfig& config) const {
  return backed_off(rto_, backoff_, config.rto_max);
}

void RttEstimator::hash_into(base::Hasher& hasher) const {
  const auto& [srtt, rttvar, min_rtt, rto, backoff, beyond] = *this;
  hasher.add_all(srtt, rttvar, min_rtt, rto, backoff, beyond);
}

}  // namespace estab::tcp
