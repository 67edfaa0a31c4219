// IPv4 and IPv6 headers, read and written. The law stands in the header.
#include "wire/ip.h"

#include <array>
#include <cstring>

#include "base/byte_order.h"
#include "wire/checksum.h"

namespace estab::wire {
namespace {

using base::load_be16;
using base::load_be32;
using base::load_be64;
using base::store_be16;
using base::store_be32;

constexpr std::uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000, kOffsetMask = 0x1fff;

IpAddress load_v6_address(const std::uint8_t* from) {
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), from, octets.size());
  return IpAddress::v6(octets);
}

// In its mapped form, as two whole words: it is copied and compared as such at once.
IpAddress load_v4_address(const std::uint8_t* from) {
  std::array<std::uint8_t, 16> octets;
  base::store_be64(octets.data(), 0);
  base::store_be64(octets.data() + 8, 0xffff'0000'0000 | load_be32(from));
  return IpAddress::v6(octets);
}

bool is_v4_mapped(const std::uint8_t* address) {
  return load_be64(address) == 0 && load_be32(address + 8) == 0xffff;
}

void read_v4_fields(const std::uint8_t* in, IpHeader& header) {
  header.source = load_v4_address(in + 12);
  header.destination = load_v4_address(in + 16);
  header.protocol = in[9];
  // [RFC 1122 3.2.1.7-2]
  header.ttl = in[8];
  header.traffic_class = in[1];
  header.identification = load_be16(in + 4);
  header.dont_fragment = (load_be16(in + 6) & kDontFragment) != 0;
}

// One of its addresses is v4-mapped, which never is on the wire (RFC 4291 §2.5.5.2).
bool has_mapped_address(const std::uint8_t* in) {
  return is_v4_mapped(in + 8) || is_v4_mapped(in + 24);
}

// All but the protocol, which stands behind the extension headers.
void read_v6_fields(const std::uint8_t* in, IpHeader& header) {
  const std::uint32_t first_word = load_be32(in);
  header.source = load_v6_address(in + 8);
  header.destination = load_v6_address(in + 24);
  header.ttl = in[7];
  header.traffic_class = static_cast<std::uint8_t>(first_word >> 20);
  header.flow_label = first_word & 0xfffff;
}

// Of a header without options, as nearly all are: five words, summed at once.
bool has_good_checksum(Octets header) {
  OnesSum sum;
  if (header.size() > kIpV4HeaderLength) sum.add(header.subspan(kIpV4HeaderLength));
  for (std::size_t at = 0; at < kIpV4HeaderLength; at += 4) sum.add32(load_be32(&header[at]));
  return sum.checksum() == 0;
}

// What has been checked is filled in where the caller will have it: a packet is too large to be
// moved, or cleared first, for every frame.
std::expected<IpPacket, Verdict> make_v4_packet(Octets frame, std::size_t header_length,
                                                std::size_t total_length) {
  std::expected<IpPacket, Verdict> packet;
  read_v4_fields(frame.data(), packet->header);
  packet->protocol_at = 9;
  packet->header_octets = frame.first(header_length);
  packet->options = packet->header_octets.subspan(kIpV4HeaderLength);
  packet->payload = frame.subspan(header_length, total_length - header_length);
  const std::uint16_t fragment = load_be16(frame.data() + 6);
  if ((fragment & (kMoreFragments | kOffsetMask)) != 0)
    packet->fragment = FragmentInfo{packet->header.identification,
                                    static_cast<std::uint32_t>(fragment & kOffsetMask) * 8,
                                    (fragment & kMoreFragments) != 0};
  return packet;
}

std::expected<IpPacket, Verdict> read_v4(Octets frame) {
  if (frame.size() < kIpV4HeaderLength) return std::unexpected(Verdict::malformed);
  const std::size_t header_length = static_cast<std::size_t>(frame[0] & 15) * 4;
  const std::size_t total_length = load_be16(frame.data() + 2);
  if (header_length < kIpV4HeaderLength || header_length > total_length ||
      total_length > frame.size())
    return std::unexpected(Verdict::malformed);
  // [RFC 1122 3.2.1.2-1]
  if (!has_good_checksum(frame.first(header_length))) return std::unexpected(Verdict::bad_checksum);
  return make_v4_packet(frame, header_length, total_length);
}

