// SYN cookies (RFC 4987 §3.6): when there is no room for a HalfOpen, what it would hold is folded
// into the numbers of the SYN-ACK, and comes back with the ACK. Nothing is kept meanwhile.
//
// The ISN carries 5 bits of the time (64 s a unit), 3 bits of the MSS and 24 bits of a keyed tag.
// With timestamps the low 6 bits of TSval carry the window scale and whether SACK was offered;
// without, the connection does without both.
#pragma once

#include <cstdint>
#include <optional>

#include "tcp/open/half_open.h"
#include "tcp/open/secrets.h"

namespace estab::tcp {

/// Changes `half_open` into one whose ISN is a cookie, and which promises only what can be kept.
void make_cookie(HalfOpen& half_open, const Secrets& secrets, Instant now);
/// The TSval to send with the cookie: the clock, with the options in its low bits.
std::uint32_t cookie_timestamp(const HalfOpen& half_open, std::uint32_t clock);
/// The record a valid cookie stands for; nothing if the ACK does not answer one of ours.
std::optional<HalfOpen> check_cookie(const Secrets& secrets, const FourTuple& tuple,
                                     const Segment& ack, const TcpConfig& config,
                                     std::uint16_t link_mtu, Instant now);

}  // namespace estab::tcp
