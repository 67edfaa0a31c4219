#include "tcp/open/fast_open_cache.h"

#include <algorithm>

#include "base/byte_order.h"
#include "base/public_fields.h"

namespace estab::tcp {

FastOpenCache::Pair::Pair(const FourTuple& tuple, std::uint16_t port)
    : local_(tuple.local_address), remote_(tuple.remote_address) {
  auto* at = octets_.data();
  for (const IpAddress& address : {local_, remote_}) {
    at = std::ranges::copy(address.octets(), at).out;
    base::store_be16(at, address.zone());
    at += 2;
  }
  base::store_be16(at, port);
}

FastOpenCache::FastOpenCache(const Config& config)
    : limit_(config.entries),
      pause_(config.pause),
      servers_(config.secret),
      paused_(config.secret) {}

bool FastOpenCache::is_paused(const FourTuple& tuple, Instant now) const {
  const Instant* until = paused_.find(Pair(tuple, tuple.remote_port));
  return until && now < *until;
}

// [RFC 7413 4.1.3-1]
void FastOpenCache::learn(const FourTuple& tuple, const Known& known) {
  if (limit_ == 0) return;
  const Pair key(tuple);
  if (Known* before = servers_.find(key)) {
    before->mss = known.mss;
    if (!known.option.cookie.empty()) *before = known;
    return servers_.touch(key);
  }
  while (servers_.size() >= limit_) (void)servers_.pop_oldest();
  servers_.insert(key, known);
}

// [RFC 7413 4.1.3.1-1, 4.1.3.1-2]
void FastOpenCache::pause(const FourTuple& tuple, Instant now) {
  if (limit_ == 0 || pause_ <= Duration::zero()) return;
  const Pair key(tuple, tuple.remote_port);
  if (Instant* until = paused_.find(key)) {
    *until = now + pause_;
    return paused_.touch(key);
  }
  while (paused_.size() >= limit_) (void)paused_.pop_oldest();
  paused_.insert(key, now + pause_);
}

void FastOpenCache::Known::hash_into(base::Hasher& hasher) const {
  const auto& [what, most] = *this;
  hasher.add_all(what, most);
}

void FastOpenCache::hash_into(base::Hasher& hasher) const {
  const auto& [limit, pause, servers, paused] = *this;
  hasher.add_all(limit, pause, servers, paused);
}

}  // namespace estab::tcp
