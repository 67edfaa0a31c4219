// HalfOpen: a passive open between SYN and ACK (SYN-RECEIVED via LISTEN), as a small record in the
// SYN cache (RFC 4987 §3.5). No buffers, no Connection, until the third segment has come: a flood
// of SYNs costs this much each and no more.
#pragma once

#include <cstdint>
#include <optional>

#include "tcp/connection/answer_count.h"
#include "tcp/connection/connection.h"
#include "tcp/connection/return_route.h"
#include "tcp/open/opening.h"
#include "tcp/open/secrets.h"

namespace estab::tcp {

struct HalfOpen {
  static constexpr std::uint32_t kNoFlow = 0xffffffff;

  FourTuple tuple;
  SeqNum iss, irs;
  Negotiated negotiated;
  SynsSeen syns;  // what the SYNs said of ECN
  std::uint32_t ts_recent = 0;
  std::uint32_t timestamp_offset = 0;
  std::uint32_t flow = kNoFlow;  // that its SYN has opened already (Fast Open), if it did
  std::uint16_t mss = 0;         // announced
  std::uint16_t window = 0;      // announced; whatever becomes of the settings, it is kept to
  std::uint8_t repeats = 0;      // of the SYN-ACK
  AnswerCount answers;           // to unacceptable segments, since the SYN-ACK was last due
  bool sent_twice = false;       // the SYN-ACK, in answer to a SYN that came again
  bool answered = false;         // the peer believes it open; nobody had room for it
  std::uint32_t listener = 0;    // its number in the stack
  std::uint32_t timer = 0xffffffff;
  Instant started_at, sent_at, deadline = kNever;
  ReturnRoute return_route;  // MUST-53

  bool is_opened() const { return flow != kNoFlow; }

  friend bool operator==(const HalfOpen& a, const HalfOpen& b);
  void hash_into(base::Hasher& hasher, const TcpConfig& config) const;

 private:
  auto fields(const TcpConfig& config) const;
};

static_assert(sizeof(HalfOpen) <= 128);

/// The record for a SYN that LISTEN received (RFC 9293 §3.10.7.2, third).
HalfOpen make_half_open(const Context& context, const Secrets& secrets, const FourTuple& tuple,
                        const Segment& syn, IpMark mark, const TcpConfig& config,
                        std::uint16_t link_mtu);
/// <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, with a Fast Open cookie if there is one to tell.
Emission make_syn_ack(const HalfOpen& half_open, Instant now,
                      const std::optional<FastOpenOption>& fast_open = std::nullopt);
/// Tells a peer that believes the connection open that it will not be.
Emission make_reset(const HalfOpen& half_open, Instant now, SendReason reason);
/// The SYN-ACK goes now: arms its repetition.
void arm_syn_ack(HalfOpen& half_open, const TcpConfig& config, Instant now);
/// The time for it to be answered has run out (MUST-23).
bool is_out_of_time(const HalfOpen& half_open, const TcpConfig& config, Instant now);
/// What the connection begins with, now that `ack` has come.
Opening make_opening(const HalfOpen& half_open, const Segment& ack, Instant now);

}  // namespace estab::tcp
