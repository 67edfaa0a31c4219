#include "tcp/secrets.h"

#include <cstring>

#include "base/prng.h"
#include "base/siphash.h"

namespace estab::tcp {

namespace {

std::array<std::uint64_t, 5> words(const FourTuple& tuple) {
  std::array<std::uint64_t, 5> result;
  std::memcpy(&result[0], tuple.local_address.octets().data(), 16);
  std::memcpy(&result[2], tuple.remote_address.octets().data(), 16);
  result[4] = std::uint64_t{tuple.local_port} << 16 | tuple.remote_port;
  return result;
}

// For IPv4 the two addresses and ports fit into two words, and most of the hashing is saved.
std::uint64_t hash(const std::array<std::uint64_t, 2>& key, const FourTuple& tuple) {
  if (!tuple.local_address.is_v4()) return base::siphash13_words(key, words(tuple));
  const std::array<std::uint64_t, 2> short_words = {
      std::uint64_t{tuple.local_address.v4_number()} << 32 | tuple.remote_address.v4_number(),
      std::uint64_t{tuple.local_port} << 16 | tuple.remote_port};
  return base::siphash13_words(key, short_words);
}

}  // namespace

Secrets::Secrets(const std::array<std::uint64_t, 2>& seed) {
  base::Prng prng(seed);
  for (Key* key : {&isn_, &timestamp_, &port_, &flow_, &cookie_}) *key = {prng.next(), prng.next()};
}

// [RFC 9293 MUST-9]
SeqNum Secrets::initial_sequence(const FourTuple& tuple, Instant now) const {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  // [RFC 9293 MUST-8]
  const auto clock = static_cast<std::uint32_t>(us.count() / 4);
  // [RFC 9293 SHLD-1]
  return SeqNum(clock + static_cast<std::uint32_t>(hash(isn_, tuple)));
}

std::uint32_t Secrets::timestamp_offset(const FourTuple& tuple) const {
  return static_cast<std::uint32_t>(hash(timestamp_, tuple));
}

std::uint32_t Secrets::port_offset(const IpAddress& local, const Endpoint& remote) const {
  return static_cast<std::uint32_t>(hash(port_, {local, remote.address, 0, remote.port}));
}

std::uint64_t Secrets::flow_hash(const FourTuple& tuple) const {
  return hash(flow_, tuple);
}

std::uint64_t Secrets::cookie_tag(const FourTuple& tuple, SeqNum irs, std::uint64_t epoch,
                                  std::uint8_t mss_index) const {
  const std::array<std::uint64_t, 3> rest = {hash(cookie_, tuple),
                                             std::uint64_t{irs.value()} << 8 | mss_index, epoch};
  return base::siphash13_words(cookie_, rest);
}

}  // namespace estab::tcp
