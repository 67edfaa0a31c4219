// Loop: one thread's round of work. Law: an operation waits in exactly one place, an event calls it
// into the list of those whose turn it is, and in its turn it tries again and, if that ended it,
// its coroutine goes on at once. Whatever the coroutines of a round did goes out in one pass after
// it.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <span>

#include "estab/host.h"
#include "estab/stack.h"

#include "host/inbox.h"
#include "host/links.h"
#include "host/poller.h"
#include "host/signals.h"
#include "host/slot_table.h"
#include "host/slots.h"
#include "host/task_table.h"
#include "host/timer_heap.h"
#include "host/wait_list.h"

namespace estab::host {

/// `now + duration`, or kNever where that would not fit.
inline Instant deadline_after(Instant now, Duration duration) {
  return duration > kNever - now ? kNever : now + duration;
}

class Loop {
 public:
  explicit Loop(const HostOptions& options);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  Stack& stack() { return stack_; }
  Links& links() { return links_; }
  Inbox& inbox() { return inbox_; }
  TaskTable& tasks() { return tasks_; }
  /// The time of this round; outside a round, the time now.
  Instant now() const { return in_round_ ? now_ : clock(); }

  void run();
  bool run_once(Duration timeout);
  bool finish(Duration limit);
  void flush() { links_.transmit_all(now()); }
  /// Runs until `done()`. False: stop() came first.
  template <class Done>
  bool run_until(Done done) {
    while (!done())
      if (!run_once(kForever)) return done();
    return true;
  }

  // ---- for operations

  SlotTable<StreamSlot, StreamId>& streams() { return streams_; }
  SlotTable<ListenerSlot, ListenerId>& listeners() { return listeners_; }
  SlotTable<DatagramSlot, DatagramId>& ports() { return ports_; }
  std::span<Octets> views() { return views_; }

  /// It is this operation's turn, in this round or the next.
  void wake(Wait& wait);
  void wake_at(Wait* place) {
    if (place) wake(*place);
  }
  void give_up_at(Wait& wait, Instant deadline) { timers_.add(wait, deadline); }
  void end_turn(Wait& wait);
  /// Neither a turn nor a time is left for it.
  void forget(Wait& wait);

  /// Lets go of a stream at the stack, and tells who waits on it.
  void close(StreamId stream);
  void close(ListenerId listener);
  void abort(StreamId stream);

  struct DescriptorSlot {
    Wait* reader = nullptr;
    Wait* writer = nullptr;
  };
  /// Watches a descriptor until the next event, for `events` and for all who wait on it already.
  /// Returns 0 or errno.
  int arm(int descriptor, std::uint32_t events);
  DescriptorSlot& descriptor(int descriptor);
  Signals& signals() { return signals_; }
  bool watch_signal(int number);

 private:
  static Instant clock();
  void round(Duration timeout);
  Duration sleep_time(Duration timeout) const;
  void on_poll_event(const epoll_event& event);
  void expire_timers();
  /// Events, turns and new tasks, until there are none; then output. False if there were none.
  bool settle();
  std::size_t dispatch_events();
  std::size_t take_turns();
  void on_event(const StreamEvent& event);
  void on_event(const AcceptEvent& event);
  void on_event(const DatagramEvent& event);
  void on_event(const EchoEvent&) {}
  bool delivering() { return stack_.census().streams > 0; }

  Duration linger_;
  Stack stack_;
  Poller poller_;
  Links links_;
  Inbox inbox_;
  Signals signals_;
  SlotTable<StreamSlot, StreamId> streams_;
  SlotTable<ListenerSlot, ListenerId> listeners_;
  SlotTable<DatagramSlot, DatagramId> ports_;
  std::deque<DescriptorSlot> descriptors_;  // by number
  TimerHeap timers_;
  WaitList turns_;
  std::array<Octets, 16> views_;
  Instant now_{};
  bool in_round_ = false;
  bool busy_ = false;  // something is left to do without waiting
  TaskTable tasks_;    // the last member: what tasks hold needs all the others
};

}  // namespace estab::host
