// Clock: where a Host takes the time from, and how it lets time pass. Without one of its own
// (HostOptions::clock) a Host goes by the machine's monotonic clock and waits in epoll. With one,
// the same coroutines run in virtual time: several hosts on one thread, hours in no time, and what
// happens follows from the seeds alone.
//
// Who drives several hosts gives each of them turns until none has anything to do, and then moves
// time on to whatever comes first:
//
//   for (Host* host : hosts)
//     while (host->next_deadline() <= clock.now()) host->run_once(Duration::zero());
//   clock.set(earliest next_deadline() of all hosts);
//
// The devices of such hosts have no descriptor; Device::next_deadline says when frames arrive.
#pragma once

#include "estab/time.h"

namespace estab {

class Clock {
 public:
  virtual ~Clock() = default;

  /// The time. Never goes back.
  virtual Instant now() const = 0;
  /// Lets time pass for the host that calls: returns once now() is `until`, or before, as soon as
  /// something may have happened that is this host's business (a frame for it, say). Called from
  /// within run() and whatever else of the Host waits; not if there is something to do already. May
  /// give other hosts their turns. Descriptors, signals and other threads are looked at after it,
  /// and not waited for. kNever: nothing is to come by itself; where nothing can come from outside
  /// either, the wait would never end, and it is for the clock to say so (by throwing, which comes
  /// out of run()).
  virtual void wait(Instant until) = 0;
};

}  // namespace estab