std::expected<IpPacket, Verdict> make_v6_packet(Octets frame, Octets payload,
                                                const ExtensionWalk& walk) {
  std::expected<IpPacket, Verdict> packet;
  read_v6_fields(frame.data(), packet->header);
  packet->header.protocol = walk.protocol;
  packet->protocol_at = walk.protocol_at;
  packet->fragment = walk.fragment;
  packet->options = payload.first(walk.length);
  packet->payload = payload.subspan(walk.length);
  packet->header_octets = frame.first(kIpV6HeaderLength + walk.length);
  return packet;
}

/// What follows the fixed header; nothing if the frame does not hold it all.
std::optional<Octets> payload_of_v6(Octets frame) {
  if (frame.size() < kIpV6HeaderLength) return std::nullopt;
  const std::size_t length = load_be16(frame.data() + 4);
  if (length > frame.size() - kIpV6HeaderLength) return std::nullopt;
  return frame.subspan(kIpV6HeaderLength, length);
}

std::expected<IpPacket, Verdict> read_v6(Octets frame) {
  const std::optional<Octets> payload = payload_of_v6(frame);
  if (!payload) return std::unexpected(Verdict::malformed);
  const std::uint8_t* in = frame.data();
  if (has_mapped_address(in)) return std::unexpected(Verdict::bad_address);

  if (!is_extension_header(in[6]))
    return make_v6_packet(frame, *payload, ExtensionWalk{.protocol = in[6], .fragment = {}});
  // A jumbogram has payload length 0 and a hop-by-hop header, which then lacks its octets.
  const auto walk = walk_extension_headers(in[6], *payload);
  if (!walk) return std::unexpected(Verdict::malformed);
  return make_v6_packet(frame, *payload, *walk);
}

std::optional<QuotedIp> parse_quoted_v4(Octets quote) {
  if (quote.size() < kIpV4HeaderLength || quote[0] >> 4 != 4) return std::nullopt;
  const std::size_t header_length = static_cast<std::size_t>(quote[0] & 15) * 4;
  if (header_length < kIpV4HeaderLength || header_length > quote.size()) return std::nullopt;
  if ((load_be16(quote.data() + 6) & kOffsetMask) != 0) return std::nullopt;
  QuotedIp quoted;
  read_v4_fields(quote.data(), quoted.header);
  quoted.transport = quote.subspan(header_length);
  return quoted;
}

std::optional<QuotedIp> parse_quoted_v6(Octets quote) {
  if (quote.size() < kIpV6HeaderLength || quote[0] >> 4 != 6) return std::nullopt;
  if (has_mapped_address(quote.data())) return std::nullopt;
  QuotedIp quoted;
  read_v6_fields(quote.data(), quoted.header);
  const auto walk = walk_extension_headers(quote[6], quote.subspan(kIpV6HeaderLength));
  if (!walk || (walk->fragment && walk->fragment->offset != 0)) return std::nullopt;
  quoted.header.protocol = walk->protocol;
  quoted.transport = quote.subspan(kIpV6HeaderLength + walk->length);
  return quoted;
}

/// Identification, flags and offset: the second word of an IPv4 header.
std::uint32_t second_word(const IpHeader& header) {
  return std::uint32_t{header.identification} << 16 | (header.dont_fragment ? kDontFragment : 0U);
}
std::uint32_t second_word(const FragmentInfo& fragment) {
  return fragment.identification << 16 | (fragment.more ? kMoreFragments : 0U) |
         fragment.offset / 8;
}

