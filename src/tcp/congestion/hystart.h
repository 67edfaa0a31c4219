// HyStart++ (RFC 9406): leaves the first slow start when round trips grow longer, before the queue
// overflows. Where they do it first only slows growth down (conservative slow start, CSS); if the
// next round trips are short again the delay was no queue of ours, and slow start goes on.
//
// Law: one late ACK proves nothing. What is compared with the shortest RTT of the last round is the
// shortest of eight samples at least; where ACKs are so few that a round has not got eight, that of
// the round, if it was of eight segments. ACKs that come at one instant are one sample, the
// shortest of them: the others tell how long they were held back.
//
// Beyond the RFC, which takes the shortest RTT of the whole round so far: it is taken of each
// eighth of a window anew. The flight that fills the path begins before there is a queue, so the
// least of its RTTs shows nothing until the next flight, twice as large, is on its way. And CSS
// ends before its fifth round if a whole round confirms the delay: noise does not come each round.
#pragma once

#include <cstdint>

#include "tcp/congestion/event.h"
#include "tcp/congestion/round.h"
#include "tcp/congestion/settings.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp::congestion {

class HyStart {
 public:
  enum class Phase : std::uint8_t { slow_start, conservative, done };

  /// An ACK during slow start with a window of `cwnd` octets. Phase::done: congestion avoidance
  /// begins, with ssthresh = cwnd.
  Phase on_ack(const AckEvent& event, RoundTrip round, std::uint32_t cwnd, std::uint32_t mss);
  Phase phase() const { return phase_; }
  /// What slow start adds for `acked` octets (RFC 9406 §4.3): L is eight segments where nothing
  /// paces, a quarter of it in CSS.
  std::uint32_t growth(std::uint32_t acked, const Settings& settings) const;

  friend bool operator==(const HyStart&, const HyStart&) = default;
  void hash_into(base::Hasher& hasher) const;

 private:
  static constexpr Duration kNone = Duration::max();

  void take_sample(Instant now, Duration rtt, std::uint32_t cwnd);
  void judge();
  void begin_block();
  void end_round(std::uint32_t mss);

  Duration last_min_ = kNone;       // lastRoundMinRTT
  Duration round_min_ = kNone;      // currentRoundMinRTT
  Duration block_min_ = kNone;      // of the samples that are looked at together
  Duration baseline_ = kNone;       // cssBaselineMinRtt: what CSS takes for a path without a queue
  Instant sampled_at_ = kNever;     // the last sample
  std::uint32_t block_octets_ = 0;  // delivered since the block began
  std::uint32_t round_octets_ = 0;  // and since the round began
  std::uint8_t samples_ = 0;        // rttSampleCount, of the block
  std::uint8_t css_rounds_ = 0;
  bool judged_ = false;   // a block of this round was
  bool delayed_ = false;  // and showed a queue
  Phase phase_ = Phase::slow_start;
};

}  // namespace estab::tcp::congestion
