// What other threads and signal handlers may say to a loop: stop, and calls to be made on its
// thread. The only place in the library with a lock; the data path does not come here.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

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
  /// Makes the calls posted, in their order.
  void run_calls();

 private:
  void ring();

  OwnedDescriptor event_;
  std::atomic<bool> stop_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "stop() is called from signal handlers");
  std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
};

}  // namespace estab::host
