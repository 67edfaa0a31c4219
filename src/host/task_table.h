// The tasks a host runs on its own: started in the loop, destroyed when they are over or cancelled.
// Law: a frame is destroyed only while none of its coroutines is on the stack.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "estab/host.h"
#include "estab/task.h"
#include "estab/task_handle.h"

#include "host/failures.h"

namespace estab::host {

class TaskTable final : public TaskOwner {
 public:
  /// What leaves a task that has no handle goes to `failures`.
  TaskTable(Loop& loop, Failures& failures) : loop_(loop), failures_(failures) {}
  TaskTable(const TaskTable&) = delete;
  TaskTable& operator=(const TaskTable&) = delete;
  ~TaskTable() { clear(); }

  /// The task is held by a handle from the beginning. `outcome` will take its result; null if it
  /// has none.
  TaskId add(TaskFrame frame, TaskKind kind, std::unique_ptr<TaskOutcome> outcome);
  /// Tasks that are not over, and how many of them are in the foreground.
  std::size_t size() const { return size_; }
  std::size_t foreground() const { return foreground_; }

  bool has_new() const { return !new_.empty(); }
  /// Runs those added since the last call up to where they first wait. Returns how many.
  std::size_t start_new();
  /// Destroys those that are over, and those cancelled while they ran.
  void reap();
  /// Destroys all.
  void clear();

  // ---- for handles

  bool is_over(TaskId task) const;
  TaskEnd take_end(TaskId task);
  void cancel(TaskId task);
  void detach(TaskId task);
  /// Where a join waits; null if there is no such task.
  Wait** joiner(TaskId task);

  void on_task_done(TaskPromise& promise) override;

 private:
  enum class Stage : std::uint8_t {
    free,
    added,
    started,
    leaving,  ///< over, or cancelled while it ran: waits in leaving_
    dying,    ///< its frame is being destroyed
    over,
  };
  struct Entry {
    TaskFrame frame;
    std::unique_ptr<TaskOutcome> outcome;
    std::exception_ptr exception;
    Wait* joiner = nullptr;
    std::uint32_t generation = 0;
    TaskKind kind = TaskKind::foreground;
    Stage stage = Stage::free;
    bool held = false;  ///< by a handle
    bool cancelled = false;
  };

  const Entry* find(TaskId task) const;
  Entry* find(TaskId task) {
    return const_cast<Entry*>(static_cast<const TaskTable*>(this)->find(task));
  }
  void leave(std::uint32_t number);
  void end(std::uint32_t number);
  void keep_outcome(Entry& entry, TaskPromise& promise);
  void forget(std::uint32_t number);

  Loop& loop_;
  Failures& failures_;
  std::deque<Entry> entries_;  // never move: joins wait in them
  std::vector<std::uint32_t> free_;
  std::vector<TaskId> new_;
  std::vector<std::uint32_t> leaving_;
  std::size_t size_ = 0;
  std::size_t foreground_ = 0;
};

}  // namespace estab::host
