// What can be said of a segment from the connection so far: relative numbers, what its
// acknowledgement newly covers, how many times its octets have been sent, the window its 16 bits
// stand for. One tracker follows one connection in the order segments were sent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "estab/ladder.h"
#include "estab/segment.h"

namespace estab::trace {

/// What an acknowledgement covers that the same end had not acknowledged before.
struct Acknowledged {
  bool syn = false, fin = false;
  std::uint32_t octets = 0;
};

struct SegmentFacts {
  std::string sender{}, receiver{};
  Segment segment{};  ///< as on the wire, with the payload
  std::uint32_t seq = 0, ack = 0;
  std::optional<SendReason> reason{};
  State sender_before{}, sender_after{};
  Acknowledged acknowledged{};
  unsigned duplicate = 0;  ///< the n-th ACK in a row that says the same; 0: it says something new
  unsigned transmission = 1;              ///< of these octets
  std::optional<Duration> since_last{};   ///< since their last transmission
  std::optional<std::uint32_t> window{};  ///< octets; nothing while the scale is not known
  std::optional<std::uint32_t> window_before{};
  bool after_own_syn = false;        ///< a SYN-ACK of an end that had sent a SYN of its own before
  bool refuses_probe = false;        ///< answers octets for which there is no room
  std::optional<Segment> answers{};  ///< the segment that last reached the sender
  std::optional<TcpOptions> peer_offered{};  ///< the options of the other's SYN, once that was sent
  SeqNum isn{}, peer_isn{};
  std::optional<Duration> msl{};
  std::string msl_remark{};

  std::uint32_t payload() const { return static_cast<std::uint32_t>(segment.payload.size()); }
  /// Number of the FIN, if there is one.
  std::uint32_t fin_number() const { return seq + payload(); }
};

class FactTracker {
 public:
  /// A departure, in order; `states` are the sender's.
  SegmentFacts depart(LadderSide from, Instant when, const Segment& segment);
  void arrive(LadderSide at, const Segment& segment);
  std::optional<SeqNum> isn(LadderSide side) const { return directions_[index_of(side)].isn; }

 private:
  struct Sent {
    Instant last;
    unsigned times = 0;
  };
  struct Direction {
    std::optional<SeqNum> isn{};
    std::optional<TcpOptions> offered{};
    bool opened_actively = false;  // sent a SYN without ACK
    std::optional<std::uint32_t> fin_number{};
    std::optional<std::uint32_t> acked{};  // highest acknowledgement sent, relative
    std::optional<std::uint32_t> window{};
    unsigned same_acks = 0;
    std::map<std::uint32_t, Sent> sent{};  // by relative number
    std::optional<Segment> last_arrived{};
  };

  void learn_base(Direction& own, Direction& peer, const Segment& segment);
  void count_transmission(Direction& own, Instant when, SegmentFacts& facts);
  void read_ack(Direction& own, const Direction& peer, SegmentFacts& facts);
  void read_window(Direction& own, const Direction& peer, SegmentFacts& facts);

  std::array<Direction, 2> directions_;
};

}  // namespace estab::trace
