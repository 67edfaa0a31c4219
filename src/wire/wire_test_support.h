// Values and octets drawn by chance, from fixed seeds, and octets written in hex, for the tests of
// the wire layer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/segment.h"

#include "wire/ip.h"

namespace estab::wire {

using OctetVector = std::vector<std::uint8_t>;

/// Reads "45 00 ..."; what is no hex digit is passed over.
inline OctetVector from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  OctetVector octets;
  std::size_t digits = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    if (digits++ % 2 == 0) octets.push_back(0);
    octets.back() = static_cast<std::uint8_t>(octets.back() << 4 | digit);
  }
  return octets;
}

inline OctetVector to_vector(Octets octets) {
  return {octets.begin(), octets.end()};
}

/// A source of random values.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t number() { return engine_(); }
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  std::uint8_t octet() { return static_cast<std::uint8_t>(engine_()); }
  std::uint16_t number16() { return static_cast<std::uint16_t>(engine_()); }
  std::uint32_t number32() { return static_cast<std::uint32_t>(engine_()); }
  bool coin() { return (engine_() & 1) != 0; }

  OctetVector octets(std::size_t length) {
    OctetVector result(length);
    for (std::uint8_t& value : result) value = octet();
    return result;
  }
  IpAddress address(Family family) {
    if (family == Family::ipv4) return IpAddress::v4(number32());
    std::array<std::uint8_t, 16> result;
    for (std::uint8_t& value : result) value = octet();
    result[0] = 0x20;
    return IpAddress::v6(result);
  }
  Family family() { return coin() ? Family::ipv4 : Family::ipv6; }

  TcpOptions tcp_options() {
    TcpOptions options;
    if (coin()) options.mss = number16();
    if (coin()) options.window_scale = octet();
    options.sack_permitted = coin();
    if (coin()) options.timestamps = TcpTimestamps{number32(), number32()};
    if (coin()) options.accurate_ecn = accurate_ecn();
    if (below(4) == 0 && !options.accurate_ecn)
      options.fast_open = FastOpenOption{cookie(), coin()};
    for (std::uint32_t blocks = below(SackBlocks::kMax + 1); blocks > 0; --blocks)
      options.sack.add({SeqNum(number32()), SeqNum(number32())});
    return options;
  }
  AccurateEcnOption accurate_ecn() {
    AccurateEcnOption option;
    if (coin()) option.order = AccurateEcnOption::Order::e1b_first;
    option.fields = static_cast<std::uint8_t>(below(4));
    if (option.has_e0b()) option.e0b = number32() & 0xffffff;
    if (option.has_ceb()) option.ceb = number32() & 0xffffff;
    if (option.has_e1b()) option.e1b = number32() & 0xffffff;
    return option;
  }
  FastOpenCookie cookie() {
    const std::size_t size = coin() ? 0 : 4 + 2 * below(7);
    return *FastOpenCookie::from(octets(size));
  }
  Segment segment() {
    Segment result;
    result.source_port = number16();
    result.destination_port = number16();
    result.seq = SeqNum(number32());
    result.ack = SeqNum(number32());
    result.flags = TcpFlags(number16() & 0x1ff);
    result.window = number16();
    result.urgent_pointer = number16();
    result.options = tcp_options();
    return result;
  }
  IpHeader ip_header(Family family, std::uint8_t protocol) {
    IpHeader header;
    header.source = address(family);
    header.destination = address(family);
    header.protocol = protocol;
    header.ttl = octet();
    header.traffic_class = octet();
    if (family == Family::ipv6) {
      header.flow_label = number32() & 0xfffff;
    } else {
      header.identification = number16();
      header.dont_fragment = coin();
    }
    return header;
  }

  /// Changes, removes or adds a few octets.
  void mutate(OctetVector& octets) {
    for (std::uint32_t changes = 1 + below(4); changes > 0 && !octets.empty(); --changes) {
      const auto at = octets.begin() + below(static_cast<std::uint32_t>(octets.size()));
      switch (below(8)) {
        case 0:
          octets.erase(at);
          break;
        case 1:
          octets.insert(at, octet());
          break;
        case 2:
          octets.resize(below(static_cast<std::uint32_t>(octets.size())) + 1);
          break;
        case 3:
          *at = coin() ? 0 : 0xff;
          break;
        default:
          *at = octet();
      }
    }
  }

 private:
  std::mt19937_64 engine_;
};

/// An IP datagram of `payload` with the given header.
inline OctetVector datagram(const IpHeader& header, Octets payload, Octets v4_options = {}) {
  OctetVector octets(kIpV6HeaderLength + kMaxIpV4Options);
  octets.resize(emit_ip(header, payload.size(), octets.data(), v4_options));
  octets.insert(octets.end(), payload.begin(), payload.end());
  return octets;
}

/// The first `length` octets in memory of exactly that size, so that a sanitizer sees a read
/// beyond.
inline OctetVector truncated(const OctetVector& octets, std::size_t length) {
  OctetVector result(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(length));
  result.shrink_to_fit();
  return result;
}

}  // namespace estab::wire
