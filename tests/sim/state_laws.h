// StateLaws: watches the states of a stack's connections and holds each change against the arrows
// of RFC 9293 figure 5, drawn here once more and by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "estab/trace.h"

namespace estab::sim {

class StateLaws {
 public:
  void on_trace(const TraceEvent& event);
  /// The first law broken; empty if none.
  const std::string& complaint() const { return complaint_; }
  std::uint64_t changes() const { return changes_; }

 private:
  void on_change(const StateChanged& change);
  void complain(const std::string& what);

  std::map<std::pair<std::uint16_t, std::uint16_t>, State> states_;  // by local, remote port
  std::uint64_t changes_ = 0;
  std::string complaint_{};
};

}  // namespace estab::sim
