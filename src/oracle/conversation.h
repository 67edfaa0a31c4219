// Conversation: what the peer of one host knows: both initial numbers, how far each direction is,
// the window announced. With that it makes datagrams of steps and answers of the host's frames.
// Law: it learns from what the host sends only, so that two hosts with other numbers are told the
// same things.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oracle/answer.h"
#include "oracle/sequence.h"
#include "wire/ip.h"

namespace estab::oracle {

using OctetVector = std::vector<std::uint8_t>;

/// The octet at a place of either stream; 1 is the first octet of data.
enum class Direction : std::uint32_t { from_host = 0x5bd1, from_peer = 0x9e37 };
std::uint8_t pattern(Direction direction, std::uint32_t place);

class Conversation {
 public:
  Conversation(const FourTuple& tuple, SeqNum isn) : tuple_(tuple), isn_(isn) {}

  const FourTuple& tuple() const { return tuple_; }

  /// The datagram of a step.
  OctetVector make(const SegmentStep& step);
  OctetVector make(const IcmpStep& step) const;
  /// A RST the host must believe, whatever state it is in.
  OctetVector make_reset() const;

  /// Reads a frame of the host's and adds what it means to the answer. Frames between other ends
  /// are passed over.
  void read(Octets frame, Answer& answer);

  /// The window and shift of the host's SYN, once it has sent one with a window.
  std::uint16_t first_window() const { return first_window_; }
  std::optional<std::uint8_t> host_shift() const { return host_shift_; }

  /// Where a segment stands: its numbers and the host's window, relative to the origins.
  struct Resolved {
    std::uint32_t seq, ack;    ///< of the segment
    std::uint32_t next, edge;  ///< the host's RCV.NXT and right edge, before it
    std::uint32_t end;         ///< behind the segment's last number
    /// Signed distances, as the numbers wrap.
    std::int32_t end_beyond_next() const { return static_cast<std::int32_t>(end - next); }
    std::int32_t end_beyond_edge() const { return static_cast<std::int32_t>(end - edge); }
    std::int32_t begin_beyond_edge() const { return static_cast<std::int32_t>(seq - edge); }
    std::int32_t begin_beyond_next() const { return static_cast<std::int32_t>(seq - next); }
  };
  Resolved resolve(const SegmentStep& step) const;
  /// Of the number quoted: `seq`; `next` and `edge` are SND.NXT.
  Resolved resolve(const IcmpStep& step) const;

 private:
  struct Injected {  // at a place only this host has
    std::uint32_t begin, length;
  };

  std::uint32_t seq_of(const Place& place) const;
  std::uint32_t ack_of(const Place& place) const;
  Segment segment_of(const SegmentStep& step) const;
  OctetVector datagram(const Segment& segment, const SegmentStep& step) const;
  void read_segment(const wire::IpPacket& packet, Answer& answer);
  void learn(const Segment& segment);
  Window window_of(const Segment& segment);
  std::int64_t comparable(std::uint32_t number) const;

  FourTuple tuple_;
  SeqNum isn_;
  std::optional<SeqNum> iss_;
  std::uint32_t sent_ = 0;   // behind the last number the host has sent
  std::uint32_t next_ = 0;   // what it has acknowledged
  std::uint32_t edge_ = 0;   // the right edge of its window
  std::uint32_t clock_ = 0;  // its latest TSval
  std::uint16_t first_window_ = 0;
  std::optional<std::uint8_t> host_shift_;
  bool peer_scales_ = false, last_syn_scales_ = false;
  std::vector<Injected> injected_;
};

}  // namespace estab::oracle
