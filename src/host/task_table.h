// The tasks a host runs on its own: started in the loop, destroyed when they are over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "estab/host.h"
#include "estab/task.h"

namespace estab::host {

class TaskTable final : public TaskOwner {
 public:
  TaskTable() = default;
  TaskTable(const TaskTable&) = delete;
  TaskTable& operator=(const TaskTable&) = delete;
  ~TaskTable() { clear(); }

  void add(TaskFrame frame, TaskKind kind);
  /// Tasks that are not over, and how many of them are in the foreground.
  std::size_t size() const { return size_; }
  std::size_t foreground() const { return foreground_; }

  /// Runs those added since the last call up to where they first wait. Returns how many.
  std::size_t start_new();
  /// Destroys those that are over.
  void reap();
  /// The exception of a task that is over, each once, in the order they came; else null.
  std::exception_ptr take_exception();
  /// Destroys all.
  void clear();

  void on_task_done(TaskPromise& promise) override { done_.push_back(promise.number()); }

 private:
  struct Entry {
    TaskFrame frame;
    TaskKind kind = TaskKind::foreground;
  };
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> new_;
  std::vector<std::uint32_t> done_;
  std::vector<std::exception_ptr> exceptions_;
  std::size_t size_ = 0;
  std::size_t foreground_ = 0;
};

}  // namespace estab::host
