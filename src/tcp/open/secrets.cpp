#include "tcp/open/secrets.h"

#include "base/prng.h"

namespace estab::tcp {

Secrets::Secrets(const std::array<std::uint64_t, 2>& seed) {
  base::Prng prng(seed);
  for (Key* key : {&begin_, &port_, &flow_, &cookie_, &fast_open_})
    *key = {prng.next(), prng.next()};
}

// [RFC 9293 MUST-9]
Secrets::InitialNumbers Secrets::initial_numbers(const FourTuple& tuple, Instant now) const {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  // [RFC 9293 MUST-8]
  const auto clock = static_cast<std::uint32_t>(us.count() / 4);
  // [RFC 9293 SHLD-1]
  const std::uint64_t hash = keyed_hash(begin_, tuple);
  return {SeqNum(clock + static_cast<std::uint32_t>(hash)), static_cast<std::uint32_t>(hash >> 32)};
}

std::uint32_t Secrets::port_offset(const IpAddress& local, const Endpoint& remote) const {
  return static_cast<std::uint32_t>(keyed_hash(port_, {local, remote.address, 0, remote.port}));
}

std::uint64_t Secrets::cookie_tag(const FourTuple& tuple, SeqNum irs, std::uint64_t epoch,
                                  std::uint8_t mss_index) const {
  const std::array<std::uint64_t, 3> rest = {keyed_hash(cookie_, tuple),
                                             std::uint64_t{irs.value()} << 8 | mss_index, epoch};
  return base::siphash13_words(cookie_, rest);
}

base::SipKey Secrets::fast_open_key(std::uint64_t period) const {
  const auto half = [&](std::uint64_t which) {
    const std::array<std::uint64_t, 2> words = {period, which};
    return base::siphash13_words(fast_open_, words);
  };
  return {half(0), half(1)};
}

}  // namespace estab::tcp
