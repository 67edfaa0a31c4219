// SegmentTable: every segment that was ever under way in an exploration, once, under a number. A
// network is then a few numbers, and what is delivered is exactly what was sent.
//
// Law: what is kept is independent of the time of day. The numbers a clock made (those that count
// from an initial sequence number, and timestamps) are kept as distances from what the clocks of
// RFC 6528 and RFC 7323 show at the moment; time that passes moves them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "estab/octets.h"
#include "estab/segment.h"
#include "estab/time.h"

#include "model/hash_map.h"

namespace estab::model {

/// What a RST in answer to a segment without ACK has as its sequence number: 0, which is no place
/// in anybody's numbering (RFC 9293 §3.10.7.1).
enum class SequenceNumber : std::uint8_t { of_a_space, zero };

struct Frame {
  std::vector<std::uint8_t> octets;
  SequenceNumber sequence = SequenceNumber::of_a_space;
};

/// What the clock of initial sequence numbers shows.
std::uint32_t number_clock(Instant now);
/// Reads the TCP segment of a frame; the payload is a view into it.
Segment segment_of(Octets frame);
/// Writes other numbers into a frame, and the checksum that fits.
void set_numbers(std::vector<std::uint8_t>& frame, SeqNum seq, SeqNum ack);

class SegmentTable {
 public:
  /// `lifetime`: how old a segment can become. Only if there is an end to it, age tells apart.
  explicit SegmentTable(Duration lifetime) : lifetime_(lifetime) {}

  /// Takes in a segment sent at `now`.
  std::uint32_t intern(Frame frame, Instant now);
  /// The segment as it stands on the wire at `now`.
  std::vector<std::uint8_t> octets(std::uint32_t number, Instant now) const;
  /// The same segment after so much time; nothing if by then it has died of its age.
  std::optional<std::uint32_t> after(std::uint32_t number, std::uint32_t ms);
  bool is_bare_syn(std::uint32_t number) const { return kept_[number].is_bare_syn; }
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    std::string key;         ///< the octets, one that tells SequenceNumber, and the age
    std::size_t length = 0;  ///< of the octets
    bool is_bare_syn = false;
    std::uint32_t age_ms = 0;
  };
  std::uint32_t intern_moved(const Frame& frame, std::uint32_t age_ms);
  Frame frame(std::uint32_t number) const;

  static constexpr std::uint32_t kDead = 0xffffffff;

  Duration lifetime_;
  std::deque<Kept> kept_{};  // never moved: the index points into them
  std::unordered_map<std::string_view, std::uint32_t> index_{};
  HashMap after_{};  // by number and milliseconds
};

}  // namespace estab::model
