// Turn: what a sender is lent each time it is its turn: what the connection itself was lent, its
// settings, its name, and its timers. Nothing of it is kept.
#pragma once

#include "tcp/connection/context.h"
#include "tcp/connection/timers.h"

namespace estab::tcp {

struct Turn {
  const Context& context;
  const TcpConfig& config;
  const FourTuple& flow;
  TimerTable& timers;

  Instant now() const { return context.now; }
};

}  // namespace estab::tcp
