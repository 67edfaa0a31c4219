// TCP headers as values (RFC 9293 §3.1, options of RFC 7323, 2018 and 7413). Law: every function is
// total; an option area of any content ends the walk at or before its end (MUST-7), and what is not
// understood is skipped (MUST-6).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "estab/address.h"
#include "estab/octets.h"
#include "estab/segment.h"

namespace estab::wire {

inline constexpr std::size_t kTcpHeaderLength = 20;
inline constexpr std::size_t kMaxTcpHeaderLength = 60;
inline constexpr std::size_t kMaxTcpOptions = 40;
inline constexpr std::size_t kTcpChecksumOffset = 16;

/// Reads a segment, header and payload. Reserved bits are ignored, the checksum is not looked at.
/// Nothing if the data offset is below 5 or points behind the end.
std::optional<Segment> parse_tcp(Octets tcp);
/// The same into a segment that is overwritten whole; false, and anything in it, if unreadable.
bool parse_tcp_into(Octets tcp, Segment& segment);

/// The length of the header that emit_tcp writes: 20..60, a multiple of four.
std::size_t tcp_header_length(const TcpOptions& options);
/// Of the SACK blocks in `options`, how many fit beside its other options.
std::size_t fitting_sack_blocks(const TcpOptions& options);

/// Writes the header, and not the payload; returns its length. The checksum field and the reserved
/// bits are zero. Options stand in the order Linux uses, each group filled up to a multiple of four
/// octets with NOPs: mss; sackOK,TS or nop,nop,TS; ECN,nop; nop,nop,sackOK; nop,wscale; Fast Open,
/// with its NOPs behind it; nop,nop,sack with as many blocks as fit. `out` needs
/// tcp_header_length() octets.
std::size_t emit_tcp(const Segment& segment, std::uint8_t* out);

/// What belongs into the checksum field (over the header as it is, so zero there when emitting),
/// in host order. Over a whole segment with its checksum it gives 0 if that is right.
std::uint16_t tcp_checksum(const IpAddress& source, const IpAddress& destination, Octets header,
                           std::span<const Octets> payload_pieces = {});

/// Computes the checksum and stores it in the header that emit_tcp wrote.
void finish_tcp_checksum(MutableOctets header, const IpAddress& source,
                         const IpAddress& destination, std::span<const Octets> payload_pieces = {});

/// Whether the checksum over `transport` (header and payload) and its pseudo-header is right; for
/// TCP, ICMPv6, and UDP datagrams that have one.
bool verify_transport_checksum(const IpAddress& source, const IpAddress& destination,
                               std::uint8_t protocol, Octets transport);

}  // namespace estab::wire
