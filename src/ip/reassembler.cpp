#include "ip/reassembler.h"

#include <algorithm>
#include <utility>

#include "base/byte_order.h"
#include "base/public_fields.h"
#include "wire/icmp.h"

namespace estab::ip {
namespace {

constexpr std::size_t kMaxDatagram = 65535;
using wire::kFragmentHeaderLength;

using Problem = FragmentRefusal::Problem;

std::unexpected<FragmentRefusal> refuse() {
  return std::unexpected(FragmentRefusal{});
}

/// With the parameter problem that IPv6 wants told; IPv4 is silent.
std::unexpected<FragmentRefusal> refuse(const wire::IpPacket& packet, Problem problem) {
  if (packet.header.family() == Family::ipv4) return refuse();
  return std::unexpected(FragmentRefusal{Verdict::fragment_refused, problem});
}

/// Octets of the datagram's headers that count against 65535.
std::size_t counted_headers(const wire::IpPacket& packet) {
  const std::size_t headers = packet.header_octets.size();
  if (packet.header.family() == Family::ipv4) return headers;
  return headers - std::min(headers, wire::kIpV6HeaderLength + kFragmentHeaderLength);
}

/// The least of a transport header that says what the datagram is.
std::size_t least_transport(std::uint8_t protocol) {
  switch (protocol) {
    case wire::kProtocolTcp:
      return 20;
    case wire::kProtocolUdp:
    case wire::kProtocolIcmp:
    case wire::kProtocolIcmpV6:
      return 8;
    default:
      return 1;
  }
}

/// Whether a first fragment has all headers through the transport's (RFC 8200 §4.5; for IPv4
/// RFC 1858 §3), and is no fragment of something that is itself in fragments.
bool has_transport_header(const wire::IpPacket& packet) {
  std::uint8_t protocol = packet.header.protocol;
  std::size_t length = packet.payload.size();
  if (packet.header.family() == Family::ipv6) {
    const auto walk = wire::walk_extension_headers(protocol, packet.payload);
    if (!walk) return !walk.error().cut_short;  // judged when the datagram is whole
    if (walk->fragment) return false;
    protocol = walk->protocol;
    length -= std::min(length, walk->length);
    if (protocol == wire::kProtocolNoNext) return true;
  }
  return length >= least_transport(protocol);
}

/// What is wrong with a fragment on its own.
std::expected<void, FragmentRefusal> check_fragment(const wire::IpPacket& packet) {
  constexpr std::uint32_t kPayloadLengthField = 4;
  const wire::FragmentInfo& fragment = *packet.fragment;
  const std::size_t length = packet.payload.size();
  if (length == 0) return refuse();
  if (fragment.more && length % 8 != 0) return refuse(packet, {0, kPayloadLengthField});
  if (counted_headers(packet) + fragment.offset + length > kMaxDatagram) {
    const auto offset_field =
        static_cast<std::uint32_t>(packet.header_octets.size() - kFragmentHeaderLength + 2);
    return refuse(packet, {0, offset_field});
  }
  if (fragment.offset == 0 && !has_transport_header(packet))
    return refuse(packet, {wire::icmp_v6::kIncompleteChain, 0});
  return {};
}

}  // namespace

Reassembler::Reassembler(const ReassemblerConfig& config)
    : limit_(config.octets),
      max_fragments_(config.fragments_per_datagram),
      timeout_(config.timeout),
      partials_(config.secret) {}

// [RFC 1122 3.3.2-1, 3.3.2-2]
std::expected<std::optional<Reassembler::Datagram>, FragmentRefusal> Reassembler::accept(
    Instant now, const wire::IpPacket& packet) {
  if (!packet.fragment) return refuse();
  if (auto checked = check_fragment(packet); !checked) return std::unexpected(checked.error());

  const Key key = key_of(packet);
  PartialDatagram& datagram = partial_for(now, key).datagram;
  const std::size_t before = datagram.cost();
  const PartialDatagram::Outcome outcome = add(key, datagram, packet);
  octets_ = octets_ - before + datagram.cost();
  if (outcome == PartialDatagram::Outcome::complete) return finish(key);

  while (octets_ > limit_) pop_oldest();
  if (outcome == PartialDatagram::Outcome::spoiled) return refuse();
  if (partials_.find(key) == nullptr) return refuse();
  return std::nullopt;
}

// Without memory for a piece the datagram is given up: it will not be whole any more.
PartialDatagram::Outcome Reassembler::add(const Key& key, PartialDatagram& datagram,
                                          const wire::IpPacket& packet) {
  const std::size_t before = datagram.cost();
  try {
    return datagram.add(packet, max_fragments_);
  } catch (...) {
    octets_ -= before;
    partials_.erase(key);
    throw;
  }
}

Reassembler::Partial& Reassembler::partial_for(Instant now, const Key& key) {
  if (Partial* known = partials_.find(key)) return *known;
  Partial& fresh = partials_.insert(key, Partial{now, {}});
  octets_ += fresh.datagram.cost();
  return fresh;
}

std::expected<std::optional<Reassembler::Datagram>, FragmentRefusal> Reassembler::finish(
    const Key& key) {
  const PartialDatagram& datagram = partials_.find(key)->datagram;
  std::optional<Datagram> whole = datagram.assemble();
  octets_ -= datagram.cost();
  partials_.erase(key);
  if (!whole) return refuse();
  return whole;
}

PartialDatagram Reassembler::pop_oldest() {
  PartialDatagram datagram = partials_.pop_oldest().datagram;
  octets_ -= datagram.cost();
  return datagram;
}

void Reassembler::forget_zone(std::uint16_t zone) {
  partials_.erase_if([&](const Key& key, const Partial& partial) {
    const bool gone = key.source.zone() == zone || key.destination.zone() == zone;
    if (gone) octets_ -= partial.datagram.cost();
    return gone;
  });
}

Instant Reassembler::next_deadline() const {
  return partials_.empty() ? kNever : partials_.oldest().started + timeout_;
}

Reassembler::Key Reassembler::key_of(const wire::IpPacket& packet) {
  const bool v4 = packet.header.family() == Family::ipv4;
  return {packet.header.source, packet.header.destination, packet.fragment->identification,
          v4 ? packet.header.protocol : std::uint8_t{0}};
}

std::array<std::uint8_t, 37> Reassembler::Key::key_octets() const {
  std::array<std::uint8_t, 37> octets;
  auto* out = std::ranges::copy(source.octets(), octets.begin()).out;
  out = std::ranges::copy(destination.octets(), out).out;
  base::store_be32(out, identification);
  out[4] = protocol;
  return octets;
}

void Reassembler::hash_into(base::Hasher& hasher) const {
  const auto& [limit, max_fragments, timeout, octets, partials] = *this;
  hasher.add_all(limit, max_fragments, timeout, octets, partials.size());
  partials.for_each([&](const Key& key, const Partial& partial) {
    const auto& [source, destination, identification, protocol] = key;
    const auto& [started, datagram] = partial;
    hasher.add_all(source, destination, identification, protocol, started, datagram);
  });
}

}  // namespace estab::ip