std::size_t emit_v4(const IpHeader& header, std::uint32_t fragment_word, std::size_t payload_length,
                    std::uint8_t* out, Octets options) {
  if (options.size() > kMaxIpV4Options) options = {};
  const std::size_t padded = (options.size() + 3) / 4 * 4;
  const std::size_t length = kIpV4HeaderLength + padded;
  // Summed as the words are written: to read back what was just stored costs a stall.
  OnesSum sum;
  const auto put = [out, &sum](std::size_t at, std::uint32_t word) {
    store_be32(out + at, word);
    sum.add32(word);
  };
  const auto total_length = static_cast<std::uint16_t>(length + payload_length);
  put(0, static_cast<std::uint32_t>(0x40 | length / 4) << 24 |
             std::uint32_t{header.traffic_class} << 16 | total_length);
  put(4, fragment_word);
  put(8, std::uint32_t{header.ttl} << 24 | std::uint32_t{header.protocol} << 16);
  put(12, header.source.v4_number());
  put(16, header.destination.v4_number());
  if (padded != 0) {
    std::memset(out + kIpV4HeaderLength, 0, padded);
    std::memcpy(out + kIpV4HeaderLength, options.data(), options.size());
    sum.add(options);
  }
  store_be16(out + 10, sum.checksum());
  return length;
}

std::size_t emit_v6(const IpHeader& header, std::size_t payload_length, std::uint8_t* out) {
  store_be32(out, std::uint32_t{6} << 28 | std::uint32_t{header.traffic_class} << 20 |
                      (header.flow_label & 0xfffff));
  store_be16(out + 4, static_cast<std::uint16_t>(payload_length));
  out[6] = header.protocol;
  out[7] = header.ttl;
  std::memcpy(out + 8, header.source.octets().data(), 16);
  std::memcpy(out + 24, header.destination.octets().data(), 16);
  return kIpV6HeaderLength;
}

}  // namespace

std::expected<IpPacket, Verdict> parse_ip(Octets frame) {
  const int version = frame.empty() ? 0 : frame[0] >> 4;
  if (version == 4) return read_v4(frame);
  if (version == 6) return read_v6(frame);
  // [RFC 1122 3.2.1.1-1]
  return std::unexpected(Verdict::malformed);
}

std::optional<FaultyChain> find_faulty_chain(Octets frame) {
  if (frame.empty() || frame[0] >> 4 != 6) return std::nullopt;
  const std::optional<Octets> payload = payload_of_v6(frame);
  if (!payload || has_mapped_address(frame.data())) return std::nullopt;
  const auto walk = walk_extension_headers(frame[6], *payload);
  if (walk) return std::nullopt;
  FaultyChain faulty{{}, walk.error()};
  read_v6_fields(frame.data(), faulty.packet.header);
  faulty.packet.header.protocol = frame[6];
  faulty.packet.protocol_at = 6;
  faulty.packet.payload = *payload;
  faulty.packet.header_octets = frame.first(kIpV6HeaderLength);
  return faulty;
}

std::optional<QuotedIp> parse_quoted_ip(Octets quote, Family family) {
  return family == Family::ipv4 ? parse_quoted_v4(quote) : parse_quoted_v6(quote);
}

std::size_t emit_ip(const IpHeader& header, std::size_t payload_length, std::uint8_t* out,
                    Octets v4_options) {
  return header.family() == Family::ipv4
             ? emit_v4(header, second_word(header), payload_length, out, v4_options)
             : emit_v6(header, payload_length, out);
}

std::size_t emit_fragment(const IpHeader& header, const FragmentInfo& fragment,
                          std::size_t payload_length, std::uint8_t* out, Octets v4_options) {
  if (header.family() == Family::ipv4)
    return emit_v4(header, second_word(fragment), payload_length, out, v4_options);
  IpHeader outer = header;
  outer.protocol = kProtocolFragment;
  std::uint8_t* own = out + emit_v6(outer, kFragmentHeaderLength + payload_length, out);
  own[0] = header.protocol;
  own[1] = 0;
  store_be16(own + 2, static_cast<std::uint16_t>(fragment.offset | (fragment.more ? 1U : 0U)));
  store_be32(own + 4, fragment.identification);
  return kIpV6HeaderLength + kFragmentHeaderLength;
}

}  // namespace estab::wire
