// Packets between octets and the terms of the script, and their notation. Numbers here are those on
// the wire; Flow (flow.h) translates them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "estab/octets.h"
#include "estab/segment.h"

#include "drill/script.h"

namespace estab::drill {

/// A datagram the stack sent, in the terms a script would use.
struct SentPacket {
  Instant when{};
  FourTuple flow{};  ///< as the stack sees it; without ports for ICMP
  PacketSpec packet{};
};

/// Reads a datagram that left the stack. The error says what is wrong with it, a checksum for
/// instance.
std::expected<SentPacket, std::string> read_sent_packet(Instant when, Octets datagram);

/// The datagram that `packet` describes, on its way to the stack whose view of the flow is given.
/// The payload is zeros.
std::vector<std::uint8_t> build_packet(const PacketSpec& packet, const FourTuple& flow);

/// In the script's notation, from the marks on: `[ect0] P. 1:11(10) ack 1 win 512 <nop>`.
std::string to_string(const PacketSpec& packet);
std::string to_string(const std::vector<TcpOption>& options);
std::string flags_text(std::uint16_t flags);

}  // namespace estab::drill
