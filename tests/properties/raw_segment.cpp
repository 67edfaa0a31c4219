#include "properties/raw_segment.h"

#include <algorithm>

namespace estab::properties {

namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint16_t be16(const Bytes& b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]);
}
std::uint32_t be32(const Bytes& b, std::size_t at) {
  return std::uint32_t{be16(b, at)} << 16 | be16(b, at + 2);
}

/// The Internet checksum's sum, two octets at a time, not yet folded.
std::uint64_t sum(const Bytes& b, std::size_t from, std::size_t to) {
  std::uint64_t total = 0;
  for (std::size_t at = from; at < to; at += 2)
    total += std::uint32_t{b[at]} << 8 | (at + 1 < to ? b[at + 1] : 0);
  return total;
}
std::uint16_t folded(std::uint64_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(total);
}

struct Ip {
  std::size_t header = 0;
  std::uint8_t protocol = 0;
  std::uint64_t pseudo_sum = 0;
};

std::string read_ip(const Bytes& b, Ip& ip) {
  if (b.size() < 20) return "a frame shorter than an IP header";
  if (b[0] >> 4 == 4) {
    ip.header = (b[0] & 15) * std::size_t{4};
    if (be16(b, 2) != b.size()) return "total length is not the frame's";
    if (folded(sum(b, 0, ip.header)) != 0xffff) return "wrong IPv4 header checksum";
    ip.protocol = b[9];
    ip.pseudo_sum = sum(b, 12, 20);
  } else if (b[0] >> 4 == 6) {
    ip.header = 40;
    if (be16(b, 4) != b.size() - 40) return "payload length is not the frame's";
    ip.protocol = b[6];
    ip.pseudo_sum = sum(b, 8, 40);
  } else {
    return "neither IPv4 nor IPv6";
  }
  ip.pseudo_sum += ip.protocol + (b.size() - ip.header);
  return {};
}

std::string read_option(const Bytes& b, std::size_t at, std::size_t length, RawSegment& s) {
  const std::uint8_t kind = b[at];
  if (kind == 2 && length == 4) {
    s.mss = be16(b, at + 2);
  } else if (kind == 3 && length == 3) {
    s.window_scale = b[at + 2];
  } else if (kind == 4 && length == 2) {
    s.sack_permitted = true;
  } else if (kind == 8 && length == 10) {
    s.ts_value = be32(b, at + 2);
    s.ts_echo = be32(b, at + 6);
  } else if (kind == 5 && length % 8 == 2) {
    for (std::size_t i = at + 2; i < at + length; i += 8)
      s.sack.push_back({be32(b, i), be32(b, i + 4)});
  } else {
    return "an option of kind " + std::to_string(kind) + " and length " + std::to_string(length);
  }
  return {};
}

std::string read_options(const Bytes& b, std::size_t at, std::size_t end, RawSegment& s) {
  while (at < end && b[at] != 0) {
    if (b[at] == 1) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < end ? b[at + 1] : 0;
    if (length < 2 || at + length > end) return "an option that leaves the header";
    if (auto wrong = read_option(b, at, length, s); !wrong.empty()) return wrong;
    at += length;
  }
  for (; at < end; ++at)
    if (b[at] != 0) return "padding that is not zero";
  return {};
}

std::string read_tcp(const Bytes& b, std::size_t at, RawSegment& s) {
  if (b.size() < at + 20) return "a segment shorter than its header";
  s.source_port = be16(b, at);
  s.destination_port = be16(b, at + 2);
  s.seq = be32(b, at + 4);
  s.ack = be32(b, at + 8);
  s.header_length = (b[at + 12] >> 4) * std::size_t{4};
  if (s.header_length < 20 || at + s.header_length > b.size()) return "a bad data offset";
  if ((b[at + 12] & 15) != 0) return "reserved bits that are not zero";
  const std::uint8_t flags = b[at + 13];
  if ((flags & 0xc0) != 0) return "ECE or CWR, which nobody negotiated";
  s.fin = flags & 1;
  s.syn = flags & 2;
  s.rst = flags & 4;
  s.psh = flags & 8;
  s.has_ack = flags & 16;
  s.urg = flags & 32;
  s.window = be16(b, at + 14);
  s.urgent_pointer = be16(b, at + 18);
  const std::size_t text = at + s.header_length;
  s.payload.assign(b.begin() + static_cast<std::ptrdiff_t>(text), b.end());
  return read_options(b, at + 20, text, s);
}

}  // namespace

RawFrame read_frame(const TappedFrame& frame) {
  Bytes b;
  for (const Octets piece : frame.pieces) b.insert(b.end(), piece.begin(), piece.end());
  Ip ip;
  RawFrame result;
  result.wrong = read_ip(b, ip);
  if (!result.wrong.empty() || ip.protocol != 6) return result;
  RawSegment segment;
  segment.ip_header_length = ip.header;
  segment.gso_size = frame.gso_size;
  result.wrong = read_tcp(b, ip.header, segment);
  if (!result.wrong.empty()) return result;
  if (frame.partial_checksum) {
    // The field holds the pseudo-header's sum, for the device to go on from.
    if (frame.partial_checksum->start != ip.header || frame.partial_checksum->offset != 16)
      result.wrong = "a partial checksum at the wrong place";
    else if (be16(b, ip.header + 16) != folded(ip.pseudo_sum))
      result.wrong = "a partial checksum that is not the pseudo-header's sum";
  } else if (folded(ip.pseudo_sum + sum(b, ip.header, b.size())) != 0xffff) {
    result.wrong = "a wrong TCP checksum";
  }
  result.segment = std::move(segment);
  return result;
}

}  // namespace estab::properties
