// What a sender must keep to on any path, seen from outside: what it puts on the wire, and what its
// TcpInfo says right after. The first breach is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "estab/frame_tap.h"
#include "estab/info.h"
#include "estab/trace.h"

#include "sim/received_ranges.h"

namespace estab::paths {

/// Octets that the peer has said it holds, by number of the sequence space unwrapped.
class Held {
 public:
  void acknowledge(SeqNum number);
  void sack(SeqNum left, SeqNum right);
  bool has_all(SeqNum first, std::size_t length) const;

 private:
  std::int64_t unwrapped(SeqNum number) const;
  std::optional<SeqNum> first_;
  std::int64_t acknowledged_ = 0;
  std::map<std::int64_t, std::int64_t> ranges_;
};

class SenderLaws final : public Observer, public FrameTap {
 public:
  /// `ask`: what the stack says of the connection now.
  SenderLaws(const TcpConfig& config, std::function<std::optional<TcpInfo>()> ask)
      : config_(config), ask_(std::move(ask)) {}

  void on_trace(Instant now, const TraceEvent& event) override;
  void on_frame(Instant now, const TappedFrame& frame) override;

  const std::string& breach() const { return breach_; }
  std::uint64_t timeouts = 0, retransmits = 0, tail_probes = 0, duplicates_reported = 0;

 private:
  struct Sent {
    SendReason reason;
    SeqNum seq;
    std::size_t length;  // a FIN counts one
  };

  void note(const SegmentReceived& received);
  void check(Instant now, const Sent& sent, const TcpInfo& info);
  void note_episode(const TcpInfo& info);
  void check_window(const TcpInfo& info);
  void check_in_flight(const Sent& sent, const TcpInfo& info);
  void check_pace(Instant now, const Sent& sent, const TcpInfo& info);
  void complain(Instant now, const std::string& what);

  TcpConfig config_;
  std::function<std::optional<TcpInfo>()> ask_;
  std::optional<Sent> sent_;
  Held held_;
  std::optional<TcpInfo> before_;  // after the last segment
  std::uint64_t first_ = 0;        // the initial window
  std::uint64_t most_in_flight_ = 0;
  std::uint64_t flight_before_ = 0;  // in flight when it last sent, or was about to receive
  std::uint64_t undone_ = 0;
  bool comes_down_ = false;           // the window does
  std::uint64_t episode_flight_ = 0;  // in flight when the window began to come down
  Instant next_departure_ = Instant::min();
  std::uint64_t burst_ = 0;
  std::string breach_;
  Instant now_{};
};

}  // namespace estab::paths
