// ECN with the feedback of RFC 3168 §6.1, where segments meet it: the flags that settle its use.
// The receiver repeats ECE from a mark on until it sees CWR; the sender reduces its window once and
// says CWR (tcp/loss/flight.h).
#pragma once

#include "estab/segment.h"

namespace estab::tcp {

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
