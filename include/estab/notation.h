// The one notation of segments: packetdrill's. Tests, traces, ladders and failure messages use it.
//
//   S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>
//   S. 0:0(0) ack 1 win 65535 <mss 1460>
//   P. 1:11(10) ack 1 win 512 urg 5 <nop,nop,TS val 3 ecr 4>
//   . 11:11(0) ack 1001 win 512 <nop,nop,sack 2001:3001>
//   F. 1001:1001(0) ack 5001 win 65535
//
// Flags: S SYN, F FIN, R RST, P PSH, U URG, E ECE, W CWR, `.` ACK, and `-` for none. Then first
// sequence number, the one behind the payload (SYN and FIN are not counted here), and the payload's
// length. Numbers are relative to `base_seq`; those that speak of the other direction, the
// acknowledgement and the SACK edges, to `base_ack`. Ports and payload are not part of it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "estab/segment.h"

namespace estab {

std::string to_string(TcpFlags flags);
std::string to_string(const Segment& segment, SeqNum base_seq = SeqNum{0},
                      SeqNum base_ack = SeqNum{0});

/// A segment as noted: `segment.payload` is empty, since the notation knows only its length.
struct NotedSegment {
  Segment segment;
  std::uint32_t payload_length = 0;
};

/// Reads what to_string writes. Flags and options may come in any order, options without their
/// NOPs, and `win` may be left out (0). The error says what is wrong and at which column.
std::expected<NotedSegment, std::string> parse_segment(std::string_view text,
                                                       SeqNum base_seq = SeqNum{0},
                                                       SeqNum base_ack = SeqNum{0});

}  // namespace estab
