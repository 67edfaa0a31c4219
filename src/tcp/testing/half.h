// What a Sender or a Receiver needs around it to be tested alone.
#pragma once

#include <memory>
#include <vector>

#include "tcp/connection/context.h"
#include "tcp/open/opening.h"
#include "tcp/send/turn.h"
#include "tcp/testing/octets.h"

namespace estab::tcp {

struct Surroundings : testing::Test {
  Context context() { return {now, stack_config, pool, counters, budget, nullptr}; }
  Context context_at(Duration later) {
    return {now + later, stack_config, pool, counters, budget, nullptr};
  }
  /// So much later.
  Turn turn(Duration later = {}) {
    lent_.push_back(std::make_unique<Context>(context_at(later)));
    return {*lent_.back(), config, flow, timers};
  }

  static Opening opening() {
    Opening opening;
    opening.iss = SeqNum(0xfffffc18);  // 1000 numbers before the wrap
    opening.irs = SeqNum(0xfffffc18);
    opening.negotiated.peer_mss = 1000;
    opening.send_window = 10000;
    opening.receive_window = 10000;
    opening.rtt = 100ms;
    return opening;
  }

  Instant now{1000s};
  StackConfig stack_config;
  BlockPool pool;
  StackCounters counters;
  BufferBudget budget;
  TcpConfig config{.receive_buffer = 10000, .pacing = false};
  FourTuple flow;
  TimerTable timers;

 private:
  std::vector<std::unique_ptr<Context>> lent_;
};

}  // namespace estab::tcp
