// Reassembler: what has arrived beyond a gap, and what to tell the sender of it (SHLD-31, RFC 2018,
// RFC 2883).
//
// Law: pieces are sorted, do not overlap, and lie beyond RCV.NXT. Octets that were already held win
// over later copies of themselves, so an octet once received never changes. No operation walks or
// moves all that is held, wherever it puts a piece: a peer that sends many small ones gains
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "estab/segment.h"

#include "tcp/receive/piece.h"
#include "tcp/sequence.h"

namespace estab::base {
class Hasher;
}

namespace estab::tcp {

struct OffsetRange {
  StreamOffset begin, end;
  bool empty() const { return begin >= end; }
  friend bool operator==(const OffsetRange&, const OffsetRange&) = default;
  void hash_into(auto& hasher) const { hasher.add_all(begin, end); }
};

class Reassembler {
 public:
  struct Limits {
    std::size_t pieces;
    std::size_t memory;  // octets of blocks held
  };
  enum class Stored : std::uint8_t { added, duplicate, refused };

  Reassembler() = default;
  Reassembler(const Reassembler& other);
  Reassembler& operator=(const Reassembler& other);
  Reassembler(Reassembler&&) noexcept = default;
  Reassembler& operator=(Reassembler&&) noexcept = default;

  bool empty() const { return held_.empty(); }
  std::size_t octets() const { return octets_; }
  /// The first octet held; there must be one.
  StreamOffset begin() const { return held_.begin()->first; }
  /// Keeps the octets beginning at `begin`, those that are new. Notes the first part of them that
  /// is not (RFC 2883 §4.2).
  Stored store(StreamOffset begin, Incoming in, Limits limits, BlockPool& pool);
  /// The piece that continues at `next`, cut to begin there; nothing while there is a gap.
  std::optional<Piece> take_next(StreamOffset next, BlockPool& pool);
  void release_all(BlockPool& pool);

  /// Notes octets that came twice, to be reported once in front of the others (RFC 2883 §4).
  void note_duplicate(OffsetRange range) { duplicate_ = range; }
  /// SACK blocks as RFC 2018 §4 orders them: that of the latest segment, then the most recently
  /// reported others. At most `max`. Forgets the duplicate, which is reported once. `fin`: where
  /// the peer's FIN stands, if it has come: its number is received as the octets before it are, and
  /// who does not hear of it sends them again.
  SackBlocks sack_blocks(const SequenceSpace& space, StreamOffset next, std::size_t max,
                         StreamOffset fin = kSynOffset);

  std::size_t memory() const {
    return held_.size() * (sizeof(Pieces::value_type) + kNode) +
           runs_.size() * (sizeof(Runs::value_type) + kNode) + memory_;
  }
  friend bool operator==(const Reassembler& a, const Reassembler& b);
  void hash_into(base::Hasher& hasher) const;

 private:
  using Pieces = std::map<StreamOffset, Piece>;            // by their first octets
  using Runs = std::map<StreamOffset, StreamOffset>;       // from, to
  static constexpr std::size_t kNode = 4 * sizeof(void*);  // what a map adds to an entry

  static StreamOffset end_of(const Pieces::value_type& held) {
    return held.first + held.second.size;
  }
  Pieces::iterator first_ending_after(StreamOffset offset);
  bool insert(Pieces::iterator before, StreamOffset begin, Incoming in, Limits limits,
              BlockPool& pool);
  Piece take_front();
  void add_run(OffsetRange range);
  void cut_runs(StreamOffset next);
  OffsetRange run_around(StreamOffset offset) const;

  Pieces held_;
  Runs runs_;                         // unbroken ones of what is held
  std::vector<StreamOffset> recent_;  // a point in each run lately reported, latest first
  std::optional<OffsetRange> duplicate_;
  std::size_t octets_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace estab::tcp
