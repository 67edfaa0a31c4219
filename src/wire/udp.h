// UDP headers as values (RFC 768, RFC 8200 §8.1). Law: every function is total; a datagram ends
// where its length field says, or it is not one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "estab/address.h"
#include "estab/octets.h"

namespace estab::wire {

inline constexpr std::size_t kUdpHeaderLength = 8;
inline constexpr std::size_t kUdpChecksumOffset = 6;

struct UdpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t length = 0;  ///< header and payload
  std::uint16_t checksum = 0;
  friend bool operator==(const UdpHeader&, const UdpHeader&) = default;
};

/// A datagram as received. The views lie in the input.
struct UdpDatagram {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  bool has_checksum = false;  ///< false: the sender computed none (IPv4 only)
  Octets payload;
  Octets octets;  ///< header and payload: what the checksum covers
};

/// Reads a datagram; the checksum is not verified (verify_transport_checksum over `octets`).
/// Nothing if the length field is below 8 or beyond the end, or the checksum is absent over IPv6.
std::optional<UdpDatagram> parse_udp(Octets udp, Family family);

/// Writes the header as it stands in `header`; returns its length, 8.
std::size_t emit_udp(const UdpHeader& header, std::uint8_t* out);

/// What belongs into the checksum field, in host order: never 0, which would mean "none".
std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, Octets header,
                           std::span<const Octets> payload_pieces = {});

/// Computes the checksum and stores it in the header that emit_udp wrote.
void finish_udp_checksum(MutableOctets header, const IpAddress& source,
                         const IpAddress& destination, std::span<const Octets> payload_pieces = {});

}  // namespace estab::wire
