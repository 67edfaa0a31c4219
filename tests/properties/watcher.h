// Watcher: what is attached to one stack of a run: the laws of its states and, when a run is shown,
// a line for each thing that happens, segments in the one notation.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "estab/memory_link.h"
#include "estab/trace.h"

#include "properties/state_laws.h"

namespace estab::properties {

class Watcher : public Observer {
 public:
  /// `out` may be null: nothing is shown then.
  Watcher(Side side, Instant start, std::ostream* out) : side_(side), start_(start), out_(out) {}

  void on_trace(Instant now, const TraceEvent& event) override;
  const StateLaws& states() const { return states_; }

 private:
  struct Numbers {
    SeqNum ours, theirs;  ///< the ISNs, to count from
  };
  std::ostream& line(Instant now);
  Numbers& numbers(const FourTuple& flow, const Segment& segment, bool is_ours);
  void show(Instant now, const SegmentSent& sent);
  void show(Instant now, const SegmentReceived& received);
  void show(Instant now, const StateChanged& change);
  void show(Instant now, const TimerFired& fired);
  void show(Instant now, const CongestionChanged& change);
  void show(Instant now, const SegmentLost& lost);
  void show(Instant now, const RecoveryUndone& undone);
  void show(Instant now, const ConnectionFailed& failed);

  Side side_;
  Instant start_;
  std::ostream* out_;
  StateLaws states_{};
  std::map<std::pair<std::uint16_t, std::uint16_t>, Numbers> numbers_{};
};

}  // namespace estab::properties
