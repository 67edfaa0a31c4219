// For tests: fragments of a datagram, as octets on the wire.
#pragma once

#include <cstdint>
#include <vector>

#include "estab/address.h"
#include "estab/octets.h"

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/ip.h"

namespace estab::ip {

/// Owns the octets that its packet looks at.
struct TestFragment {
  std::vector<std::uint8_t> octets;
  wire::IpPacket packet() const { return wire::parse_ip(octets).value(); }
};

/// The more-fragments flag.
enum class Follows : std::uint8_t { nothing, more };

/// Cuts fragments from one datagram whose payload is known.
class FragmentMaker {
 public:
  wire::IpHeader header{.source = IpAddress::v4(192, 0, 2, 1),
                        .destination = IpAddress::v4(192, 0, 2, 2),
                        .protocol = wire::kProtocolUdp,
                        .dont_fragment = false};
  std::uint32_t identification = 7;
  std::vector<std::uint8_t> payload;

  explicit FragmentMaker(std::size_t length, Family family = Family::ipv4) {
    if (family == Family::ipv6) {
      header.source = *IpAddress::parse("2001:db8::1");
      header.destination = *IpAddress::parse("2001:db8::2");
    }
    for (std::size_t i = 0; i < length; ++i) {
      payload.push_back(static_cast<std::uint8_t>(i * 7 + i / 256));
    }
  }

  /// The octets [offset, offset + length); the last fragment if that is the payload's end.
  TestFragment cut(std::size_t offset, std::size_t length) const {
    const bool last = offset + length >= payload.size();
    return make(offset, last ? Follows::nothing : Follows::more,
                Octets(payload).subspan(offset, length));
  }

  /// Whatever is asked for, sense or not.
  TestFragment make(std::size_t offset, Follows follows, Octets data) const {
    return header.family() == Family::ipv4 ? make_v4(offset, follows, data)
                                           : make_v6(offset, follows, data);
  }

 private:
  TestFragment make_v4(std::size_t offset, Follows follows, Octets data) const {
    TestFragment fragment{std::vector<std::uint8_t>(wire::kIpV4HeaderLength)};
    auto& octets = fragment.octets;
    wire::emit_ip(header, data.size(), octets.data());
    base::store_be16(&octets[4], static_cast<std::uint16_t>(identification));
    const std::size_t field = offset / 8 | (follows == Follows::more ? 0x2000u : 0u);
    base::store_be16(&octets[6], static_cast<std::uint16_t>(field));
    base::store_be16(&octets[10], 0);
    base::store_be16(&octets[10], wire::checksum(octets));
    octets.insert(octets.end(), data.begin(), data.end());
    return fragment;
  }

  TestFragment make_v6(std::size_t offset, Follows follows, Octets data) const {
    TestFragment fragment{std::vector<std::uint8_t>(wire::kIpV6HeaderLength + 8)};
    auto& octets = fragment.octets;
    wire::IpHeader outer = header;
    outer.protocol = wire::kProtocolFragment;
    wire::emit_ip(outer, data.size() + 8, octets.data());
    octets[40] = header.protocol;
    base::store_be16(&octets[42],
                     static_cast<std::uint16_t>(offset | (follows == Follows::more ? 1u : 0u)));
    base::store_be32(&octets[44], identification);
    octets.insert(octets.end(), data.begin(), data.end());
    return fragment;
  }
};

}  // namespace estab::ip
