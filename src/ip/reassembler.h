// Reassembler: fragments in, whole datagrams out (RFC 791 §3.2, RFC 1122 §3.3.2, RFC 8200 §4.5).
// Law: whatever comes, what it holds stays below its limits; at the limit the oldest goes. A
// datagram that is not whole in time is given up, with word to the sender if its first fragment
// had come. No octet comes out that was not sent at its place: see PartialDatagram for overlaps.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "estab/address.h"
#include "estab/time.h"
#include "estab/verdict.h"

#include "base/hasher.h"
#include "base/siphash.h"
#include "ip/aged_map.h"
#include "ip/partial_datagram.h"
#include "wire/ip.h"

namespace estab::ip {

struct ReassemblerConfig {
  base::SipKey secret{};
  std::uint32_t octets = 4 << 20;               ///< StackLimits::fragment_octets
  std::uint32_t fragments_per_datagram = 64;    ///< StackLimits::fragments_per_datagram
  Duration timeout = std::chrono::seconds(60);  ///< StackConfig::fragment_timeout
};

/// Why a fragment was not taken, and what the sender should be told of it, if anything.
struct FragmentRefusal {
  Verdict verdict = Verdict::fragment_refused;
  /// An ICMPv6 parameter problem (RFC 8200 §4.5).
  struct Problem {
    std::uint8_t code = 0;
    std::uint32_t pointer = 0;
    friend bool operator==(const Problem&, const Problem&) = default;
  };
  std::optional<Problem> problem{};
  friend bool operator==(const FragmentRefusal&, const FragmentRefusal&) = default;
};

class Reassembler {
 public:
  using Datagram = std::vector<std::uint8_t>;  ///< a whole one, from its IP header: see parse_ip

  explicit Reassembler(const ReassemblerConfig& config);

  /// Takes a packet that is a fragment. A datagram if that made one whole; nothing if the fragment
  /// is held, or was held already.
  std::expected<std::optional<Datagram>, FragmentRefusal> accept(Instant now,
                                                                 const wire::IpPacket& packet);

  /// When expire should be called next.
  Instant next_deadline() const;
  /// Gives up every datagram whose time is over. Calls report(first) with the first fragment, as
  /// received, of each that has one: an ICMP time exceeded, code 1, is due. Its views are good
  /// during the call.
  template <class Report>
  void expire(Instant now, Report&& report) {
    while (next_deadline() <= now) {
      const Key key = partials_.oldest_key();
      const std::vector<std::uint8_t> octets = pop_oldest().first_fragment();
      if (octets.empty()) continue;
      auto first = wire::parse_ip(octets);
      if (!first) continue;
      first->header.source = key.source;  // with the zones, which are not in the octets
      first->header.destination = key.destination;
      report(*first);
    }
  }

  /// The link of that zone is gone: nothing more of what came over it will come.
  void forget_zone(std::uint16_t zone);

  /// Datagrams being put together (or spoiled, and remembered as such).
  std::size_t size() const { return partials_.size(); }
  /// What all of it costs against the limit.
  std::size_t octets() const { return octets_; }
  /// Octets of storage owned, beyond the object itself; rather too many than too few.
  std::size_t memory() const { return octets_ + partials_.memory(); }

  bool operator==(const Reassembler&) const = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  /// RFC 791 §3.2: protocol too; RFC 8200 §4.5: not (it may differ between fragments).
  struct Key {
    IpAddress source, destination;
    std::uint32_t identification = 0;
    std::uint8_t protocol = 0;
    std::array<std::uint8_t, 37> key_octets() const;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Partial {
    Instant started{};
    PartialDatagram datagram;
    friend bool operator==(const Partial&, const Partial&) = default;
  };

  PartialDatagram::Outcome add(const Key& key, PartialDatagram& datagram,
                               const wire::IpPacket& packet);
  static Key key_of(const wire::IpPacket& packet);
  Partial& partial_for(Instant now, const Key& key);
  std::expected<std::optional<Datagram>, FragmentRefusal> finish(const Key& key);
  PartialDatagram pop_oldest();

  std::size_t limit_;
  std::size_t max_fragments_;
  Duration timeout_;
  std::size_t octets_ = 0;
  AgedMap<Key, Partial> partials_;  // the age is the time since the first-arriving fragment
};

}  // namespace estab::ip
