// FastOpenCache: what a client remembers of servers (RFC 7413 §4.1.3): for each pair of addresses
// the last cookie and the MSS that came with it; for each pair and port until when Fast Open is not
// to be tried, because the server did not take the octets of a SYN or nothing came back for it
// (§4.1.3.1).
//
// Law: it holds so many servers and so many refusals and no more; the oldest make way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "estab/segment.h"
#include "estab/time.h"

#include "base/hasher.h"
#include "ip/aged_map.h"

namespace estab::tcp {

class FastOpenCache {
 public:
  struct Config {
    base::SipKey secret{};
    std::uint32_t entries = 0;  ///< StackLimits::fast_open_cookies
    Duration pause{};           ///< StackConfig::fast_open_pause
  };
  explicit FastOpenCache(const Config& config);

  struct Known {
    FastOpenOption option;  ///< in the form in which it came
    std::uint16_t mss = 0;  ///< the server's
    friend bool operator==(const Known&, const Known&) = default;
    void hash_into(base::Hasher& hasher) const;
  };
  /// Null if nothing is known of the server.
  const Known* find(const FourTuple& tuple) const { return servers_.find(Pair(tuple)); }
  bool is_paused(const FourTuple& tuple, Instant now) const;

  /// A SYN-ACK brought this. An empty cookie leaves the one there was.
  void learn(const FourTuple& tuple, const Known& known);
  /// Fast Open did not work.
  void pause(const FourTuple& tuple, Instant now);
  /// An address, or the link of that zone, is no more: neither are its peers known.
  template <class IsGone>
  void forget_if(IsGone&& is_gone) {
    servers_.erase_if([&](const Pair& pair, const Known&) { return is_gone(pair.tuple()); });
    paused_.erase_if([&](const Pair& pair, Instant) { return is_gone(pair.tuple()); });
  }

  std::size_t size() const { return servers_.size(); }
  std::size_t memory() const { return servers_.memory() + paused_.memory(); }
  friend bool operator==(const FastOpenCache&, const FastOpenCache&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  /// The addresses, with the remote port or 0 for any; as octets, zones and all.
  class Pair {
   public:
    explicit Pair(const FourTuple& tuple, std::uint16_t port = 0);
    Octets key_octets() const { return octets_; }
    FourTuple tuple() const { return {local_, remote_, 0, 0}; }
    friend bool operator==(const Pair& a, const Pair& b) { return a.octets_ == b.octets_; }
    void hash_into(base::Hasher& hasher) const { hasher.add(Octets(octets_)); }

   private:
    IpAddress local_, remote_;
    std::array<std::uint8_t, 38> octets_;
  };

  std::uint32_t limit_;
  Duration pause_;
  ip::AgedMap<Pair, Known> servers_;   // the age is the time since the last SYN-ACK
  ip::AgedMap<Pair, Instant> paused_;  // until when
};

}  // namespace estab::tcp
