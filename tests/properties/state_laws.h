// StateLaws: watches what a stack tells of its connections. Each change of state is held against
// the arrows of RFC 9293 figure 5, drawn here once more and by hand; and whatever took sequence
// space has to be acknowledged, in less than half a second (MUST-40).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "estab/trace.h"

namespace estab::properties {

class StateLaws {
 public:
  void on_trace(Instant now, const TraceEvent& event);
  /// The first law broken; empty if none.
  const std::string& complaint() const { return complaint_; }
  std::uint64_t changes() const { return changes_; }

 private:
  struct Connection {
    State state = State::closed;
    std::optional<Instant> owes_since{};  ///< an acknowledgement
  };
  Connection& of(const FourTuple& flow) {
    return connections_[{flow.local_port, flow.remote_port}];
  }
  void on_change(const StateChanged& change);
  void on_received(Instant now, const SegmentReceived& received);
  void complain(const std::string& what);

  std::map<std::pair<std::uint16_t, std::uint16_t>, Connection>
      connections_;  // by local, remote port
  std::uint64_t changes_ = 0;
  std::string complaint_{};
};

}  // namespace estab::properties
