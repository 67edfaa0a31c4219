// How control passes between coroutines. A compiler may or may not turn symmetric transfer into a
// jump (g++ 12 does so only from -O2 on and never under sanitizers), so tasks do not rely on it:
// each coroutine returns to resume() and leaves there whom to resume next.
#include "estab/task.h"

namespace estab::host {

namespace {

struct Relay {
  std::coroutine_handle<> next;
  bool running = false;
};
thread_local Relay relay;

}  // namespace

void resume(std::coroutine_handle<> next) {
  struct Restore {
    Relay outer = relay;
    ~Restore() { relay = outer; }
  } restore;
  relay = {next, true};
  while (relay.next) std::exchange(relay.next, {}).resume();
}

void hand_over(std::coroutine_handle<> next) {
  // Not running: the waiter is somebody else's coroutine, resumed by somebody else's loop.
  // Taken: the running coroutine itself resumed the one that now waits.
  if (!relay.running || relay.next) return resume(next);
  relay.next = next;
}

void TaskPromise::finish() noexcept {
  if (parent_) parent_->child_ = nullptr;
  parent_ = nullptr;
  if (awaited_by_) return hand_over(awaited_by_);
  if (owner_) owner_->on_task_done(*this);
}

void TaskFrame::reset() {
  if (!promise_) return;
  if (promise_->parent_) promise_->parent_->child_ = nullptr;
  TaskPromise* innermost = promise_;
  while (innermost->child_) innermost = innermost->child_->promise_;
  while (innermost != promise_) {
    TaskPromise* const parent = innermost->parent_;
    TaskFrame& frame = *std::exchange(parent->child_, nullptr);
    frame.promise_ = nullptr;
    std::exchange(frame.handle_, {}).destroy();
    innermost = parent;
  }
  promise_ = nullptr;
  std::exchange(handle_, {}).destroy();
}

}  // namespace estab::host
