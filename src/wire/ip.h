// IPv4 (RFC 791) and IPv6 (RFC 8200) headers as values. Law: every function is total: whatever the
// octets, parsing ends after a bounded walk inside the frame with a packet or a verdict.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/verdict.h"

namespace estab::wire {

/// Protocol numbers (and IPv6 next headers) that this stack gives a meaning to.
inline constexpr std::uint8_t kProtocolHopByHop = 0, kProtocolIcmp = 1, kProtocolTcp = 6,
                              kProtocolUdp = 17, kProtocolRouting = 43, kProtocolFragment = 44,
                              kProtocolIcmpV6 = 58, kProtocolNoNext = 59,
                              kProtocolDestinationOptions = 60;

/// The low two bits of the traffic class (RFC 3168 §5).
inline constexpr std::uint8_t kEcnNotEct = 0, kEcnEct1 = 1, kEcnEct0 = 2, kEcnCe = 3;

inline constexpr std::size_t kIpV4HeaderLength = 20, kIpV6HeaderLength = 40;
inline constexpr std::size_t kFragmentHeaderLength = 8;  ///< IPv6 (RFC 8200 §4.5)
inline constexpr std::size_t kMaxIpV4Options = 40;
/// Extension headers walked in one datagram; a longer chain is malformed.
inline constexpr int kMaxExtensionHeaders = 8;
/// Hops in a loose source route: 3 octets and 4 for each address, in 40.
inline constexpr std::size_t kMaxSourceRoute = 9;

/// What a header says. The family is that of `source`; `destination` must be of the same one.
struct IpHeader {
  IpAddress source, destination;
  std::uint8_t protocol = 0;         ///< of the payload, after all extension headers
  std::uint8_t ttl = 64;             ///< or hop limit
  std::uint8_t traffic_class = 0;    ///< DSCP << 2 | ECN
  std::uint32_t flow_label = 0;      ///< 20 bits, IPv6 only
  std::uint16_t identification = 0;  ///< IPv4 only
  bool dont_fragment = true;         ///< IPv4 only

  Family family() const { return source.family(); }
  friend bool operator==(const IpHeader&, const IpHeader&) = default;
};

/// Present only on a datagram that is in pieces. An IPv6 "atomic fragment" is whole (RFC 6946).
struct FragmentInfo {
  std::uint32_t identification = 0;
  std::uint32_t offset = 0;  ///< in octets, of the fragmentable part
  bool more = false;
  friend bool operator==(const FragmentInfo&, const FragmentInfo&) = default;
};

/// A datagram as received. The views lie in the frame.
struct IpPacket {
  // Not defaulted: that would have all of it set to zero before each member is set.
  IpPacket() {}

  IpHeader header;
  std::optional<FragmentInfo> fragment;
  Octets options;        ///< IPv4 options, or IPv6 extension headers
  Octets payload;        ///< after all headers, cut to the total length
  Octets header_octets;  ///< everything before the payload
  /// Where the number of header.protocol stands.
  std::size_t protocol_at = 0;

