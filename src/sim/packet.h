// What a link may look at and change in a datagram that passes it.
#pragma once

#include <cstdint>
#include <vector>

#include "estab/sim/link.h"

namespace estab::sim {

using Packet = std::vector<std::uint8_t>;

/// A segment that only acknowledges: no text, no SYN, FIN or RST.
bool is_pure_ack(const Packet& packet);
/// Sets "congestion experienced", if the sender said that it understands (RFC 3168 §5). False: it
/// did not, and nothing is changed.
bool mark_congestion(Packet& packet);
/// What a middlebox does to a SYN; other packets stay as they are.
void rewrite_syn(const Middlebox& box, Packet& packet);

}  // namespace estab::sim
