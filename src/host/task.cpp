// How control passes between coroutines. A compiler may or may not turn symmetric transfer into a
// jump (g++ 12 does so only from -O2 on and never under sanitizers), so tasks do not rely on it:
// each coroutine returns to resume() and leaves there whom to resume next.
#include "estab/task.h"

namespace estab::host {

namespace {

/// One call of resume().
struct Relay {
  Waiter next;
  const TaskPromise* root = nullptr;  // of the coroutine it runs
  const Relay* outer = nullptr;       // the call within which it was made
};
thread_local Relay* relay = nullptr;

}  // namespace

void resume(const Waiter& next) {
  struct Level : Relay {
    explicit Level(const Waiter& first) : Relay{first, nullptr, relay} { relay = this; }
    ~Level() { relay = const_cast<Relay*>(outer); }
  } level(next);
  while (level.next) {
    const Waiter now = std::exchange(level.next, {});
    level.root = now.root;
    now.handle.resume();
  }
}

void hand_over(const Waiter& next) {
  // Not running: the waiter is somebody else's coroutine, resumed by somebody else's loop.
  // Taken: the running coroutine itself resumed the one that now waits.
  if (!relay || relay->next) return resume(next);
  relay->next = next;
}

bool is_running(const TaskPromise& root) {
  for (const Relay* level = relay; level; level = level->outer)
    if (level->root == &root) return true;
  return false;
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
