// Facts: what of one side is held against the other side. Initial sequence numbers count from what
// their clock shows (see SegmentTable), so that those of two sides can be compared.
#pragma once

#include <cstdint>
#include <optional>

#include "model/application.h"
#include "model/inside.h"

namespace estab::model {

struct Facts {
  /// The stream that segments find, if there is one; it is the application's last.
  std::optional<FlowView> flow{};
  RecordsView records{};
  bool listens = false;
  bool drew_isn = false;  ///< at this very time
  bool in_burst = false;  ///< what has arrived is still to be answered

  /// Nothing is left but, perhaps, a listener.
  bool closed() const {
    return records.streams == 0 && records.half_open == 0 && records.time_wait == 0;
  }
  /// The state of the one connection there can be.
  State state() const {
    if (flow) return flow->state;
    if (records.time_wait > 0) return State::time_wait;
    if (records.half_open > 0) return State::syn_received;
    return listens ? State::listen : State::closed;
  }
};

}  // namespace estab::model
