// ECN (RFC 3168) where segments meet it: the mark a router left, and the flags that settle its use.
#pragma once

#include <cstdint>

#include "estab/block.h"
#include "estab/segment.h"

namespace estab::tcp {

/// Whether a router has marked the datagram that a segment came in.
enum class Congestion : std::uint8_t { none, experienced };

/// What a segment came in: the block, if it may be kept, and what the way there left on it.
struct Carrier {
  Block* owner = nullptr;
  Congestion congestion = Congestion::none;
};

/// The control bits of a SYN that asks for ECN, and of a SYN-ACK that agrees (RFC 3168 §6.1.1).
inline constexpr TcpFlags kEcnSetupSyn = kEce | kCwr;
inline constexpr TcpFlags kEcnSetupSynAck = kEce;

// [RFC 3168 6.1.1-8]
/// Some answer a SYN with its own flags, whatever they mean: a SYN-ACK with CWR agrees to nothing.
inline bool is_ecn_setup_syn(TcpFlags flags) {
  return flags.syn() && !flags.ack() && flags.ece() && flags.cwr();
}
inline bool is_ecn_setup_syn_ack(TcpFlags flags) {
  return flags.syn() && flags.ack() && flags.ece() && !flags.cwr();
}

}  // namespace estab::tcp