  std::uint8_t ecn() const { return header.traffic_class & 3; }
  /// The whole datagram, to be quoted in an ICMP error.
  Octets octets() const { return {header_octets.data(), header_octets.size() + payload.size()}; }
};

/// Reads a datagram. Octets behind its total length are link padding and cut off.
///
/// IPv4: version, lengths and header checksum are checked; options are left for those who ask.
/// IPv6: extension headers are walked (see walk_extension_headers); a v4-mapped address gives
/// `bad_address`, a jumbogram `malformed`.
std::expected<IpPacket, Verdict> parse_ip(Octets frame);

constexpr bool is_extension_header(std::uint8_t protocol) {
  return protocol == kProtocolHopByHop || protocol == kProtocolRouting ||
         protocol == kProtocolFragment || protocol == kProtocolDestinationOptions;
}

/// An IPv6 chain of extension headers.
struct ExtensionWalk {
  std::uint8_t protocol = 0;  ///< of what follows the chain
  std::size_t length = 0;     ///< octets of the chain
  /// Where in the datagram the number of `protocol` stands, if the chain begins behind the fixed
  /// header.
  std::size_t protocol_at = 6;
  std::optional<FragmentInfo> fragment;
};

/// Who is told of a datagram that is discarded for its header.
enum class Telling : std::uint8_t {
  nobody,
  sender,               ///< unless it was sent to many
  sender_even_if_many,  ///< also if it was sent to a multicast address (RFC 4443 §2.4 (e.3))
};

/// Why a chain of extension headers cannot be walked to its end.
struct ChainFault {
  bool cut_short = false;  ///< it does not end within what is there
  Telling telling = Telling::nobody;
  std::uint8_t code = 0;    ///< of the ICMPv6 parameter problem that tells
  std::size_t pointer = 0;  ///< into the datagram, if the chain begins behind the fixed header
};

/// Walks hop-by-hop (only as the first header of a datagram), routing (no segments left),
/// destination options and fragment headers at the front of `octets`, whose first header has the
/// number `next_header`. Stops behind a fragment header of a datagram in pieces: the rest of the
/// chain belongs to the fragmentable part and is walked when that has been put together, by another
/// call.
std::expected<ExtensionWalk, ChainFault> walk_extension_headers(std::uint8_t next_header,
                                                                Octets octets);

/// A datagram that parse_ip refuses for its extension headers: `packet` has its addresses and, as
/// payload, all behind the fixed header.
struct FaultyChain {
  IpPacket packet;
  ChainFault fault;
};
/// Nothing if parse_ip refuses the frame for another reason, or does not.
std::optional<FaultyChain> find_faulty_chain(Octets frame);

/// The front of a datagram, as ICMP errors quote it.
struct QuotedIp {
  IpHeader header;
  Octets transport;  ///< as much as was quoted behind all IP headers
};

/// Reads a quote, whose lengths need not fit what is there, and whose checksum routers may have
/// left wrong. Nothing if it does not reach behind the IP headers, or is a later fragment.
std::optional<QuotedIp> parse_quoted_ip(Octets quote, Family family);

/// 20 or 40: without options.
constexpr std::size_t ip_header_length(Family family) {
  return family == Family::ipv4 ? kIpV4HeaderLength : kIpV6HeaderLength;
}

/// Writes a header for a payload of `payload_length` octets, with the IPv4 header checksum, and
/// returns its length. `out` needs ip_header_length() and `v4_options` rounded up to four. Options
/// beyond 40 octets are not written. A length that does not fit into its 16 bits is cut to them.
std::size_t emit_ip(const IpHeader& header, std::size_t payload_length, std::uint8_t* out,
                    Octets v4_options = {});

/// The octets that emit_fragment writes, without options: IPv6 has a header of its own for them.
constexpr std::size_t fragment_header_length(Family family) {
  return ip_header_length(family) + (family == Family::ipv4 ? 0 : kFragmentHeaderLength);
}

/// Writes the headers of a fragment with `payload_length` octets of the datagram's payload, as
/// emit_ip does; routers may cut it further. `out` needs fragment_header_length() and the options.
std::size_t emit_fragment(const IpHeader& header, const FragmentInfo& fragment,
                          std::size_t payload_length, std::uint8_t* out, Octets v4_options = {});

/// Writes a loose source route option (RFC 791 §3.1, RFC 1122 §3.2.1.8(c)) that leads over `route`
/// to `destination`, padded to a multiple of four octets, and returns its length. `first_hop` is
/// what then belongs into the IP header as destination; the transport's pseudo-header keeps the
/// ultimate one. A route that is empty, longer than kMaxSourceRoute or not IPv4 gives 0, and
/// `first_hop` is `destination`. `out` needs 40 octets.
std::size_t emit_source_route(std::span<const IpAddress> route, const IpAddress& destination,
                              std::uint8_t* out, IpAddress& first_hop);

/// Whether the datagram has not yet been everywhere its source route leads: then it is not at its
/// destination, whatever the header says.
bool is_under_way(Octets v4_options);

/// Octets of that option, with its padding.
constexpr std::size_t source_route_length(std::size_t hops) {
  return hops == 0 || hops > kMaxSourceRoute ? 0 : 4 + 4 * hops;
}

/// The way back to `source` when `v4_options` hold a completed source route: the recorded hops in
/// reverse, fit for emit_source_route. Nothing if there is no such option, it is not completed or
/// broken, or leads over an address that no host can have.
std::optional<std::vector<IpAddress>> return_route(Octets v4_options, const IpAddress& source);

}  // namespace estab::wire
