// What other threads and signal handlers may say to a loop: stop, and calls to be made on its
// thread. The only place in the library with a lock; the data path does not come here.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "host/descriptor.h"

namespace estab::host {

class Inbox {
 public:
  /// Throws std::system_error.
  Inbox();

  /// From any thread, and from a signal handler.
  void stop();
  /// From any thread.
  void post(std::function<void()> call);

  /// Readable while something is in the box.
  int descriptor() const { return event_.number(); }
  /// True once for each stop().
  bool take_stop() { return stop_.exchange(false, std::memory_order_acquire); }
  bool stopping() const { return stop_.load(std::memory_order_acquire); }
  /// Something has been put into the box since open().
  bool has_rung() const { return rung_.load(std::memory_order_acquire); }
  /// Hushes the bell; says how many calls are in the box.
  std::size_t open();
  /// The call that has been in the box longest. One at a time, so that one which throws takes no
  /// other with it. Only as many as open() said.
  std::function<void()> take_call();

 private:
  void ring();

  OwnedDescriptor event_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> rung_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "stop() is called from signal handlers");
  std::mutex mutex_;
  std::deque<std::function<void()>> calls_;
};

}  // namespace estab::host
