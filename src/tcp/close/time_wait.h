// TimeWait: what remains of a connection for 2 MSL after this side closed first (MUST-13). One MSL
// so that the last ACK can reach the peer, one so that a FIN the peer repeats can come back; in
// both the answer is that ACK again. 72 octets, no buffers.
//
// It is also a guard against old duplicates (RFC 1337): a RST ends it only with exactly the number
// that is expected, or not at all if StackConfig says so, and a new SYN only if its numbers prove
// that it is new (RFC 6191).
#pragma once

#include <cstdint>
#include <optional>

#include "tcp/connection/answer_count.h"
#include "tcp/connection/connection.h"

namespace estab::tcp {

struct TimeWait {
  Instant deadline;
  FourTuple tuple;
  SeqNum snd_nxt, rcv_nxt;
  std::uint32_t ts_recent = 0;
  std::uint32_t older = 0xffffffff, newer = 0xffffffff;  // in the order of their deadlines
  std::uint16_t window = 0;                              // as last announced
  struct Kept {
    bool timestamps : 1 = false;
    std::uint8_t ace : 3 = 0;  // AE, CWR, ECE: of AccECN what was counted last, else nothing
    friend bool operator==(const Kept&, const Kept&) = default;
    void hash_into(auto& hasher) const {
      const auto& [stamps, counted] = *this;
      hasher.add_all(stamps, counted);
    }
  } kept;
  AnswerCount answers;  // to empty segments, since the wait began

  friend bool operator==(const TimeWait& a, const TimeWait& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  auto fields() const;
};

static_assert(sizeof(TimeWait) <= 72);

TimeWait make_time_wait(const Connection& connection, Instant deadline);

enum class TimeWaitStep : std::uint8_t {
  ignore,
  end,                  ///< the peer's RST: it knows nothing of the connection any more
  acknowledge,          ///< say again what is expected
  acknowledge_few,      ///< the same, a few times only: the peer may do as we do
  acknowledge_restart,  ///< the peer's FIN came again: the wait begins anew
  reopen,               ///< a SYN that proves itself new, and somebody listens
};

/// RFC 9293 §3.10.7.4 for TIME-WAIT, with RFC 1337 and RFC 6191. `listening` is what a new
/// connection would be set to; null if nobody listens.
TimeWaitStep check_time_wait(const TimeWait& record, const Segment& segment,
                             const TcpConfig* listening, const StackConfig& config);

/// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
Emission make_time_wait_ack(const TimeWait& record, std::uint32_t timestamp_offset, Instant now,
                            SendReason reason);

}  // namespace estab::tcp
