// HeldSyn: a SYN for another host, kept until the application has decided (estab/forward.h). Law:
// of the segment only its header stays, as it came: parsed again it makes the SYN-ACK, quoted it
// makes the ICMP error.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "estab/id.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "base/public_fields.h"
#include "tcp/ecn/mark.h"
#include "wire/tcp.h"

namespace estab::tcp {

struct HeldSyn {
  FourTuple tuple;
  InterfaceId interface;        // by which it came
  std::optional<SeqNum> above;  // our ISN must lie beyond this (RFC 6191: TIME-WAIT made way)
  std::array<std::uint8_t, wire::kMaxTcpHeaderLength> header{};
  std::uint8_t header_length = 0;
  IpMark mark = IpMark::not_ect;  // of its IP header: a SYN-ACK tells it (RFC 9768 §3.1.1)
  std::uint32_t hash = 0;         // its place in the flow table
  std::uint32_t timer = 0xffffffff;
  Instant heard_at{};  // when it came last

  /// `octets` begin with the header of a segment that could be parsed.
  void keep(Octets octets, Instant now) {
    const std::size_t length = std::size_t{octets[12]} / 16 * 4;
    header_length = static_cast<std::uint8_t>(length);
    std::copy_n(octets.begin(), length, header.begin());
    heard_at = now;
  }
  Octets octets() const { return {header.data(), header_length}; }
  Segment segment() const { return wire::parse_tcp(octets()).value_or(Segment{}); }

 private:
  auto fields() const {
    const auto& [pair, came_by, beyond, first_octets, length, ip_mark, place, handle, since] =
        *this;
    return base::fields(pair, came_by, beyond, first_octets, length, ip_mark, base::derived(place),
                        base::derived(handle), since);
  }

 public:
  friend bool operator==(const HeldSyn& a, const HeldSyn& b) { return a.fields() == b.fields(); }
  void hash_into(base::Hasher& hasher) const { hasher.add(fields()); }
};

static_assert(sizeof(HeldSyn) <= 160);  // with its places in the tables: 256

}  // namespace estab::tcp
