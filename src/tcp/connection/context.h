// What a connection is lent while it works: the time, the stack's settings, pool and
// budget, and the places where it counts and tells. A connection keeps none of it.
#pragma once

#include <utility>

#include "estab/block.h"
#include "estab/config.h"
#include "estab/info.h"
#include "estab/time.h"
#include "estab/trace.h"

#include "tcp/buffer_budget.h"

namespace estab::tcp {

struct Context {
  Instant now;
  const StackConfig& config;
  BlockPool& blocks;
  StackCounters& counters;
  BufferBudget& buffers;
  Observer* observer = nullptr;

  /// Builds the event only if somebody looks.
  template <class MakeEvent>
  void trace(MakeEvent&& make) const {
    if (observer) [[unlikely]]
      observer->on_trace(now, TraceEvent(std::forward<MakeEvent>(make)()));
  }
};

}  // namespace estab::tcp
