// WireLaws: watches every segment both stacks send and holds it against what RFC 9293 and RFC 7323
// demand of a sender, whatever the receiver makes of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "estab/frame_tap.h"
#include "estab/memory_link.h"

#include "properties/raw_segment.h"
#include "properties/scenario.h"

namespace estab::properties {

/// What was seen: a property that never met a retransmission has not been tested.
struct WireCounts {
  std::uint64_t segments = 0, super_segments = 0, octets = 0, repeated_octets = 0;
  std::uint64_t resets = 0, zero_windows = 0, window_probes = 0, sack_blocks = 0, urgent = 0;
  std::uint64_t edge_back = 0;  ///< by less than a unit of the window scale (RFC 7323 §2.4)
  std::uint64_t wrapped = 0;    ///< segments across 2^32

  WireCounts& operator+=(const WireCounts& other);
};

class WireLaws {
 public:
  explicit WireLaws(const Scenario& scenario);

  /// To be attached to that side of the link.
  FrameTap& tap(Side side) { return taps_[static_cast<std::size_t>(side)]; }
  /// The first law broken; empty if none.
  const std::string& complaint() const { return complaint_; }
  const WireCounts& counts() const { return counts_; }

 private:
  class Tap : public FrameTap {
   public:
    Tap(WireLaws& laws, Side side) : laws_(laws), side_(side) {}
    void on_frame(Instant now, const TappedFrame& frame) override;

   private:
    WireLaws& laws_;
    Side side_;
  };

  /// What one end of a connection has sent so far. Offsets count from its ISN.
  struct End {
    bool syn_sent = false, ack_sent = false;
    std::uint32_t isn = 0;
    std::uint16_t mss = 536;
    std::optional<std::uint8_t> window_scale{};
    bool sack_permitted = false, timestamps = false;
    std::optional<std::uint32_t> last_ts_value{};
    std::int64_t sent_end = 0;  ///< behind the last number it has used
    std::int64_t ack = 0;       ///< the highest it has sent, in the peer's numbers
    std::int64_t edge = 0;      ///< the right edge it has announced, in the peer's numbers
    std::optional<std::int64_t> fin{};
  };
  struct Connection {
    std::array<End, 2> ends{};
    bool was_reset = false;
    /// Two cookies went out, and only the opener knows which counts; or an old SYN came after a
    /// RST; or the same ports serve once more.
    bool ambiguous = false;
    bool both_scale() const { return ends[0].window_scale && ends[1].window_scale; }
    bool both_sack() const { return ends[0].sack_permitted && ends[1].sack_permitted; }
    bool both_timestamps() const { return ends[0].timestamps && ends[1].timestamps; }
  };
  struct Sending {
    const RawSegment& segment;
    Side side;
    Connection& connection;
    End& me() const { return connection.ends[static_cast<std::size_t>(side)]; }
    End& peer() const { return connection.ends[static_cast<std::size_t>(other(side))]; }
    std::int64_t begin() const;  ///< its sequence number as an offset
  };

  void on_sent(Instant now, Side side, const TappedFrame& frame);
  void on_segment(Side side, const RawSegment& segment);
  void check_frame_size(const Sending& s);
  void check_flags(const Sending& s);
  void note_syn(const Sending& s);
  void check_options(const Sending& s);
  void check_sack(const Sending& s);
  void check_text(const Sending& s);
  void check_fin(const Sending& s);
  void check_ack(const Sending& s);
  void check_window(const Sending& s);
  void complain(const std::string& what);

  const Scenario& scenario_;
  std::array<Tap, 2> taps_;
  std::map<std::pair<std::uint16_t, std::uint16_t>, Connection> connections_;  // by a's, b's port
  WireCounts counts_{};
  std::string complaint_{};
  std::string where_{};  // of the segment in hand
};

}  // namespace estab::properties
