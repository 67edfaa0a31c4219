// Loop: one thread's round of work. Law: an operation waits in exactly one place, an event calls it
// into the list of those whose turn it is, and in its turn it tries again and, if that ended it,
// its coroutine goes on at once. Whatever the coroutines of a round did goes out in one pass after
// it.
//
// Law: what is called from here and throws takes nothing else with it. Its exception is noted, the
// round goes on, and run() throws it afterwards.
//
// Law: no deadline fires while a frame that came before it waits unread in a device. (Within
// bounds: see Links::catch_up.) A process that stood still for a minute would otherwise give up
// connections whose answers have long been there.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <unordered_map>

#include "estab/host.h"
#include "estab/stack.h"

#include "host/failures.h"
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

/// The machine's monotonic clock.
Instant machine_time();

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
  const TaskTable& tasks() const { return tasks_; }
  /// Within run() or the like, further up on the stack.
  bool is_in_round() const { return in_round_; }
  /// The time of this round; outside a round, the time now.
  Instant now() const { return in_round_ ? now_ : time(); }
  /// When the next round is due if nothing comes from outside; not after now() while something is
  /// left to do.
  Instant next_deadline() const;

  /// Each throws std::logic_error from within a round.
  void run();
  bool run_once(Duration timeout);
  bool run_until(Instant until);
  bool finish(Duration limit);
  /// For destructors: exceptions are forgotten, and within a round nothing is done.
  void finish_quietly(Duration limit);
  void flush() {
    shielded([this] { busy_ |= links_.flush(now()); });
  }
  /// Runs until `done()`. False: stop() came first. What is done is told before any exception.
  template <class Done>
  bool run_until_true(Done done) {
    while (!done()) {
      turn(kForever);
      if (done()) break;
      failures_.rethrow_first();
      if (inbox_.take_stop()) return false;
    }
    return true;
  }

  // ---- for operations

  SlotTable<StreamSlot, StreamId>& streams() { return streams_; }
  SlotTable<ListenerSlot, ListenerId>& listeners() { return listeners_; }
  SlotTable<DatagramSlot, DatagramId>& ports() { return ports_; }
  SlotTable<ForwarderSlot, InterfaceId>& forwarders() { return forwarders_; }
  SlotTable<DatagramFlowSlot, DatagramFlowId>& flows() { return flows_; }
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
  void reject(OfferId offer, Refusal refusal);
  void close(DatagramFlowId flow);
  /// What comes by the interface for other hosts is kept for who waits for it (forwarder.cpp).
  Result<void> forward(InterfaceId interface, const Forwarding& forwarding);
  void stop_forwarding(InterfaceId interface);

  struct DescriptorSlot {
    Wait* reader = nullptr;
    Wait* writer = nullptr;
    Wait* watcher = nullptr;  // until it is of no use any more
  };
  /// Watches a descriptor until the next event, for `events` and for all who wait on it already.
  /// Returns 0 or errno.
  int arm(int descriptor, std::uint32_t events);
  /// Null for what is no open descriptor.
  DescriptorSlot* descriptor(int descriptor);
  Signals& signals() { return signals_; }
  bool watch_signal(int number);

 private:
  Instant time() const { return clock_ ? clock_->now() : machine_time(); }
  /// One round, from which nothing is thrown.
  void turn(Duration timeout);
  void round(Instant until);
  std::span<const epoll_event> wait(Instant until);
  void on_poll_event(const epoll_event& event);
  void run_posted_calls();
  void on_deadlines();
  void expire_timers();
  /// Makes a call that may throw. What it throws is noted, and the next round does not wait.
  template <class Call>
  void shielded(Call&& call) {
    try {
      call();
    } catch (...) {
      failures_.note(std::current_exception());
      busy_ = true;
    }
  }
  /// Events, turns and new tasks, until there are none; then output. False if there were none.
  bool work_until_idle();
  std::size_t dispatch_events();
  std::size_t take_turns();
  void on_event(const StreamEvent& event);
  void on_event(const AcceptEvent& event);
  void on_event(const DatagramEvent& event);
  void on_event(const EchoEvent&) {}
  void on_event(const OfferEvent& event);
  void on_event(const DatagramFlowEvent& event);
  bool delivering() { return stack_.census().streams > 0; }

  Duration linger_;
  Clock* clock_;
  Failures failures_;
  Stack stack_;
  std::optional<Event> event_;  // polled, and not dealt with yet
  Poller poller_;
  Links links_;
  Inbox inbox_;
  Signals signals_;
  SlotTable<StreamSlot, StreamId> streams_;
  SlotTable<ListenerSlot, ListenerId> listeners_;
  SlotTable<DatagramSlot, DatagramId> ports_;
  SlotTable<ForwarderSlot, InterfaceId> forwarders_;
  SlotTable<DatagramFlowSlot, DatagramFlowId> flows_;
  std::unordered_map<int, DescriptorSlot> descriptors_;
  TimerHeap timers_;
  WaitList turns_;
  std::array<Octets, 16> views_;
  Instant now_{};
  bool in_round_ = false;
  bool busy_ = false;                  // something is left to do without waiting
  bool stood_still_ = false;           // this process did not run for a while
  TaskTable tasks_{*this, failures_};  // the last member: what tasks hold needs all the others
};

}  // namespace estab::host
